import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { wholeFile } from '../../../../functions/runtime/whole-file.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'whole-'));
  path = join(folder, 'model', 'weights.bin');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const there = (): Promise<string[]> => readdir(join(folder, 'model'));
const source = join(import.meta.dirname, '..', '..', '..', '..', 'functions', 'runtime', 'whole-file.ts');

/** Begins the same file in a process of its own, and says so; it ends where its input does. */
async function other(text: string): Promise<ChildProcess> {
  const script = `
import { writeFile } from 'node:fs/promises';
import { wholeFile } from ${JSON.stringify(source)};
await wholeFile(${JSON.stringify(path)}, async (part) => {
  await writeFile(part, ${JSON.stringify(text.slice(0, 2))});
  console.log('begun');
  for await (const _ of process.stdin);
  await writeFile(part, ${JSON.stringify(text)});
});`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

test('two processes at once write parts of their own, and each time the file is whole', async () => {
  const one = await other('first');
  const two = await other('second');
  expect(await there()).toHaveLength(2);
  one.stdin?.end();
  expect(await once(one, 'exit')).toEqual([0, null]);
  expect(await readFile(path, 'utf8')).toBe('first');
  two.stdin?.end();
  expect(await once(two, 'exit')).toEqual([0, null]);
  expect(await readFile(path, 'utf8')).toBe('second');
  expect(await there()).toEqual(['weights.bin']);
});

test('a process that is killed in the middle leaves no file, and the next removes what it left', async () => {
  const killed = await other('first');
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  expect(await there()).toEqual([expect.stringMatching(/^weights\.bin\..*\.part$/)]);
  await wholeFile(path, (part) => writeFile(part, 'whole'));
  expect(await there()).toEqual(['weights.bin']);
});

test('what throws leaves nothing, and what was whole before', async () => {
  await wholeFile(path, (part) => writeFile(part, 'whole'));
  const failing = wholeFile(path, async (part) => {
    await writeFile(part, 'half');
    throw new Error('no space');
  });
  await expect(failing).rejects.toThrow('no space');
  expect(await there()).toEqual(['weights.bin']);
  expect(await readFile(path, 'utf8')).toBe('whole');
});

test.each([
  ['of a container that is not this one', 'weights.bin.1-7-1.part'],
  ['of an earlier version', 'weights.bin.part'],
])('a part %s is left alone while it may be written, and removed when it is old', async (_, name) => {
  await mkdir(join(folder, 'model'));
  const part = join(folder, 'model', name);
  await writeFile(part, 'half');
  await writeFile(join(folder, 'model', 'others.bin.part'), 'half');
  await wholeFile(path, (own) => writeFile(own, 'whole'));
  expect((await there()).sort()).toEqual(['others.bin.part', 'weights.bin', name].sort());
  const old = new Date(Date.now() - 3_600_000);
  await utimes(part, old, old);
  await wholeFile(path, (own) => writeFile(own, 'whole'));
  expect((await there()).sort()).toEqual(['others.bin.part', 'weights.bin']);
});
