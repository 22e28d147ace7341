/** A monitor that is killed after any of its writes, or runs twice at once, has found the same in the end. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DRIFT_METRICS } from '../../core/drift/contract.ts';
import { type Days, startDays } from './drift-days.ts';
import { deployMonitor, packed, rowsOf, type Scene } from './drift-scene.ts';
import { invoke } from './lambda.ts';

/**
 * Kills the process at the end of its n-th write (metrics, document, and so on), or waits before each
 * document is written until the address that it was given answers.
 */
const FRAGILE = `import { S3Client } from '@aws-sdk/client-s3';
const monitors = new Map(watched.map((one) => [one.model, createMonitor([one])]));
let [left, meet, documents] = [Infinity, undefined, 0];
const done = () => { if (--left === 0) process.kill(process.pid, 'SIGKILL'); };
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = (line, ...rest) => {
  const answer = write(line, ...rest);
  if (String(line).includes('"${DRIFT_METRICS.seen}"')) done();
  return answer;
};
const send = S3Client.prototype.send;
S3Client.prototype.send = async function (command, ...rest) {
  if (!('IfNoneMatch' in command.input)) return send.call(this, command, ...rest);
  if (meet) await fetch(meet + documents++);
  try { return await send.call(this, command, ...rest); } finally { done(); }
};
export const handler = (event, context) => {
  [left, meet, documents] = [event.kill ?? Infinity, event.meet, 0];
  return monitors.get(event.model)(event, context);
};
`;
const KILLS = [1, 2, 3, 4];

const LEFT = KILLS.map((kill) => `killed-${kill}`);
let days: Days;

beforeAll(async () => {
  days = await startDays();
  const wide = await packed('wide', rowsOf(2000));
  await days.keep(wide);
  const requests = Array.from({ length: 40 }, () => rowsOf(10, { amount: 0.9 }));
  const events = (scene: Scene) =>
    [days.before, days.last].flatMap(({ from }) =>
      requests.flatMap((rows, n) => scene.asked(from + n * 1000, rows)),
    );
  for (const name of ['undisturbed', 'twice', ...LEFT]) await days.serve(name, wide, events);
  const watched = [...days.scenes.values()].map((scene) => scene.watched);
  await deployMonitor(days.aws, 'shop-dev-models-drift', watched);
  await deployMonitor(days.aws, 'shop-dev-fragile', watched, FRAGILE);
});
afterAll(() => days?.stop());

it('is killed after each of its writes', async () => {
  for (const kill of KILLS) {
    const { error } = await invoke(days.aws, 'shop-dev-fragile', { model: `killed-${kill}`, kill });
    expect(error, `${kill}`).toBeDefined();
    const kept = await days.documents.kept(`killed-${kill}`, [days.before, days.last], () => {});
    const judged = kept.filter(({ from }) => from >= days.before.from);
    expect(judged.length, `${kill}`).toBe(Math.floor(kill / 2));
  }
});

it('runs twice at once', async () => {
  // Neither writes a document before the other one has come as far.
  const waiting = new Map<string, ServerResponse>();
  const server = createServer(({ url = '' }, response) => {
    const other = waiting.get(url);
    waiting.set(url, response);
    for (const one of other ? [other, response] : []) one.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const meet = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const runs = await Promise.all(
    [0, 1].map(() => invoke(days.aws, 'shop-dev-fragile', { model: 'twice', meet })),
  );
  server.close();
  expect(runs.map(({ error }) => error)).toEqual([undefined, undefined]);
});

it('finds the same in the end: documents once, metrics of the same height', async () => {
  const { error, log } = await invoke(days.aws, 'shop-dev-models-drift');
  expect(error, log).toBeUndefined();
  const of = async (name: string) => ({
    documents: [await days.document(name, days.before), await days.document(name, days.last)].map(
      ({ model: _, ...rest }) => rest,
    ),
    highest: [
      await days.metric(name, DRIFT_METRICS.max, 'Maximum'),
      await days.metric(name, DRIFT_METRICS.signals, 'Maximum'),
      await days.metric(name, DRIFT_METRICS.seen, 'Maximum'),
    ],
    unreadable: await days.metric(name, DRIFT_METRICS.unreadable, 'Sum'),
  });
  const expected = await of('undisturbed');
  expect(expected.documents.map(({ rows }) => rows)).toEqual([400, 400]);
  expect(expected.highest).toEqual([
    { '-1': expect.any(Number), '0': expect.any(Number) },
    { '-1': 0, '0': 1 },
    { '-1': 400, '0': 400 },
  ]);
  for (const name of ['twice', ...LEFT]) expect(await of(name), name).toEqual(expected);
  // At least once: what was published before a document was written is published again, and alarms read the
  // highest.
  expect(await days.metric('twice', DRIFT_METRICS.seen, 'SampleCount')).toEqual({ '-1': 2, '0': 2 });
  expect(await days.metric('undisturbed', DRIFT_METRICS.seen, 'SampleCount')).toEqual({ '-1': 1, '0': 1 });
});
