import type { GateState } from '../../../core/gate/contract.ts';
import type { Judgement } from '../../../core/judge/contract.ts';
import type { AlarmPort, AliasState, Provided } from '../../../core/ports/aws.ts';
import type { Release } from '../../../core/release/document/contract.ts';
import type {
  HeldBy,
  Phase,
  RefusedVersion,
  VersionRef,
  WriteBack,
} from '../../../core/release/document/parts-contract.ts';
import type { Step } from '../../../core/release/document/settings-contract.ts';
import { ALARMS } from '../../../core/release/document/worker-contract.ts';
import { ends } from '../../../core/release/phases/judging.ts';
import { weightSince } from '../../../core/release/phases/shifting.ts';
import { say } from '../../../core/release/state/alias-target.ts';
import { isOpen, isPending, keptSteps, lastGood, phaseOf } from '../../../core/release/state/predicates.ts';
import { type Lacks, withLacks } from './alias/lacks.ts';
import { runningOf } from './deployment.ts';
import { NOT_MADE_AGAIN } from './removed-models.ts';
import { advice, unrecorded, unseenAlarms, withAlarms } from './words/advice.ts';
import type { Advice, AlarmOn, Say } from './words/level.ts';
import { withMissingAlarms } from './words/missing-alarms.ts';

/** Where a model's release stands, and whether somebody must do something. Pure. */

/** What was read of a model. */
export type SeenRelease = {
  readonly model: string;
  readonly functionName: string;
  readonly alias?: AliasState;
  /** Absent: none is recorded. `newer`: by a plugin that is newer than this one. */
  readonly release?: Release | 'newer';
  /** Its function is not there any more: it went with the model, or the stack still has it. */
  readonly gone?: 'removed' | 'deleted';
  /** The model's alarms that exist, by suffix; absent: they cannot be read. */
  readonly alarms?: ReadonlyMap<string, AlarmOf>;
  /** Why they cannot be read. */
  readonly alarmsUnread?: string;
  /** Provisioned concurrency by version. */
  readonly held?: ReadonlyMap<string, Provided>;
  /** Somebody deleted the last good version. */
  readonly isGoodGone?: boolean;
  /** What hung on an alias that somebody deleted and is missing; absent: there was no reason to look. */
  readonly lacks?: Lacks;
};
type AlarmOf = Awaited<ReturnType<AlarmPort['states']>> extends ReadonlyMap<string, infer A> ? A : never;

/** What `sls models status --json` prints of a model. Percent in `share` and `weight`; times are ISO. */
export type Status = Advice & {
  readonly model: string;
  readonly functionName: string;
  readonly traffic: readonly { readonly version: string; readonly share: number; readonly role: string }[];
  readonly phase: Phase | 'NONE' | 'UNKNOWN';
  /** Does it go on by itself? False while it is watched after promotion, where it is held, and at its end. */
  readonly running: boolean;
  readonly release?: string;
  readonly startedAt?: string;
  readonly updatedAt?: string;
  readonly strategy?: string;
  /** The steps that it began with, where the service has others by now; `bake` in seconds. */
  readonly keptSteps?: readonly Step[];
  readonly dryRun?: boolean;
  readonly stable?: string;
  readonly candidate?: string;
  readonly step?: {
    readonly number: number;
    readonly of: number;
    readonly weight: number;
    readonly since?: string;
    /** End of the bake. */
    readonly until?: string;
    /** End of the patience. */
    readonly latest?: string;
  };
  readonly gate?: GateState;
  /** The last look of each step. */
  readonly judgements: readonly Judgement[];
  /** The reversed canary. */
  readonly reversal?: {
    readonly alarm: string;
    readonly to: string;
    readonly half?: string;
    readonly judgement?: Judgement;
  };
  /** Is latency judged in this release? Absent before that is fixed. */
  readonly latencyJudged?: boolean;
  /** Are refused requests? The same. */
  readonly rejectedJudged?: boolean;
  readonly reason?: string;
  readonly held?: { readonly by: HeldBy; readonly at: string; readonly from: Phase };
  readonly bakeUntil?: string;
  readonly quietUntil?: string;
  readonly deadline?: string;
  readonly lastGood?: string;
  readonly refused: readonly RefusedVersion[];
  /** Alarms that are on, worst first. */
  readonly alarms: readonly AlarmOn[];
  readonly alarmsUnreadable?: boolean;
  /** Why, in AWS’s words. */
  readonly alarmsUnread?: string;
  readonly capacity: readonly {
    readonly version: string;
    readonly ready: number;
    readonly requested: number;
  }[];
  /** Notices that wait for their topic. */
  readonly unpublished: number;
  /** What MLflow is told of what is live; absent where it is told nothing. */
  readonly mlflow?: WriteBack;
  readonly deployment?: string;
  /** What an alias lacks that somebody deleted. */
  readonly lacks?: Lacks;
};

/** @param say `sls models <verb>` with the model and stage, to be copied */
export function statusOf(seen: SeenRelease, now: number, command: Say): Status {
  const { model, functionName, alias, release } = seen;
  const on = alarmsOn(seen);
  const known = (one: Advice): Advice => (seen.alarms === undefined ? unseenAlarms(one) : one);
  const read = {
    alarms: on,
    ...(seen.alarms === undefined && { alarmsUnreadable: true }),
    ...(seen.alarmsUnread !== undefined && { alarmsUnread: seen.alarmsUnread }),
    capacity: [...(seen.held ?? [])].map(([version, { ready, requested }]) => ({
      version,
      ready,
      requested,
    })),
  };
  if (release === undefined || release === 'newer' || seen.gone)
    return {
      model,
      functionName,
      ...(seen.gone
        ? lost(seen.gone, release, command)
        : known(withAlarms(unknown(seen, command), on, functionName, now))),
      traffic: trafficOf(alias, undefined),
      phase: release === 'newer' && !seen.gone ? 'UNKNOWN' : 'NONE',
      running: false,
      judgements: [],
      refused: [],
      unpublished: 0,
      ...read,
    };
  return {
    model,
    functionName,
    ...lackingAdvice(
      seen,
      release,
      withMissingAlarms(known(advice(seen, release, on, now, command)), seen.alarms, release, now),
      now,
      command,
    ),
    traffic: trafficOf(alias, release),
    ...documented(release),
    ...read,
  };
}

const lackingAdvice = (
  { alias, lacks }: SeenRelease,
  release: Release,
  own: Advice,
  now: number,
  command: Say,
): Advice & Pick<Status, 'lacks'> =>
  lacks === undefined ? own : { ...withLacks(own, lacks, { release, alias }, now, command), lacks };

/** The registry keeps the documents of a model beyond its end: what they say runs, runs no more. */
function lost(how: NonNullable<SeenRelease['gone']>, release: SeenRelease['release'], command: Say): Advice {
  const ran = typeof release === 'object' ? runningOf(release) : undefined;
  const ended = ran === undefined ? '' : ` Its release (${ran}) ended with it.`;
  const past = `\`${command('history')}\` shows what it was.`;
  if (how === 'removed')
    return {
      level: 'look',
      summary: `It is not deployed any more: its function is gone.${ended}`,
      todo: [`Where it is still declared, \`${command.sls('deploy')}\` deploys it again. ${past}`],
    };
  return {
    level: 'act',
    summary: `Somebody deleted its function, and callers get errors.${ended}`,
    todo: [`${NOT_MADE_AGAIN} ${past}`],
  };
}

function unknown({ alias, release, functionName }: SeenRelease, command: Say): Advice {
  if (release === 'newer')
    return {
      level: 'look',
      summary: `A newer version of the plugin released this model; the alias points to ${say(alias)}.`,
      todo: ['Use that version of the plugin.'],
    };
  return alias === undefined
    ? {
        level: 'look',
        summary: 'It is not deployed.',
        todo: ['Run `sls deploy`, or name another --stage or --region.'],
      }
    : unrecorded(alias, functionName, command);
}

/**
 * What the document says, without the answer URL, which is a credential, and without what only the worker
 * needs.
 */
function documented(release: Release) {
  const { settings, stable, candidate, gate, judgements, basis, held, reversal } = release;
  const good = lastGood(release);
  const step = stepOf(release);
  const kept = keptSteps(release);
  return {
    phase: release.phase,
    running: isOpen(release.phase) || release.phase === 'REVERSING' || release.intent !== undefined,
    release: release.release,
    startedAt: release.startedAt,
    updatedAt: release.updatedAt,
    strategy: settings.strategy,
    ...(kept && { keptSteps: kept }),
    dryRun: settings.dryRun,
    ...(stable && { stable: stable.version }),
    ...(candidate && { candidate: candidate.version }),
    ...(step && { step }),
    ...(gate && { gate }),
    judgements,
    ...(reversal && {
      reversal: {
        alarm: reversal.alarm,
        to: reversal.to.version,
        ...(reversal.half && { half: reversal.half.at }),
        ...(reversal.judgement && { judgement: reversal.judgement }),
      },
    }),
    ...(basis &&
      isPending(release) && {
        latencyJudged: basis.slow !== undefined,
        rejectedJudged: basis.rejected === true,
      }),
    ...(release.reason !== undefined && { reason: release.reason }),
    ...(held && { held: { by: held.by, at: held.at, from: held.from } }),
    ...(release.watch && { bakeUntil: release.watch.until }),
    ...(release.quietUntil !== undefined && { quietUntil: release.quietUntil }),
    ...(isOpen(release.phase) && { deadline: release.deadline }),
    ...(good && { lastGood: good.version }),
    refused: release.refused,
    unpublished: release.notices.length,
    ...(release.writeBack && release.writeBack.is !== 'none' && { mlflow: release.writeBack }),
    ...(release.deployment && { deployment: release.deployment.id }),
  };
}

function stepOf(release: Release): Status['step'] {
  const { step, steps = [] } = release;
  const to = step === undefined ? undefined : steps[step];
  // Where somebody else moved the alias, the step's weight is not what is there.
  const foreign = release.held?.by === 'foreign';
  if (step === undefined || to === undefined || !isPending(release) || foreign) return undefined;
  const base = { number: step + 1, of: steps.length, weight: to.weight };
  if (phaseOf(release) !== 'JUDGING') return base;
  const { bake, patience } = ends(release);
  return {
    ...base,
    since: weightSince(release),
    until: new Date(bake).toISOString(),
    latest: new Date(patience).toISOString(),
  };
}

/** Shares as the alias has them, largest version last. */
function trafficOf(alias: AliasState | undefined, release: Release | undefined): Status['traffic'] {
  if (alias === undefined) return [];
  const others = Object.entries(alias.weights);
  const rest = 1 - others.reduce((sum, [, weight]) => sum + weight, 0);
  return [[alias.version, rest] as const, ...others].map(([version, weight]) => ({
    version,
    share: Math.round(weight * 1000) / 10,
    role: roleOf(version, release),
  }));
}

function roleOf(version: string, release: Release | undefined): string {
  if (release === undefined) return '';
  const is = (ref: VersionRef | undefined): boolean => ref?.version === version;
  if (is(release.stable)) return isPending(release) ? 'stable' : 'live';
  if (isPending(release) && is(release.candidate)) return 'candidate';
  if (release.reversal !== undefined && is(release.reversal.to)) return 'last good';
  return 'not of this release';
}

/** Suffixes that may bring the last good version back, worst first; then the others. */
const WORST_FIRST: readonly string[] = [
  ALARMS.crashes,
  ALARMS.errors,
  ALARMS.latency,
  ALARMS.throttles,
  ALARMS.spillover,
  ALARMS.provisioned,
  ALARMS.release,
  ALARMS.drift,
  ALARMS.outputs,
  ALARMS.classes,
  ALARMS.monitor,
  ALARMS.batchFailed,
  ALARMS.batchWaiting,
];

function alarmsOn({ alarms, functionName }: SeenRelease): readonly AlarmOn[] {
  return WORST_FIRST.flatMap((suffix) => {
    const found = alarms?.get(suffix);
    return found?.state === 'ALARM'
      ? [{ alarm: `${functionName}-${suffix}`, since: new Date(found.since).toISOString() }]
      : [];
  });
}
