import { leastBudget } from '../gate/budget.ts';
import type { GateEvidence, GateState } from '../gate/contract.ts';
import type { GateOutcome } from '../gate/gate.ts';
import { gathered } from '../gate/verdict.ts';
import { iso } from '../units/time.ts';
import type { Release } from './document/contract.ts';
import { nameAndMessage } from './failures.ts';
import { countUnread, type World } from './ports.ts';
import type { Action } from './state/action.ts';
import { GATE_RESERVE_MS } from './state/durations.ts';
import { next } from './state/next.ts';

/**
 * Runs one slice of a gate. The lease is written first: another worker's load at the same time would be
 * measured, too. What it found is written where the lease is still ours; else the release went on without it,
 * and nothing is lost but the work.
 *
 * @returns why this invocation can do no more
 */
export async function gatePart(
  world: World,
  state: Release,
  action: Extract<Action, { do: 'gate' }>,
  etag: string,
): Promise<string | undefined> {
  if (budget(world) < leastBudget(action.settings))
    return `the gate of version ${action.version} goes on with the next tick, which has more time`;
  if ((await world.registry.move(action.next, etag)) === 'changed') return undefined;
  const lease = leaseOf(action.next);
  const { version } = action;
  const outcome = await slice(world, state, action).catch((error: unknown) => {
    countUnread(world, state, error);
    return stopped(action.next, version, error);
  });
  for (;;) {
    const found = await world.registry.release(state.model);
    const now = found?.release;
    if (now === undefined || now.release !== state.release || leaseOf(now) !== lease) return undefined;
    const { lease: _, ...rest } = outcome.state;
    if ((await world.registry.move(withGate(now, rest, world.clock()), found?.etag)) === 'ok') break;
  }
  return outcome.state.verdict === undefined
    ? (outcome.state.reason ??
        `the gate of version ${version} is at case ${outcome.state.done} of ${outcome.state.count}`)
    : undefined;
}

const budget = (world: World): number => world.left() - GATE_RESERVE_MS;

/** @throws Error where a file that it asks with cannot be read, or what it found not be kept */
async function slice(
  world: World,
  state: Release,
  { version, settings, state: before, most, live }: Extract<Action, { do: 'gate' }>,
): Promise<GateOutcome> {
  const { functionName } = state;
  const kept =
    settings.gate?.metric === undefined ? undefined : await world.registry.found(state.model, state.release);
  const scores = kept?.version === version ? kept.scores : undefined;
  const outcome = await world.gate({
    functionName,
    version,
    settings,
    state: before,
    budgetMs: budget(world),
    ...(most !== undefined && { most }),
    ...(live && { live }),
    ...(scores && { scores }),
  });
  const { done, verdict, reason } = outcome.state;
  world.log('info', 'gate', { functionName, version, done, verdict, reason });
  await keep(world, state, version, outcome);
  return outcome;
}

/** A reason is shown by CloudFormation among others. */
const REASON = 400;

/**
 * As far as it had got, without the lease, which would keep it waiting for minutes: the next tick goes on,
 * and whoever fails for want of time says why.
 */
function stopped(leased: Release, version: string, error: unknown): GateOutcome {
  const { lease: _, ...so } = gateIn(leased) ?? { done: 0, count: 0, failed: [] };
  const reason = `the gate of version ${version} cannot go on: ${nameAndMessage(error)}`.slice(0, REASON);
  return { state: { ...so, reason }, failures: [] };
}

const gateIn = (state: Release): GateState | undefined =>
  state.phase === 'REVERSING' ? state.reversal.gate : state.gate;

const leaseOf = (state: Release): string | undefined => gateIn(state)?.lease;

const withGate = (state: Release, gate: GateState, now: number): Release =>
  state.phase === 'REVERSING'
    ? next(state, { reversal: { ...state.reversal, gate } }, now)
    : next(state, { gate }, now);

/**
 * What the last good version's gate finds after an alarm is not the release's own, which is evidence still.
 */
const evidenceOf = (state: Release): string =>
  state.phase === 'REVERSING'
    ? `${state.release}-${state.reversal.at.replace(/[^0-9TZ]/g, '')}`
    : state.release;

/** Values of cases go where only the account's own people read them. */
async function keep(
  world: World,
  state: Release,
  version: string,
  { state: gate, failures, scores }: GateOutcome,
): Promise<void> {
  const { model, release, functionName } = state;
  await world.registry.evidence(model, evidenceOf(state), (before): GateEvidence => {
    const kept = before?.version === version ? before.failures : [];
    const at = iso(world.clock());
    return {
      schema: 1,
      model,
      release,
      functionName,
      version,
      at,
      gate,
      failures: gathered(kept, failures),
      ...(scores && { scores }),
    };
  });
}
