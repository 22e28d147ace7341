/** Warm processes that all test files of a run share: each command gets what is its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Command, runWarm } from '../../warm-sls.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const before = process.env.MODELS_WARM_SLS;
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'models-pool-')));
const socket = join(folder, 'pool');
/** Stands for a framework: says what it has of its process, and may take its time. */
const bin = join(folder, 'framework', 'bin', 'said.js');
const SAID = `
const { writeFileSync } = require('node:fs');
const [, , what, file] = process.argv;
globalThis.commands = (globalThis.commands ?? 0) + 1;
if (what === 'waits') {
  writeFileSync(file, String(process.pid));
  setTimeout(() => {}, 60_000);
} else {
  const { commands } = globalThis;
  console.log(JSON.stringify({ pid: process.pid, commands, cwd: process.cwd(), mine: process.env.MINE, now: Date.now() }));
  process.exitCode = what === 'fails' ? 3 : 0;
}
`;
let pool: ChildProcess;

beforeAll(async () => {
  mkdirSync(join(folder, 'framework', 'bin'), { recursive: true });
  writeFileSync(bin, SAID);
  pool = spawn(process.execPath, [join(root, 'test', 'warm-pool.ts'), socket], {
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  while (!existsSync(socket)) await sleep(20);
  process.env.MODELS_WARM_SLS = socket;
});
afterAll(() => {
  if (before === undefined) delete process.env.MODELS_WARM_SLS;
  else process.env.MODELS_WARM_SLS = before;
  pool.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const command = (args: readonly string[], env: Record<string, string> = {}, cwd = folder): Command => ({
  bin,
  cwd,
  args,
  env,
  timeout: 20_000,
});
type Own = { pid: number; commands: number; cwd: string; mine?: string; now: number };
const own = async (asked: Command): Promise<Own> => JSON.parse((await runWarm(asked)).stdout);
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
async function ended(pid: number): Promise<void> {
  while (isAlive(pid)) await sleep(20);
}

it('a command has its own folder, environment and exit code, in a process that another had', async () => {
  const one = await own(command(['says'], { MINE: 'one' }));
  const other = await runWarm(command(['fails'], {}, join(folder, 'framework')));
  expect(other.code).toBe(3);
  expect(JSON.parse(other.stdout)).toMatchObject({
    pid: one.pid,
    commands: one.commands + 1,
    cwd: join(folder, 'framework'),
  });
  expect(other.stdout).not.toContain('mine');
  expect([one.cwd, one.mine]).toEqual([folder, 'one']);
});

it('commands at a time have processes of their own', async () => {
  const [one, other] = await Promise.all([own(command(['says'])), own(command(['says']))]);
  expect(one.pid).not.toBe(other.pid);
});

it('each goes by the clock of its local AWS', async () => {
  const clock = pathToFileURL(join(root, 'local-aws', 'semantics', 'clock.mjs'));
  const by = (speed: number, epoch: number): Promise<Own> =>
    own(
      command(['says'], {
        NODE_OPTIONS: `--import ${clock}`,
        MODELS_AWS_SPEED: String(speed),
        MODELS_AWS_EPOCH: String(epoch),
      }),
    );
  const hour = 3_600_000;
  const began = Date.now() - hour;
  const twice = await by(2, began);
  const tenfold = await by(10, began);
  expect(tenfold.pid).toBe(twice.pid);
  expect((twice.now - began) / hour).toBeCloseTo(2, 1);
  expect((tenfold.now - began) / hour).toBeCloseTo(10, 0);
});

it('who goes away ends its command, and the end of the pool ends all', async () => {
  const asking = (file: string): ChildProcess =>
    spawn(
      process.execPath,
      [
        '--input-type=module-typescript',
        '-e',
        `import { runWarm } from ${JSON.stringify(pathToFileURL(join(root, 'test', 'warm-sls.ts')).href)};
         await runWarm(${JSON.stringify(command(['waits', file]))});`,
      ],
      { env: { ...process.env, MODELS_WARM_SLS: socket }, stdio: 'ignore' },
    );
  const pidIn = async (file: string): Promise<number> => {
    while (!existsSync(file) || readFileSync(file, 'utf8') === '') await sleep(20);
    return Number(readFileSync(file, 'utf8'));
  };
  const gone = asking(join(folder, 'gone'));
  const first = await pidIn(join(folder, 'gone'));
  gone.kill('SIGKILL');
  await ended(first);

  const stays = asking(join(folder, 'stays'));
  const second = await pidIn(join(folder, 'stays'));
  const { pid: idle } = await own(command(['says']));
  pool.stdin?.end();
  await Promise.all([ended(second), ended(idle)]);
  stays.kill('SIGKILL');
});

it('without a pool they are of the process that asks', async () => {
  process.env.MODELS_WARM_SLS = join(folder, 'nobody');
  expect(await own(command(['says'], { MINE: 'here' }))).toMatchObject({ mine: 'here', commands: 1 });
});
