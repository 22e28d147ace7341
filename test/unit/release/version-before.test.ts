/** Documents of the worker of the version before, and both workers on one document in turn. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Release, Settings } from '../../../core/release/document/contract.ts';
import { historyText, readHistory } from '../../../plugins/models/releases/history.ts';
import { type Outcome, outcomeOf } from '../../../plugins/models/releases/outcome.ts';
import { statusText } from '../../../plugins/models/releases/status-text.ts';
import { CANARY } from '../../fakes/settings.ts';
import { FUNCTION, fakeWorld, request, SCOPE } from '../../fakes/world.ts';
import { type Edition, versionBefore } from '../../version-before.ts';
import { byOlder, type Older } from './older.ts';
import { statusIn } from './seen.ts';
import { alarm, deploy, MINUTE, minutes, rollBack, until, type World } from './traffic.ts';

let older: Edition;
beforeAll(async () => {
  older = await versionBefore();
});

/** As the plan of the version before wrote them. */
const { rejected: _, ...BEFORE } = CANARY;
const AT_ONCE: Settings = { ...BEFORE, strategy: 'allAtOnce', steps: [] };
const PROVISIONED: Settings = {
  ...BEFORE,
  capacity: { provisioned: { min: 2, max: 4, target: 0.7 }, schedules: [] },
};
const GOOD = { 3: 0.02, 4: 0.02 };
const BAD = { 3: 0.02, 4: 0.5 };

/** Version 3 was released by the older worker, and version 4 is deployed by it. */
async function deployed(settings: Settings = BEFORE, options: Parameters<typeof fakeWorld>[0] = {}) {
  const w = byOlder(fakeWorld(options), older);
  for (const version of ['3', '4', '5', '6']) w.aliases.publish(FUNCTION, version);
  await w.send(request('Create', '3', 'a', { settings }));
  await deploy(w, '4', 'b', { settings });
  return w;
}
async function done(settings?: Settings): Promise<Older> {
  const w = await deployed(settings);
  w.stack.state = 'done';
  return w;
}
async function promoted(): Promise<Older> {
  const w = await done();
  await until(w, 'BAKING', GOOD);
  // An alarm that turns on in the minute of the promotion is the version's before.
  await minutes(w, 1, GOOD);
  return w;
}

type Case = {
  readonly make: () => Promise<Older>;
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
    make: async () => {
      const w = byOlder(fakeWorld(), older);
      for (const version of ['3', '4']) w.aliases.publish(FUNCTION, version);
      await w.send(request('Create', '3', 'a', { settings: BEFORE }));
      w.gates.set('4', [{ state: { done: 1, count: 9, failed: [] }, failures: [] }]);
      await deploy(w, '4', 'b', { settings: BEFORE });
      return w;
    },
    phase: 'GATING',
    busy: true,
    outcome: 'onItsWay',
  },
  WARMING: {
    make: () => deployed(PROVISIONED, { readyAfter: 5 * MINUTE }),
    phase: 'WARMING',
    busy: true,
    settings: PROVISIONED,
    outcome: 'onItsWay',
  },
  SHIFTING: { make: () => deployed(), phase: 'SHIFTING', busy: true, outcome: 'onItsWay' },
  JUDGING: {
    make: async () => {
      const w = await done();
      await until(w, 'JUDGING', GOOD);
      await minutes(w, 12, GOOD);
      return w;
    },
    phase: 'JUDGING',
    outcome: 'onItsWay',
  },
  PROMOTING: {
    make: () => deployed(AT_ONCE),
    phase: 'PROMOTING',
    busy: true,
    settings: AT_ONCE,
    outcome: 'onItsWay',
  },
  BAKING: { make: promoted, phase: 'BAKING', outcome: 'live' },
  REVERSING: {
    make: async () => {
      const w = await promoted();
      await alarm(w);
      await minutes(w, 1, GOOD);
      return w;
    },
    phase: 'REVERSING',
    outcome: 'live',
  },
  DONE: {
    make: async () => {
      const w = await done({ ...AT_ONCE, rollbackWindow: 0 });
      await until(w, 'DONE', GOOD);
      return w;
    },
    phase: 'DONE',
    settings: { ...AT_ONCE, rollbackWindow: 0 },
    outcome: 'live',
  },
  'ROLLED_BACK by the judge': {
    make: async () => {
      const w = await done();
      await until(w, 'ROLLED_BACK', BAD);
      return w;
    },
    phase: 'ROLLED_BACK',
    outcome: 'refused',
  },
  'ROLLED_BACK by a person, after promotion': {
    make: async () => {
      const w = await promoted();
      await w.command('rollback', { reason: 'odd answers' });
      return w;
    },
    phase: 'ROLLED_BACK',
    outcome: 'refused',
  },
  'ABORTED by its gate': {
    make: async () => {
      const w = byOlder(fakeWorld(), older);
      for (const version of ['3', '4']) w.aliases.publish(FUNCTION, version);
      await w.send(request('Create', '3', 'a', { settings: BEFORE }));
      w.gates.set('4', [{ state: { verdict: 'fail', done: 1, count: 1, failed: [1] }, failures: [] }]);
      await deploy(w, '4', 'b', { settings: BEFORE });
      return w;
    },
    busy: true,
    phase: 'ABORTED',
    outcome: 'none',
  },
  'ABORTED by its stack': {
    make: async () => {
      const w = await deployed();
      await rollBack(w, '3', 'a', '4');
      w.stack.state = 'done';
      return w;
    },
    phase: 'ABORTED',
    asks: '3',
    outcome: 'none',
  },
  'HELD by a person': {
    make: async () => {
      const w = await done();
      await until(w, 'JUDGING', GOOD);
      await w.command('hold');
      return w;
    },
    phase: 'HELD',
    outcome: 'onItsWay',
  },
  'HELD for want of data': {
    make: async () => {
      const w = await done({ ...BEFORE, maxWait: 600 });
      await until(w, 'HELD', {}, { perMinute: 0 });
      return w;
    },
    phase: 'HELD',
    settings: { ...BEFORE, maxWait: 600 },
    outcome: 'onItsWay',
  },
  'HELD since the alias was moved': {
    make: async () => {
      const w = await done();
      await until(w, 'JUDGING', GOOD);
      w.aliases.byHand(FUNCTION, 'live', { version: '4', weights: {} });
      await until(w, 'HELD', GOOD);
      return w;
    },
    phase: 'HELD',
    outcome: 'none',
  },
  'HELD at the limit of rollbacks': {
    make: async () => {
      const w = await promoted();
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

describe.each(cases)(
  'a document in %s',
  (_name, { make, phase, settings = BEFORE, outcome: is, asks = '4' }) => {
    const fingerprint = { 3: 'a', 4: 'b' }[asks];

    it('is one of the older worker; what it offered, where it stands and what was before is told', async () => {
      const w = await make();
      expect(w.state()?.phase, w.state()?.reason).toBe(phase);
      expect(Object.keys(w.state() as Release)).not.toContain('order');
      expect(outcome(w, 'b')).toMatchObject({ is });
      const status = await statusIn(w.newer);
      expect(status.phase).toBe(phase);
      expect(statusText(status, w.clock.now)).toContain('churn');
      const pasts = await readHistory(w.newer.world.registry, 'churn', 10);
      expect(historyText('churn', pasts)).toContain('version 3');
      expect(pasts.every(({ to }) => to !== undefined)).toBe(true);
    });

    it.each([
      ['good', GOOD],
      ['bad', BAD],
    ])('is led to the same end by the newer worker: the candidate is %s', async (_kind, rates) => {
      const ends = [];
      for (const newer of [false, true]) {
        const found = await make();
        const w = newer ? found.newer : found;
        found.gates.delete('4');
        const release = found.state()?.release;
        if (found.stack.state === 'done') {
          // The deploy that brings the newer worker asks with what is new in its settings.
          const more = newer ? { ...settings, rejected: true as const } : settings;
          await deploy(w, asks, fingerprint, { before: asks, settings: more });
          expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
        }
        found.stack.state = 'done';
        expect(w.state()?.release).toBe(release);
        await minutes(w, 90, rates);
        expect(w.state()?.release).toBe(release);
        ends.push({
          ...stands(w),
          moves: found.aliases.history.map(({ to: { version, weights } }) => [version, weights]),
        });
      }
      expect(ends[1]).toEqual(ends[0]);
    });
  },
);

/** While the stack is at it there is no other deploy. */
const quiet = cases.filter(([, { busy }]) => !busy);

describe('a deploy by this version that fails half-way, and whose stack goes back to the older worker', () => {
  it.each(quiet)('loses nothing of %s', async (_name, { make, asks = '4' }) => {
    const fingerprint = { 3: 'a', 4: 'b' }[asks];
    const w = await make();
    w.alarms.set(`${FUNCTION}-errors`, 'OK');
    // Where somebody else has moved the alias, that is what is live.
    const live = w.alias()?.version ?? '';
    const known = w.state()?.refused;
    await deploy(w.newer, '5', 'c', { before: asks });
    expect(w.state()).toMatchObject({
      release: w.state()?.request?.id,
      operation: { stable: { version: live } },
    });
    await rollBack(w, asks, fingerprint, '5');
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    w.aliases.unpublish(FUNCTION, '5');
    w.stack.state = 'done';
    await minutes(w, 3);
    await minutes(w.newer, 3);
    expect(w.target()).toEqual({ version: live, weights: {} });
    expect(w.state()).toMatchObject({ phase: 'ABORTED', stable: { version: live }, refused: known });
    expect(outcome(w, 'c').is).toBe('none');

    await deploy(w, '6', 'd', { before: asks, settings: BEFORE });
    w.stack.state = 'done';
    await until(w, 'JUDGING', GOOD);
    await deploy(w.newer, '6', 'd', { before: '6' });
    w.stack.state = 'done';
    await until(w.newer, 'BAKING', { ...GOOD, 6: 0.02 });
    expect(w.target()).toEqual({ version: '6', weights: {} });
    expect(
      w
        .state()
        ?.lives.map(({ version }) => version)
        .slice(0, 2),
    ).toEqual(['6', live]);
  });
});
