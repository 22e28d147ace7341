/**
 * A stack that nothing moves on by itself keeps no canary frozen without a word, and no good version refused.
 */
import { describe, expect, it } from 'vitest';
import type { Settings } from '../../../../../core/release/document/settings-contract.ts';
import { CANARY, SETTINGS } from '../../../../fakes/settings.ts';
import { FUNCTION, request } from '../../../../fakes/world.ts';
import { statusIn, textIn } from '../seen.ts';
import { deploy, deployed, live, MINUTE, minute, minutes, rollBack, until, type World } from '../traffic.ts';

const GOOD = { 3: 0.02, 4: 0.02, 5: 0.02 };
const PROVISIONED: Settings = {
  ...CANARY,
  capacity: { provisioned: { min: 1, max: 3, target: 0.7 }, schedules: [] },
};
const subjects = (w: World) => w.notices.map(({ subject }) => subject);
const leftOf = (w: World): number => (Date.parse(w.state()?.deadline ?? '') - w.clock.now) / MINUTE;

describe.each([
  ['unknown', 'the status of the stack cannot be read', 'cloudformation:DescribeStacks'],
  [
    'failed',
    'the stack failed half-way',
    '"aws cloudformation continue-update-rollback --stack-name shop-dev --region us-east-1"',
  ],
] as const)('a stack that is %s', (stack, is, todo) => {
  /** Version 4 has its first weight, and passes its step. */
  async function judged(): Promise<World> {
    const w = await deployed();
    await until(w, 'JUDGING', GOOD);
    w.notices.length = 0;
    w.stack.state = stack;
    return w;
  }

  it('pages after 15 minutes, once, and status shows it; the weight stands', async () => {
    const w = await judged();
    await minutes(w, 10, GOOD);
    expect([w.notices, (await statusIn(w)).level]).toEqual([[], 'look']);
    await minutes(w, 120, GOOD);
    expect(w.state()?.phase).toBe('JUDGING');
    expect(w.target()).toEqual({ version: '3', weights: { 4: 0.05 } });
    expect(subjects(w)).toEqual([`[page] churn: ${is}, so no weight is raised`]);
    expect(w.notices[0]?.text).toContain(todo);
    expect(await textIn(w)).toMatch(/^churn: ACT NOW\./);
    expect((await statusIn(w)).summary.toLowerCase()).toContain(is);
  });

  it('before the first weight, too, and status tells it as long as it is so', async () => {
    const w = await live();
    await deploy(w, '4', 'b');
    w.stack.state = stack;
    await minutes(w, 180, GOOD);
    expect([w.state()?.phase, w.notices.length]).toEqual(['SHIFTING', 1]);
    const { level, summary, todo: next } = await statusIn(w);
    expect([level, summary.toLowerCase()]).toEqual(['act', expect.stringContaining(is)]);
    // The worker's log knows no more of it than that.
    expect(next[0]).toContain(todo);
  });

  it('is why nothing is promoted, and what to do about it', async () => {
    const w = await judged();
    expect(await w.command('promote')).toMatchObject({
      done: false,
      refused: expect.stringMatching(new RegExp(`^${is}: .*${todo}`)),
    });
  });

  it('past the deadline the weight is taken away; the version is not refused, and its deploy releases it', async () => {
    const w = await judged();
    await minutes(w, leftOf(w) + 1, GOOD);
    expect(w.state()).toMatchObject({ phase: 'ABORTED', refused: [] });
    expect(w.state()?.reason).toMatch(/^the deadline .* passed while the s/);
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(subjects(w).at(-1)).toBe('[page] churn: the release was given up, version 3 has all traffic');
    await deploy(w, '4', 'b', { before: '4', again: 'anew' });
    w.stack.state = 'done';
    await until(w, 'BAKING', GOOD);
  });

  it('pages of a release without steps, too, which is given up at its deadline', async () => {
    const w = await live();
    await deploy(w, '4', 'b', { settings: SETTINGS });
    w.stack.state = stack;
    await minutes(w, 20, GOOD);
    expect([w.state()?.phase, subjects(w)]).toEqual([
      'PROMOTING',
      [`[page] churn: ${is}, so no weight is raised`],
    ]);
    await minutes(w, 60, GOOD);
    expect(w.state()).toMatchObject({ phase: 'ABORTED', refused: [], stable: { version: '3' } });
  });

  it('that goes on late leaves the steps all their time', async () => {
    const w = await judged();
    await minutes(w, leftOf(w) - 10, GOOD);
    w.stack.state = 'done';
    await until(w, 'BAKING', GOOD);
    expect(w.state()?.blind).toBeUndefined();
    expect(w.state()?.refused).toEqual([]);
  });

  it('says nothing of a release that a person holds', async () => {
    const w = await judged();
    await w.command('hold');
    w.notices.length = 0;
    await minutes(w, 60, GOOD);
    expect([w.state()?.phase, w.notices]).toEqual(['HELD', []]);
  });
});

describe('a stack in progress', () => {
  it('may take its time: nobody is paged', async () => {
    const w = await deployed();
    await until(w, 'JUDGING', GOOD);
    w.notices.length = 0;
    w.stack.state = 'busy';
    await minutes(w, 12 * 60, GOOD);
    expect([w.state()?.phase, w.notices]).toEqual(['JUDGING', []]);
    expect(await w.command('promote')).toMatchObject({ refused: 'the stack is still in progress' });
    w.stack.state = 'done';
    await until(w, 'BAKING', GOOD);
  });
});

describe('a release that began anew', () => {
  it('and whose instances never get ready is given up at its deadline, with a page', async () => {
    const w = await live(PROVISIONED, { readyAfter: MINUTE / 2 });
    await minutes(w, 2, GOOD);
    await deploy(w, '4', 'b', { settings: PROVISIONED });
    await minutes(w, 3, GOOD);
    w.stack.state = 'done';
    await until(w, 'JUDGING', GOOD);
    await deploy(w, '5', 'c', { before: '4', settings: PROVISIONED });
    await minutes(w, 3, GOOD);
    const { provided } = w.world.capacity;
    Object.assign(w.world.capacity, {
      provided: async (functionName: string, version: string) => {
        const found = await provided(functionName, version);
        return version === '4' && found ? { ...found, state: 'pending', ready: 0 } : found;
      },
    });
    w.stack.state = 'rollingBack';
    await w.send(request('Update', '4', 'b', { before: '5', settings: PROVISIONED }));
    w.stack.state = 'done';
    w.notices.length = 0;
    await minutes(w, leftOf(w) - 1, GOOD);
    expect(w.state()?.phase).toBe('WARMING');
    await minutes(w, 2, GOOD);
    expect(w.state()).toMatchObject({
      phase: 'ABORTED',
      refused: [],
      reason: 'provisioned concurrency was not ready in time',
    });
    expect(w.target()).toEqual({ version: '3', weights: {} });
    expect(subjects(w)).toEqual(['[page] churn: the release was given up, version 3 has all traffic']);
    await minutes(w, 2, GOOD);
    expect([w.capacity.held(FUNCTION), w.schedules.size]).toEqual([['3'], 0]);
  });

  it('and whose gate never ends is given up at its deadline, too', async () => {
    const w = await live();
    w.gates.set('4', [{ state: { done: 1, count: 9, failed: [] }, failures: [] }]);
    await deploy(w, '4', 'b');
    expect(w.state()?.phase).toBe('GATING');
    await deploy(w, '5', 'c', { before: '4' });
    await rollBack(w, '4', 'b', '5');
    w.stack.state = 'done';
    await minute(w);
    expect(w.state()).toMatchObject({ phase: 'GATING', candidate: { version: '4' } });
    w.notices.length = 0;
    await minutes(w, leftOf(w) + 1);
    expect(w.state()).toMatchObject({
      phase: 'ABORTED',
      reason: expect.stringMatching(/^the gate was not done in time: case 1 of 9/),
    });
    expect(subjects(w)).toEqual(['[page] churn: the release was given up, version 3 has all traffic']);
  });
});
