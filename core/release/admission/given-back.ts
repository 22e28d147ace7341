import type { Release } from '../document/contract.ts';
import { allTraffic } from '../state/alias-target.ts';
import { become, next } from '../state/next.ts';
import { REMEMBERED } from '../state/noted.ts';
import { intend } from '../state/transitions.ts';

/**
 * The document of the function from before, once a deploy failed that gave the model another one: as it was
 * archived, so that its watch goes on and its last good version is known. A release that was on its way is
 * over; its weight goes. Pure.
 *
 * @param found about the function that the failed deploy made
 * @param before the latest that was archived
 */
export function givenBack(found: Release, before: Release, clock: number): Release {
  const now = Math.max(clock, Date.parse(found.updatedAt));
  const requests = [...before.requests, ...found.requests].slice(-REMEMBERED);
  const { told: _, ...schedule } = before.schedule;
  // A worker that reads either finds a later one.
  const base: Release = { ...before, rev: Math.max(before.rev, found.rev) };
  const changes = { requests, schedule, waiting: undefined };
  if (base.phase !== 'SUPERSEDED') return next(base, changes, now);
  const { stable } = base;
  return become(
    base,
    'ABORTED',
    {
      ...changes,
      held: undefined,
      intent: stable && intend(base, allTraffic(stable.version), 'ABORTED', now),
      reason: 'the deploy that took its place gave the function another name, and failed',
    },
    now,
  );
}
