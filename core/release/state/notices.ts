import type { Judgement } from '../../judge/contract.ts';
import { withStop } from '../../text/stop.ts';
import { fourDigits } from '../../units/digits.ts';
import type { Release } from '../document/contract.ts';
import type { Notice, VersionRef } from '../document/parts-contract.ts';

/** What is told to the alerts topic: what happened, which numbers decided, what to do. */

type Subject = Pick<Release, 'model' | 'functionName' | 'stable' | 'candidate'>;

/**
 * SNS takes subjects of 100 characters, in ASCII: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
 */
const SUBJECT = 100;

export function notice(
  state: Subject,
  what: string,
  lines: readonly (string | undefined)[],
  page: boolean,
  now: number,
): Notice {
  const subject = `${page ? '[page] ' : ''}${state.model}: ${what}`.replace(/[^ -~]/g, '?').slice(0, SUBJECT);
  const text = [
    `${state.model} (${state.functionName}): ${what}.`,
    ...lines.filter((line) => line !== undefined),
  ];
  return { subject, text: text.join('\n'), page, at: new Date(now).toISOString() };
}

/** The look's sentence, and each signal's numbers on a line of its own. */
export const numbers = (judgement: Look | undefined): readonly string[] => lookLines('Decided by', judgement);

/** The same of a look beside which a person decided. */
export const lastNumbers = (judgement: Look | undefined): readonly string[] =>
  lookLines('Judged last', judgement);

type Look = Pick<Judgement, 'reason' | 'signals'>;

function lookLines(head: string, judgement: Look | undefined): readonly string[] {
  if (judgement === undefined) return [];
  const signals = judgement.signals.map(
    ({ signal, verdict, numbers: found }) =>
      `  ${signal}: ${verdict}; ${Object.entries(found)
        .map(([name, value]) => `${name} ${fourDigits(value)}`)
        .join(', ')}`,
  );
  return [`${head}: ${withStop(judgement.reason)}`, ...signals];
}

export const rolledBack = (
  state: Subject,
  bad: VersionRef,
  to: VersionRef,
  why: string,
  judgement: Look | undefined,
  now: number,
): Notice => {
  const [sentence, ...signals] = numbers(judgement);
  return notice(
    state,
    `version ${bad.version} was rolled back, version ${to.version} has all traffic`,
    [
      `Why: ${withStop(why)}`,
      // Where the look itself is why, it is told already.
      ...(judgement !== undefined && why.endsWith(judgement.reason) ? [] : [sentence]),
      ...signals,
      bad.batch !== undefined && to.batch === undefined
        ? // Not which one: what was rolled back before it took traffic left jobs with the one before.
          `Batch: none is known that came with version ${to.version}, so a version that was rolled back still scores jobs, until the next candidate with batch takes traffic.`
        : undefined,
      `What to do: fix the model and deploy it; the same one is refused until "sls deploy --force". See "sls models history --model ${state.model}".`,
    ],
    true,
    now,
  );
};

/** A rollback that a person undoes. */
export const broughtBack = (state: Subject, live: string, to: string, why: string, now: number): Notice =>
  notice(
    state,
    `version ${to} was brought back, version ${live} is the last good one`,
    [
      `Why: ${withStop(why)}`,
      `What to do: nothing; "sls models rollback --model ${state.model} --to ${live}" goes back again.`,
    ],
    false,
    now,
  );

export const promotedNotice = (
  state: Subject,
  version: string,
  lines: readonly string[],
  now: number,
): Notice => notice(state, `version ${version} has all traffic`, lines, false, now);

export const heldNotice = (
  state: Subject,
  why: string,
  todo: string,
  lines: readonly string[],
  page: boolean,
  now: number,
): Notice =>
  notice(state, 'the release is held', [`Why: ${withStop(why)}`, ...lines, `What to do: ${todo}`], page, now);

/** A release that ends at stable without a verdict, when no deploy waits for it any more. */
export const gaveUp = (state: Subject, why: string, now: number): Notice =>
  notice(
    state,
    state.stable === undefined
      ? 'the release was given up, and no version is known to be good'
      : `the release was given up, version ${state.stable.version} has all traffic`,
    [
      `Why: ${withStop(why)}`,
      state.stable === undefined
        ? `What to do: see "sls models status --model ${state.model}" for where the alias points, see to the cause, then "sls deploy".`
        : 'What to do: see to the cause, then "sls deploy".',
    ],
    true,
    now,
  );

/** The three ways on from HELD. */
export const ways = (model: string): string =>
  `"sls models promote --model ${model}", "sls models rollback --model ${model}" or "sls models resume --model ${model}".`;
