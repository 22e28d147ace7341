import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { endWarm, firstAlone, runWarm, shareWarm } from '../warm-sls.ts';
import { root } from './frameworks.ts';

/** A command line of its own: it tells its process and its time, or waits. */
const COMMAND = `
const [, , ...words] = process.argv;
if (words[0] === 'wait') {
  require('node:fs').writeFileSync(words[1], String(process.pid));
  setInterval(() => {}, 1000);
} else if (words[0] === 'meet') {
  const { existsSync, writeFileSync } = require('node:fs');
  writeFileSync(words[1], '');
  const timer = setInterval(() => {
    if (!existsSync(words[2])) return;
    clearInterval(timer);
    console.log(JSON.stringify({ pid: process.pid }));
  }, 20);
} else if (words[0] === 'load') {
  console.log(JSON.stringify({ pid: process.pid, loaded: require(require.resolve(words[1], { paths: ['.'] })) }));
} else if (words[0] === 'bundle') {
  const { build } = require(require.resolve('esbuild', { paths: [words[1]] }));
  if (words[2] === 'later') console.log(JSON.stringify({ pid: process.pid }));
  else
    build({ stdin: { contents: '1' }, write: false }).then(({ errors }) =>
      console.log(JSON.stringify({ pid: process.pid, errors })),
    );
}
else console.log(JSON.stringify({ pid: process.pid, now: Date.now(), words, own: process.env.OWN }));
`;
let folder = '';
let server: ReturnType<typeof shareWarm> | undefined;
const { MODELS_WARM: before } = process.env;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warm-'));
  await writeFile(join(folder, 'command.cjs'), COMMAND);
  process.env.MODELS_WARM = join(folder, 'socket');
  server = shareWarm(process.env.MODELS_WARM);
  await once(server, 'listening');
});

afterAll(async () => {
  await endWarm();
  server?.close();
  if (before === undefined) delete process.env.MODELS_WARM;
  else process.env.MODELS_WARM = before;
  await rm(folder, { recursive: true, force: true });
});

const ask = async (
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd = folder,
  run = runWarm,
) => {
  const bin = join(folder, 'command.cjs');
  const said = await run({ bin, cwd, args, env, timeout: 60_000 });
  expect(said).toMatchObject({ code: 0, stderr: '' });
  return JSON.parse(said.stdout);
};

it('gives the commands of several files to one process, each with its own environment', async () => {
  const first = await ask(['one'], { OWN: 'first' });
  const second = await ask(['two']);
  expect(second.pid).toBe(first.pid);
  expect(second.pid).not.toBe(process.pid);
  expect([first.words, first.own, second.words, second.own]).toEqual([['one'], 'first', ['two'], undefined]);
});

it('runs a command alone once, whoever asks and with which options', async () => {
  const warm = await ask(['one']);
  const first = await ask(['models', 'list', '--json'], {}, folder, firstAlone);
  const again = await ask(['models', 'list'], {}, folder, firstAlone);
  const other = await ask(['models', 'plan'], {}, folder, firstAlone);
  expect(again.pid).toBe(warm.pid);
  expect(new Set([warm.pid, first.pid, other.pid]).size).toBe(3);
});

it('ends those that run nothing, and starts others then', async () => {
  const first = await ask(['one']);
  await endWarm();
  expect(() => process.kill(first.pid, 0)).toThrow();
  expect((await ask(['one'])).pid).not.toBe(first.pid);
});

it('goes on where one ended that ran nothing', async () => {
  const first = await ask(['one']);
  process.kill(first.pid, 'SIGKILL');
  await expect
    .poll(() =>
      ask(['one']).then(
        ({ pid }) => pid === first.pid,
        () => true,
      ),
    )
    .toBe(false);
  await endWarm();
});

it('has two processes for two at a time', async () => {
  const [here, there] = [join(folder, 'here'), join(folder, 'there')];
  const [one, two] = await Promise.all([ask(['meet', here, there]), ask(['meet', there, here])]);
  expect(one.pid).not.toBe(two.pid);
});

it('bundles after the folder of its first command is gone', async () => {
  const cwd = await mkdtemp(join(folder, 'service-'));
  // Its own options of Node.js: a process of its own.
  const env = { NODE_OPTIONS: '--no-warnings' };
  const first = await ask(['bundle', root, 'later'], env, cwd);
  await rm(cwd, { recursive: true });
  expect(await ask(['bundle', root], env)).toEqual({ pid: first.pid, errors: [] });
});

it('loads the files of a service anew', async () => {
  // No file of the command's own folder, which is loaded anew in any case.
  await mkdir(join(root, '.local'), { recursive: true });
  const cwd = await mkdtemp(join(root, '.local', 'service-'));
  try {
    await writeFile(join(cwd, 'plugin.cjs'), 'module.exports = 1;');
    const before = await ask(['load', './plugin.cjs'], {}, cwd);
    await writeFile(join(cwd, 'plugin.cjs'), 'module.exports = 2;');
    const after = await ask(['load', './plugin.cjs'], {}, cwd);
    expect([before.loaded, after]).toEqual([1, { pid: before.pid, loaded: 2 }]);
  } finally {
    await rm(cwd, { recursive: true });
  }
});

it('runs each command by the clock of its AWS', async () => {
  const clock = join(root, 'local-aws', 'semantics', 'clock.mjs');
  const byClock = (speed: number, epoch: number) =>
    ask([], {
      NODE_OPTIONS: `--import ${clock}`,
      MODELS_AWS_SPEED: String(speed),
      MODELS_AWS_EPOCH: String(epoch),
    });
  const began = Date.now() - 100_000;
  const [slow, fast] = [await byClock(2, began), await byClock(60, began)];
  expect(fast.pid).toBe(slow.pid);
  expect((slow.now - began) / 100_000).toBeCloseTo(2, 0);
  expect((fast.now - began) / 100_000 / 60).toBeCloseTo(1, 0);
});

it.each(['runWarm', 'firstAlone'])('ends the command of a process that has gone: %s', async (run) => {
  const pid = join(folder, `pid-${run}`);
  const script = `
import { ${run} } from ${JSON.stringify(join(root, 'test', 'warm-sls.ts'))};
await ${run}({ bin: ${JSON.stringify(join(folder, 'command.cjs'))}, cwd: ${JSON.stringify(folder)}, args: ['wait', ${JSON.stringify(pid)}], env: {}, timeout: 60_000 });
`;
  const asker = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'inherit' });
  const running = async (): Promise<number> => Number(await readFile(pid, 'utf8').catch(() => '0'));
  while ((await running()) === 0) await sleep(50);
  const child = await running();
  expect(() => process.kill(child, 0)).not.toThrow();
  asker.kill('SIGKILL');
  await expect
    .poll(() => {
      try {
        return process.kill(child, 0);
      } catch {
        return 'gone';
      }
    })
    .toBe('gone');
});
