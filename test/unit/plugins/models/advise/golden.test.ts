import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sevenBillion } from '../../../../fixtures/large-model.ts';

/**
 * A folder a case, named as a sentence: command.txt, and what the command prints and ends with. `UPDATE=1`
 * writes the latter anew.
 */
const golden = join(dirname(fileURLToPath(import.meta.url)), 'golden');
const repository = join(golden, '../../../../../..');
const cli = join(repository, 'plugins/models/advise/cli.ts');
const cases = (await readdir(golden)).sort();
const update = process.env.UPDATE === '1';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'advise-golden-'));
  await writeFile(join(folder, 'seven-billion.onnx'), sevenBillion());
  await copyFile(join(repository, 'test/fixtures/models/logreg.onnx'), join(folder, 'model.onnx'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const run = (args: readonly string[]): Promise<string> =>
  new Promise((resolve) => {
    execFile(process.execPath, [cli, ...args], { cwd: folder }, (error, stdout, stderr) =>
      resolve(`${stdout}${stderr}\nexit ${error?.code ?? 0}\n`),
    );
  });

describe.each(cases)('%s', (name) => {
  it('is what the command prints', async () => {
    const command = await readFile(join(golden, name, 'command.txt'), 'utf8');
    const printed = await run(command.trim().split(' '));
    const kept = join(golden, name, 'advice.txt');
    if (update) await writeFile(kept, printed);
    expect(printed).toBe(await readFile(kept, 'utf8'));
  });
});

it('the command by itself tells its version', async () => {
  const { version } = JSON.parse(await readFile(join(repository, 'package.json'), 'utf8'));
  expect(await run(['--version'])).toBe(`${version}\n\nexit 0\n`);
});

it('what a file of others has in its texts does nothing to the terminal, and stays the same as JSON', async () => {
  const read = '2026\u001b[31m\u202e';
  const prices = { 'lambda.request': { dollars: 1e-6, read } };
  await writeFile(join(folder, 'prices.json'), JSON.stringify(prices));
  const args = ['advise', 'model.onnx', '--prices', 'prices.json'];
  const [text, json] = await Promise.all([run(args), run([...args, '--json'])]);
  expect(text).toContain('2026\\u001b[31m\\u202e');
  for (const printed of [text, json])
    for (const unseen of ['\u001b', '\u202e']) expect(printed).not.toContain(unseen);
  expect(JSON.parse(json.replace(/\nexit 0\n$/, '')).prices['lambda.request'].read).toBe(read);
});

it('a file that is absent is told by itself, as there is no serverless.yml', async () => {
  const [none, absent] = await Promise.all([run(['advise']), run(['advise', 'absent.onnx'])]);
  expect(none).toContain('Write for example `npx serverless-models advise model.onnx`.');
  expect(absent).toBe(
    'absent.onnx: absent.onnx does not exist. Write the path of a model, relative to this folder. [MODELS_ARTIFACT_MISSING]\n\nexit 1\n',
  );
});

it('a pointer of Git LFS is told as that, as when packaging: exporting the model again would not help', async () => {
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 4096\n`;
  await writeFile(join(folder, 'pointer.onnx'), pointer);
  expect(await run(['advise', 'pointer.onnx'])).toMatch(
    /^pointer\.onnx: pointer\.onnx: The file is a pointer of Git LFS, .*`git lfs pull`/,
  );
});
