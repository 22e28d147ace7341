import type { TickAnswer } from '../../../functions/release/contract.ts';
import type { GateState } from '../../../functions/release/gate/contract.ts';

/** One line for people, of this and that. Pure. */

/** What a gate found: `pass: 40 of 40 cases; 600 requests, p95 12 ms, 0 errors; 210 MB at most`. */
export function gateLine({ verdict, done, count, failed, load, memory }: GateState): string {
  const cases =
    count === 0
      ? 'it starts'
      : failed.length > 0
        ? `${failed.length} of ${done} cases failed (${failed.slice(0, 5).join(', ')}${failed.length > 5 ? ', …' : ''})`
        : `${done} of ${count} cases`;
  return [
    `${verdict ?? 'under way'}: ${cases}`,
    ...(load === undefined
      ? []
      : [`${load.sent} requests, p95 ${Math.round(load.p95)} ms, ${load.errors} errors`]),
    ...(memory === undefined ? [] : [`${memory} MB at most`]),
  ].join('; ');
}

const VERDICTS = { pass: 'pass', fail: 'fail', nodata: 'no verdict yet', error: 'cannot be judged' } as const;

/** One line of a release that is followed. `key` is the same while nothing happens but that minutes pass. */
export function answerLine({ model, phase, reason, step, weight, judgement, candidate }: TickAnswer): {
  readonly line: string;
  readonly key: string;
} {
  const of = step === undefined ? '' : `, step ${step.number} of ${step.of} (${weight} %)`;
  const verdict = phase === 'JUDGING' && judgement !== undefined ? `, ${VERDICTS[judgement.verdict]}` : '';
  const what = candidate === undefined ? '' : ` version ${candidate}`;
  const head = `${model}:${what} ${phase.toLowerCase()}${of}${verdict}`;
  return { line: reason === undefined ? head : `${head}: ${reason}`, key: head };
}

/** Where a release stands after a deploy, and whether what was deployed is what answers or is on its way. */
export function releaseLine({
  model,
  phase,
  running,
  version,
  candidate,
  reason,
  step,
  weight,
}: TickAnswer): {
  readonly good: boolean;
  readonly text: string;
} {
  const at = version === undefined ? 'has no alias' : `version ${version} is live`;
  const why = reason === undefined ? '' : `: ${reason}`;
  if (phase === 'DONE' || phase === 'BAKING')
    return { good: true, text: `${model}: ${at}${reason === undefined ? '' : ` (${reason})`}` };
  if (step !== undefined && candidate !== undefined && running)
    return {
      good: true,
      text: `${model}: version ${version} is stable; version ${candidate} has ${weight} % (step ${step.number} of ${step.of}) and goes on by itself${why}`,
    };
  if (running)
    return {
      good: true,
      text: `${model}: ${at}; the release${candidate === undefined ? '' : ` of version ${candidate}`} goes on${why}`,
    };
  // The reason of a rollback says which version, and that it was.
  if (phase === 'ROLLED_BACK' && reason !== undefined)
    return { good: false, text: `${model}: ${at}; ${reason}` };
  return {
    good: false,
    text: `${model}: ${at}; ${phase === 'NONE' ? 'no release is recorded' : `the release is ${phase.toLowerCase().replace('_', ' ')}`}${why}`,
  };
}

/**
 * After a deploy that found nothing to change: why what the template says is not what answers; undefined where it is.
 *
 * @param stable the version that the release recorded as live
 */
export function skippedLine(answer: TickAnswer, stable: string | undefined): string | undefined {
  const { phase, version } = answer;
  if ((phase === 'DONE' || phase === 'BAKING') && version === stable) return undefined;
  const { good, text } = releaseLine(answer);
  return good && answer.running
    ? text
    : `${text}. To release what the template says all the same: sls deploy --force`;
}
