import { ALARMS } from '../../../functions/release/contract.ts';
import type { Release } from '../../../functions/release/document/contract.ts';
import { ends } from '../../../functions/release/phases/judging.ts';
import {
  GOES_OFF,
  isEnd,
  isPending,
  isWatched,
  lastGood,
  standing,
  weightOf,
} from '../../../functions/release/steps.ts';
import { points, say } from '../../../functions/release/target.ts';
import type { AliasState } from '../../../functions/shared/aws/ports.ts';
import { moment } from './time.ts';

/** What a release's state means for the person who asks at three in the morning. Pure. */

/** `ok`: sleep on. `look`: at daytime. `act`: now. */
export type Level = 'ok' | 'look' | 'act';

export type Advice = {
  readonly level: Level;
  /** What is so, in sentences. */
  readonly summary: string;
  /** What to do, a sentence each. */
  readonly todo: readonly string[];
  /** What happens by itself, and when. */
  readonly next?: string;
};

/** An alarm that is on. */
export type AlarmOn = { readonly alarm: string; readonly since: string };

/** `sls models <verb>` with model and stage, to be copied; `sls`: any other command, with the stage. */
export type Say = { (verb: string): string; readonly sls: (command: string) => string };

/** Without a look for so long (milliseconds) the worker is not ticked any more. */
const STALE = 5 * 60_000;

/** Alarms that tell of requests that fail now. */
const SERIOUS: readonly string[] = [ALARMS.crashes, ALARMS.errors, ALARMS.latency];

/** When what brought this release to its end was undone: alarms from before it are its own. */
const undone = ({ phase, candidate, refused }: Release): string | undefined =>
  phase === 'ROLLED_BACK' ? refused.findLast(({ version }) => version === candidate?.version)?.at : undefined;

/** The phase's own words, then what is wrong beside it. */
export function advice(
  { alias, functionName }: { readonly alias?: AliasState; readonly functionName: string },
  release: Release,
  on: readonly AlarmOn[],
  now: number,
  command: Say,
): Advice {
  const own = ofPhase(release, now, command);
  const { phase, intent, held, stable, updatedAt, quietUntil } = release;
  if (held?.by === 'foreign' && phase === 'HELD') return own;
  if (alias === undefined && stable !== undefined)
    return {
      ...own,
      level: 'act',
      summary: `The alias is gone, and callers get errors; version ${stable.version} was live.`,
      todo: [
        isEnd(phase)
          ? `\`${command.sls('deploy')}\` makes it again.`
          : 'The worker makes it again at its next tick.',
      ],
    };
  if (intent === undefined && !points(alias, standing(release) ?? null))
    return {
      ...own,
      level: isEnd(phase) ? 'look' : 'act',
      summary: `The alias points to ${say(alias)}, which no release did (${say(standing(release))} is recorded).`,
      todo: ['Find out who moved it. The next deploy that changes the model goes on from there.'],
    };
  const looks = phase === 'JUDGING' || phase === 'REVERSING';
  if (looks && now - Date.parse(updatedAt) > STALE)
    return {
      ...own,
      level: 'act',
      summary: `Nobody has ticked this release since ${moment(updatedAt, now)}. ${own.summary}`,
      todo: [
        `See why: \`${command.sls('logs -f models-release')}\`. Tick it meanwhile: \`${command('status')} --watch\`. Or end it: \`${command('rollback')}\`.`,
      ],
    };
  const { blind } = release;
  if (blind !== undefined)
    return {
      ...own,
      level: own.level === 'act' || blind.told ? 'act' : 'look',
      summary: `${own.summary} ${sentence(blind.reason)}`,
      todo: [
        `See why: \`${command.sls('logs -f models-release')}\`. It is so since ${moment(blind.since, now)}.`,
        ...own.todo,
      ],
    };
  const serious = on.find(({ alarm }) => SERIOUS.some((suffix) => alarm === `${functionName}-${suffix}`));
  const cured = undone(release);
  if (serious !== undefined && cured !== undefined && now - Date.parse(cured) < GOES_OFF)
    return {
      ...own,
      summary: `${own.summary} ${serious.alarm} is on for what came before, and goes off by itself.`,
    };
  if (serious !== undefined && phase !== 'REVERSING' && phase !== 'HELD') {
    const good = lastGood(release);
    const quiet = quietUntil !== undefined && Date.parse(quietUntil) > now;
    const back = `\`${command('rollback')}\`${
      isPending(release)
        ? ' takes the candidate away'
        : good === undefined
          ? ' --to <version> goes back to a version'
          : ` goes back to version ${good.version}`
    }.`;
    return {
      ...own,
      level: 'act',
      summary: `${serious.alarm} is on since ${moment(serious.since, now)}. ${own.summary}`,
      todo: [
        ...(quiet && phase === 'BAKING'
          ? [
              `The live version was tried beside the one before and is not to blame: look at its inputs and what it calls.`,
            ]
          : []),
        back,
      ],
    };
  }
  const [other] = on;
  if (other === undefined || own.level !== 'ok') return own;
  return {
    ...own,
    level: 'look',
    summary: `${own.summary} ${other.alarm} is on since ${moment(other.since, now)}.`,
    todo: [said(other.alarm.slice(functionName.length + 1), command)],
  };
}

/** What an alarm that ends no release asks of a person. @param suffix of its name */
function said(suffix: string, command: Say): string {
  switch (suffix) {
    // What that alarm tells of now is said in the summary.
    case ALARMS.release:
      return `It tells of what was before (\`${command('history')}\`), and goes off by itself within half an hour.`;
    case ALARMS.drift:
    case ALARMS.outputs:
    case ALARMS.classes:
      return `\`${command('drift')}\` shows what differs from the reference data, and how much. No version is brought back by it.`;
    case ALARMS.monitor:
      return `See why: \`${command.sls('logs -f models-drift')}\`. Windows that it missed are judged once it can.`;
    default:
      return 'Look at the alarm’s description in CloudWatch; it does not end the release.';
  }
}

const watchedUntil = (release: Release, now: number): string | undefined =>
  release.watch && isWatched(release, now)
    ? `watched until ${moment(release.watch.until, now)}: ${returning(lastGood(release)?.version)}`
    : undefined;

const returning = (good: string | undefined): string =>
  good === undefined
    ? 'an alarm pages, since there is no earlier version to bring back'
    : `an alarm may bring version ${good} back`;

const ok = (summary: string, next?: string): Advice => ({
  level: 'ok',
  summary,
  todo: [],
  ...(next !== undefined && { next }),
});

function ofPhase(release: Release, now: number, command: Say): Advice {
  const { phase, steps = [], step = 0 } = release;
  const live = release.stable?.version;
  const version = release.candidate?.version;
  const has = live === undefined ? 'there is no live version yet' : `version ${live} has all traffic`;
  const to = steps[step];
  const watch = watchedUntil(release, now);
  const after = watch === undefined ? {} : { next: `version ${live} is ${watch}` };
  switch (phase) {
    case 'GATING':
      return ok(
        `Version ${version} is checked before it gets any traffic; ${has}.`,
        'its instances, then traffic',
      );
    case 'WARMING':
      return ok(`Instances of version ${version} are started; ${has}.`, 'traffic, once they are ready');
    case 'SHIFTING':
      return ok(
        `Version ${version} is about to get ${to?.weight} % (step ${step + 1} of ${steps.length}).`,
        `${to?.weight} % as soon as the stack is done`,
      );
    case 'JUDGING':
      return ok(
        `Version ${version} has ${weightOf(release)} %, step ${step + 1} of ${steps.length}.`,
        nextStep(release, now),
      );
    case 'PROMOTING':
      return ok(
        `Version ${version} is about to get all traffic.`,
        'all traffic as soon as the stack is done',
      );
    case 'BAKING':
      return ok(`Version ${live} has all traffic.`, watch);
    case 'DONE':
      return ok(`Version ${live} has all traffic.`);
    case 'REVERSING':
      return reversing(release, now);
    case 'ROLLED_BACK':
      return {
        level: 'look',
        summary: `Version ${version} was rolled back; ${has}.`,
        todo: [
          `No hurry: mend the model and deploy it. The same one is refused until \`${command.sls('deploy --force')}\`.`,
        ],
        ...after,
      };
    case 'ABORTED':
    case 'SUPERSEDED':
      return {
        level: live === undefined ? 'act' : 'look',
        summary: `The release${version === undefined ? '' : ` of version ${version}`} was given up; ${has}.`,
        todo: [`${live === undefined ? 'Mend' : 'No hurry: mend'} what the reason says and deploy again.`],
        ...after,
      };
    case 'HELD':
      return held(release, command);
  }
}

function nextStep(release: Release, now: number): string {
  const { settings, steps = [], step = 0 } = release;
  const { bake, patience } = ends(release);
  const following = steps[step + 1];
  const then =
    following === undefined ? 'all traffic' : `${following.weight} % (step ${step + 2} of ${steps.length})`;
  const at = bake > now ? `not before ${moment(new Date(bake).toISOString(), now)}` : 'at the next look';
  if (settings.dryRun) return `${then}, ${at}, whatever is found: dry run`;
  const end = { hold: 'is held for you', pass: 'passes all the same', rollback: 'is rolled back' }[
    settings.onNoData
  ];
  return `${then}, ${at}, if it passes; without a verdict by ${moment(new Date(patience).toISOString(), now)} it ${end}`;
}

function reversing({ reversal, stable }: Release, now: number): Advice {
  const [live, to] = [stable?.version, reversal?.to.version];
  const tried =
    reversal?.half === undefined
      ? `version ${to}, the last good one, is checked before it gets half of the traffic`
      : `version ${to}, the last good one, has half of the traffic beside version ${live}`;
  const since = reversal === undefined ? '' : ` since ${moment(reversal.at, now)}`;
  return {
    level: 'look',
    summary: `${reversal?.alarm} came on; ${tried}${since}.`,
    todo: ['Nothing yet: the test decides within minutes, and you are told.'],
    next: `version ${to} takes over if version ${live} proves worse; else version ${live} gets all traffic back`,
  };
}

function held(release: Release, command: Say): Advice {
  const { candidate, stable, held: so, reason = '' } = release;
  const pending = isPending(release);
  const weight = weightOf(release);
  const what = pending
    ? `The release of version ${candidate?.version} is held at ${weight} %; version ${stable?.version} has the rest.`
    : `The release is held; version ${stable?.version} is live.`;
  const ways = pending
    ? [
        `\`${command('promote')}\` gives version ${candidate?.version} all traffic,`,
        `\`${command('rollback')}\` takes it away,`,
        `\`${command('resume')}\` goes on with the steps.`,
      ]
    : [`\`${command('rollback')} --to <version>\` goes back,`, `\`${command('resume')}\` goes on.`];
  switch (so?.by) {
    case 'person':
      return {
        level: 'look',
        summary: what,
        todo: ways,
        next: weight > 0 ? 'nothing but a rollback, if it fails' : 'nothing by itself',
      };
    case 'foreign':
      return {
        level: 'act',
        summary: `Somebody moved the alias: ${reason}.`,
        todo: [
          `Find out who. \`${command.sls('deploy')}\` goes on from where it is.`,
          `\`${command('rollback')}\` goes back.`,
        ],
        next: 'nothing by itself',
      };
    case 'limit':
      return {
        level: 'act',
        summary: `${what} ${sentence(reason)}`,
        todo: ['Find out what is wrong first; neither version may be to blame.', ...ways],
        next: 'nothing by itself',
      };
    case 'refused':
      return {
        level: 'act',
        summary: `${what} AWS does not take a move of the alias: ${sentence(reason)}`,
        todo: ['Make the version or permission that is missing.', ...ways],
        next: 'nothing by itself',
      };
    default:
      // Nothing gets worse by itself: a candidate that fails is rolled back also now.
      return {
        level: 'look',
        summary: `${what} ${sentence(reason)}`,
        todo: ways,
        next: 'nothing but a rollback, if it fails; you are told once a day',
      };
  }
}

const sentence = (text: string): string => {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) || whole === '' ? whole : `${whole}.`;
};
