import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { endpoint, type LocalEndpoint } from './lambda-process.ts';

const HANDLER = `
console.log('started');
export const handler = async (event, context) => {
  if (event.do === 'loop') for (;;);
  if (event.do === 'die') process.exit(3);
  if (event.do === 'throw') throw new TypeError('no');
  return { pid: process.pid, ppid: process.ppid, left: context.getRemainingTimeInMillis(), secret: process.env.AWS_SECRET_ACCESS_KEY ?? null, name: context.functionName };
};`;

let folder = '';
let running: LocalEndpoint | undefined;
const lines: string[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serverless-models-'));
  await writeFile(join(folder, 'handler.mjs'), HANDLER);
  await writeFile(join(folder, 'broken.mjs'), "throw new Error('no model here');");
});
afterEach(() => running?.stop(true));
afterAll(() => rm(folder, { recursive: true, force: true }));

function start(file = 'handler.mjs', timeout = 10): LocalEndpoint {
  running = endpoint({
    file: join(folder, file),
    env: { PATH: process.env.PATH ?? '', AWS_LAMBDA_FUNCTION_NAME: 'shop-dev-m' },
    timeout,
    log: (line) => lines.push(line),
  });
  return running;
}
type Answer = { pid: number; ppid: number; left: number; secret: string | null; name: string };
async function answerOf(one: LocalEndpoint): Promise<Answer> {
  const invocation = await one.invoke({});
  if ('failure' in invocation) throw new Error(invocation.text);
  return invocation.answer as Answer;
}
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('an endpoint’s process', () => {
  it('answers, with Lambda’s context and without this process’s environment', async () => {
    process.env.AWS_SECRET_ACCESS_KEY = 'mine';
    const answer = await answerOf(start());
    delete process.env.AWS_SECRET_ACCESS_KEY;
    expect(answer).toMatchObject({ secret: null, name: 'shop-dev-m', ppid: process.pid });
    expect(answer.left).toBeGreaterThan(3000);
    expect(answer.left).toBeLessThanOrEqual(10_000);
    expect(lines).toContain('started');
  });

  it('is one process for many requests', async () => {
    const one = start();
    const pids = await Promise.all(Array.from({ length: 5 }, () => answerOf(one)));
    expect(new Set(pids.map(({ pid }) => pid)).size).toBe(1);
  });

  it('is killed where a request blocks it beyond the timeout, and starts again', async () => {
    const one = start('handler.mjs', 5);
    const { pid } = await answerOf(one);
    const began = Date.now();
    expect(await one.invoke({ do: 'loop' })).toMatchObject({ failure: 'timeout' });
    expect(Date.now() - began).toBeLessThan(60_000);
    expect(isAlive(pid)).toBe(false);
    expect((await answerOf(one)).pid).not.toBe(pid);
  });

  it('starts again after it died, and goes on after an exception', async () => {
    const one = start();
    expect(await one.invoke({ do: 'die' })).toMatchObject({ failure: 'crash' });
    const { pid } = await answerOf(one);
    expect(await one.invoke({ do: 'throw' })).toMatchObject({
      failure: 'error',
      text: expect.stringContaining('TypeError: no'),
    });
    expect((await answerOf(one)).pid).toBe(pid);
  });

  it('says what its initialisation threw', async () => {
    await expect(start('broken.mjs').start()).rejects.toThrow('no model here');
  });

  it('is gone when stopped, also in the middle of a request', async () => {
    const one = start('handler.mjs', 30);
    const { pid } = await answerOf(one);
    const endless = one.invoke({ do: 'loop' });
    await one.stop(true);
    expect(await endless).toMatchObject({ failure: 'crash' });
    expect(isAlive(pid)).toBe(false);
  });
});
