import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Release } from '../../../../core/release/document/contract.ts';
import type { Settings } from '../../../../core/release/document/settings-contract.ts';
import type { CommandEvent } from '../../../../core/release/document/worker-contract.ts';
import { isEnd, isPending, isPromoted } from '../../../../core/release/state/predicates.ts';
import { SETTINGS } from '../../../fakes/settings.ts';
import { FUNCTION, request, tick } from '../../../fakes/world.ts';
import { cloud, type Fault, type Worker } from './cloud.ts';

/**
 * A whole life of one alias: deploys of every strategy that succeed, fail and roll back, versions that are
 * good and bad and that go bad later, commands, alarms, hands on the alias, metrics and registries that
 * cannot be read.
 */

const STEPS = [
  { weight: 10, bake: 120 },
  { weight: 50, bake: 120 },
];
const BASE: Settings = {
  ...SETTINGS,
  minRequests: 20,
  increase: 0.5,
  maxWait: 600,
  rollbackWindow: 6 * 3600,
  capacity: { provisioned: { min: 1, max: 3, target: 0.7 }, schedules: [] },
};
const STRATEGIES: Readonly<Record<string, Settings>> = {
  allAtOnce: BASE,
  canary: { ...BASE, strategy: 'canary', steps: STEPS },
  auto: { ...BASE, strategy: 'auto', steps: STEPS },
  blueGreen: { ...BASE, strategy: 'blueGreen' },
  briefly: { ...BASE, strategy: 'blueGreen', rollbackWindow: 600 },
  longer: { ...BASE, strategy: 'canary', steps: STEPS, rollbackWindow: 12 * 3600 },
  unwatched: { ...BASE, strategy: 'canary', steps: STEPS, rollbackWindow: 0 },
  dryRun: { ...BASE, strategy: 'canary', steps: STEPS, dryRun: true },
  passes: { ...BASE, strategy: 'canary', steps: STEPS, onNoData: 'pass' },
  bare: { ...SETTINGS, strategy: 'canary', steps: STEPS, minRequests: 20, increase: 0.5 },
};

const fault: fc.Arbitrary<Fault | null> = fc.option(
  fc.record({
    at: fc.integer({ min: 0, max: 40 }),
    kind: fc.constantFrom('dies' as const, 'error' as const),
  }),
  { freq: 2 },
);
const faults = fc.array(fault, { minLength: 1, maxLength: 3 });
/** How the deploys of a story go. */
const PLAIN = {
  do: 'deploy' as const,
  gate: 'pass' as const,
  ends: 'well' as const,
  faults: [null],
  ticks: 0,
  echo: false,
};

/**
 * What chance seldom brings: workers die as a dry run is about to get more weight or to be promoted, somebody
 * holds it or nobody does, and a deploy ends the dry run before anybody else gets to it.
 */
const story = fc
  .record({
    to: fc.constantFrom('SHIFTING' as const, 'PROMOTING' as const),
    moving: fc.boolean(),
    held: fc.boolean(),
    strategy: fc.constantFrom('canary', 'passes', 'dryRun', 'unwatched'),
    rate: fc.constantFrom(0.02 as const, 0.4 as const),
    verb: fc.constantFrom('resume' as const, 'promote' as const),
  })
  .map(({ to, moving, held, strategy, rate, verb }): readonly Step[] => [
    { ...PLAIN, strategy: 'dryRun', what: 'new', rate },
    { do: 'die', to, moving },
    ...(held ? [{ do: 'command' as const, verb: 'hold' as const, to: null, fault: null }] : []),
    { ...PLAIN, strategy, what: 'settings', rate },
    ...(held ? [{ do: 'command' as const, verb, to: null, fault: null }] : []),
    { do: 'minutes', count: 2, faults: [] },
  ]);
const step = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({
      do: fc.constant('deploy' as const),
      strategy: fc.constantFrom('canary', 'canary', 'canary', ...Object.keys(STRATEGIES)),
      what: fc.constantFrom('new', 'new', 'same', 'refused', 'settings', 'forced'),
      rate: fc.constantFrom(0.02, 0.02, 0.4),
      gate: fc.constantFrom('pass' as const, 'pass' as const, 'fail' as const),
      ends: fc.constantFrom('well' as const, 'well' as const, 'badly' as const),
      faults,
      ticks: fc.integer({ min: 0, max: 2 }),
      echo: fc.boolean(),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('minutes' as const),
      count: fc.integer({ min: 1, max: 16 }),
      faults,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('tick' as const), faults }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('goes bad' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('alarm' as const), faults }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('command' as const),
      verb: fc.constantFrom('promote' as const, 'rollback' as const, 'hold' as const, 'resume' as const),
      to: fc.option(fc.integer({ min: 1, max: 6 }), { freq: 2 }),
      fault,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('echo' as const), of: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('slow tick' as const), fault }) },
  { weight: 1, arbitrary: fc.constant({ do: 'lose alias' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('manually' as const), weight: fc.constantFrom(0, 0.3) }),
  },
);
type Step =
  | (typeof step extends fc.Arbitrary<infer T> ? T : never)
  | { readonly do: 'die'; readonly to: 'SHIFTING' | 'PROMOTING'; readonly moving: boolean };

/**
 * A watch begins with a promotion, and one that is over stays over, unless what ended it is undone by the
 * stack.
 */
function watches(before: Release | undefined, after: Release): void {
  if (after.watch === undefined) return;
  if (JSON.stringify(after.watch) === JSON.stringify(before?.operation?.watch)) return;
  if (before?.watch?.since !== after.watch.since) {
    // A worker died between a promotion and its write, and the next request comes: both are one write, in
    // which the new release has no promotion yet.
    const { operation } = after;
    const arrived = before?.intent !== undefined && before.release !== after.release;
    const since = arrived && operation?.watch !== undefined ? operation.at : after.promotedAt;
    expect(since, 'watched since its promotion').toBe(after.watch.since);
    return;
  }
  // By the settings of a deploy that has failed.
  const ended = Date.parse(before.watch.since) + before.settings.rollbackWindow * 1000;
  const isUndone =
    after.request?.kind === 'rollback' &&
    after.request.id !== before.request?.id &&
    ended <= Date.parse(before.watch.until);
  if (after.watch.until > before.watch.until && !isUndone)
    expect(after.updatedAt < before.watch.until, 'a watch that is over stays over').toBe(true);
}

/** Plays the steps; throws where something happens that never may. */
async function play(steps: readonly Step[], scheduler: fc.Scheduler): Promise<void> {
  /** Every move that a document ever intended, by its token. */
  const intents = new Map<string, NonNullable<Release['intent']>>();
  const passed = new Set<string>();
  /**
   * Versions that were seen to keep their instances, by the watch that they keep them for; and the watches
   * that were over, or asked for none, at any time.
   */
  const keeps = new Map<string, string>();
  const released = new Set<string>();
  /** Versions that were rolled back, and what a notice says of each. */
  const rolledBack = new Map<string, string>();
  /** Fingerprints that somebody asked for by force. */
  const forced = new Set<string>();

  /** What a document may intend. */
  const watch = (before: Release | undefined, after: Release, worker: Worker | undefined): void => {
    watches(before, after);
    const { watch: so, settings: follows, updatedAt } = after;
    if (so !== undefined && (follows.capacity === undefined || so.until <= updatedAt)) released.add(so.since);
    if (after.phase === 'ROLLED_BACK' && before?.phase !== 'ROLLED_BACK' && after.candidate !== undefined) {
      const { version } = after.candidate;
      // A person who undoes a rollback in the middle of a canary is told first of what is brought back.
      const how = after.returnedAt === undefined ? 'was rolled back' : 'is withdrawn';
      rolledBack.set(version, `version ${version} ${how}`);
    }
    if (after.gate?.verdict === 'pass' && after.candidate !== undefined) passed.add(after.candidate.version);
    const { intent, candidate, stable, steps: planned = [], step: index = 0 } = after;
    if (intent === undefined || intents.has(intent.token)) return;
    intents.set(intent.token, intent);
    const others = Object.entries(intent.after.weights);
    // A lost alias is made again at stable in any phase.
    if (after.phase === 'REVERSING' && others.length > 0) {
      expect(intent.after, 'the live version keeps the alias, and no more than half goes').toEqual({
        version: stable?.version,
        weights: { [after.reversal?.to.version ?? '']: 0.5 },
      });
      expect(after.reversal?.gate?.verdict, 'its gate passed again').toBe('pass');
      return;
    }
    const exposes = candidate !== undefined && isPending(after) && candidate.version !== stable?.version;
    const had = after.shifts.at(-1)?.weight ?? 0;
    const raises =
      exposes &&
      (intent.after.version === candidate.version ||
        others.some(([version, weight]) => version !== candidate.version || weight * 100 > had + 1e-6));
    if (!raises && others.length > 0) {
      expect(exposes, 'only a candidate has a weight').toBe(true);
      expect(intent.after, 'a raise that is given up: as it stands').toEqual({
        version: stable?.version,
        weights: { [candidate?.version ?? '']: had / 100 },
      });
      return;
    }
    if (!raises) {
      expect(others, 'only a step or a reversed canary splits').toEqual([]);
      expect(intent.after.version, 'all traffic on stable').toBe(stable?.version);
      return;
    }
    const inside = after.promote === 'now';
    expect(inside || worker?.stack === 'done' || w.stack.state === 'done', 'the stack is done').toBe(true);
    const alike = stable !== undefined && stable.fingerprint === candidate.fingerprint;
    expect(alike || passed.has(candidate.version), 'the gate passed').toBe(true);
    const isRefused =
      !forced.has(candidate.fingerprint ?? '') &&
      after.refused.some(({ fingerprint }) => fingerprint === candidate.fingerprint);
    expect(isRefused && !alike, 'nothing refused is released').toBe(false);
    const judged = (of: number): boolean => {
      const { onNoData, dryRun } = after.settings;
      const verdict = after.judgements.find((one) => one.step === of)?.verdict;
      return verdict === 'pass' || dryRun || (onNoData === 'pass' && verdict === 'nodata');
    };
    if (others.length > 0) {
      expect(intent.after, 'the weight of its step').toEqual({
        version: stable?.version,
        weights: { [candidate.version]: (planned[index]?.weight ?? 0) / 100 },
      });
      expect(index === 0 || judged(index - 1), `step ${index} follows one that passed`).toBe(true);
    } else if (planned.length > 0) {
      expect(isPromoted(after) || judged(planned.length - 1), 'promoted on data').toBe(true);
    }
  };
  const c = cloud(scheduler, watch);
  const { w, run, all } = c;
  /** Versions that the template may have on the alias now, whatever else happens. */
  let highest = 0;
  let seen = 0;
  const check = (): void => {
    expect(w.unsound, 'each document is what the type of its phase says').toEqual([]);
    for (const { to } of w.aliases.history.slice(seen)) {
      if (to.description === 'manually') continue;
      const token = to.description.replace('serverless-models ', '');
      const taken = /weight taken away/.test(to.description);
      if (!taken) {
        const intent = intents.get(token);
        if (intent !== undefined) expect(intent.after).toEqual({ version: to.version, weights: to.weights });
        else expect(to.weights, 'the last resort splits nothing').toEqual({});
      }
      for (const version of [to.version, ...Object.keys(to.weights)])
        expect(Number(version), 'withdrawn, or not there yet').toBeLessThanOrEqual(highest);
    }
    seen = w.aliases.history.length;
    const held = w.capacity.held(FUNCTION);
    expect(held.length, 'three versions hold instances at most').toBeLessThanOrEqual(3);
    const { watch: so, refused = [], lives = [] } = w.state() ?? {};
    if (so?.keeps === undefined || w.clock.now >= Date.parse(so.until) || released.has(so.since)) return;
    const version = so.keeps;
    const { fingerprint } = lives.find((one) => one.version === version) ?? {};
    if (refused.some((one) => one.fingerprint === fingerprint)) return;
    if (held.includes(version)) keeps.set(so.since, version);
    else
      expect(keeps.get(so.since), 'it keeps its instances while the live version is watched').not.toBe(
        version,
      );
  };
  const steady = async (runs: readonly Promise<unknown>[]): Promise<void> => {
    await all(runs);
    check();
  };
  const command = (verb: CommandEvent['command']['verb'], to?: string): object => ({
    command: { verb, model: 'churn', functionName: FUNCTION, alias: 'live', by: 'me', ...(to && { to }) },
  });

  let template = { version: 1, fingerprint: 'f1', settings: BASE, force: '' };
  let published = 1;
  w.aliases.publish(FUNCTION, '1');
  highest = 1;
  c.rates['1'] = 0.02;
  const forcedOf = (force: string, before: string) => ({
    ...(force !== '' && { forced: force }),
    ...(before !== '' && { forcedBefore: before }),
  });
  await c.ask(request('Create', '1', 'f1', { settings: BASE }), [null], () => []);
  w.stack.state = 'done';
  const slow: Promise<unknown>[] = [];

  for (const now of steps) {
    switch (now.do) {
      case 'lose alias':
        w.aliases.byHand(FUNCTION, 'live', undefined);
        break;
      case 'manually': {
        const alias = w.alias();
        const other = String(Math.max(1, Number(alias?.version ?? 1) - 1));
        if (alias === undefined || other === alias.version || !w.aliases.published(FUNCTION).has(other))
          break;
        w.aliases.byHand(FUNCTION, 'live', {
          version: alias.version,
          weights: now.weight === 0 ? {} : { [other]: now.weight },
        });
        break;
      }
      case 'tick':
        await steady([
          ...c.due().map((input) => run(input, null)),
          ...now.faults.map((one) => run(tick(), one)),
        ]);
        break;
      case 'die': {
        const there = (state: Release | undefined, point: string): boolean =>
          state?.phase === now.to &&
          (state.step ?? 0) > 0 &&
          (now.moving ? point === 'before update alias' : state.intent === undefined);
        for (let minute = 0; minute < 12 && !there(w.state(), 'before update alias'); minute += 1) {
          c.pass();
          await steady([run(tick(), { at: -1, kind: 'dies', when: there })]);
        }
        break;
      }
      case 'slow tick':
        // It goes on among whatever comes next, with what it read before.
        slow.push(run(tick(), now.fault));
        break;
      case 'echo':
        await steady([run(c.sent[now.of % c.sent.length], null)]);
        break;
      case 'goes bad':
        c.rates[w.alias()?.version ?? ''] = 0.4;
        break;
      case 'alarm': {
        const Message = JSON.stringify({ AlarmName: `${FUNCTION}-errors`, NewStateValue: 'ALARM' });
        await steady(now.faults.map((one) => run({ Records: [{ Sns: { Message } }] }, one)));
        break;
      }
      case 'command':
        await steady([run(command(now.verb, now.to === null ? undefined : String(now.to)), now.fault)]);
        break;
      case 'minutes':
        for (let minute = 0; minute < now.count; minute += 1) {
          await c.minute(minute === 0 ? now.faults.map((one) => run(tick(), one)) : []);
          check();
        }
        break;
      case 'deploy': {
        const before = template;
        const isNew = now.what === 'new' || now.what === 'same' || now.what === 'refused';
        if (isNew) published += 1;
        const refused = w.state()?.refused.at(-1)?.fingerprint;
        const fingerprint =
          now.what === 'new'
            ? `f${published}`
            : now.what === 'refused'
              ? (refused ?? `f${published}`)
              : before.fingerprint;
        const settings = STRATEGIES[now.strategy] ?? BASE;
        const force = now.what === 'forced' ? `at ${w.clock.now}` : '';
        if (force !== '') forced.add(fingerprint);
        template = { version: isNew ? published : before.version, fingerprint, settings, force };
        const version = String(template.version);
        if (isNew) {
          w.aliases.publish(FUNCTION, version);
          c.rates[version] = now.what === 'new' ? now.rate : (c.rates[String(before.version)] ?? 0.02);
        }
        const failed = {
          state: { verdict: 'fail' as const, done: 1, count: 1, failed: [1], reason: 'no' },
          failures: [],
        };
        if (now.gate === 'fail' && isNew) w.gates.set(version, [failed]);
        highest = Math.max(highest, template.version);
        w.stack.state = 'busy';
        const beside = (): unknown[] => {
          const ticks: unknown[] = Array.from({ length: now.ticks }, () => tick());
          return now.echo ? [...ticks, ...c.sent.slice(-2)] : ticks;
        };
        const changes = { before: String(before.version), settings, ...forcedOf(force, before.force) };
        const change = request('Update', version, fingerprint, changes);
        const status = await c.ask(change, now.faults, beside);
        check();
        if (status === 'SUCCESS' && now.ends === 'well') {
          w.stack.state = 'done';
          break;
        }
        w.stack.state = 'rollingBack';
        const back = { before: version, settings: before.settings, ...forcedOf(before.force, force) };
        const event = request('Update', String(before.version), before.fingerprint, back);
        expect(await c.ask(event, now.faults, beside), 'a rollback gets through').toBe('SUCCESS');
        check();
        template = before;
        const alias = w.alias();
        if (isNew) {
          if (alias !== undefined) expect(alias.version).not.toBe(version);
          const untouched = w.answers.some(
            ({ RequestId, Reason }) =>
              RequestId === change.RequestId && Reason.startsWith('nothing was changed'),
          );
          // The watch of what stays live goes on: an alarm may have come since, and the last good version be
          // tried.
          const { phase, reversal } = w.state() ?? {};
          const tried =
            phase === 'REVERSING' && reversal?.half !== undefined ? { [reversal.to.version]: 0.5 } : {};
          // The like of a candidate on its way changes nothing about its release, and neither does its end.
          const goesOn = w.state()?.operation?.request !== event.RequestId;
          expect(Object.keys(alias?.weights ?? {}), 'it goes with the stack').not.toContain(version);
          if (!untouched && !goesOn) expect(alias?.weights ?? {}, 'all traffic on stable').toEqual(tried);
          // From here on the new version is as good as deleted.
          highest = before.version;
          w.aliases.unpublish(FUNCTION, version);
        }
        w.stack.state = 'done';
        break;
      }
    }
    c.pass();
  }

  await all(slow);
  check();
  // No more faults, and nobody's hand: the schedules, and a person where one is asked for, bring everything
  // to rest.
  const atRest = (): boolean => {
    const state = w.state();
    return state !== undefined && isEnd(state.phase) && state.intent === undefined && w.schedules.size === 0;
  };
  await c.minute([run(tick(), null)]);
  for (let minute = 0; minute < 300 && !atRest(); minute += 1) {
    const { phase, held, watch } = w.state() ?? {};
    const help = phase === 'HELD' ? [run(command(held?.by === 'limit' ? 'resume' : 'rollback'), null)] : [];
    if (phase !== 'REVERSING' && minute > 120 && watch !== undefined)
      w.clock.now = Math.max(w.clock.now, Date.parse(watch.until));
    await c.minute(help);
    check();
  }
  await c.minute([run(tick(), null)]);
  const state = w.state() as Release;
  expect(atRest(), `${state.phase} (${state.held?.by}): ${state.reason}; ${w.schedules.size} schedules`).toBe(
    true,
  );
  // What somebody does to the alias when nothing runs is theirs.
  const theirs = w.alias()?.description === 'manually' ? w.alias()?.weights : {};
  expect(w.target()).toEqual({ version: state.stable?.version, weights: theirs });
  expect(w.aliases.published(FUNCTION), 'what is live is there').toContain(state.stable?.version);
  const provisioned = state.settings.capacity?.provisioned === undefined ? [] : [state.stable?.version];
  // Nobody takes instances from under the traffic that somebody gave to a version that was kept; the next
  // deploy tidies.
  const held = w.capacity.held(FUNCTION).filter((version) => !Object.hasOwn(theirs ?? {}, version));
  expect(held, 'provisioned concurrency is on the live version only').toEqual(provisioned);
  expect(state.notices, 'all notices are out').toEqual([]);
  const told = w.notices.map(({ subject, text }) => `${subject}\n${text}`).join('\n');
  for (const words of rolledBack.values()) expect(told).toContain(words);

  expect(JSON.stringify([...w.objects.objects.values()])).not.toContain('signature=secret');
}

describe('a release worker', () => {
  it('never exposes more than its step, never releases without gate, data or a quiet stack, and comes to rest', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(
          fc.oneof(
            { weight: 12, arbitrary: step.map((one): readonly Step[] => [one]) },
            { weight: 1, arbitrary: story },
          ),
          {
            minLength: 1,
            maxLength: 14,
            size: 'max',
          },
        ),
        (scheduler, steps) => play(steps.flat(), scheduler),
      ),
      {
        numRuns: Number(process.env.FC_RUNS ?? 120),
      },
    );
  });
});
