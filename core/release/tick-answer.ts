import type { AliasState } from '../ports/aws.ts';
import { iso } from '../units/time.ts';
import type { Release } from './document/contract.ts';
import type { DeploymentEnd } from './document/history-contract.ts';
import type { TickAnswer } from './document/worker-contract.ts';
import { ends } from './phases/judging.ts';
import { weightSince } from './phases/shifting.ts';
import { allTraffic, pointsAt } from './state/alias-target.ts';
import { isOpen, isPending, weightOf } from './state/predicates.ts';

/** Where a release stands, for whoever ticked. Pure. */
export function told(state: Release, alias: AliasState | undefined, waiting: string | undefined): TickAnswer {
  const { model, release, phase, candidate, steps = [], judgements } = state;
  const reason =
    (isOpen(phase) || phase === 'REVERSING' ? waiting : undefined) ??
    moved(state, alias) ??
    state.reason ??
    waiting;
  const judgement = state.phase === 'REVERSING' ? state.reversal.judgement : judgements.at(-1);
  return {
    model,
    release,
    phase,
    running: isOpen(phase) || phase === 'REVERSING' || state.intent !== undefined,
    ...(alias && { version: alias.version }),
    ...(candidate && { candidate: candidate.version }),
    ...(reason !== undefined && { reason }),
    ...(isPending(state) && steps.length > 0 && { weight: weightOf(state) }),
    ...(isPending(state) &&
      state.step !== undefined &&
      weightOf(state) > 0 && { step: stepOf(state, state.step, steps.length) }),
    ...(judgement && { judgement }),
    ...(state.phase === 'REVERSING' && {
      tried: { version: state.reversal.to.version, half: state.reversal.half !== undefined },
    }),
    ...(state.phase === 'BAKING' && { bakeUntil: state.watch.until }),
  };
}

/** Where a release stands, for the record of the deploy that began it. */
export function endOf(state: Release): DeploymentEnd {
  const { release, phase, stable, reason, gate, judgements, updatedAt } = state;
  return {
    release,
    phase,
    at: updatedAt,
    ...(stable && { version: stable.version }),
    ...(reason !== undefined && { reason }),
    ...(gate && { gate }),
    judgements,
  };
}

function stepOf(state: Release, index: number, of: number): NonNullable<TickAnswer['step']> {
  const { bake, patience } = ends(state);
  return { number: index + 1, of, since: weightSince(state), until: iso(bake), latest: iso(patience) };
}

/** Nobody calls on us when an alias is moved manually after a release; whoever asks next is told. */
function moved(state: Release, alias: AliasState | undefined): string | undefined {
  if (state.phase !== 'DONE' || alias === undefined) return undefined;
  const { stable } = state;
  if (pointsAt(alias, allTraffic(stable.version))) return undefined;
  return `the release ended with version ${stable.version} live, and the alias was moved since; the next deploy that changes the model goes on from there`;
}

/** Where a release cannot be read. */
export const unknownAnswer = (model: string, reason: string): TickAnswer => ({
  model,
  phase: 'UNKNOWN',
  running: true,
  reason,
});
