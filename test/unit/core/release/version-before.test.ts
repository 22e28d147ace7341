/**
 * Documents of the worker of main before and of this one in every phase, and the other worker that goes on
 * with them.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Settings } from '../../../../core/release/document/settings-contract.ts';
import { readHistory } from '../../../../plugins/models/releases/history/history.ts';
import { historyText } from '../../../../plugins/models/releases/history/text.ts';
import { statusText } from '../../../../plugins/models/releases/status-text.ts';
import { type Outcome, outcomeOf } from '../../../../plugins/models/releases/words/outcome.ts';
import { CANARY } from '../../../fakes/settings.ts';
import { FUNCTION, fakeWorld, request, SCOPE } from '../../../fakes/world.ts';
import { type Edition, versionBefore } from '../../../older/version-before.ts';
import { type Both, type Edited, inOne } from './older.ts';
import { statusIn } from './seen.ts';
import { alarm, deploy, MINUTE, minutes, rollBack, until, type World } from './traffic.ts';

let edition: Edition;
beforeAll(async () => {
  edition = await versionBefore();
});

const AT_ONCE: Settings = { ...CANARY, strategy: 'allAtOnce', steps: [] };
const PROVISIONED: Settings = {
  ...CANARY,
  capacity: { provisioned: { min: 2, max: 4, target: 0.7 }, schedules: [] },
};
const GOOD = { 3: 0.02, 4: 0.02 };
const BAD = { 3: 0.02, 4: 0.5 };

type Options = Parameters<typeof fakeWorld>[0];

/** Version 3 is live, and its stack asks for version 4 next: both by the worker of `by`. */
async function begun(by: Edited, options: Options = {}): Promise<Both> {
  const w = inOne(fakeWorld(options), edition, by);
  for (const version of ['3', '4', '5', '6']) w.aliases.publish(FUNCTION, version);
  await w.send(request('Create', '3', 'a', { settings: CANARY }));
  return w;
}
async function deployed(by: Edited, settings: Settings = CANARY, options: Options = {}): Promise<Both> {
  const w = inOne(fakeWorld(options), edition, by);
  for (const version of ['3', '4', '5', '6']) w.aliases.publish(FUNCTION, version);
  await w.send(request('Create', '3', 'a', { settings }));
  await deploy(w, '4', 'b', { settings });
  return w;
}
async function done(by: Edited, settings?: Settings): Promise<Both> {
  const w = await deployed(by, settings);
  w.stack.state = 'done';
  return w;
}
async function promoted(by: Edited): Promise<Both> {
  const w = await done(by);
  await until(w, 'BAKING', GOOD);
  // An alarm that turns on in the minute of the promotion is the version's before.
  await minutes(w, 1, GOOD);
  return w;
}

type Case = {
  readonly make: (by: Edited) => Promise<Both>;
  readonly phase: string;
  readonly settings?: Settings;
  readonly outcome: Outcome['is'];
  /** The version that its template asks for. */
  readonly asks?: '3' | '4';
  /** Its stack is still in progress. */
  readonly busy?: true;
};
const CASES: Readonly<Record<string, Case>> = {
  GATING: {
    make: async (by) => {
      const w = await begun(by);
      w.gates.set('4', [{ state: { done: 1, count: 9, failed: [] }, failures: [] }]);
      await deploy(w, '4', 'b');
      return w;
    },
    phase: 'GATING',
    busy: true,
    outcome: 'onItsWay',
  },
  WARMING: {
    make: (by) => deployed(by, PROVISIONED, { readyAfter: 5 * MINUTE }),
    phase: 'WARMING',
    busy: true,
    settings: PROVISIONED,
    outcome: 'onItsWay',
  },
  SHIFTING: { make: (by) => deployed(by), phase: 'SHIFTING', busy: true, outcome: 'onItsWay' },
  JUDGING: {
    make: async (by) => {
      const w = await done(by);
      await until(w, 'JUDGING', GOOD);
      await minutes(w, 12, GOOD);
      return w;
    },
    phase: 'JUDGING',
    outcome: 'onItsWay',
  },
  PROMOTING: {
    make: (by) => deployed(by, AT_ONCE),
    phase: 'PROMOTING',
    busy: true,
    settings: AT_ONCE,
    outcome: 'onItsWay',
  },
  BAKING: { make: promoted, phase: 'BAKING', outcome: 'live' },
  REVERSING: {
    make: async (by) => {
      const w = await promoted(by);
      await alarm(w);
      await minutes(w, 1, GOOD);
      return w;
    },
    phase: 'REVERSING',
    outcome: 'live',
  },
  DONE: {
    make: async (by) => {
      const w = await done(by, { ...AT_ONCE, rollbackWindow: 0 });
      await until(w, 'DONE', GOOD);
      return w;
    },
    phase: 'DONE',
    settings: { ...AT_ONCE, rollbackWindow: 0 },
    outcome: 'live',
  },
  'ROLLED_BACK by the judge': {
    make: async (by) => {
      const w = await done(by);
      await until(w, 'ROLLED_BACK', BAD);
      return w;
    },
    phase: 'ROLLED_BACK',
    outcome: 'refused',
  },
  'ROLLED_BACK by a person, after promotion': {
    make: async (by) => {
      const w = await promoted(by);
      await w.command('rollback', { reason: 'odd answers' });
      return w;
    },
    phase: 'ROLLED_BACK',
    outcome: 'refused',
  },
  'ABORTED by its gate': {
    make: async (by) => {
      const w = await begun(by);
      w.gates.set('4', [{ state: { verdict: 'fail', done: 1, count: 1, failed: [1] }, failures: [] }]);
      await deploy(w, '4', 'b');
      return w;
    },
    busy: true,
    phase: 'ABORTED',
    outcome: 'none',
  },
  'ABORTED by its stack': {
    make: async (by) => {
      const w = await deployed(by);
      await rollBack(w, '3', 'a', '4');
      w.stack.state = 'done';
      return w;
    },
    phase: 'ABORTED',
    asks: '3',
    outcome: 'none',
  },
  'HELD by a person': {
    make: async (by) => {
      const w = await done(by);
      await until(w, 'JUDGING', GOOD);
      await w.command('hold');
      return w;
    },
    phase: 'HELD',
    outcome: 'onItsWay',
  },
  'HELD for want of data': {
    make: async (by) => {
      const w = await done(by, { ...CANARY, maxWait: 600 });
      await until(w, 'HELD', {}, { perMinute: 0 });
      return w;
    },
    phase: 'HELD',
    settings: { ...CANARY, maxWait: 600 },
    outcome: 'onItsWay',
  },
  'HELD since the alias was moved': {
    make: async (by) => {
      const w = await done(by);
      await until(w, 'JUDGING', GOOD);
      w.aliases.byHand(FUNCTION, 'live', { version: '4', weights: {} });
      await until(w, 'HELD', GOOD);
      return w;
    },
    phase: 'HELD',
    outcome: 'none',
  },
  'HELD at the limit of rollbacks': {
    make: async (by) => {
      const w = await promoted(by);
      const at = new Date(w.clock.now).toISOString();
      const state = { ...w.state(), rollbacks: [at, at] };
      w.objects.set(`${SCOPE}releases/churn/live.json`, JSON.stringify(state));
      await alarm(w);
      return w;
    },
    phase: 'HELD',
    outcome: 'live',
  },
};
const cases = Object.entries(CASES);

function outcome(w: World, fingerprint: string): Outcome {
  const [release, alias] = [w.state(), w.alias()];
  return outcomeOf(fingerprint, { ...(release && { release }), ...(alias && { alias }) });
}
const stands = (w: World) => ({ phase: w.state()?.phase, held: w.state()?.held?.by, ...w.target() });
const movesOf = (w: World) => w.aliases.history.map(({ to: { version, weights } }) => [version, weights]);

describe.each(cases)('a document of the older worker in %s', (_name, { make, phase, outcome: is }) => {
  it('tells what it offered, where it stands and what was before', async () => {
    const { other: newer } = await make('older');
    expect(newer.state()?.phase, newer.state()?.reason).toBe(phase);
    expect(outcome(newer, 'b')).toMatchObject({ is });
    const status = await statusIn(newer);
    expect(status.phase).toBe(phase);
    expect(statusText(status, newer.clock.now)).toContain('churn');
    const pasts = await readHistory(newer.world.registry, 'churn', 10);
    expect(historyText('churn', pasts)).toContain('version 3');
    expect(pasts.every(({ to }) => to !== undefined)).toBe(true);
  });
});

describe.each([
  ['older', 'newer'],
  ['newer', 'older'],
] as const)('what the %s worker has written, the %s one', (by, then) => {
  describe.each(cases)('in %s', (_name, { make, phase, settings = CANARY, asks = '4' }) => {
    const fingerprint = { 3: 'a', 4: 'b' }[asks];

    it.each([
      ['good', GOOD],
      ['bad', BAD],
    ])('leads to the same end: the candidate is %s', async (_kind, rates) => {
      const ends = [];
      for (const goesOn of [by, then]) {
        const found = await make(by);
        expect(found.state()?.phase, found.state()?.reason).toBe(phase);
        const w = goesOn === by ? found : found.other;
        found.gates.delete('4');
        const release = found.state()?.release;
        if (found.stack.state === 'done') {
          // The deploy that brings the worker asks for what is there.
          await deploy(w, asks, fingerprint, { before: asks, settings });
          expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
        }
        found.stack.state = 'done';
        expect(w.state()?.release).toBe(release);
        await minutes(w, 90, rates);
        expect(w.state()?.release).toBe(release);
        ends.push({ ...stands(w), moves: movesOf(found) });
      }
      expect(ends[1]).toEqual(ends[0]);
    });
  });
});

/** While the stack is at it there is no other deploy. */
const quiet = cases.filter(([, { busy }]) => !busy);

describe('a deploy by this version that fails half-way, and whose stack goes back to the older worker', () => {
  it.each(quiet)('is to %s what one by the older worker is', async (_name, { make, asks = '4' }) => {
    const fingerprint = { 3: 'a', 4: 'b' }[asks];
    const ends = [];
    for (const by of ['older', 'newer'] as const) {
      const w = await make('older');
      const fails = by === 'older' ? w : w.other;
      w.alarms.set(`${FUNCTION}-errors`, 'OK');
      // Where somebody else has moved the alias, that is what is live.
      const live = w.alias()?.version ?? '';
      const known = w.state()?.refused;
      await deploy(fails, '5', 'c', { before: asks });
      expect(w.state()).toMatchObject({
        release: w.state()?.request?.id,
        operation: { stable: { version: live } },
      });
      await rollBack(w, asks, fingerprint, '5');
      expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
      w.aliases.unpublish(FUNCTION, '5');
      w.stack.state = 'done';
      await minutes(w, 3);
      await minutes(fails, 3);
      expect(w.state()).toMatchObject({ stable: { version: live }, refused: known });
      expect(outcome(w, 'c').is).toBe('none');
      const is = { ...stands(w), moves: movesOf(w) };

      await deploy(w, '6', 'd', { before: asks });
      w.stack.state = 'done';
      await until(w, 'JUDGING', GOOD);
      await deploy(w.other, '6', 'd', { before: '6' });
      w.stack.state = 'done';
      await until(w.other, 'BAKING', { ...GOOD, 6: 0.02 });
      expect(w.target()).toEqual({ version: '6', weights: {} });
      const lives = w.state()?.lives.map(({ version }) => version) ?? [];
      expect(lives.slice(0, 2)).toEqual(['6', live]);
      ends.push({ ...is, lives });
    }
    expect(ends[1]).toEqual(ends[0]);
  });
});

it.each(['older', 'newer'] as const)(
  'a card in the template or a record stops no worker: %s, then the other',
  async (by) => {
    const card = JSON.stringify({ datasets: [], metrics: [], owner: { value: 'ann', from: ['card'] } });
    const w = await begun(by);
    await deploy(w, '4', 'b', { card });
    w.stack.state = 'done';
    await until(w.other, 'BAKING', GOOD);
    const record = (version: string): unknown =>
      JSON.parse(w.objects.objects.get(`${SCOPE}versions/churn/${version}.json`)?.text ?? '');
    expect(record('4')).toMatchObject({ version: '4', fingerprint: 'b' });
    if (by === 'newer') expect(record('4')).toHaveProperty('card.owner.value', 'ann');
    // The next deploy is the other worker's, with the same card or none.
    await deploy(w.other, '5', 'c', { before: '4', card });
    expect(w.state()).toMatchObject({ candidate: { version: '5' } });
    expect(record('5')).toMatchObject({ version: '5' });
  },
);
