import { describe, expect, it } from 'vitest';
import type { Deployment } from '../../../../core/release/document/history-contract.ts';
import { FUNCTION, SCOPE, tick } from '../../../fakes/world.ts';
import { deploy, deployed, minutes, until, type World } from './traffic.ts';

const HEALTHY = { 3: 0.02, 4: 0.02 };
const ID = '01JA0000000000000000000000';
const KEY = `${SCOPE}deployments/${ID}.json`;
const record = (w: World): Deployment => JSON.parse(w.objects.objects.get(KEY)?.text ?? '');

const told = async () => {
  const w = await deployed();
  w.objects.set(KEY, JSON.stringify({ schema: 1, id: ID, by: 'me', models: [] }));
  await w.send(tick({ deployment: ID }));
  return w;
};

describe('the record of a deploy', () => {
  it('is completed when its release is promoted, and again when it is over', async () => {
    const w = await told();
    expect(record(w).releases).toBeUndefined();
    await until(w, 'BAKING', HEALTHY);
    await minutes(w, 1);
    expect(record(w)).toMatchObject({
      by: 'me',
      releases: { churn: { phase: 'BAKING', version: '4', gate: { verdict: 'pass' } } },
    });
    expect(record(w).releases?.churn?.judgements).toHaveLength(3);
    w.clock.now += 86_400_000;
    await minutes(w, 1);
    expect(record(w).releases?.churn?.phase).toBe('DONE');
  });

  it('says how it ended otherwise', async () => {
    const w = await told();
    await until(w, 'ROLLED_BACK', { 3: 0.02, 4: 0.3 });
    await minutes(w, 1);
    expect(record(w).releases?.churn).toMatchObject({
      phase: 'ROLLED_BACK',
      version: '3',
      reason: expect.stringContaining('errors'),
    });
  });

  it('says that another deploy took its place', async () => {
    const w = await told();
    await minutes(w, 3, HEALTHY);
    await deploy(w, '5', 'c', { before: '4' });
    expect(record(w).releases?.churn).toMatchObject({ phase: 'SUPERSEDED', version: '3' });
  });

  it('is completed by ticks of its own release only, and none takes the place of the first', async () => {
    const w = await told();
    const release = w.state()?.release;
    await minutes(w, 3, HEALTHY);
    const { RequestId } = await deploy(w, '5', 'c', { before: '4' });
    // The shell that followed version 4 with --wait goes on.
    expect(await w.send(tick({ deployment: ID, release }))).toMatchObject({ release: RequestId });
    expect(w.state()?.deployment).toBeUndefined();
    const other = '01JB0000000000000000000000';
    await w.send(tick({ deployment: other, release: RequestId }));
    expect(w.state()?.deployment).toMatchObject({ id: other });
    for (const late of [{}, { release: RequestId }, { release }])
      await w.send(tick({ deployment: ID, ...late }));
    expect(w.state()?.deployment).toMatchObject({ id: other });
    expect(record(w).releases?.churn).toMatchObject({ release, phase: 'SUPERSEDED' });
  });

  it('that is gone keeps nothing back', async () => {
    const w = await told();
    w.objects.objects.delete(KEY);
    await until(w, 'BAKING', HEALTHY);
    await minutes(w, 1);
    expect(w.objects.objects.has(KEY)).toBe(false);
  });
});

describe('notices', () => {
  it('are published again until the topic takes them, and keep no release back', async () => {
    let down = true;
    const w = await deployed(undefined, {
      chaos: async (point) => {
        if (down && point === 'before publish') throw new Error('AuthorizationError');
      },
    });
    await until(w, 'BAKING', HEALTHY);
    await minutes(w, 2);
    expect(w.alias()?.version).toBe('4');
    expect([w.notices.length, w.state()?.notices.length]).toEqual([0, 1]);
    down = false;
    await minutes(w, 1);
    expect([w.notices.length, w.state()?.notices.length]).toEqual([1, 0]);
  });

  it('that a topic refuses for a day are dropped', async () => {
    const w = await deployed(undefined, {
      chaos: async (point) => {
        if (point === 'before publish') throw new Error('AuthorizationError');
      },
    });
    await until(w, 'ROLLED_BACK', { 3: 0.02, 4: 0.3 });
    expect(w.schedules.size).toBe(1);
    w.clock.now += 86_400_000;
    await minutes(w, 1);
    expect(w.state()?.notices).toEqual([]);
    expect(w.schedules.size).toBe(0);
  });
});

describe('a function', () => {
  it('is told by its name which model it serves', async () => {
    const w = await deployed();
    expect(await w.world.registry.modelOf(FUNCTION)).toBe('churn');
  });
});
