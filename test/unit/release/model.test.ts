import { AsyncLocalStorage } from 'node:async_hooks';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Release } from '../../../functions/release/contract.ts';
import type { AliasState } from '../../../functions/shared/aws/ports.ts';
import { FUNCTION, fakeWorld, request, tick } from '../../fakes/world.ts';

/**
 * A whole life of one alias: deploys that succeed, fail and roll back, among workers that crash before or after any
 * effect, lose answers, run at the same time in any order, and get events twice and late. CloudFormation is played by
 * the test: it sends a request, waits for the first answer, and goes on or rolls back.
 */

/** What befalls one worker: at its n-th port call it dies, or gets an error and goes on. */
type Fault = { readonly at: number; readonly kind: 'dies' | 'error' };
type Step =
  | {
      readonly do: 'deploy';
      readonly same: boolean;
      readonly ends: 'well' | 'badly';
      readonly faults: readonly (Fault | null)[];
      readonly ticks: number;
      readonly echo: boolean;
    }
  | { readonly do: 'tick'; readonly workers: readonly (Fault | null)[] }
  | { readonly do: 'echo'; readonly of: number }
  | { readonly do: 'slow tick'; readonly fault: Fault | null }
  | { readonly do: 'lose alias' };

const fault = fc.option(
  fc.record({
    at: fc.integer({ min: 0, max: 25 }),
    kind: fc.constantFrom('dies' as const, 'error' as const),
  }),
  { freq: 2 },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('deploy' as const),
      same: fc.boolean(),
      ends: fc.constantFrom('well' as const, 'well' as const, 'badly' as const),
      faults: fc.array(fault, { minLength: 1, maxLength: 2 }),
      ticks: fc.integer({ min: 0, max: 2 }),
      echo: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('tick' as const),
      workers: fc.array(fault, { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('echo' as const), of: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('slow tick' as const), fault }) },
  { weight: 1, arbitrary: fc.constant({ do: 'lose alias' as const }) },
);

const worker = new AsyncLocalStorage<{ calls: number; readonly fault: Fault | null; dead: boolean }>();

/** Plays the steps; throws where something happens that never may. */
async function play(steps: readonly Step[], scheduler: fc.Scheduler): Promise<void> {
  const w = fakeWorld({
    chaos: async (point) => {
      const me = worker.getStore();
      if (me === undefined) return;
      await scheduler.schedule(Promise.resolve(), point);
      const hit = me.fault !== null && me.calls === me.fault.at;
      me.calls += 1;
      if (hit && me.fault?.kind === 'dies') me.dead = true;
      // The dead do nothing more, not even handle their error.
      if (me.dead) await new Promise((_, reject) => reject(new Error('killed')));
      if (hit) throw new Error('transient');
    },
  });
  const sent: ReturnType<typeof request>[] = [];
  /** Versions that the template may have on the alias now, whatever else happens. */
  let highest = 0;
  let seen = 0;
  const check = (): void => {
    for (const { to } of w.aliases.history.slice(seen)) {
      expect(to.weights).toEqual({});
      expect(
        Number(to.version),
        'a version that the stack has withdrawn, or does not have yet',
      ).toBeLessThanOrEqual(highest);
    }
    seen = w.aliases.history.length;
  };
  const run = async (event: unknown, with_: Fault | null): Promise<boolean> =>
    worker
      .run({ calls: 0, fault: with_, dead: false }, () => w.send(event))
      .then(
        () => true,
        () => false,
      );
  const all = async (runs: readonly Promise<unknown>[]): Promise<void> => {
    await scheduler.waitFor(Promise.all(runs));
    check();
  };
  const due = (): unknown[] => [...w.schedules.values()].map(({ input }) => JSON.parse(input));
  const answered = (id: string) => w.answers.find(({ RequestId }) => RequestId === id)?.Status;

  /** CloudFormation's side of a request: asynchronous, tried again twice (the last try is spared: three deaths in a row are its timeout); a minute a try, with the ticks that come due. */
  const ask = async (
    event: ReturnType<typeof request>,
    faults: readonly (Fault | null)[],
    ticks: number,
    echo: boolean,
  ) => {
    sent.push(event);
    for (let minute = 0; minute < 12 && answered(event.RequestId) === undefined; minute += 1) {
      const runs: Promise<unknown>[] = due().map((input) => run(input, null));
      if (minute < 3) runs.push(run(event, faults[minute] ?? null));
      for (let extra = 0; extra < ticks; extra += 1) runs.push(run(tick(), faults[extra] ?? null));
      if (echo) runs.push(run(event, null));
      if (echo && sent.length > 1) runs.push(run(sent[sent.length - 2], null));
      await all(runs);
      w.clock.now += 60_000;
    }
    expect(answered(event.RequestId), 'every request is answered').toBeDefined();
    return answered(event.RequestId);
  };

  let template = { version: 1, fingerprint: 'f1' };
  let published = 1;
  w.aliases.publish(FUNCTION, '1');
  highest = 1;
  await ask(request('Create', '1', 'f1'), [null], 0, false);
  w.stack.state = 'done';
  /** Versions that may have the traffic once everything has come to rest. */
  let expected = new Set(['1']);

  const slow: Promise<unknown>[] = [];
  for (const now of steps) {
    if (now.do === 'lose alias') w.aliases.byHand(FUNCTION, 'live', undefined);
    if (now.do === 'tick')
      await all([...due().map((input) => run(input, null)), ...now.workers.map((one) => run(tick(), one))]);
    // It goes on among whatever comes next, with what it read before.
    if (now.do === 'slow tick') slow.push(run(tick(), now.fault));
    if (now.do === 'echo') await all([run(sent[now.of % sent.length], null)]);
    if (now.do === 'deploy') {
      const before = template;
      const live = w.alias()?.version;
      published += 1;
      template = { version: published, fingerprint: now.same ? before.fingerprint : `f${published}` };
      w.aliases.publish(FUNCTION, String(published));
      highest = published;
      w.stack.state = 'busy';
      const change = request('Update', String(published), template.fingerprint, {
        before: String(before.version),
      });
      const status = await ask(change, now.faults, now.ticks, now.echo);
      if (status === 'SUCCESS' && now.ends === 'well') {
        w.stack.state = 'done';
        // The like of a candidate that still waits is no release of its own.
        const waiting = w.state()?.candidate;
        expected = new Set([
          String(published),
          ...(waiting?.fingerprint === template.fingerprint ? [waiting.version] : []),
        ]);
      } else {
        w.stack.state = 'rollingBack';
        const back = request('Update', String(before.version), before.fingerprint, {
          before: String(published),
        });
        template = before;
        const end = await ask(back, now.faults, now.ticks, now.echo);
        expect(end, 'a rollback gets through').toBe('SUCCESS');
        const alias: AliasState | undefined = w.alias();
        if (alias !== undefined) expect(Number(alias.version)).toBeLessThanOrEqual(before.version);
        // From here on the new version is as good as deleted.
        highest = before.version;
        check();
        w.stack.state = 'done';
        // A release that was superseded by the failed deploy does not come back; what was live stays.
        if (live !== undefined) expected.add(live);
        expected = new Set([...expected].filter((version) => Number(version) <= before.version));
        for (const { version } of w.state()?.lives ?? [])
          if (w.alias()?.version === version) expected.add(version);
      }
    }
    w.clock.now += 60_000;
  }

  await all(slow);
  // No more faults: the schedules, and one deploy's tick, bring everything to rest.
  for (let minute = 0; minute < 5; minute += 1) {
    await all([...due(), tick()].map((input) => run(input, null)));
    w.clock.now += 60_000;
  }
  const state = w.state() as Release;
  expect(w.schedules.size, 'no schedule is left').toBe(0);
  expect(state.intent).toBeUndefined();
  expect(['DONE', 'ABORTED']).toContain(state.phase);
  expect([...expected], `alias ${w.alias()?.version} in ${state.phase}: ${state.reason}`).toContain(
    w.alias()?.version,
  );
  expect(state.stable?.version).toBe(w.alias()?.version);
  expect(JSON.stringify([...w.objects.objects.values()])).not.toContain('signature=secret');
}

describe('a release worker', () => {
  it('never gives traffic to a withdrawn version, answers everything, and comes to rest where the stack is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(step, { minLength: 1, maxLength: 8 }), (scheduler, steps) =>
        play(steps, scheduler),
      ),
      { numRuns: Number(process.env.FC_RUNS ?? 300) },
    );
  });
});
