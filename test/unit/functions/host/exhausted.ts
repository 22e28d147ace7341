/**
 * A host that has no file descriptor left while a process of its model ends. Run by `pool.test.ts`, as the
 * limit is a process’s own.
 *
 *   exhausted.ts <handler.mjs>
 */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { openPool, type PoolOutcome } from '../../../../functions/host/pool.ts';

const notices: string[] = [];
const pool = await openPool({
  model: { name: 'm', handler: process.argv[2] ?? '', version: '1', timeout: 20 },
  workers: 1,
  child: join(import.meta.dirname, '../../../../functions/host/child.ts'),
  write: () => {},
  notice: (text) => notices.push(text),
});
const ask = (target: string): Promise<PoolOutcome> =>
  new Promise((resolve) => {
    pool.ask({ id: 'a', method: 'POST', target, headers: {} }, Buffer.alloc(0), resolve);
  });
const until = async (isTrue: () => boolean): Promise<void> => {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
};

const held: number[] = [];
const fill = (): void => {
  try {
    for (;;) held.push(openSync('/dev/null', 'r'));
  } catch {
    // None is left.
  }
};
fill();
const died = await ask('/die');
// Those of the process that ended are free now.
const before = notices.length;
fill();
await until(() => notices.length > before);
for (const one of held) closeSync(one);
const good = await ask('/good');
await pool.stop();
process.stdout.write(JSON.stringify({ died, good: 'status' in good && good.status, notices }));
