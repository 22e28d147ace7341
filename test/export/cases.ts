/**
 * A folder a case, named as a sentence: serverless.yml, `arguments` of the command, and what it makes: the
 * files below `written/`, or error.txt. `UPDATE=1` writes them anew.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { osls4, service, warmSls } from '../golden/frameworks.ts';

const cases = join(import.meta.dirname, '..', '..', 'test', 'export', 'cases');
export const caseNames = (await readdir(cases)).sort();

export type Texts = Readonly<Record<string, string>>;

/** Runs the command in a folder of its own. */
export async function exportCase(name: string): Promise<{ readonly texts: Texts; readonly output: string }> {
  const folder = await service(osls4, `export-${name}`, join(cases, name));
  const given = (await readFile(join(cases, name, 'arguments'), 'utf8')).trim().split(' ');
  const run = await warmSls(osls4, folder, ['models', 'export', ...given, '--output', 'written']);
  if (run.code === 0) return { texts: await textsIn(join(folder, 'written')), output: run.output };
  const [, message = run.output] = /Error:\n([\s\S]*?)(?:\n\n|\n?Environment:|$)/.exec(run.output) ?? [];
  return { texts: { 'error.txt': `${message.trim()}\n` }, output: run.output };
}

/** What is expected, by path below the case’s folder: `written/service.yaml`, or `error.txt`. */
export async function expectedOf(name: string): Promise<Texts> {
  const folder = join(cases, name);
  const written = await textsIn(join(folder, 'written'));
  if (Object.keys(written).length > 0) return written;
  return { 'error.txt': await readFile(join(folder, 'error.txt'), 'utf8').catch(() => '') };
}

export async function keepExpected(name: string, texts: Texts): Promise<void> {
  await rm(join(cases, name, 'written'), { recursive: true, force: true });
  await rm(join(cases, name, 'error.txt'), { force: true });
  for (const [file, text] of Object.entries(texts)) {
    const path = file === 'error.txt' ? join(cases, name, file) : join(cases, name, 'written', file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
}

async function textsIn(folder: string): Promise<Texts> {
  const names = await readdir(folder).catch(() => []);
  const texts = names.sort().map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const);
  return Object.fromEntries(await Promise.all(texts));
}

/** An object of Kubernetes, of whose form nothing is known. */
export type Manifest = { [key: string]: unknown } & { kind: string };

/** What is written for Kubernetes, by case and file: `two-lines…/service.yaml`. */
export async function writtenManifests(): Promise<ReadonlyMap<string, Manifest>> {
  const found = new Map<string, Manifest>();
  for (const name of caseNames)
    for (const [file, text] of Object.entries(await textsIn(join(cases, name, 'written'))))
      for (const document of parseAllDocuments(text)) {
        const value = document.toJS() as Manifest;
        if (typeof value.kind === 'string') found.set(`${name}/${file}`, value);
      }
  return found;
}

/** What is written for CloudFormation: texts by absolute path. */
export async function writtenTemplates(): Promise<readonly (readonly [path: string, text: string])[]> {
  const found = await Promise.all(caseNames.map((name) => textsIn(join(cases, name, 'written'))));
  return found.flatMap((texts, index) => {
    const text = texts['template.yaml'];
    const path = join(cases, caseNames[index] ?? '', 'written', 'template.yaml');
    return text === undefined ? [] : [[path, text] as const];
  });
}
