/** What a stack that rolls back must leave as it is: time, evidence, and versions of other functions. */
import { describe, expect, it } from 'vitest';
import type { Release } from '../../../../core/release/document/contract.ts';
import { readHistory } from '../../../../plugins/models/releases/history/history.ts';
import { CANARY, SETTINGS } from '../../../fakes/settings.ts';
import { FUNCTION, LIVE, request, tick } from '../../../fakes/world.ts';
import {
  deploy,
  deployed,
  due,
  live,
  minute,
  minutes,
  promoted,
  rollBack,
  until,
  type World,
} from './traffic.ts';

const GOOD = { 3: 0.02, 4: 0.02, 5: 0.02 };

describe('a release that begins anew', () => {
  it('has all the time that its steps have', async () => {
    const slow = { ...CANARY, steps: [{ weight: 5, bake: 2 * 3600 }] };
    const w = await deployed(slow);
    await until(w, 'JUDGING', GOOD);
    await deploy(w, '5', 'c', { before: '4', settings: slow });
    w.stack.state = 'rollingBack';
    await w.send(request('Update', '4', 'b', { before: '5', settings: slow }));
    w.stack.state = 'done';
    await until(w, 'BAKING', GOOD, { most: 150 });
    expect(w.target()).toEqual({ version: '4', weights: {} });
  });
});

describe('a rollback that failed, since the status of the stack could not be read, and is continued', () => {
  it('brings back the release that the failed deploy superseded', async () => {
    const w = await deployed();
    await until(w, 'JUDGING', GOOD);
    await deploy(w, '5', 'c', { before: '4' });
    w.stack.state = 'unknown';
    await w.send(request('Update', '4', 'b', { before: '5', settings: CANARY }));
    for (let waited = 0; waited < 9; waited += 1) await minute(w);
    expect(w.answers.at(-1)?.Status).toBe('FAILED');
    await rollBack(w, '4', 'b', '5');
    expect(w.answers.at(-1)?.Status).toBe('SUCCESS');
    expect(w.target()).toEqual({ version: '3', weights: {} });
    w.stack.state = 'done';
    await until(w, 'JUDGING', GOOD);
    expect(w.target()).toEqual({ version: '3', weights: { '4': 0.05 } });
  });
});

describe('a forced deploy of what is live, in a stack that fails', () => {
  it('leaves the evidence of the release that made it live', async () => {
    const w = await promoted();
    const edit = w.state() as Release;
    w.objects.set(LIVE, JSON.stringify({ ...edit, deployment: { id: 'FIRST', told: edit.phase } }));
    const before = w.state() as Release;
    await deploy(w, '4', 'b', { before: '4', forced: 'at noon' });
    w.stack.state = 'rollingBack';
    await w.send(request('Update', '4', 'b', { before: '4', forcedBefore: 'at noon', settings: CANARY }));
    expect(w.answers.at(-1)?.Status).toBe('SUCCESS');
    w.stack.state = 'done';
    await minute(w, GOOD);
    const { release, phase, judgements, promotedAt, steps, watch } = before;
    expect(w.state()).toMatchObject({ release, phase, judgements, promotedAt, steps, watch });
  });
});

describe('a deploy that changes function.name, in a stack that fails', () => {
  it('what is live under the old name stays, whatever number the new one began with', async () => {
    const w = await live(SETTINGS);
    w.aliases.publish(FUNCTION, '1');
    await deploy(w, '4', 'b', { before: '3', settings: CANARY });
    w.stack.state = 'done';
    await until(w, 'JUDGING', GOOD);
    w.stack.state = 'busy';
    w.aliases.publish('shop-dev-other', '3');
    await w.send({
      ...request('Update', '3', 'b2', { before: '4', functionName: 'shop-dev-other', settings: CANARY }),
      OldResourceProperties: { FunctionName: FUNCTION, Version: '4' },
    });
    expect(w.answers.at(-1)?.Status).toBe('SUCCESS');
    w.stack.state = 'rollingBack';
    await w.send({
      ...request('Update', '4', 'b', { before: '3', settings: CANARY }),
      OldResourceProperties: { FunctionName: 'shop-dev-other', Version: '3' },
    });
    expect(w.answers.at(-1)?.Status).toBe('SUCCESS');
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });
});

describe('a request that waited for the status of its stack', () => {
  it('is answered by the time at which CloudFormation gives up, not as long after it was followed', async () => {
    const w = await live();
    w.stack.state = 'unknown';
    await w.send(request('Update', '4', 'b', { before: '3', settings: CANARY }));
    const until = w.state()?.waiting?.until;
    w.gates.set('4', [{ state: { done: 1, count: 9, failed: [] }, failures: [] }]);
    await minutes(w, 5);
    w.stack.state = 'busy';
    await w.send(tick());
    expect(w.state()?.waiting).toBeUndefined();
    expect(w.state()?.request?.answerBy).toBe(until);
  });
});

describe('a worker that comes to a rollback late', () => {
  it('moves the alias before it answers', async () => {
    let isDown = false;
    const w = await deployed(CANARY, {
      chaos: async (point) => {
        if (isDown && point.startsWith('before update')) throw new Error('the worker died');
      },
    });
    await until(w, 'JUDGING', GOOD);
    w.stack.state = 'rollingBack';
    isDown = true;
    const event = request('Update', '3', 'a', { before: '4', settings: CANARY });
    await w.send(event).catch(() => undefined);
    expect(w.state()?.intent).toBeDefined();
    w.clock.now = Date.parse(w.state()?.request?.answerBy ?? '') + 1000;
    isDown = false;
    const weights: unknown[] = [];
    const { answer } = w.world;
    Object.assign(w.world, {
      answer: (...given: Parameters<typeof answer>) => {
        weights.push(w.target()?.weights);
        return answer(...given);
      },
    });
    await due(w);
    expect(weights).toEqual([{}]);
  });

  it('and what cannot be moved keeps no stack', async () => {
    let isDown = false;
    const w = await deployed(CANARY, {
      chaos: async (point) => {
        if (isDown && point.startsWith('before update')) throw new Error('AccessDenied');
      },
    });
    await until(w, 'JUDGING', GOOD);
    w.stack.state = 'rollingBack';
    isDown = true;
    const event = request('Update', '3', 'a', { before: '4', settings: CANARY });
    await w.send(event).catch(() => undefined);
    for (let i = 0; i < 9; i += 1) await minute(w).catch(() => undefined);
    expect(w.answers.at(-1)).toMatchObject({ RequestId: event.RequestId, Status: 'SUCCESS' });
  });
});

describe('a deploy whose stack’s status cannot be read in time', () => {
  const past = async (w: World) =>
    (await readHistory(w.world.registry, 'churn', 9)).map(({ to, outcome, weight, judgements, gate }) => ({
      to,
      outcome,
      weight,
      looks: judgements.length,
      gate: gate?.verdict,
    }));
  const LOST = [
    { to: '4', outcome: 'promoted', weight: 100, looks: 3, gate: 'pass' },
    { to: '3', outcome: 'promoted', weight: 100, looks: 0, gate: 'pass' },
  ];
  async function unread(w: World, version: string, fingerprint: string, before: string): Promise<void> {
    w.stack.state = 'unknown';
    await w.send(request('Update', version, fingerprint, { before, settings: { ...CANARY, maxWait: 100 } }));
    await minutes(w, 9, GOOD);
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    w.stack.state = 'done';
    await minutes(w, 2, GOOD);
  }

  it('and that asks for what is live leaves its release as it was, but for what it follows', async () => {
    const w = await promoted();
    const { release, phase, promotedAt, shifts, watch } = w.state() as Release;
    await unread(w, '4', 'b', '4');
    expect(w.state()).toMatchObject({
      release,
      phase,
      promotedAt,
      shifts,
      watch,
      settings: { maxWait: 100 },
    });
    expect(await past(w)).toEqual(LOST);
  });

  it('and that asks for what was live before is a release of its own; the one before keeps its evidence', async () => {
    const w = await promoted();
    await unread(w, '3', 'a', '4');
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.state()).toMatchObject({ phase: 'ABORTED', stable: { version: '3' } });
    const [own, ...others] = await past(w);
    expect(own).toMatchObject({ to: '3', outcome: 'given up' });
    expect(others).toEqual(LOST);
    expect(w.schedules.size).toBe(0);
  });

  it('and that asks for the stable version in mid-canary gives the candidate up, and keeps what was found of it', async () => {
    const w = await deployed();
    await minutes(w, 14, GOOD);
    await unread(w, '3', 'a', '4');
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(await past(w)).toMatchObject([
      { to: '3', outcome: 'given up' },
      { to: '4', outcome: 'given up', weight: 25, looks: 2, gate: 'pass' },
      { to: '3', outcome: 'promoted' },
    ]);
  });
});
