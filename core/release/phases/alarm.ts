import { crashesNow } from '../../judge/crashes.ts';
import { withStop } from '../../text/stop.ts';
import { iso } from '../../units/time.ts';
import type { Release } from '../document/contract.ts';
import { ALARMS } from '../document/worker-contract.ts';
import { ROLLS_BACK } from '../state/alarm-names.ts';
import { QUIET_MS, ROLLBACKS_COUNT_MS } from '../state/durations.ts';
import { isUnreadable, type ReleaseFacts } from '../state/facts.ts';
import { become, type Changes, next } from '../state/next.ts';
import { notice } from '../state/notices.ts';
import { isWatched, lastGood } from '../state/predicates.ts';
import { tell, type WatchedRelease } from '../state/transitions.ts';
import { holdFor } from './hold.ts';

/**
 * After promotion: what an alarm may do. Pure; the same whether the alarm itself called, or a tick finds it.
 */

/** Automatic rollbacks after promotion in 24 hours; the next one would be the third. */
const MOST = 2;

/**
 * The document that answers an alarm, if one asks: that is on now, turned on after promotion, in its window,
 * not quiet.
 */
export function alarmed(state: WatchedRelease, facts: ReleaseFacts, now: number): Release | undefined {
  const { stable, watch, quietUntil, functionName } = state;
  if (facts.alarms === undefined || isUnreadable(facts.alarms)) return undefined;
  if (stable === undefined || watch === undefined || !isWatched(state, now)) return undefined;
  if (quietUntil !== undefined && now < Date.parse(quietUntil)) return undefined;
  const on = (suffix: string): boolean => {
    const found = isUnreadable(facts.alarms) ? undefined : facts.alarms?.get(`${functionName}-${suffix}`);
    return found?.state === 'ALARM' && found.since > Date.parse(watch.since);
  };
  const suffix = ROLLS_BACK.find(on);
  if (suffix === undefined) return undefined;
  const alarm = `${functionName}-${suffix}`;
  const to = lastGood(state);
  if (to === undefined)
    return left(
      state,
      alarm,
      'there is no earlier version that behaves otherwise and was not rolled back',
      now,
    );
  if (state.settings.dryRun)
    return left(
      state,
      alarm,
      `dry run: version ${to.version} would have been tried beside version ${stable.version}`,
      now,
    );
  if (state.rollbacks.filter((at) => now - Date.parse(at) < ROLLBACKS_COUNT_MS).length >= MOST) {
    const why = `the alarm ${alarm} came on, and there were ${MOST} automatic rollbacks in 24 hours already`;
    return holdFor(state, 'limit', why, now);
  }
  const crashing = suffix === ALARMS.crashes ? crashesNow(facts.latest ?? []) : undefined;
  return become(
    state,
    'REVERSING',
    {
      stable,
      watch,
      reversal: { alarm, at: iso(now), to, from: state.phase, ...(crashing !== undefined && { crashing }) },
      // Why a later release failed is still why.
      ...(state.phase === 'BAKING' && {
        reason: `${alarm} is on: version ${to.version} is tried beside version ${stable.version}`,
      }),
    },
    now,
  );
}

/** The alarm is told and left alone for an hour. */
const left = (state: WatchedRelease, alarm: string, why: string, now: number): WatchedRelease =>
  next(state, leftAlone(state, alarm, why, now), now);

export function leftAlone(
  state: Release,
  alarm: string,
  why: string,
  now: number,
): Pick<Changes, 'notices' | 'quietUntil'> {
  const text = notice(
    state,
    `${alarm} is on, and nothing was rolled back`,
    [
      `Why: ${withStop(why)}`,
      `What to do: see "sls models status --model ${state.model}"; "sls models rollback --model ${state.model} --to <version>" goes back to any version.`,
    ],
    true,
    now,
  );
  return { ...tell(state, text), quietUntil: iso(now + QUIET_MS) };
}
