import { access, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import type { VersionImage } from '../../core/release/document/history-contract.ts';
import type { AliasProperties } from '../../core/release/document/worker-contract.ts';
import { runPython } from '../python.ts';
import { type Framework, frameworks, install, service, sls, warmSls } from './frameworks.ts';

/**
 * A folder a case, named as a sentence: serverless.yml, and what each framework makes of it: template.json or
 * error.txt; in a folder of the framework's name where it differs. `UPDATE=1` writes them anew.
 */
const here = dirname(fileURLToPath(import.meta.url));
const cases = (await readdir(here, { withFileTypes: true }))
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .sort();
const update = process.env.UPDATE === '1';
/** By processes of their own, as people do, with either outcome; the others by one that is warm. */
const BY_THEMSELVES = ['two-lines-make-an-endpoint', 'every-problem-is-reported-at-once'];

/**
 * Only what differs between two runs, or with every edit of the handler: the framework's clock, and digests
 * of zips.
 */
const stable = (text: string): string =>
  text
    .replace(/\d{13}-\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replace(/(ApiGatewayDeployment\d|WebsocketsDeployment)(?!Stage)[A-Za-z0-9]{8,}/g, '$1Time')
    .replace(/(LambdaVersion)[A-Za-z0-9]{30,}/g, '$1Digest')
    .replace(/("(CodeSha256|AlternativeSha256)": )"[^"]*"/g, '$1"<digest>"');

/** What follows from the handler, too, where that is in a layer of an image: digests, and the tag. */
function withoutImages(text: string): string {
  const { Resources } = JSON.parse(text) as { Resources: Record<string, { Properties?: object }> };
  let plain = text;
  for (const { Properties = {} } of Object.values(Resources)) {
    const { Image, Fingerprint, Layer } = Properties as Partial<AliasProperties>;
    if (Image === undefined || !Fingerprint || !Layer) continue;
    const { model, tag } = {
      model: (Properties as AliasProperties).Model,
      ...(JSON.parse(Image) as VersionImage),
    };
    expect(tag).toBe(`v-${Fingerprint.slice(0, 12)}`);
    plain = plain.replaceAll(Fingerprint, `<fingerprint of ${model}>`);
    plain = plain.replaceAll(tag, `v-<tag of ${model}>`).replaceAll(Layer, `<image of ${model}>`);
  }
  return plain;
}

/**
 * Functions are compiled side by side, so the framework adds resources in the order in which files were read.
 */
function inOrder(text: string): string {
  const { Resources, Outputs, ...template } = JSON.parse(text);
  const sorted = (map: object) =>
    Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
  return `${JSON.stringify({ ...template, Resources: sorted(Resources), Outputs: sorted(Outputs) }, null, 2)}\n`;
}

async function outcome(
  framework: Framework,
  name: string,
): Promise<{ readonly file: 'template.json' | 'error.txt'; readonly text: string }> {
  const folder = await service(framework, name, join(here, name));
  const start = BY_THEMSELVES.includes(name) ? sls : warmSls;
  const run = await start(framework, folder, ['package', '--param', 'memory=3008']);
  if (run.code === 0) {
    const text = await readFile(
      join(folder, '.serverless', 'cloudformation-template-update-stack.json'),
      'utf8',
    );
    return { file: 'template.json', text: withoutImages(stable(inOrder(text))) };
  }
  const [, message = run.output] = /Error:\n([\s\S]*?)(?:\n\n|\n?Environment:|$)/.exec(run.output) ?? [];
  return { file: 'error.txt', text: `${message.trim()}\n` };
}

/**
 * Writes an expectation anew: the common one is osls 4's, another framework has its own only where it
 * differs.
 */
async function keep(framework: Framework, name: string, file: string, text: string): Promise<void> {
  await rm(join(here, name, framework.name), { recursive: true, force: true });
  const isCommon = framework.name === 'osls-4';
  if (isCommon)
    for (const kind of ['template.json', 'error.txt']) await rm(join(here, name, kind), { force: true });
  else if ((await readFile(join(here, name, file), 'utf8').catch(() => undefined)) === text) return;
  const folder = isCommon ? join(here, name) : join(here, name, framework.name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, file), text);
}

/** The expectation for this framework: its own file where there is one. */
async function expected(name: string, framework: Framework): Promise<string> {
  for (const kind of ['template.json', 'error.txt']) {
    const own = join(framework.name, kind);
    if (await exists(join(here, name, own))) return own;
  }
  return (await exists(join(here, name, 'error.txt'))) ? 'error.txt' : 'template.json';
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

beforeAll(async () => {
  for (const framework of frameworks) await install(framework);
});

describe.each(cases)('%s', (name) => {
  it.each(frameworks.map((framework) => [framework.name, framework] as const))(
    'with %s',
    async (_, framework) => {
      const { file, text } = await outcome(framework, name);
      if (update) await keep(framework, name, file, text);
      const path = await expected(name, framework);
      expect(basename(path), text).toBe(file);
      expect(text).toBe(await readFile(join(here, name, path), 'utf8'));
    },
  );
});

// Twenty-four seconds of a processor; a busy machine took four minutes for them.
const LINT_MS = 540_000;
it('cfn-lint finds nothing in any template', { timeout: LINT_MS + 20_000 }, async () => {
  const templates = (await readdir(here, { recursive: true }))
    .filter((path) => /template\.json$/.test(path))
    .map((path) => join(here, path));
  expect(templates.length).toBeGreaterThan(10);
  // W3005: the framework names dependencies that a reference implies already.
  const run = 'import sys; from cfnlint.runner import main; sys.exit(main())';
  const found = await runPython(
    '-c',
    [run, '--ignore-checks', 'W3005', '--format', 'parseable', '--', ...templates],
    { timeout: LINT_MS },
  ).then(
    () => '',
    (error: Error & { stdout?: string }) => error.stdout || error.message,
  );
  expect(found.replaceAll(`${here}/`, '').trim()).toBe('');
});
