/**
 * Where a stack that rolls back returns to: CloudFormation’s own status says that it does, never which number
 * is lower.
 */
import { describe, expect, it } from 'vitest';
import type { Release } from '../../../../../core/release/document/contract.ts';
import { CANARY, SETTINGS } from '../../../../fakes/settings.ts';
import { FUNCTION, LIVE, request, tick } from '../../../../fakes/world.ts';
import { deploy, deployed, live, MINUTE, minute, rollBack, until, type World } from '../traffic.ts';

const GOOD = { 3: 0.02, 4: 0.02, 5: 0.02 };
const FAILED = {
  state: { verdict: 'fail' as const, done: 1, count: 1, failed: [1], reason: 'Case 1 of 1 failed.' },
  failures: [],
};

/** Version 4 is in its canary, and a deploy of version 5 supersedes it. */
async function superseded(w: World, gate: 'pass' | 'fail'): Promise<void> {
  if (gate === 'fail') w.gates.set('5', [FAILED]);
  await deploy(w, '5', 'c', { before: '4' });
  expect(w.answers.at(-1)?.Status).toBe(gate === 'fail' ? 'FAILED' : 'SUCCESS');
}

describe('the deploy that superseded a release fails', () => {
  it.each(['fail', 'pass'] as const)('by its own gate or by another resource (gate: %s)', async (gate) => {
    const w = await deployed();
    await until(w, 'JUDGING', GOOD);
    const first = w.state() as Release;
    await superseded(w, gate);
    const gated = w.gated.length;
    await rollBack(w, '4', 'b', '5');
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(w.target(), 'nothing has a weight while the stack rolls back').toEqual({
      version: '3',
      weights: {},
    });
    expect(w.state()).toMatchObject({ stable: { version: '3' }, candidate: { version: '4' }, shifts: [] });
    expect(w.state()?.release).not.toBe(first.release);
    await minute(w, GOOD);
    expect(w.target(), 'nor before it is done').toEqual({ version: '3', weights: {} });
    w.stack.state = 'done';
    await until(w, 'JUDGING', GOOD);
    expect(w.target(), 'its first step').toEqual({ version: '3', weights: { '4': 0.05 } });
    expect(w.gated.slice(gated), 'its gate’s verdict stands').toEqual([]);
    await until(w, 'BAKING', GOOD);
    expect(w.state()?.stable?.version).toBe('4');
  });

  it('keeps what became of the failed one, and whose the first one was', async () => {
    const w = await deployed();
    await until(w, 'JUDGING', GOOD);
    const edit = JSON.parse(w.objects.objects.get(LIVE)?.text ?? '') as Release;
    w.objects.set(LIVE, JSON.stringify({ ...edit, deployment: { id: 'FIRST' } }));
    await superseded(w, 'fail');
    await rollBack(w, '4', 'b', '5');
    expect(w.state()?.deployment).toMatchObject({ id: 'FIRST' });
    const kept = [...w.objects.objects].flatMap(([key, { text }]) =>
      /releases\/churn\/2\S+\.json$/.test(key) ? [JSON.parse(text) as Release] : [],
    );
    expect(kept.slice(-2)).toMatchObject([
      { phase: 'SUPERSEDED', candidate: { version: '4' } },
      { phase: 'ABORTED', candidate: { version: '5' }, gate: { verdict: 'fail' } },
    ]);
  });

  it('that was held by a person: it is held again, without weight, until it is resumed', async () => {
    const w = await deployed();
    await until(w, 'JUDGING', GOOD);
    await w.command('hold', { reason: 'lunch' });
    await superseded(w, 'fail');
    await rollBack(w, '4', 'b', '5');
    w.stack.state = 'done';
    await minute(w, GOOD);
    expect(w.state()).toMatchObject({ phase: 'HELD', held: { by: 'person' }, candidate: { version: '4' } });
    expect(w.state()?.reason).toContain('lunch');
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(await w.command('resume')).toMatchObject({ done: true });
    await until(w, 'JUDGING', GOOD);
    expect(w.target()).toEqual({ version: '3', weights: { '4': 0.05 } });
  });

  it('that somebody refused meanwhile: it does not come back', async () => {
    const w = await deployed();
    await until(w, 'JUDGING', GOOD);
    await superseded(w, 'pass');
    const found = w.state() as Release;
    const at = new Date(Date.parse(found.updatedAt) + 1000).toISOString();
    const refused = [{ fingerprint: 'b', version: '4', at, reason: 'no' }];
    w.objects.set(LIVE, JSON.stringify({ ...found, refused }));
    await rollBack(w, '4', 'b', '5');
    w.stack.state = 'done';
    await minute(w, GOOD);
    expect(w.state()).toMatchObject({ phase: 'ABORTED', stable: { version: '3' } });
  });

  it('its instances are started again', async () => {
    const settings = { ...CANARY, capacity: { provisioned: { min: 1, max: 3, target: 0.7 }, schedules: [] } };
    const w = await deployed(settings);
    await until(w, 'JUDGING', GOOD);
    await deploy(w, '5', 'c', { before: '4', settings });
    w.stack.state = 'rollingBack';
    await w.send(request('Update', '4', 'b', { before: '5', settings }));
    w.stack.state = 'done';
    await until(w, 'JUDGING', GOOD);
    expect([...w.capacity.held(FUNCTION)].sort()).toEqual(['3', '4']);
  });

  it('twice, as when a rollback fails and is continued', async () => {
    const w = await deployed();
    await until(w, 'JUDGING', GOOD);
    await superseded(w, 'fail');
    await rollBack(w, '4', 'b', '5');
    await rollBack(w, '4', 'b', '5');
    w.stack.state = 'done';
    await until(w, 'JUDGING', GOOD);
    expect(w.target()).toEqual({ version: '3', weights: { '4': 0.05 } });
    expect(w.state()?.reason).not.toContain('given up');
  });
});

describe('the deploy of a version that has a lower number', () => {
  it('is an ordinary release', async () => {
    const w = await deployed();
    await until(w, 'BAKING', GOOD);
    await superseded(w, 'fail');
    await rollBack(w, '4', 'b', '5');
    w.stack.state = 'done';
    await minute(w, GOOD);
    await w.command('rollback');
    expect(w.target()?.version).toBe('3');
    await deploy(w, '4', 'b', { before: '4', forced: 'at noon' });
    w.stack.state = 'done';
    await until(w, 'JUDGING', GOOD);
    expect(w.target()).toEqual({ version: '3', weights: { '4': 0.05 } });
  });

  it('is not asked of a worker whose registry is gone: nothing but a stack that rolls back is', async () => {
    const w = await live(SETTINGS, {
      chaos: async (point) => {
        if (/before get models/.test(point) && broken) throw new Error('AccessDenied');
      },
    });
    broken = true;
    await deploy(w, '2', 'z');
    broken = false;
    expect(w.answers.at(-1)?.Status).toBe('FAILED');
    expect(w.target()?.version).toBe('3');
  });
});
let broken = false;

describe('a request that never reached the worker', () => {
  it('is nothing to undo: the release goes on', async () => {
    const w = await deployed();
    await until(w, 'JUDGING', GOOD);
    const before = w.state() as Release;
    await rollBack(w, '4', 'b', '5');
    w.stack.state = 'done';
    expect(w.state()).toMatchObject({ release: before.release, phase: 'JUDGING' });
    expect(w.target()).toEqual({ version: '3', weights: { '4': 0.05 } });
  });

  it('nor is one that was refused', async () => {
    const w = await deployed();
    await until(w, 'JUDGING', GOOD);
    await w.command('rollback');
    await deploy(w, '5', 'b', { before: '4' });
    expect(w.answers.at(-1)?.Status).toBe('FAILED');
    await rollBack(w, '4', 'b', '5');
    expect(w.state()).toMatchObject({ phase: 'ROLLED_BACK', stable: { version: '3' } });
  });

  it('but a version that goes with the stack loses its traffic, whoever gave it', async () => {
    const w = await deployed(SETTINGS);
    await until(w, 'DONE', GOOD);
    const { operation: _, order: __, ...older } = w.state() as Release;
    w.objects.set(LIVE, JSON.stringify(older));
    await rollBack(w, '3', 'a', '4');
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });
});

describe('a promotion inside the operation', () => {
  it('is taken back with it, and the watch of what was live goes on', async () => {
    const w = await deployed();
    await until(w, 'BAKING', GOOD);
    const { watch } = w.state() as Release;
    await deploy(w, '5', 'b', { before: '4' });
    expect(w.target()?.version).toBe('5');
    await rollBack(w, '4', 'b', '5');
    expect(w.target()).toEqual({ version: '4', weights: {} });
    expect(w.state()).toMatchObject({ watch, lives: [{ version: '4' }, { version: '3' }] });
  });
});

describe('the status of the stack cannot be read', () => {
  it('the request waits, is followed once it can be read, and is answered once', async () => {
    const w = await live();
    w.stack.state = 'unknown';
    const event = request('Update', '4', 'b', { before: '3', settings: CANARY });
    await w.send(event);
    await w.send(event);
    expect(w.answers).toHaveLength(1);
    expect(w.schedules.size).toBe(1);
    await minute(w);
    expect(w.answers).toHaveLength(1);
    w.stack.state = 'busy';
    await minute(w);
    expect(w.answers.at(-1)).toMatchObject({ RequestId: event.RequestId, Status: 'SUCCESS' });
    expect(w.state()).toMatchObject({ phase: 'SHIFTING', candidate: { version: '4' } });
    expect(w.state()?.waiting).toBeUndefined();
  });

  it('a release that runs is judged meanwhile', async () => {
    const w = await deployed();
    await until(w, 'JUDGING', GOOD);
    w.stack.state = 'unknown';
    await w.send(request('Update', '5', 'c', { before: '4', settings: CANARY }));
    for (let i = 0; i < 6; i += 1) await minute(w, { 3: 0.02, 4: 0.9 });
    expect(w.state()).toMatchObject({ phase: 'ROLLED_BACK', waiting: { asked: { version: '5' } } });
  });

  it('until patience ends: what was live gets its traffic', async () => {
    const w = await deployed(SETTINGS);
    await until(w, 'DONE', GOOD);
    w.stack.state = 'unknown';
    await w.send(request('Update', '3', 'a', { before: '4' }));
    for (let i = 0; i < 9; i += 1) await minute(w);
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });

  it('and anything else fails, a first version included', async () => {
    const w = await live();
    w.stack.state = 'unknown';
    await w.send(request('Update', '4', 'b', { before: '3' }));
    for (let i = 0; i < 9; i += 1) await minute(w);
    expect(w.answers.at(-1)).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringContaining('cloudformation:DescribeStacks'),
    });
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(w.schedules.size).toBe(0);
    await w.send(tick());
    expect(w.state()).toMatchObject({ phase: 'DONE', stable: { version: '3' } });
  });
});

describe('a version that a person names', () => {
  it('is good again, and what the rollback had restored stays a way back', async () => {
    const w = await deployed(SETTINGS);
    await until(w, 'DONE', GOOD);
    await w.command('rollback');
    expect(w.state()).toMatchObject({ stable: { version: '3' }, refused: [{ version: '4' }] });
    expect(await w.command('rollback', { to: '4', reason: 'it was right' })).toMatchObject({ done: true });
    expect(w.target()).toEqual({ version: '4', weights: {} });
    expect(w.state()).toMatchObject({
      phase: 'DONE',
      refused: [],
      lives: [{ version: '4' }, { version: '3' }],
    });
    expect(await w.command('rollback')).toMatchObject({ done: true });
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });

  it('is good again after another release, too, and the notice has the command that goes back', async () => {
    const w = await deployed(SETTINGS);
    await until(w, 'DONE', GOOD);
    await w.command('rollback');
    w.gates.set('5', [FAILED]);
    await deploy(w, '5', 'c', { before: '4', settings: SETTINGS });
    await rollBack(w, '4', 'b', '5');
    w.stack.state = 'done';
    await minute(w, GOOD);
    expect(await w.command('rollback', { to: '4' })).toMatchObject({ done: true });
    expect(w.state()).toMatchObject({ stable: { version: '4' }, refused: [] });
    const text = w.notices.at(-1)?.text ?? '';
    const [, to = ''] =
      /"sls models rollback --model churn --to (\d+)[^"]*" goes back again/.exec(text) ?? [];
    expect(to, text).toBe('3');
    expect(await w.command('rollback', { to })).toMatchObject({ done: true });
    expect(w.target()).toEqual({ version: '3', weights: {} });
  });

  it('that was not rolled back: what was live is refused, as ever', async () => {
    const w = await deployed(SETTINGS);
    await until(w, 'DONE', GOOD);
    expect(await w.command('rollback', { to: '3' })).toMatchObject({ done: true });
    expect(w.state()).toMatchObject({ phase: 'ROLLED_BACK', refused: [{ version: '4', restored: 'a' }] });
  });
});

describe('a template that was deployed with --force', () => {
  /** Version 4 was rolled back, forced, and rolled back again; version 5 is live. */
  async function forced(): Promise<{ readonly w: World; readonly mark: string }> {
    const w = await deployed();
    await until(w, 'JUDGING', GOOD);
    await w.command('rollback');
    w.clock.now += MINUTE;
    const mark = new Date(w.clock.now).toISOString();
    await deploy(w, '4', 'b', { before: '4', forced: mark });
    w.stack.state = 'done';
    await until(w, 'JUDGING', GOOD);
    await w.command('rollback', { reason: 'bad indeed' });
    await deploy(w, '5', 'c', { before: '4', forcedBefore: mark });
    w.stack.state = 'done';
    await until(w, 'BAKING', { ...GOOD, 5: 0.01 });
    return { w, mark };
  }

  it('brings back nothing that was refused since, where sls rollback deploys it again', async () => {
    const { w, mark } = await forced();
    await deploy(w, '4', 'b', { before: '5', forced: mark });
    expect(w.answers.at(-1)).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringMatching(
        /which was rolled back on .* UTC \(its --force is older: of .* UTC\): asked for by .*: bad indeed;/,
      ),
    });
    await rollBack(w, '5', 'c', '4');
    w.stack.state = 'done';
    await minute(w, GOOD);
    expect(w.target()).toEqual({ version: '5', weights: {} });
  });

  it('anew releases it all the same', async () => {
    const { w } = await forced();
    await deploy(w, '4', 'b', { before: '5', forced: new Date(w.clock.now).toISOString() });
    w.stack.state = 'done';
    await until(w, 'JUDGING', GOOD);
    expect(w.target()).toEqual({ version: '5', weights: { 4: 0.05 } });
  });
});

describe('published versions', () => {
  it('are pruned by the order in which they were asked for', async () => {
    const w = await live(SETTINGS);
    // Lambda counts on from what it counted, whatever became of it; 9 is somebody else’s.
    for (const version of ['8', '9']) w.aliases.publish(FUNCTION, version);
    let before = '3';
    for (const [version, fingerprint] of [
      ['8', 'h'],
      ['4', 'd'],
      ['5', 'e'],
      ['6', 'f'],
      ['7', 'g'],
    ] as const) {
      await deploy(w, version, fingerprint, { before, settings: SETTINGS });
      w.stack.state = 'done';
      await until(w, 'DONE', {});
      before = version;
    }
    await minute(w);
    await w.send(tick());
    expect([...w.aliases.published(FUNCTION)].sort()).toEqual(['4', '5', '6', '7', '8', '9']);
  });
});
