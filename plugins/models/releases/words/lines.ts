import type { GateState } from '../../../../core/gate/contract.ts';
import type { Verdict } from '../../../../core/judge/contract.ts';
import type { Estimate, MetricState } from '../../../../core/quality/contract.ts';
import { staged } from '../../../../core/release/command/text.ts';
import type { Settings, Step } from '../../../../core/release/document/settings-contract.ts';
import type { TickAnswer } from '../../../../core/release/document/worker-contract.ts';
import { withStop } from '../../../../core/text/stop.ts';
import { fourDigits } from '../../../../core/units/digits.ts';
import type { Problem } from '../../problems/errors.ts';
import type { Outcome } from './outcome.ts';
import { moment, span } from './time.ts';

/** One line for people, of this and that. Pure. */

/** What a gate found: `pass: 40 of 40 cases; 600 requests, p95 12 ms, 0 errors; 210 MB at most`. */
export function gateLine({ verdict, done, count, failed, metric, load, memory }: GateState): string {
  const cases =
    count === 0
      ? 'it starts'
      : failed.length > 0
        ? `${failed.length} of ${done} cases failed (${failed.slice(0, 5).join(', ')}${failed.length > 5 ? ', …' : ''})`
        : `${done} of ${count} cases`;
  return [
    `${verdict ?? 'under way'}: ${cases}`,
    ...(metric === undefined ? [] : [metricWords(metric)]),
    ...(load === undefined
      ? []
      : [`${load.sent} requests, p95 ${Math.round(load.p95)} ms, ${load.errors} errors`]),
    ...(memory === undefined ? [] : [`${memory} MB at most`]),
  ].join('; ');
}

/** `auc 0.912 (0.899 to 0.924), min 0.85, live 0.905, difference +0.007 (−0.004 to +0.018): pass`. */
function metricWords({ name, rows, done, refused, result }: MetricState): string {
  if (refused.length > 0)
    return `${name}: ${refused.length} of ${rows} labelled rows got no prediction (${refused.slice(0, 5).join(', ')}${refused.length > 5 ? ', …' : ''})`;
  if (result === undefined) return `${name}: ${done} of ${rows} labelled rows`;
  const { estimate, limit, live, verdict } = result;
  const of = ({ low, high }: Estimate): string => `(${fourDigits(low)} to ${fourDigits(high)})`;
  const words = [
    estimate === undefined ? name : `${name} ${fourDigits(estimate.value)} ${of(estimate)}`,
    ...(limit === undefined ? [] : [`${limit.is} ${fourDigits(limit.value)}`]),
    ...(live?.difference === undefined
      ? []
      : [
          `live ${fourDigits(live.value ?? 0)}, difference ${fourDigits(live.difference.value)} ${of(live.difference)}`,
        ]),
  ];
  return `${words.join(', ')}: ${VERDICTS[verdict]}`;
}

export const VERDICTS: Readonly<Record<Verdict, string>> = {
  pass: 'pass',
  fail: 'fail',
  nodata: 'no verdict',
  error: 'cannot be judged',
};

/** `25 % for 20 min, 50 % for 20 min`. */
export const stepsText = (steps: readonly Step[]): string =>
  steps.map(({ weight, bake }) => `${weight} % for ${span(bake * 1000)}`).join(', ');

/** Who changed the steps in mid-release must not take them for those that are taken. */
export const keptStepsLine = (model: string, kept: readonly Step[], { steps }: Settings): string =>
  `${model}: its release keeps the steps that it began with (${stepsText(kept)}); ${
    steps.length === 0
      ? 'a strategy without steps counts'
      : `those of the service (${stepsText(steps)}) count`
  } from the next release`;

/** The worker's times as a person reads them. */
const timed = (reason: string, now: number): string =>
  reason.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (iso) => moment(iso, now));

/** One line of a release that is followed. `key` is the same while nothing happens but that minutes pass. */
export function answerLine(
  { model, phase, reason, step, weight, judgement, candidate }: TickAnswer,
  now = Date.now(),
): {
  readonly line: string;
  readonly key: string;
} {
  const of = step === undefined ? '' : `, step ${step.number} of ${step.of} (${weight} %)`;
  const verdict = phase === 'JUDGING' && judgement !== undefined ? `, ${VERDICTS[judgement.verdict]}` : '';
  const what = candidate === undefined ? '' : ` version ${candidate}`;
  const head = `${model}:${what} ${phase.toLowerCase()}${of}${verdict}`;
  return { line: reason === undefined ? head : `${head}: ${timed(reason, now)}`, key: head };
}

/** What an alarm has begun, by itself: half of the traffic tells which of two versions is worse. */
const trial = ({ tried }: TickAnswer): string =>
  tried === undefined
    ? 'an alarm came on, and the version before is tried beside it'
    : tried.half
      ? `an alarm came on, and half of the traffic tests whether version ${tried.version} does better`
      : `an alarm came on, and version ${tried.version} is checked before it gets half of the traffic`;

/** How a release ended that was not of this deploy. */
const EARLIER: { readonly [phase in TickAnswer['phase']]?: string } = {
  ROLLED_BACK: 'was rolled back',
  ABORTED: 'was aborted',
  SUPERSEDED: 'was superseded',
  HELD: 'is held',
};

/** The line of a model that a deploy did not touch: what is live, and whose end the recorded one is. */
export function untouchedLine(answer: TickAnswer, now = Date.now()): string {
  const { model, phase, running, version, candidate } = answer;
  const reason = answer.reason && timed(answer.reason, now);
  const ended = running || version === undefined ? undefined : EARLIER[phase];
  if (ended === undefined) return releaseLine(answer, now).text;
  const why = reason === undefined ? '' : `: ${reason}`;
  // The reason of a rollback says which version, and that it was.
  const earlier =
    phase === 'ROLLED_BACK' && reason !== undefined
      ? `before it, ${reason}`
      : `an earlier release${candidate === undefined ? '' : ` of version ${candidate}`} ${ended}${why}`;
  return `${model}: version ${version} is live, which this deploy does not change; ${earlier}`;
}

/** Where a release stands after a deploy, and whether what was deployed is what answers or is on its way. */
export function releaseLine(
  answer: TickAnswer,
  now = Date.now(),
): { readonly good: boolean; readonly text: string } {
  const { model, phase, running, version, candidate, step, weight } = answer;
  const reason = answer.reason && timed(answer.reason, now);
  const at = version === undefined ? 'has no alias' : `version ${version} is live`;
  const why = reason === undefined ? '' : `: ${reason}`;
  if (phase === 'DONE' || phase === 'BAKING')
    return { good: true, text: `${model}: ${at}${reason === undefined ? '' : ` (${reason})`}` };
  if (step !== undefined && candidate !== undefined && running)
    return {
      good: true,
      text: `${model}: version ${version} is stable; version ${candidate} has ${weight} % (step ${step.number} of ${step.of}) and goes on by itself${why}`,
    };
  if (phase === 'REVERSING') return { good: true, text: `${model}: ${at}; ${trial(answer)}${why}` };
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

/** @param own is the release one that this deploy began? */
export const endLine = (answer: TickAnswer, own: boolean): string =>
  own ? releaseLine(answer).text : untouchedLine(answer);

/**
 * What is wrong at a deploy’s end; undefined where what it offered is live or on its way.
 *
 * @param wait the deploy was to follow its releases to their end
 */
export function problemOf(
  answer: TickAnswer,
  outcome: Outcome,
  wait: boolean,
  stage: string,
): Problem | undefined {
  const { model, version } = answer;
  const command = (verb: string): string => `\`sls models ${verb} --model ${model} --stage ${stage}\``;
  const problem = (why: string, fix: string): Problem => ({
    code: 'MODELS_RELEASE',
    key: `models.${model}`,
    message: `What was deployed is not live: ${version === undefined ? 'there is no alias' : `version ${version} is`}; ${withStop(staged(timed(why, Date.now()), stage))}`,
    fix,
  });
  switch (outcome.is) {
    case 'live':
      return undefined;
    case 'onItsWay':
      if (!wait) return undefined;
      return problem(
        outcome.held
          ? `the release of version ${answer.candidate} is held: ${answer.reason ?? ''}`
          : `the release of version ${answer.candidate} still goes on, without this command`,
        outcome.held
          ? `Decide: ${command('promote')}, ${command('rollback')} or ${command('resume')}.`
          : `Follow it: ${command('status --watch')}.`,
      );
    case 'refused':
      return problem(
        outcome.why,
        `Fix the model and deploy it. To release the same one anyway: \`sls deploy --force --stage ${stage}\`.`,
      );
    case 'uncalled':
      return {
        code: 'MODELS_ALIAS_ABSENT',
        key: `models.${model}`,
        message:
          'The stack is complete, but its custom resource Custom::ModelAlias was not called: there is no alias and no release, so nothing answers.',
        fix: `Where AWS_ENDPOINT_URL names an emulator, take one that calls custom resources (docs/local-testing.md). On AWS, the log of the function \`models-release\` says what became of the call; then \`sls deploy --stage ${stage}\`.`,
      };
    case 'none':
      return problem(outcome.why, `See ${command('status')}. To try again: \`sls deploy --stage ${stage}\`.`);
  }
}
