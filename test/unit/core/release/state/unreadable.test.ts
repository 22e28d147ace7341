import { describe, expect, it } from 'vitest';
import type { Settings } from '../../../../../core/release/document/settings-contract.ts';
import { WORKER_METRICS } from '../../../../../core/release/document/worker-contract.ts';
import { CANARY } from '../../../../fakes/settings.ts';
import { FUNCTION, request, tick } from '../../../../fakes/world.ts';
import {
  DAY,
  deploy,
  deployed,
  live,
  MINUTE,
  minute,
  minutes,
  promoted,
  until,
  type World,
} from '../traffic.ts';

/** Calls of AWS that keep failing: the rest of a release goes on, and somebody hears of it. */

const PROVISIONED: Settings = {
  ...CANARY,
  capacity: { provisioned: { min: 2, max: 4, target: 0.7 }, schedules: [] },
};

/** A world in which the points that match fail from now on. */
function failing() {
  const at: { now?: RegExp | undefined } = {};
  const chaos = async (point: string): Promise<void> => {
    if (at.now?.test(point)) throw new Error('AccessDenied: not allowed');
  };
  return { at, chaos };
}
const subjects = (w: World) => w.notices.map(({ subject }) => subject);

describe('capacity that cannot be changed', () => {
  it('keeps no candidate from its verdict', async () => {
    const { at, chaos } = failing();
    const w = await deployed(PROVISIONED, { chaos });
    await minutes(w, 3);
    at.now = /before (scale|provide) capacity/;
    const more = {
      ...PROVISIONED,
      capacity: { provisioned: { min: 3, max: 6, target: 0.7 }, schedules: [] },
    };
    await deploy(w, '4', 'b', { before: '4', settings: more });
    w.stack.state = 'done';
    await until(w, 'ROLLED_BACK', { 3: 0.02, 4: 0.9 }, { most: 10 });
    expect(w.target()).toEqual({ version: '3', weights: {} });
    await minutes(w, 20);
    expect(subjects(w)).toContain('[page] churn: provisioned concurrency cannot be read or changed');
    expect(w.counted).toContain(WORKER_METRICS.unreadable);
    at.now = undefined;
    await minutes(w, 2);
    expect([w.state()?.blind, w.schedules.size]).toEqual([undefined, 0]);
    expect(w.capacity.held(FUNCTION)).toEqual(['3']);
  });

  it('fails the deploy that asks for it, before CloudFormation gives up', async () => {
    const { at, chaos } = failing();
    const w = await live(PROVISIONED, { chaos });
    await minutes(w, 2);
    at.now = /before provide/;
    const more = {
      ...PROVISIONED,
      capacity: { provisioned: { min: 3, max: 6, target: 0.7 }, schedules: [] },
    };
    await deploy(w, '3', 'a', { settings: more });
    await minutes(w, 9);
    expect(w.answers.at(-1)).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringMatching(/^provisioned concurrency could not be changed in time/),
    });
  });
});

describe('an alias that cannot be moved', () => {
  it('counts for the alarm at each tick: what was rolled back has its traffic still', async () => {
    const { at, chaos } = failing();
    const w = await deployed(CANARY, { chaos });
    await until(w, 'JUDGING');
    at.now = /before update alias/;
    for (let minute = 0; minute < 15; minute += 1)
      await minutes(w, 1, { 3: 0.02, 4: 0.9 }).catch(() => undefined);
    expect([w.state()?.phase, w.target()?.weights]).toEqual(['ROLLED_BACK', { '4': 0.05 }]);
    w.counted.length = 0;
    for (let minute = 0; minute < 3; minute += 1) await minutes(w, 1).catch(() => undefined);
    expect(w.counted).toEqual(Array(3).fill(WORKER_METRICS.unreadable));
    at.now = undefined;
    await minute(w);
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });
});

describe('instances that cannot be asked for', () => {
  it('fail the deploy in time, and it says why', async () => {
    const { at, chaos } = failing();
    const w = await live(PROVISIONED, { chaos });
    await minutes(w, 2);
    at.now = /before provide capacity/;
    await deploy(w, '4', 'b', { settings: PROVISIONED });
    await minutes(w, 9);
    expect(w.answers.at(-1)).toMatchObject({
      Status: 'FAILED',
      Reason: 'provisioned concurrency was not ready in time: Error: AccessDenied: not allowed',
    });
  });
});

describe('capacity that cannot be read', () => {
  it('lets nothing be warmed, and the deploy is answered in time', async () => {
    const { at, chaos } = failing();
    const w = await live(PROVISIONED, { chaos });
    await minutes(w, 2);
    at.now = /before (list|read) capacity/;
    await deploy(w, '4', 'b', { settings: PROVISIONED });
    expect(w.state()).toMatchObject({ phase: 'WARMING' });
    await minutes(w, 9);
    expect(w.answers.at(-1)).toMatchObject({
      Status: 'FAILED',
      Reason: 'provisioned concurrency was not ready in time: AccessDenied: not allowed',
    });
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });

  it('is not asked for limits where none is provisioned any more', async () => {
    const { at, chaos } = failing();
    const w = await live(PROVISIONED, { chaos });
    await minutes(w, 2);
    at.now = /before read limits/;
    await deploy(w, '4', 'b');
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
  });
});

describe('an alias that cannot be read', () => {
  it('keeps no deploy waiting beyond its time', async () => {
    const { at, chaos } = failing();
    const w = await live(CANARY, { chaos });
    w.stack.state = 'busy';
    at.now = /before gate/;
    await w.send(request('Update', '4', 'b', { before: '3', settings: CANARY })).catch(() => undefined);
    at.now = /before get alias/;
    for (let more = 0; more < 9; more += 1) {
      w.clock.now += MINUTE;
      await w.send(tick()).catch(() => undefined);
    }
    expect(w.answers.at(-1)).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringContaining('AccessDenied'),
    });
    expect(w.counted).toContain(WORKER_METRICS.unreadable);
    at.now = undefined;
    w.stack.state = 'done';
    await minute(w);
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.state()?.phase).toBe('ABORTED');
  });
});

describe('metrics that cannot be read', () => {
  it('raise no weight, and somebody is told', async () => {
    const { at, chaos } = failing();
    const settings = { ...CANARY, p95: 100 };
    const w = await live(settings, { chaos });
    at.now = /before read metrics/;
    await deploy(w, '4', 'b', { settings });
    w.stack.state = 'done';
    await minutes(w, 20);
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.state()?.blind).toMatchObject({ told: true, reason: expect.stringContaining('AccessDenied') });
    expect(subjects(w)).toEqual(['[page] churn: metrics cannot be read, so no weight is raised']);
    at.now = undefined;
    await until(w, 'BAKING');
    expect(w.state()?.blind).toBeUndefined();
  });
});

describe('metrics of a candidate that has traffic', () => {
  const PAGE = '[page] churn: metrics cannot be read, so version 4 is not judged';

  it('that cannot be read page somebody after a quarter of an hour, not when its step is over', async () => {
    const { at, chaos } = failing();
    const w = await deployed(CANARY, { chaos });
    await until(w, 'JUDGING');
    at.now = /before read metrics/;
    await minutes(w, 10);
    expect(subjects(w)).toEqual([]);
    await minutes(w, 10);
    expect(w.state()).toMatchObject({ phase: 'JUDGING', blind: { told: true } });
    expect(subjects(w)).toEqual([PAGE]);
    await minutes(w, 30);
    expect(subjects(w)).toEqual([PAGE]);
    at.now = undefined;
    await minute(w);
    expect(w.state()?.blind).toBeUndefined();
  });

  it('and so do those of one that is held', async () => {
    const { at, chaos } = failing();
    const w = await deployed(CANARY, { chaos });
    await until(w, 'JUDGING');
    await w.command('hold');
    w.notices.length = 0;
    at.now = /before read metrics/;
    await minutes(w, 20);
    expect(subjects(w)).toEqual([PAGE]);
    at.now = undefined;
    await minutes(w, 2);
    expect(w.state()).toMatchObject({ phase: 'HELD' });
    expect(w.state()?.blind).toBeUndefined();
  });
});

describe('minutes that CloudWatch no longer has', () => {
  it('are not asked for: a release that was held before its first weight gets it, after a month, too', async () => {
    const settings = { ...CANARY, p95: 100 };
    const w = await live(settings);
    await deploy(w, '4', 'b', { settings });
    await w.command('hold');
    w.stack.state = 'done';
    w.clock.now += 30 * DAY;
    await minutes(w, 70);
    await w.command('resume');
    await until(w, 'JUDGING', {}, { most: 5 });
    expect(w.state()?.basis).toMatchObject({ slow: expect.any(Number) });
  });

  it('are not asked for: a held release is judged on, after a month, too', async () => {
    const w = await deployed();
    await minutes(w, 3);
    await w.command('hold');
    w.clock.now += 30 * DAY;
    await minutes(w, 5);
    expect(w.state()?.phase).toBe('HELD');
    await until(w, 'ROLLED_BACK', { 3: 0.02, 4: 0.9 }, { most: 10 });
  });
});

describe('versions', () => {
  it('are pruned although each is watched when the next one comes', async () => {
    const w = await promoted();
    for (let version = 5; version < 12; version += 1) {
      w.aliases.publish(FUNCTION, String(version));
      await deploy(w, String(version), `f${version}`, { before: String(version - 1) });
      w.stack.state = 'done';
      await until(w, 'BAKING');
    }
    await minute(w);
    expect([...w.aliases.published(FUNCTION)]).toEqual(['7', '8', '9', '10', '11']);
  });
});
