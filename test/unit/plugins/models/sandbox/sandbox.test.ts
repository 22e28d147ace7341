import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { runChild } from '../../../../../plugins/models/sandbox/sandbox.ts';
import type { Exports } from '../../../../../plugins/models/ship/evaluate.ts';

const folder = await mkdtemp(join(tmpdir(), 'serverless-models-'));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Code that starts a process which has its standard error and goes on, and tells that one’s number. */
const leaving = (file: string, end: string): string => `
  import { spawn } from 'node:child_process';
  import { writeFileSync } from 'node:fs';
  const left = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 600000)'], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  left.unref();
  writeFileSync(${JSON.stringify(file)}, String(left.pid));
  ${end}`;

it.each([
  ['ends', 'export const post = 1;', { kind: 'done', result: expect.objectContaining({ names: ['post'] }) }],
  ['says why it fails', 'throw new Error("no");', { kind: 'failed', message: 'Error: no' }],
  ['never ends', 'for (;;);', { kind: 'deadline', stage: 'loading' }],
  ['exits', 'console.error("why"); process.exit(3);', { kind: 'crashed', message: 'why' }],
])('waits for nothing that code leaves behind which %s', async (name, end, outcome) => {
  const pid = join(folder, `${name}.pid`);
  const file = join(folder, `${name}.mjs`);
  await writeFile(file, leaving(pid, end));
  const ends = name !== 'never ends';
  // On a busy machine code may not have begun by then.
  for (let deadline = ends ? 240_000 : 4000; ; deadline *= 2) {
    const began = performance.now();
    const limits = { deadline, memory: 1024 ** 3 };
    const found = await runChild<Exports>('plugins/models/ship/evaluate', { file }, {}, limits);
    const took = performance.now() - began;
    const left = Number(await readFile(pid, 'utf8').catch(() => ''));
    if (left === 0 && !ends) continue;
    process.kill(left, 'SIGKILL');
    expect(found).toMatchObject(outcome);
    // What is left behind has ten minutes.
    expect(took).toBeLessThan(300_000);
    return;
  }
});

it('the time of the code begins when its process has started', async () => {
  const file = join(folder, 'late.mjs');
  // Together they outlast the deadline; one alone leaves time, at last as much as a busy machine needs.
  for (let wait = 4000; ; wait *= 2) {
    const code = `await new Promise((done) => setTimeout(done, ${wait}));`;
    await writeFile(file, `${code} export const post = 1;`);
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` };
    const limits = { deadline: wait * 1.75, memory: 1024 ** 3 };
    const found = await runChild<Exports>('plugins/models/ship/evaluate', { file }, env, limits);
    if (found.kind === 'deadline' && wait < 64_000) continue;
    expect(found).toMatchObject({ kind: 'done', result: { names: ['post'] } });
    return;
  }
});

it('what it said while this process stood still counts', async () => {
  const file = join(folder, 'said.mjs');
  await writeFile(file, 'export const post = 1;');
  const still = new Int32Array(new SharedArrayBuffer(4));
  for (let deadline = 3000; ; deadline *= 2) {
    const limits = { deadline, memory: 1024 ** 3 };
    const running = runChild<Exports>('plugins/models/ship/evaluate', { file }, {}, limits);
    Atomics.wait(still, 0, 0, deadline * 1.2);
    const found = await running;
    if (found.kind === 'deadline' && deadline < 24_000) continue;
    expect(found).toMatchObject({ kind: 'done', result: { names: ['post'] } });
    return;
  }
});

// As code does that is made to run under a process manager.
it.each(['"ready"', 'null', '{ kind: "ready" }'])(
  'passes over what code tells its parent: %s',
  async (message) => {
    const file = join(folder, 'telling.mjs');
    await writeFile(
      file,
      `await new Promise((done) => process.send(${message}, done)); export const post = 1;`,
    );
    const limits = { deadline: 240_000, memory: 1024 ** 3 };
    const found = await runChild<Exports>('plugins/models/ship/evaluate', { file }, {}, limits);
    expect(found).toMatchObject({ kind: 'done', result: { names: ['post'] } });
  },
);
