import { AsyncLocalStorage } from 'node:async_hooks';
import type fc from 'fast-check';
import { expect } from 'vitest';
import type { Release } from '../../../../core/release/document/contract.ts';
import { FUNCTION, fakeWorld, LIVE, type request } from '../../../fakes/world.ts';
import { MINUTE, serve, type World } from './traffic.ts';

/**
 * What befalls one worker: at its n-th port call, or as soon as `when` holds, it dies, or gets an error and
 * goes on.
 */
export type Fault = {
  readonly at: number;
  readonly kind: 'dies' | 'error';
  readonly when?: (state: Release | undefined, point: string) => boolean;
};
export type Worker = { calls: number; readonly fault: Fault | null; dead: boolean; readonly stack: string };

/**
 * One alias in a cloud where workers crash before or after any effect, lose answers, run at the same time in
 * any order and get events twice and late. CloudFormation is played here: it sends a request, waits for the
 * first answer, and goes on or rolls back. Requests err by version.
 *
 * @param watch sees each document as it is written, with the worker that wrote it
 */
export function cloud(
  scheduler: fc.Scheduler,
  watch: (before: Release | undefined, after: Release, worker: Worker | undefined) => void,
) {
  const workers = new AsyncLocalStorage<Worker>();
  let last: Release | undefined;
  const w: World = fakeWorld({
    readyAfter: MINUTE / 2,
    chaos: async (point) => {
      const me = workers.getStore();
      if (/^after (create|replace) .*live\.json$/.test(point)) {
        const state = w.state();
        if (state !== undefined && state.rev !== last?.rev) watch(last, state, me);
        last = state;
      }
      if (me === undefined) return;
      await scheduler.schedule(Promise.resolve(), point);
      const hit = me.fault?.when?.(w.state(), point) ?? me.fault?.at === me.calls;
      me.calls += 1;
      if (hit && me.fault?.kind === 'dies') me.dead = true;
      // The dead do nothing more, not even handle their error.
      if (me.dead) await new Promise((_, reject) => reject(new Error('killed')));
      if (hit) throw new Error('transient');
    },
  });
  const rates: Record<string, number> = {};
  const sent: ReturnType<typeof request>[] = [];
  const faults: unknown[] = [];

  const run = (event: unknown, fault: Fault | null): Promise<unknown> =>
    workers
      .run({ calls: 0, fault, dead: false, stack: w.stack.state }, () => w.send(event))
      .catch((error: unknown) => {
        // What the test itself finds wrong is no accident of the worker.
        if (!(error instanceof Error && /^(killed|transient)$/.test(error.message))) faults.push(error);
      });
  const all = async (runs: readonly Promise<unknown>[]): Promise<void> => {
    await scheduler.waitFor(Promise.all(runs));
    if (faults.length > 0) throw faults[0];
  };
  const due = (): unknown[] => [...w.schedules.values()].map(({ input }) => JSON.parse(input));
  const answered = (id: string) => w.answers.find(({ RequestId }) => RequestId === id)?.Status;

  /** Traffic goes on, and the alarm follows what the live version does. */
  const pass = (): void => {
    serve(w, rates, {});
    w.clock.now += MINUTE;
    const on = (rates[w.alias()?.version ?? ''] ?? 0) > 0.2;
    w.alarms.set(`${FUNCTION}-errors`, on ? 'ALARM' : 'OK');
  };

  return {
    w,
    rates,
    sent,
    run,
    all,
    due,
    pass,
    /** A minute, with the ticks that come due in it. */
    minute: async (beside: readonly Promise<unknown>[] = []): Promise<void> => {
      pass();
      await all([...due().map((input) => run(input, null)), ...beside]);
    },
    /**
     * CloudFormation's side of a request: asynchronous, tried again twice (the last try is spared: three
     * deaths in a row are its timeout); a minute a try, with the ticks that come due.
     */
    ask: async (
      event: ReturnType<typeof request>,
      faulty: readonly (Fault | null)[],
      beside: () => readonly unknown[],
    ): Promise<'SUCCESS' | 'FAILED' | undefined> => {
      sent.push(event);
      for (let minute = 0; minute < 14 && answered(event.RequestId) === undefined; minute += 1) {
        const runs = due().map((input) => run(input, null));
        if (minute < 3) runs.push(run(event, minute < 2 ? (faulty[minute] ?? null) : null));
        runs.push(...beside().map((other, index) => run(other, faulty[index] ?? null)));
        await all(runs);
        pass();
      }
      expect(answered(event.RequestId), 'every request is answered').toBeDefined();
      return answered(event.RequestId);
    },
    live: LIVE,
  };
}
