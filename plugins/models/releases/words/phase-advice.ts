import type { HeldRelease, Judging, Release, Reversing } from '../../../../core/release/document/contract.ts';
import { ends } from '../../../../core/release/phases/judging.ts';
import {
  behavesAlike,
  isPending,
  isPromoted,
  isWatched,
  lastGood,
  weightOf,
} from '../../../../core/release/state/predicates.ts';
import type { Advice, Say } from './level.ts';
import { moment } from './time.ts';

/** What each phase of a release means by itself, whatever else may be wrong. Pure. */

const watchedUntil = (release: Release, now: number, isGoodGone: boolean): string | undefined =>
  release.watch && isWatched(release, now)
    ? `watched until ${moment(release.watch.until, now)}: ${returning(lastGood(release)?.version, release.settings, isGoodGone)}`
    : undefined;

function returning(good: string | undefined, { dryRun }: Release['settings'], isGone: boolean): string {
  if (good === undefined) return 'an alarm pages, since there is no earlier version to bring back';
  if (isGone) return `an alarm pages, and cannot bring version ${good} back: somebody deleted it`;
  return dryRun
    ? `an alarm pages, and does not bring version ${good} back: dry run`
    : `an alarm may bring version ${good} back`;
}

const ok = (summary: string, next?: string): Advice => ({
  level: 'ok',
  summary,
  todo: [],
  ...(next !== undefined && { next }),
});

/** @param isGoodGone somebody deleted the last good version */
export function ofPhase(release: Release, now: number, command: Say, isGoodGone: boolean): Advice {
  const { steps = [], step = 0 } = release;
  const live = release.stable?.version;
  const version = release.candidate?.version;
  const has = live === undefined ? 'there is no live version yet' : `version ${live} has all traffic`;
  const to = steps[step];
  const watch = watchedUntil(release, now, isGoodGone);
  const after = watch === undefined ? {} : { next: `version ${live} is ${watch}` };
  switch (release.phase) {
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
        // A version that had been brought back before was no candidate.
        summary: `${version === undefined ? 'The live version' : `Version ${version}`} was rolled back; ${has}.`,
        todo: [
          `No hurry: fix the model and deploy it: \`${command.sls('deploy')}\`.${
            isRefused(release) ? ` The same one is refused until \`${command.sls('deploy --force')}\`.` : ''
          }`,
        ],
        ...after,
      };
    case 'ABORTED':
    case 'SUPERSEDED':
      return {
        level: live === undefined ? 'act' : 'look',
        summary: `The release${version === undefined ? '' : ` of version ${version}`} was given up; ${has}.`,
        todo: [
          `${live === undefined ? 'Fix' : 'No hurry: fix'} what the reason says and deploy again: \`${command.sls('deploy')}\`.`,
        ],
        ...after,
      };
    case 'HELD':
      return held(release, command, isGoodGone);
  }
}

function nextStep(release: Judging, now: number): string {
  const { settings, steps, step } = release;
  // It is judged on only while it waits for the stack or for instances.
  const instances = settings.capacity?.provisioned === undefined ? '' : ' and its instances are ready';
  if (isPromoted(release)) return `all traffic as soon as the stack is done${instances}, unless it fails`;
  const { bake, patience } = ends(release);
  const following = steps[step + 1];
  const then =
    following === undefined ? 'all traffic' : `${following.weight} % (step ${step + 2} of ${steps.length})`;
  const at = bake > now ? `not before ${moment(new Date(bake).toISOString(), now)}` : 'at the next look';
  if (settings.dryRun) return `${then}, ${at}, whatever is found: dry run`;
  const end = { hold: 'is held for you', pass: 'passes anyway', rollback: 'is rolled back' }[
    settings.onNoData
  ];
  return `${then}, ${at}, if it passes; without a verdict by ${moment(new Date(patience).toISOString(), now)} it ${end}`;
}

function reversing({ reversal, stable }: Reversing, now: number): Advice {
  const [live, to] = [stable.version, reversal.to.version];
  const tried =
    reversal.half === undefined
      ? `version ${to}, the last good one, is checked before it gets half of the traffic`
      : `version ${to}, the last good one, has half of the traffic beside version ${live}`;
  return {
    level: 'look',
    summary: `${reversal.alarm} came on; ${tried} since ${moment(reversal.at, now)}.`,
    todo: ['Nothing yet: the test decides within minutes, and you are told.'],
    next: `version ${to} takes over if version ${live} proves worse; else version ${live} gets all traffic back`,
  };
}

function held(release: HeldRelease, command: Say, isGoodGone: boolean): Advice {
  const { candidate, stable, held: so, reason, settings } = release;
  const pending = isPending(release);
  const meanwhile = settings.dryRun
    ? 'nothing by itself, also if it fails: dry run'
    : 'nothing but a rollback, if it fails';
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
  switch (so.by) {
    case 'person':
      return {
        level: 'look',
        summary: what,
        todo: ways,
        next: weight > 0 ? meanwhile : 'nothing by itself',
      };
    case 'foreign':
      return {
        level: 'act',
        summary: `Somebody moved the alias: ${reason}.`,
        todo: [
          `Find out who. \`${command.sls('deploy')}\` goes on from where it is.`,
          ...(stable === undefined
            ? []
            : [
                pending
                  ? `\`${command('rollback')}\` takes version ${candidate?.version} away: version ${stable.version} has all traffic.`
                  : `\`${command('rollback')}\` puts version ${stable.version} back.`,
              ]),
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
        summary: `AWS does not take the move of the alias to version ${stable?.version}: ${sentence(reason, false)}`,
        todo: [toThere(release, command, isGoodGone)],
        next: 'nothing by itself',
      };
    default:
      // Nothing gets worse by itself: a candidate that fails is rolled back also now.
      return {
        level: 'look',
        summary: `${what} ${sentence(reason)}`,
        todo: ways,
        next: `${meanwhile}; you are told once a day`,
      };
  }
}

/** Out of a state in which the version is gone that should have all traffic. */
export function toThere(release: Release, command: Say, isGoodGone: boolean): string {
  const good = isGoodGone ? undefined : lastGood(release)?.version;
  return good === undefined
    ? `\`${command('rollback')} --to <version>\` gives all traffic to a version that is there.`
    : `\`${command('rollback')} --to ${good}\` gives version ${good} all traffic; it was live before.`;
}

/**
 * The way back from what an alarm is about. One that was on before a version had any traffic is not about
 * that one: a candidate may be the cure, and the version before a live one has failed as well.
 */
export function wayBack(release: Release, since: string, command: Say, isGoodGone: boolean): string {
  const rollback = command('rollback');
  const last = lastGood(release);
  const good = isGoodGone ? undefined : last?.version;
  const first = release.shifts.find(({ weight }) => weight > 0)?.asked;
  if (!isPending(release)) {
    const { phase, promotedAt, returnedAt, stable, lives } = release;
    const began = (phase === 'BAKING' || phase === 'DONE') && !returnedAt ? (first ?? promotedAt) : undefined;
    const cause =
      began !== undefined && since < began
        ? `It was on before version ${stable?.version} had any traffic: look at its inputs and what it calls first. `
        : '';
    if (good !== undefined) return `${cause}\`${rollback}\` goes back to version ${good}.`;
    // A first version, as a rule, or a registry that was lost.
    const onward =
      isGoodGone && last !== undefined
        ? `Somebody deleted version ${last.version}, the last good one. `
        : lives.length < 2
          ? `No version before it is known: fix the model and deploy it: \`${command.sls('deploy')}\`. `
          : '';
    return `${cause}${onward}\`${rollback} --to <version>\` goes back to a version that is still published.`;
  }
  if (first !== undefined && since >= first) return `\`${rollback}\` takes the candidate away.`;
  const { candidate, stable } = release;
  const { version } = candidate;
  const cause = `Version ${version} had no traffic when it came on: it is about version ${stable?.version}.`;
  if (behavesAlike(last, candidate))
    return `${cause} \`${command('promote')}\` gives version ${version}, which was live before, all traffic, once its gate has passed.`;
  const back =
    good === undefined
      ? `\`${rollback} --to <version>\` goes back to another version`
      : `\`${rollback} --to ${good}\` goes back to version ${good}`;
  return `${cause} ${back}, and takes version ${version} away, too.`;
}

/** Is what was rolled back refused still? A version that is live again is not. */
const isRefused = ({ candidate, stable, refused }: Release): boolean =>
  candidate?.version !== stable?.version &&
  refused.some(({ fingerprint }) => fingerprint === candidate?.fingerprint);

/** As a sentence: with its full stop, and its capital unless it goes on after a colon. */
export const sentence = (text: string, capital = true): string => {
  const whole = capital ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return /[.!?]$/.test(whole) || whole === '' ? whole : `${whole}.`;
};
