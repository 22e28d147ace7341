import type { AliasState, Provided } from '../../../../core/ports/aws.ts';
import type { Release } from '../../../../core/release/document/contract.ts';
import { ALARMS } from '../../../../core/release/document/worker-contract.ts';
import { ends } from '../../../../core/release/phases/judging.ts';
import { pointsAt, say } from '../../../../core/release/state/alias-target.ts';
import { GOES_OFF_MS } from '../../../../core/release/state/durations.ts';
import { isEnd, isOpen, standing, weightOf } from '../../../../core/release/state/predicates.ts';
import { repairOf } from '../../../../core/release/state/stuck.ts';
import { undoneOf } from '../../../../core/release/state/undone.ts';
import { ENDPOINT_ALARMS } from '../../plan/endpoint/alarms.ts';
import { withoutWeights } from './aws-cli.ts';
import type { Advice, AlarmOn, Say } from './level.ts';
import { inItsPlace, moved } from './moved-alias.ts';
import { ofPhase, sentence, toThere, wayBack } from './phase-advice.ts';
import { moment } from './time.ts';
import { WORKER_LOG, withWants } from './wants.ts';

/** What a release's state means for the person who asks at three in the morning. Pure. */

/** Without a look for so long (milliseconds) the worker is not ticked any more. */
const STALE = 5 * 60_000;

/**
 * Milliseconds in which a release without weight gets on: it waits for the stack, whose resources may take an
 * hour each.
 */
const LONG = 60 * 60_000;

const HALF_AN_HOUR = 30 * 60_000;

/** Alarms that tell of requests that fail now. */
const SERIOUS: readonly string[] = [ALARMS.crashes, ALARMS.errors, ALARMS.latency];

/** The phase's own words, then what is wrong beside it. */
export function advice(
  {
    alias,
    functionName,
    held: instances = new Map(),
    isGoodGone = false,
  }: {
    readonly alias?: AliasState;
    readonly functionName: string;
    readonly held?: ReadonlyMap<string, Provided>;
    readonly isGoodGone?: boolean;
  },
  release: Release,
  on: readonly AlarmOn[],
  now: number,
  command: Say,
): Advice {
  const own = ofPhase(release, now, command, isGoodGone);
  const { phase, intent, held, stable, updatedAt, quietUntil, reason } = release;
  if (held?.by === 'foreign' && phase === 'HELD')
    return pointsAt(alias, standing(release) ?? null) ? inItsPlace(own, release, command) : own;
  // Whoever looks at weights, or at a move, writes each minute.
  const looks = weightOf(release) > 0 || phase === 'REVERSING' || intent !== undefined;
  const isUnticked = looks && now - Date.parse(updatedAt) > STALE;
  // Its weight was to be taken away, and stands still.
  const isLosing =
    intent !== undefined &&
    alias !== undefined &&
    Object.keys(alias.weights).length > 0 &&
    pointsAt({ ...alias, weights: {} }, intent.after);
  if (alias === undefined && held?.by === 'refused')
    return {
      ...own,
      level: 'act',
      summary: `The alias is gone, and callers get errors; AWS does not make it again: ${sentence(reason ?? '', false)}`,
      todo: [toThere(release, command, isGoodGone)],
    };
  if (alias === undefined && stable !== undefined)
    return {
      ...own,
      level: 'act',
      summary: `The alias is gone, and callers get errors; version ${stable.version} was live.`,
      todo: [
        isEnd(phase)
          ? `\`${command.sls('deploy')}\` makes it again.`
          : isUnticked
            ? `Nobody has ticked this release since ${moment(updatedAt, now)}. \`${command('status')} --watch\` does, and the worker makes it again.`
            : 'The worker makes it again at its next tick.',
      ],
    };
  if (intent === undefined && !pointsAt(alias, standing(release) ?? null))
    return held?.by === 'refused' ? own : { ...own, ...moved(alias, release, functionName, command) };
  if (isUnticked)
    return {
      ...own,
      level: 'act',
      summary: `Nobody has ticked this release since ${moment(updatedAt, now)}. ${
        intent === undefined
          ? own.summary
          : `The alias points to ${say(alias)}; it is on its way to ${say(intent.after)}.`
      }`,
      todo: [
        `See why: \`${command.sls(WORKER_LOG)}\`. Tick it meanwhile: \`${command('status')} --watch\`.`,
        ...(isLosing
          ? [
              `Without the worker \`${command.aws(withoutWeights(functionName))}\` gives version ${alias?.version} all traffic.`,
            ]
          : intent !== undefined && undoneOf(release) !== undefined
            ? []
            : [`Or end it: \`${command('rollback')}\`.`]),
      ],
    };
  // One that is held without a weight waits for a person, and nothing is noted meanwhile.
  if (isOpen(phase) && now - Date.parse(updatedAt) > LONG)
    return {
      ...own,
      level: 'look',
      summary: `${own.summary} Nothing has happened to it since ${moment(updatedAt, now)}: the stack is not done yet, or nobody ticks it.`,
      todo: [
        `Look at the stack. Tick the release: \`${command('status')} --watch\`. If it stays so: \`${command.sls(WORKER_LOG)}\`.`,
      ],
    };
  const { blind } = release;
  const unsure = unjudged(release, own, now, command);
  if (blind !== undefined && unsure !== undefined)
    return {
      ...unsure,
      level: blind.told ? 'act' : unsure.level,
      todo: [...unsure.todo, `See why: \`${command.sls(WORKER_LOG)}\`.`],
    };
  if (blind !== undefined)
    return {
      ...own,
      level: own.level === 'act' || blind.told ? 'act' : 'look',
      summary: `${own.summary} ${sentence(blind.reason)}`,
      todo: [
        ...repairs(release, command),
        `See why: \`${command.sls(WORKER_LOG)}\`. It is so since ${moment(blind.since, now)}.`,
        ...own.todo,
      ],
    };
  const serious = on.find(({ alarm }) => SERIOUS.some((suffix) => alarm === `${functionName}-${suffix}`));
  // Alarms from before it are not of the version that is live.
  const cured = undoneOf(release)?.at;
  if (serious !== undefined && cured !== undefined && now - Date.parse(cured) < GOES_OFF_MS)
    return {
      ...own,
      level: own.level === 'ok' ? 'look' : own.level,
      summary: `${own.summary} ${serious.alarm} is on for what came before, and goes off by itself.`,
      todo: own.todo.length > 0 ? own.todo : [`Look again in half an hour: \`${command('status')}\`.`],
    };
  if (serious !== undefined && phase === 'HELD')
    return {
      ...own,
      level: 'act',
      summary: `${serious.alarm} is on since ${moment(serious.since, now)}. ${own.summary}`,
    };
  if (serious !== undefined && phase !== 'REVERSING') {
    const quiet = quietUntil !== undefined && Date.parse(quietUntil) > now;
    return {
      ...own,
      level: 'act',
      summary: `${serious.alarm} is on since ${moment(serious.since, now)}. ${own.summary}`,
      todo: [
        // What a test of the last good version has found, or why there was none.
        ...(quiet && phase === 'BAKING' && reason !== undefined
          ? [`${sentence(reason)} Look at its inputs and what it calls.`]
          : []),
        wayBack(release, serious.since, command, isGoodGone),
      ],
    };
  }
  if (unsure !== undefined) return unsure;
  return withWants(aside(own, on, release, now, command), release, instances, now, command);
}

/**
 * Alarms that end no release: each has a way of its own. How a release stands that is not well says already
 * what that of the release tells, but for what has come since.
 */
function aside(own: Advice, on: readonly AlarmOn[], release: Release, now: number, command: Say): Advice {
  const changed = Date.parse(lastChange(release));
  const others = on.flatMap(({ alarm, since: at }) => {
    const suffix = alarm.slice(release.functionName.length + 1);
    const since = Date.parse(at);
    // It looks back on half an hour: what the release did before that is not what it tells of.
    const isLater = since - changed > HALF_AN_HOUR;
    const age = isLater ? HALF_AN_HOUR : now - Math.max(since, changed);
    // A hold counts as long as it lasts, an end once.
    const isNew = suffix === ALARMS.release && (isLater || (isEnd(release.phase) && age >= HALF_AN_HOUR));
    const isTold = own.level !== 'ok' && [...SERIOUS, ALARMS.release].includes(suffix) && !isNew;
    return isTold ? [] : [{ alarm, at, todo: todoOf(suffix, age, command) }];
  });
  if (others.length === 0 || own.level === 'act') return own;
  return {
    ...own,
    level: 'look',
    summary: [own.summary, ...others.map(({ alarm, at }) => `${alarm} is on since ${moment(at, now)}.`)].join(
      ' ',
    ),
    todo: [...own.todo, ...new Set(others.map(({ todo }) => todo))],
  };
}

/** When it last began, was resumed or ended: an alarm may still tell of a hold until then. */
function lastChange({ phase, startedAt, shifts, updatedAt }: Release): string {
  // Who resumes a step has it begin anew, with the weight that it had.
  const resumed = shifts.findLast(({ step, weight }, index) => {
    const before = shifts[index - 1];
    return before?.step === step && before.weight === weight;
  });
  // While it is judged, each look is noted.
  const noted = phase === 'JUDGING' ? startedAt : updatedAt;
  return [startedAt, resumed?.at ?? '', noted].toSorted().at(-1) ?? startedAt;
}

/** The worker's log has no more of a stack that failed half-way than that it did. */
function repairs(release: Release, command: Say): readonly string[] {
  const repair = repairOf(release);
  return repair === undefined
    ? []
    : [sentence(repair), `\`${command('rollback')}\` takes the candidate away.`];
}

/** The last look could not judge the step: its candidate has its weight, and nothing would roll it back. */
function unjudged(release: Release, own: Advice, now: number, command: Say): Advice | undefined {
  const { phase, judgements, step, candidate } = release;
  const looked = judgements.at(-1);
  if (phase !== 'JUDGING' || looked?.verdict !== 'error' || looked.step !== step) return undefined;
  const { bake } = ends(release);
  return {
    ...own,
    // Within its bake the next look may well find what is missing.
    level: now >= bake ? 'act' : 'look',
    summary: `${own.summary} It cannot be judged: ${sentence(looked.reason, false)}`,
    todo: [
      `Until it can be judged, version ${candidate?.version} is not rolled back for what it answers: find out what its callers get.`,
      `\`${command('rollback')}\` takes it away, \`${command('promote')}\` gives it all traffic.`,
    ],
  };
}

/** Advice for any state, with what must be known beside it. */
export function withAlarms(
  advice: Advice,
  on: readonly AlarmOn[],
  functionName: string,
  now: number,
): Advice {
  const [worst] = on;
  if (worst === undefined) return advice;
  const isSerious = SERIOUS.some((suffix) => worst.alarm === `${functionName}-${suffix}`);
  return {
    ...advice,
    level: isSerious || advice.level === 'act' ? 'act' : 'look',
    summary: `${advice.summary} ${worst.alarm} is on since ${moment(worst.since, now)}.`,
  };
}

/** Whoever cannot read the alarms does not know that all is well. */
export const unseenAlarms = (advice: Advice): Advice =>
  advice.level === 'ok'
    ? {
        ...advice,
        level: 'look',
        summary: `${advice.summary} Whether an alarm is on cannot be read.`,
        todo: [
          ...advice.todo,
          'Look at the alarms in CloudWatch. Look again in a moment; where it is denied, ask for `cloudwatch:DescribeAlarms` (docs/deploy-policy.md).',
        ],
      }
    : advice;

/** An alias that no document tells of: what is there, and how it gets one again. */
export function unrecorded(alias: AliasState, functionName: string, command: Say): Advice {
  const summary = `The alias points to ${say(alias)}; no release is recorded.`;
  const anew = `\`${command.sls('deploy')}\` records it again and goes on from where the alias is.`;
  return Object.keys(alias.weights).length > 0
    ? {
        level: 'act',
        summary: `${summary} Nobody judges these weights, and nobody will take them away.`,
        todo: [
          `Take them away: \`${command.aws(withoutWeights(functionName))}\` gives version ${alias.version} all traffic.`,
          `Then ${anew}`,
        ],
      }
    : {
        level: 'look',
        summary: `${summary} No alarm would bring a version back.`,
        todo: [anew],
      };
}

/**
 * What an alarm that ends no release asks of a person.
 *
 * @param suffix of its name
 * @param age milliseconds since it came on, or its release changed
 */
function todoOf(suffix: string, age: number, command: Say): string {
  switch (suffix) {
    // What that alarm tells of now is in the summary.
    case ALARMS.release:
      return age < HALF_AN_HOUR
        ? `It tells of what happened before (\`${command('history')}\`), and goes off by itself within half an hour.`
        : `The alarm does not go off by itself: see \`${command.sls(WORKER_LOG)}\`, and whether the schedule of the sweep (every 15 minutes) is there and enabled.`;
    case ALARMS.drift:
    case ALARMS.outputs:
    case ALARMS.classes:
      return `\`${command('drift')}\` shows what differs from the reference data, and how much. No version is brought back by it.`;
    case ALARMS.batchFailed:
      return `\`${command('batch')} --failed\` lists what failed, and why.`;
    case ALARMS.batchWaiting:
      return `\`${command('batch')} --status\` shows how much waits.`;
    case ALARMS.monitor:
      return `See why: \`${command.sls('logs -f models-drift')}\`. Windows that it missed are judged once it can.`;
    default: {
      const { advice: own } = ENDPOINT_ALARMS.find((kind) => ALARMS[kind.suffix] === suffix) ?? {};
      const who = suffix === ALARMS.throttles ? 'Callers get 429, behind API Gateway 500. ' : '';
      return `${who}${own ?? 'Look at the alarm’s description in CloudWatch.'} It does not end the release.`;
    }
  }
}
