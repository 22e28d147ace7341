import { stackNameIn } from '../../../aws/stack.ts';
import type { BenchDocument } from '../../../core/capacity/contract.ts';
import type { GateState } from '../../../core/gate/contract.ts';
import { textIn } from '../../../core/json/fields.ts';
import type { Judgement } from '../../../core/judge/contract.ts';
import type { AliasState } from '../../../core/ports/aws.ts';
import type { Measure, MetricResult } from '../../../core/quality/contract.ts';
import type { FoundRelease } from '../../../core/registry/port.ts';
import type { Release } from '../../../core/release/document/contract.ts';
import type {
  Measured,
  PromotedFrom,
  VersionRecord,
} from '../../../core/release/document/history-contract.ts';
import { allTraffic, pointsAt } from '../../../core/release/state/alias-target.ts';
import { isPending, isReversing, weightOf } from '../../../core/release/state/predicates.ts';
import type { Validated } from '../contracts/ship-context.ts';
import type { Problem } from '../problems/errors.ts';
import type { Past } from '../releases/history/past.ts';
import { BROUGHT_BACK } from '../releases/history/past-outcome.ts';

/** Whether another stage has validated what is live there, and what it found. Pure. */

/** What is read of a model at a stage. */
export type FoundAtStage = {
  readonly found: FoundRelease | undefined;
  readonly alias: AliasState | undefined;
  /** What its live version is; its releases, the newest first, and the newest bench of that version. */
  readonly record: VersionRecord | undefined;
  readonly pasts: readonly Past[];
  readonly bench: BenchDocument | undefined;
};

export function validatedAt(
  stage: string,
  model: string,
  { found, alias, record, pasts, bench }: FoundAtStage,
): Validated | Problem {
  const refuse = (message: string, fix: string): Problem => ({
    code: 'MODELS_PROMOTION',
    key: `models.${model}`,
    message: `cannot be taken from ${stage}: ${message}.`,
    fix,
  });
  const status = `\`sls models status --model ${model} --stage ${stage}\``;
  if (found === undefined) return refuse('it was never deployed there', `Deploy it to ${stage} first.`);
  const { release } = found;
  if (release === undefined)
    return refuse(
      'its registry was written by a newer version of the plugin',
      'Use that version of the plugin.',
    );
  const { stable } = release;
  const standing = standingOf(release);
  if (standing !== undefined || stable === undefined)
    return refuse(
      standing ?? 'nothing is live there',
      `Wait until a version is live there and no release is open: ${status} tells what to do.`,
    );
  if (isBroughtBack(release))
    return refuse(
      `version ${stable.version} was rolled back in its canary there, and a person brought it back`,
      `Deploy one to ${stage} that is promoted there.`,
    );
  if (alias === undefined) return refuse('it is not deployed there any more', `Deploy it to ${stage} first.`);
  if (!pointsAt(alias, allTraffic(stable.version)))
    return refuse(
      `somebody moved the alias, which should be at version ${stable.version}`,
      `See ${status}, and deploy to ${stage} again.`,
    );
  const isThis =
    record?.functionName === release.functionName &&
    (stable.fingerprint === undefined || record.fingerprint === stable.fingerprint);
  if (!isThis || textIn(record, 'source') === undefined || textIn(record, 'identity') === undefined)
    return refuse(
      `nothing is recorded of version ${stable.version}, which is live there`,
      `Deploy to ${stage} again.`,
    );
  // What behaves as the live version was promoted at once; its gate is that of the release before.
  const past = pasts.find(
    (one) => one.fingerprint === record.fingerprint && wasPromoted(one) && isGate(one.gate),
  );
  if (past?.gate === undefined)
    return refuse(
      `version ${stable.version} is live there, and passed no gate with a case, labelled rows that decided, or a load`,
      `Declare \`gate\` for it. It asks what is released next, so deploy something to ${stage} that makes a version, for example another \`memory\`.`,
    );
  return {
    source: record.source,
    identity: record.identity,
    ...(record.origin && { origin: record.origin }),
    evidence: evidenceOf(stage, release, stable.version, past, past.gate, bench),
  };
}

/** It never was promoted: its release was rolled back, and a person undid that. */
const isBroughtBack = ({ returnedAt, promotedAt }: Pick<Release, 'returnedAt' | 'promotedAt'>): boolean =>
  returnedAt !== undefined && promotedAt === undefined;

/**
 * What passed a gate and then failed in its canary is no evidence of what was forced, or brought back, after
 * it.
 */
const wasPromoted = ({ phase, weight, outcome }: Past): boolean =>
  ((phase === 'DONE' || phase === 'BAKING') && outcome !== BROUGHT_BACK) ||
  (phase === 'SUPERSEDED' && weight === 100);

/** Every gate has the version started once; with nothing asked of it that says little. */
const isGate = (gate: GateState | undefined): gate is GateState =>
  gate?.verdict === 'pass' && (gate.count > 0 || gate.load !== undefined || hasMeasured(gate));

/** Rows that could not decide, and were let pass, validate nothing. */
const hasMeasured = ({ metric }: GateState): boolean => metric?.result?.verdict === 'pass';

/** Why what is live may not be what stays; undefined: it is. */
function standingOf(release: Release): string | undefined {
  const { phase, stable, reason, intent } = release;
  const because = reason === undefined ? '' : ` (${reason})`;
  if (phase === 'HELD')
    return isPending(release)
      ? `its release of version ${release.candidate.version} is held${because}`
      : `version ${stable?.version} is live there, and held${because}`;
  if (isPending(release))
    return `its release of version ${release.candidate.version} is under way there (${phase}, ${weightOf(release)} %)`;
  if (isReversing(release)) return `its live version is doubted there${because}`;
  if (phase === 'ROLLED_BACK') return `its last release there was rolled back${because}`;
  if (phase !== 'DONE' && phase !== 'BAKING') return `its last release there was given up${because}`;
  return intent === undefined ? undefined : 'its alias is being moved';
}

const WORDS = 300;
const short = (text: string): string => (text.length > WORDS ? `${text.slice(0, WORDS - 1)}…` : text);

function evidenceOf(
  stage: string,
  { stack }: Release,
  version: string,
  { release, startedAt, endedAt, judgements }: Past,
  { verdict, done, count, metric, reason }: GateState,
  bench: BenchDocument | undefined,
): PromotedFrom {
  const look = judgements.at(-1);
  return {
    stage,
    stack: stackNameIn(stack),
    version,
    release,
    startedAt,
    ...(endedAt !== undefined && { endedAt }),
    gate: {
      ...(verdict && { verdict }),
      done,
      count,
      ...(metric?.result && { metric: measuredOf(metric.name, metric.result) }),
      ...(reason !== undefined && { reason: short(reason) }),
    },
    ...(look && { judged: judgedOf(look) }),
    ...(bench &&
      bench.at >= startedAt && {
        bench: { id: `${version}-${bench.at.replace(/[^0-9TZ]/g, '')}`, at: bench.at },
      }),
  };
}

const measuredOf = (name: Measure, { verdict, estimate }: MetricResult): Measured => ({
  name,
  verdict,
  ...(estimate && { estimate }),
});

function judgedOf({ at, verdict, reason, signals }: Judgement): NonNullable<PromotedFrom['judged']> {
  const bounds = signals.flatMap(({ signal, numbers }) =>
    numbers.bound === undefined ? [] : [[signal, numbers.bound] as const],
  );
  return {
    at,
    verdict,
    reason: short(reason),
    ...(bounds.length > 0 && { bounds: Object.fromEntries(bounds) }),
  };
}

export const isNotValidated = (one: Validated | Problem): one is Problem => 'code' in one;
