import type { GateState } from '../../gate/contract.ts';
import { canFill } from '../../judge/feasible.ts';
import type { LiveVersion } from '../../quality/contract.ts';
import { iso } from '../../units/time.ts';
import type { Gating, Release } from '../document/contract.ts';
import type { VersionRef } from '../document/parts-contract.ts';
import type { Settings, Step } from '../document/settings-contract.ts';
import { WORKER_TIMEOUT } from '../document/worker-contract.ts';
import { type Action, wait, write } from '../state/action.ts';
import { PATIENCE_MS } from '../state/durations.ts';
import { isUnreadable, type ReleaseFacts, type Unreadable } from '../state/facts.ts';
import { become, next } from '../state/next.ts';
import { notice } from '../state/notices.ts';
import { abort, tell } from '../state/transitions.ts';

/** GATING: which steps this release takes; then the candidate's start, cases and load, before any traffic. */
export function gating(state: Gating, facts: ReleaseFacts, now: number): Action {
  const { steps } = state;
  if (steps === undefined) return plan(state, facts, now);
  switch (state.gate?.verdict) {
    case 'pass':
      return write(become(state, 'WARMING', { steps, ...undecided(state, now) }, now));
    case 'fail':
      return write(abort(state, `the gate failed: ${state.gate.reason ?? 'see sls models gate'}`, now));
    default:
      return gate(
        state.candidate.version,
        state.settings,
        state.gate,
        now,
        (leased) => next(state, { gate: leased }, now),
        state.stable && { live: measuredAgainst(state.stable, state.candidate) },
      );
  }
}

/** Rows that cannot decide may let a version pass, but not without a word. */
function undecided(state: Gating, now: number): Pick<Release, 'notices'> | undefined {
  const found = state.gate?.metric?.result;
  if (found?.verdict !== 'nodata') return undefined;
  const lines = [
    `Why: ${found.reason}`,
    'What to do: label more rows, or write another limit; gate.metric.onNoData let it pass.',
  ];
  const what = `version ${state.candidate.version} passed its gate without a verdict of its labelled rows`;
  return tell(state, notice(state, what, lines, false, now));
}

/** What has all traffic now: labelled rows are asked of it, too. */
const measuredAgainst = ({ version, source }: VersionRef, candidate: VersionRef): LiveVersion => ({
  version,
  ...(source !== undefined && source === candidate.source && { same: true }),
});

/** The next part of a gate, unless another worker is at it. */
export function gate(
  version: string,
  settings: Settings,
  so: GateState | undefined,
  now: number,
  leased: (gate: GateState) => Release,
  more: Pick<Extract<Action, { do: 'gate' }>, 'most' | 'live'> = {},
): Action {
  if (so?.lease !== undefined && now < Date.parse(so.lease))
    return wait(`the gate of version ${version} is at case ${so.done} of ${so.count}`);
  const lease = iso(now + WORKER_TIMEOUT * 1000);
  const begun = { done: 0, count: settings.gate?.cases?.count ?? 0, failed: [], ...so };
  return {
    do: 'gate',
    version,
    settings,
    state: so,
    ...more,
    next: leased({ ...begun, lease }),
  };
}

/** Decides on steps, once: their sum is the deadline. */
function plan(state: Gating, facts: ReleaseFacts, now: number): Action {
  const { settings, stable } = state;
  const { steps } = settings;
  if (stable === undefined || settings.strategy !== 'auto' || steps.length === 0)
    return decided(state, stable === undefined ? [] : steps, now);
  if (facts.rate === undefined) return wait('the traffic of the last 24 hours is to be read');
  if (isUnreadable(facts.rate)) {
    const reason = untold(facts.rate);
    // A call that is throttled is made again by the next tick; what is denied stays so.
    return DENIED.test(facts.rate.unreadable) ? write(abort(state, reason, now)) : wait(reason);
  }
  const { perSecond } = facts.rate;
  const { minRequests, increase, maxWait, timeout } = settings;
  const shares = steps.map(({ weight, bake }) => ({ weight: weight / 100, bake }));
  const fillsAt = (rate: number): boolean =>
    canFill({ steps: shares, perSecond: rate, minRequests, increase, maxWait, timeout });
  if (fillsAt(perSecond)) return decided(state, steps, now);
  const [cause, fitting] = fillsAt(Number.POSITIVE_INFINITY)
    ? [
        `at ${hourly(perSecond)} of the last 24 hours a canary cannot fill its steps`,
        'steps and minRequests to fit the traffic',
      ]
    : ['a step’s bake and maxWait are over before it can be judged', 'longer steps, or a longer maxWait'];
  const why = `${cause}, so all traffic goes to version ${state.candidate.version} at once`;
  const told = notice(
    state,
    'released all at once',
    [why, `What to do: nothing, or set release.strategy, ${fitting}.`],
    false,
    now,
  );
  return write(
    next(state, { ...tell(state, told), steps: [], reason: why, ...deadline([], settings, now) }, now),
  );
}

const DENIED = /denied|not authorized/i;

/** Why no steps can be decided on. */
export const untold = ({ unreadable }: Unreadable): string =>
  `the traffic of the last 24 hours cannot be read, and strategy auto follows from it: ${unreadable}`;

function decided(state: Gating, steps: readonly Step[], now: number): Action {
  return write(next(state, { steps, ...deadline(steps, state.settings, now) }, now));
}

/** Σ(bake + maxWait) + 1 h; gate and warming have the resource's own limit. */
export function deadline(
  steps: readonly Step[],
  { maxWait }: Pick<Settings, 'maxWait'>,
  now: number,
): Pick<Release, 'deadline'> {
  const seconds = steps.reduce((sum, { bake }) => sum + bake + maxWait, 0);
  return { deadline: iso(now + seconds * 1000 + PATIENCE_MS) };
}

/** `40 requests an hour`. */
const hourly = (perSecond: number): string => `${Number((perSecond * 3600).toPrecision(3))} requests an hour`;
