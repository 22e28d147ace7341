import type { Judgement } from '../../judge/contract.ts';
import { crashesNow } from '../../judge/crashes.ts';
import { usable } from '../../judge/minutes.ts';
import { reversed } from '../../judge/reversed.ts';
import { OBJECTIVE, type SlowEdge } from '../../judge/slow.ts';
import { unread } from '../../judge/verdict.ts';
import { withStop } from '../../text/stop.ts';
import { iso } from '../../units/time.ts';
import type { Reversing } from '../document/contract.ts';
import type { Reversal } from '../document/parts-contract.ts';
import type { Settings } from '../document/settings-contract.ts';
import { ALARMS } from '../document/worker-contract.ts';
import { type Action, STOP, wait, write } from '../state/action.ts';
import { allTraffic, pointsAt, split } from '../state/alias-target.ts';
import { needed } from '../state/capacity.ts';
import { QUIET_MS, READY_MS, reversedMs } from '../state/durations.ts';
import { isUnreadable, known, lookIsDue, type ReleaseFacts } from '../state/facts.ts';
import { next } from '../state/next.ts';
import { notice, numbers } from '../state/notices.ts';
import { standing } from '../state/predicates.ts';
import { acquitted, intend, tell } from '../state/transitions.ts';
import { gate } from './gating.ts';
import { foreign } from './hold.ts';
import { revert } from './rollback.ts';

/** Cases of the last good version's gate: users wait meanwhile. */
const CASES = 100;

/**
 * REVERSING: the last good version, its gate passed again, has half of the traffic beside the live one, which
 * keeps the alias: a crash leaves half exposed at most. The test tells which is worse.
 */
export function reversing(state: Reversing, facts: ReleaseFacts, now: number): Action {
  const { reversal, stable } = state;
  if (facts.stack === 'gone') return STOP;
  if (!pointsAt(facts.alias, standing(state) ?? null)) return foreign(state, facts, now);
  return reversal.half === undefined
    ? ready(state, stable.version, facts, now)
    : test(state, reversal.half.at, facts, now);
}

/**
 * The last good version must answer, with as many warm instances as the live one, before it gets anything.
 */
function ready(state: Reversing, live: string, facts: ReleaseFacts, now: number): Action {
  const { reversal } = state;
  const { to, crashing, gate: so } = reversal;
  const late = now - Date.parse(reversal.at) > READY_MS;
  if (so?.verdict === 'fail')
    return restore(
      state,
      `version ${to.version} cannot take over: its gate failed: ${so.reason ?? ''}`,
      undefined,
      now,
    );
  if (late) {
    const why = so?.verdict === undefined && so?.reason !== undefined ? `: ${so.reason}` : '';
    return restore(state, `version ${to.version} was not ready within 15 minutes${why}`, undefined, now);
  }
  if (so?.verdict === undefined)
    return gate(
      to.version,
      again(state.settings, reversal),
      so,
      now,
      (leased) => next(state, { reversal: { ...reversal, gate: leased } }, now),
      { most: CASES },
    );
  if (crashing !== undefined) return write(revert(state, state.stable, to, crashing, undefined, true, now));
  // Not known is none: a bad version is not kept for the sake of cold starts.
  const held = known(facts.held);
  const instances = held?.has(live) ? needed(state, held) : 0;
  const has = held?.get(to.version);
  if (instances > 0 && reversal.cold === undefined && has?.state !== 'failed') {
    if (has === undefined || has.requested < instances)
      return { do: 'provide', version: to.version, instances };
    if (has.state !== 'ready')
      return wait(`${has.ready} of ${has.requested} instances of version ${to.version} are ready`);
  }
  const after = split(live, to.version, 50);
  return write(next(state, { intent: intend(state, after, 'REVERSING', now, [allTraffic(live)]) }, now));
}

/**
 * Its own start and cases; no load and no labelled rows, which take too long, and no reference, which may be
 * gone. The memory that is set by now is that of another version; with its own it has served before.
 */
function again(settings: Settings, { to }: Reversal): Settings {
  const { gate: _, p95: __, ...rest } = settings;
  const unbounded = { ...rest, memory: Number.POSITIVE_INFINITY };
  if (to.gate === undefined || to.gate.reference !== undefined) return unbounded;
  const { load: ___, metric: ____, ...own } = to.gate;
  return { ...unbounded, gate: own };
}

function test(state: Reversing, half: string, facts: ReleaseFacts, now: number): Action {
  const { reversal, settings } = state;
  if (!lookIsDue(state, now))
    return wait(reversal.judgement?.reason ?? `version ${reversal.to.version} has half of the traffic`);
  const { look: minutes } = facts;
  const over = now - Date.parse(half) >= reversedMs(settings.timeout);
  if (minutes === undefined || isUnreadable(minutes)) {
    const found = unread(`metrics cannot be read: ${minutes?.unreadable ?? 'none were asked for'}`);
    // A single call that is throttled decides nothing.
    return over && reversal.judgement?.verdict === 'error'
      ? restore(state, found.reason, { at: iso(now), ...found }, now)
      : note(state, { at: iso(now), ...found }, now);
  }
  const found = reversed(usable(minutes, now, [], settings.timeout), {
    minRequests: settings.minRequests,
    over,
    slow: slowOf(state),
  });
  const crashing = crashesNow(minutes);
  const bad = found.verdict === 'rollBack' || crashing !== undefined;
  const looked: Judgement = {
    at: iso(now),
    verdict: bad ? 'fail' : found.verdict === 'restore' && !found.isUntold ? 'pass' : 'nodata',
    reason: crashing ?? found.reason,
    signals: found.signals,
  };
  if (bad) {
    const judged = { ...state, reversal: { ...reversal, judgement: looked } };
    return write(
      revert(judged, state.stable, reversal.to, `${reversal.alarm}: ${looked.reason}`, looked, true, now),
    );
  }
  if (found.verdict === 'restore') {
    const live = `version ${state.stable.version}`;
    const why = found.isUntold ? `whether ${live} is to blame cannot be told` : `${live} is not to blame`;
    return restore(state, `${why}: ${looked.reason}`, looked, now, !found.isUntold);
  }
  return note(state, looked, now);
}

/**
 * An alarm of latency is answered by latency, at the objective that it is about, if both versions count by
 * the same.
 */
const slowOf = ({ functionName, stable, reversal: { alarm, to } }: Reversing): SlowEdge | undefined =>
  alarm === `${functionName}-${ALARMS.latency}` && stable.p95 !== undefined && stable.p95 === to.p95
    ? OBJECTIVE
    : undefined;

const note = (state: Reversing, looked: Judgement, now: number): Action =>
  write(next(state, { reversal: { ...state.reversal, judgement: looked } }, now));

/** All traffic on the live version again; somebody must look. */
function restore(
  state: Reversing,
  why: string,
  looked: Judgement | undefined,
  now: number,
  isCompared = false,
): Action {
  const { stable, reversal } = state;
  const look = isCompared
    ? 'look for a cause outside of the model: its inputs, what it calls, the account'
    : 'find out what its callers get, since nothing was compared';
  const text = notice(
    state,
    `${reversal.alarm} is on, and version ${stable.version} keeps all traffic`,
    [
      `Why: ${withStop(why)}`,
      ...numbers(looked),
      `What to do: ${look}. Alarms are left alone for an hour; "sls models rollback --model ${state.model}" goes back manually.`,
    ],
    true,
    now,
  );
  return write(
    acquitted(
      state,
      {
        ...tell(state, text),
        quietUntil: iso(now + QUIET_MS),
        ...(reversal.from === 'BAKING' && { reason: why }),
        intent: intend(state, allTraffic(stable.version), reversal.from, now),
      },
      now,
    ),
  );
}
