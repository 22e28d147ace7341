import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openPool, type Pool, type PoolOutcome } from '../../../../functions/host/pool.ts';

/** As a dependency of a transform may: descriptor 3 is the host's channel. */
const HANDLER = `
import { writeSync } from 'node:fs';
export const handler = async ({ rawPath }) => {
  const written = { '/text': 'hello from a dependency', '/status': frame({ status: 7, headers: {} }), '/null': frame(null), '/sums': frame({ status: 200, headers: {}, sums: { a: 'x' } }) };
  if (rawPath in written) writeSync(3, written[rawPath]);
  return { statusCode: 200, headers: {}, body: 'good' };
};
function frame(head) {
  const text = JSON.stringify(head);
  const sizes = Buffer.alloc(8);
  sizes.writeUInt32LE(text.length);
  return Buffer.concat([sizes, Buffer.from(text)]);
}
`;

let folder = '';
let pool: Pool;
const notices: string[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pool-'));
  const handler = join(folder, 'handler.mjs');
  await writeFile(handler, HANDLER);
  pool = await openPool({
    model: { name: 'm', handler, version: '1', timeout: 20 },
    workers: 1,
    child: join(import.meta.dirname, '../../../../functions/host/child.ts'),
    write: () => {},
    notice: (text) => notices.push(text),
  });
});
afterEach(async () => {
  await pool.stop();
  await rm(folder, { recursive: true, force: true });
});

const ask = (target: string): Promise<PoolOutcome> =>
  new Promise((resolve) => {
    pool.ask({ id: 'a', method: 'POST', target, headers: {} }, Buffer.alloc(0), resolve);
  });

it.each(['/text', '/status', '/null', '/sums'])(
  'code of a model that writes to the host’s channel costs its own process alone: %s',
  async (target) => {
    expect(await ask('/good')).toMatchObject({ status: 200 });
    expect(await ask(target)).toMatchObject({ failure: 'crash' });
    expect(await ask('/good')).toMatchObject({ status: 200 });
    expect(pool.standing().counted.restarts).toEqual({ timeout: 0, crash: 1, memory: 0 });
    expect(notices.at(-1)).toContain('file descriptor 3');
  },
);
