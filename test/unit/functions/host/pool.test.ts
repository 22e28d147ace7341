import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openPool, type Pool, type PoolOutcome } from '../../../../functions/host/pool.ts';

/** As a dependency of a transform may: descriptor 3 is the host's channel. */
const HANDLER = `
import { writeSync } from 'node:fs';
let count = 0;
let computing = 0;
let ordinal = -1;
let begun = '';
const answer = { status: 200, headers: {}, took: 1 };
export const handler = async ({ rawPath }) => {
  ordinal += 1;
  if (rawPath === '/die') process.exit(7);
  if (rawPath === '/who') return { statusCode: 200, headers: {}, body: String(process.pid) };
  while (rawPath === '/endless');
  if (rawPath === '/short') for (const until = performance.now() + 10; performance.now() < until; );
  if (rawPath === '/log') console.log('a'.repeat(1_000_000));
  if (rawPath === '/never') await new Promise(() => {});
  if (rawPath === '/begin') setTimeout(() => (begun = 'over'), 1);
  if (rawPath === '/begun') {
    while (begun === '') await new Promise((resolve) => setTimeout(resolve, 1));
    return { statusCode: 200, headers: {}, body: begun };
  }
  if (rawPath === '/count') {
    computing += 1;
    await new Promise((resolve) => setTimeout(resolve, 1));
    const body = count++ + ' of ' + computing;
    computing -= 1;
    return { statusCode: 200, headers: {}, body };
  }
  const written = { '/text': 'hello from a dependency', '/status': frame({ ...answer, ordinal, status: 7 }), '/null': frame(null), '/scores': frame({ ...answer, ordinal, scores: { a: 1 } }), '/took': frame({ ...answer, ordinal, took: null }), '/eternal': frame({ ...answer, ordinal, took: -7 }, (text) => text.replace('-7', '1e999')), '/header': frame({ ...answer, ordinal, headers: { a: 'b\\nc' } }), '/name': frame({ ...answer, ordinal, headers: { 'a b': 'c' } }), '/code': frame({ ...answer, ordinal, code: {} }), '/early': frame({ ...answer, ordinal: ordinal + 1 }), '/nameless': frame(answer), '/forged': frame({ ...answer, ordinal }) };
  if (rawPath in written) writeSync(3, written[rawPath]);
  return { statusCode: 200, headers: {}, body: 'good' };
};
function frame(head, change = (text) => text) {
  const text = change(JSON.stringify(head));
  const sizes = Buffer.alloc(8);
  sizes.writeUInt32LE(text.length);
  return Buffer.concat([sizes, Buffer.from(text)]);
}
`;

let folder = '';
let pool: Pool;
const notices: string[] = [];
let logged = 0;
const open = (timeout: number, workers = 1): Promise<Pool> =>
  openPool({
    model: { name: 'm', handler: join(folder, 'handler.mjs'), version: '1', timeout },
    workers,
    child: join(import.meta.dirname, '../../../../functions/host/child.ts'),
    write: (lines) => {
      logged += lines.length;
    },
    notice: (text) => notices.push(text),
  });
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pool-'));
  await writeFile(join(folder, 'handler.mjs'), HANDLER);
  pool = await open(20);
});
afterEach(async () => {
  await pool.stop();
  await rm(folder, { recursive: true, force: true });
});

const ask = (target: string): Promise<PoolOutcome> =>
  new Promise((resolve) => {
    pool.ask({ id: 'a', method: 'POST', target, headers: {} }, Buffer.alloc(0), resolve);
  });

it.each([
  '/text',
  '/status',
  '/null',
  '/scores',
  '/took',
  '/eternal',
  '/header',
  '/name',
  '/code',
  '/early',
  '/nameless',
])('code of a model that writes to the host’s channel costs its own process alone: %s', async (target) => {
  expect(await ask('/good')).toMatchObject({ status: 200 });
  expect(await ask(target)).toMatchObject({ failure: 'crash' });
  expect(await ask('/good')).toMatchObject({ status: 200 });
  expect(pool.standing().counted.restarts).toEqual({ timeout: 0, crash: 1, memory: 0 });
  expect(notices.at(-1)).toContain('file descriptor 3');
});

/** Short ones, after which more than one at a time lies with the process. */
const soon = async (): Promise<void> => {
  for (let count = 0; count < 20; count++) expect(await ask('/good')).toMatchObject({ status: 200 });
};
const all = (...targets: readonly string[]): Promise<readonly PoolOutcome[]> => Promise.all(targets.map(ask));

it('what lies with a process is computed in its order, one at a time', async () => {
  await soon();
  const answers = await all(...Array<string>(12).fill('/count'));
  expect(answers.map((answer) => 'body' in answer && answer.body.toString())).toEqual(
    Array.from({ length: 12 }, (_, at) => `${at} of 1`),
  );
});

it('the next one lies with a process where more wait than there are processes, however long the queue', async () => {
  /** How many a process has at once after each of five. */
  const taken = async (): Promise<readonly number[]> => {
    let count = 0;
    const seen: number[] = [];
    const ended = Array.from({ length: 5 }, () => {
      const { promise, resolve } = Promise.withResolvers<PoolOutcome>();
      const asked = { id: 'a', method: 'POST', target: '/short', headers: {} };
      pool.ask(asked, Buffer.alloc(0), resolve, () => count++);
      seen.push(count);
      return promise;
    });
    for (const one of await Promise.all(ended)) expect(one).toMatchObject({ status: 200 });
    return seen;
  };
  // Where the machine stands still, one of them seems long.
  await expect.poll(taken, { timeout: 20_000 }).toEqual([1, 1, 2, 2, 2]);
});

it('an answer that its code forges is not followed by one that goes to another request', async () => {
  const body = (outcome: PoolOutcome | undefined) =>
    outcome !== undefined && 'body' in outcome ? outcome.body.toString() : 'none';
  /** Where the process had it when it was ended, there is none. */
  const own = expect.stringMatching(/^(0 of 1|none)$/);
  await soon();
  expect((await all('/forged', '/count')).map(body)).toEqual(['', own]);
  expect([body(await ask('/forged')), body(await ask('/count'))]).toEqual(['', own]);
  expect(await ask('/good')).toMatchObject({ status: 200 });
  expect(pool.standing().counted.restarts).toEqual({ timeout: 0, crash: 2, memory: 0 });
});

it('what lies with a process that ends is computed by the next, and what it has answered is answered', async () => {
  for (let turn = 0; turn < 5; turn++) {
    await soon();
    const [before, cause, ...after] = await all('/good', '/die', '/good', '/good', '/good');
    expect(before).toMatchObject({ status: 200 });
    expect(cause).toMatchObject({ failure: 'crash' });
    expect(after).toMatchObject(Array(3).fill({ status: 200 }));
  }
  expect(pool.standing()).toMatchObject({ working: 0, waiting: 0, counted: { restarts: { crash: 5 } } });
});

/**
 * Until the system has closed all that it had, which its last thread does; in one turn of the event loop, so
 * that nobody has been told yet.
 */
const killed = (pid: number): void => {
  process.kill(pid, 'SIGKILL');
  const isOver = (): boolean => /^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  while (!isOver() || readdirSync(`/proc/${pid}/task`).length > 1);
};

it('what comes to a process that died idle is computed by the next', async () => {
  for (let turn = 0; turn < 3; turn++) {
    const who = await ask('/who');
    killed(Number('body' in who && who.body.toString()));
    expect(await all('/good', '/good')).toMatchObject(Array(2).fill({ status: 200 }));
  }
  expect(pool.standing()).toMatchObject({ working: 0, waiting: 0, counted: { restarts: { crash: 3 } } });
});

it('what comes to two processes that died idle at once waits for the next', async () => {
  await pool.stop();
  pool = await open(20, 2);
  await expect.poll(() => pool.standing().up).toBe(2);
  for (let turn = 0; turn < 3; turn++) {
    const pids = new Set<string>();
    while (pids.size < 2)
      for (const who of await all('/who', '/who')) if ('body' in who) pids.add(who.body.toString());
    for (const pid of pids) killed(Number(pid));
    expect(await all(...Array<string>(6).fill('/good'))).toMatchObject(Array(6).fill({ status: 200 }));
    await expect.poll(() => pool.standing().up, { timeout: 20_000 }).toBe(2);
  }
  expect(pool.standing()).toMatchObject({ working: 0, waiting: 0, counted: { restarts: { crash: 6 } } });
});

it('the time of a request begins when the one before it is answered', async () => {
  await pool.stop();
  pool = await open(5);
  await soon();
  const [before, cause, after] = await all('/good', '/endless', '/good');
  expect([before, cause, after]).toMatchObject([{ status: 200 }, { failure: 'timeout' }, { status: 200 }]);
});

it('a request that waits for what never comes has its timeout, and the process is not taken for one that ended', async () => {
  await pool.stop();
  pool = await open(1);
  expect(await ask('/never')).toMatchObject({ failure: 'timeout' });
  expect(await ask('/good')).toMatchObject({ status: 200 });
});

it('what its code begins in one request goes on in the next, as on Lambda', async () => {
  expect(await ask('/begin')).toMatchObject({ status: 200 });
  const answer = await ask('/begun');
  expect('body' in answer && answer.body.toString()).toBe('over');
});

it('what is logged comes whole, also where no other request follows', async () => {
  logged = 0;
  expect(await ask('/log')).toMatchObject({ status: 200 });
  await expect.poll(() => logged).toBe(1_000_001);
});

it('a process that cannot be started for want of file descriptors is started once there are some', async () => {
  const program = [join(import.meta.dirname, 'exhausted.ts'), join(folder, 'handler.mjs')];
  const limited = ['-c', 'ulimit -n 64; exec "$0" "$@"', process.execPath, ...program];
  const { stdout } = await promisify(execFile)('/bin/sh', limited);
  expect(JSON.parse(stdout)).toMatchObject({ died: { failure: 'crash' }, good: 200 });
  expect(stdout).toContain('A process does not start again: spawn');
});
