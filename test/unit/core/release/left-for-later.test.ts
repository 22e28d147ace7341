import { describe, expect, it } from 'vitest';
import { WORKER_METRICS } from '../../../../core/release/document/worker-contract.ts';
import { CANARY } from '../../../fakes/settings.ts';
import { BATCH, FUNCTION, fakeWorld, request, SCOPE, tick } from '../../../fakes/world.ts';
import { deploy, deployed, minute, minutes, until, type World } from './traffic.ts';

/** Notices, records and schedules that AWS does not take now: the rest is done all the same. */

const GOOD = { 3: 0.01, 4: 0.01 };
const ID = '01JA0000000000000000000000';
const RECORD = `${SCOPE}deployments/${ID}.json`;
const batchOf = (w: World) => w.aliases.at(BATCH, 'live')?.version;

/** A world in which the points that match fail from now on. */
function failing() {
  const at: { now?: RegExp | undefined } = {};
  const chaos = async (point: string): Promise<void> => {
    if (at.now?.test(point)) throw new Error('AccessDenied: not allowed');
  };
  return { at, chaos };
}

/** Version 4 has its canary, and each version its own of batch. */
async function withBatch(options: Parameters<typeof fakeWorld>[0]): Promise<World> {
  const w = fakeWorld(options);
  for (const version of ['3', '4']) w.aliases.publish(FUNCTION, version);
  for (const version of ['13', '14']) w.aliases.publish(BATCH, version);
  await w.send(request('Create', '3', 'a', { settings: CANARY, batch: '13' }));
  w.stack.state = 'done';
  await deploy(w, '4', 'b', { batch: '14' });
  w.stack.state = 'done';
  return w;
}

describe('a topic that takes nothing', () => {
  it('keeps batch not at the version before: it follows a promotion, and a rollback', async () => {
    const { at, chaos } = failing();
    const w = await withBatch({ chaos });
    at.now = /before publish/;
    await until(w, 'BAKING', GOOD);
    expect(w.state()?.notices).toHaveLength(1);
    expect(batchOf(w)).toBe('14');
    await w.command('rollback');
    expect(batchOf(w)).toBe('13');
    // The notices wait, and so does the tick.
    expect([w.state()?.phase, w.schedules.size]).toEqual(['ROLLED_BACK', 1]);
    at.now = undefined;
    await minutes(w, 1);
    expect([w.notices.length, w.state()?.notices, w.schedules.size]).toEqual([2, [], 0]);
  });

  it('keeps nothing from the record of the deploy', async () => {
    const { at, chaos } = failing();
    const w = await deployed(CANARY, { chaos });
    w.objects.set(RECORD, JSON.stringify({ schema: 1, id: ID, by: 'me', models: [] }));
    await w.send(tick({ deployment: ID }));
    at.now = /before publish/;
    await until(w, 'ROLLED_BACK', { 3: 0.01, 4: 0.5 });
    await minute(w);
    expect(JSON.parse(w.objects.objects.get(RECORD)?.text ?? '')).toMatchObject({
      releases: { churn: { phase: 'ROLLED_BACK' } },
    });
  });
});

describe('a schedule that cannot be told anew', () => {
  it('keeps nobody from hearing that a release is held', async () => {
    const { at, chaos } = failing();
    const w = await deployed({ ...CANARY, maxWait: 0 }, { chaos });
    await until(w, 'JUDGING', GOOD);
    at.now = /before put schedule/;
    // Nobody asks anything.
    await until(w, 'HELD', {}, { perMinute: 0 });
    expect(w.notices.map(({ subject }) => subject)).toEqual(['[page] churn: the release is held']);
    expect(w.counted).toContain(WORKER_METRICS.unreadable);
    const [before] = [...w.schedules.values()];
    at.now = undefined;
    await minute(w);
    const [after] = [...w.schedules.values()];
    expect([before?.input.includes('deadline'), after?.input.includes('deadline')]).toEqual([true, false]);
  });

  it('leaves a command done, which says so', async () => {
    const { at, chaos } = failing();
    const w = await deployed(CANARY, { chaos });
    await until(w, 'JUDGING', GOOD);
    at.now = /before put schedule/;
    expect(await w.command('hold')).toMatchObject({ done: true, tick: { phase: 'HELD' } });
  });
});

describe('the record of a deploy', () => {
  const told = async (chaos: ReturnType<typeof failing>['chaos']) => {
    const w = await deployed(CANARY, { chaos });
    w.objects.set(RECORD, JSON.stringify({ schema: 1, id: ID, by: 'me', models: [] }));
    await w.send(tick({ deployment: ID }));
    return w;
  };

  it('that cannot be written now is written by a later tick, and keeps no batch, notice or answer back', async () => {
    const { at, chaos } = failing();
    const w = await told(chaos);
    at.now = new RegExp(`before replace ${RECORD}`);
    await until(w, 'ROLLED_BACK', { 3: 0.01, 4: 0.5 });
    expect(await w.send(tick())).toMatchObject({ phase: 'ROLLED_BACK', version: '3' });
    expect([w.notices.length, w.schedules.size]).toEqual([1, 1]);
    expect(w.counted).toContain(WORKER_METRICS.unreadable);
    at.now = undefined;
    await minute(w);
    expect(JSON.parse(w.objects.objects.get(RECORD)?.text ?? '')).toMatchObject({
      releases: { churn: { phase: 'ROLLED_BACK' } },
    });
    expect(w.schedules.size).toBe(0);
  });

  it('that somebody damaged is left as it is: the release ends, and the next one begins', async () => {
    const w = await told(async () => {});
    w.objects.set(RECORD, '{"schema": 1, "id": ');
    await until(w, 'ROLLED_BACK', { 3: 0.01, 4: 0.5 });
    expect(await w.send(tick())).toMatchObject({ phase: 'ROLLED_BACK', version: '3' });
    expect(w.schedules.size).toBe(0);
    await deploy(w, '5', 'c', { before: '4' });
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(w.objects.objects.get(RECORD)?.text).toBe('{"schema": 1, "id": ');
  });

  it('that somebody damaged does not fail the deploy that takes the release’s place', async () => {
    const w = await told(async () => {});
    await until(w, 'JUDGING', GOOD);
    w.objects.set(RECORD, 'none');
    await deploy(w, '5', 'c', { before: '4' });
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(w.state()).toMatchObject({ candidate: { version: '5' } });
  });
});
