import type { AliasState } from '../../ports/aws.ts';
import type { MlflowFailure, MlflowPort, MlflowWrite } from '../../ports/mlflow.ts';
import { iso, MINUTE_MS } from '../../units/time.ts';
import type { Release } from '../document/contract.ts';
import type { RegisteredVersion, WriteBack } from '../document/parts-contract.ts';
import { BLIND_MS, WRITE_AGAIN_MS, WRITTEN_MS } from './durations.ts';
import { next } from './next.ts';
import { notice } from './notices.ts';
import { isPending, isReversing } from './predicates.ts';
import { tell } from './transitions.ts';

/**
 * MLflow is told what is live: what it should say follows from the document and the alias, and what was
 * written is kept beside that. An attempt is noted before it is made, and nobody makes another one until
 * `next`: so a slower worker never writes over a faster one. Pure.
 */

type Place = Pick<MlflowPort, 'at' | 'alias'>;

/** `look`: what the version is in MLflow must be read, then `asked`. `try`: `attempted`, then written. */
export type Back = { readonly do: 'nothing' | 'wait' | 'look' | 'try' };

/** What is to be done about a document. @param place absent: nobody is told any more */
export function backOf(
  state: Release,
  alias: AliasState | undefined,
  place: Place | undefined,
  now: number,
): Back {
  const { stable, writeBack: so, release, phase } = state;
  if (place === undefined) return { do: so === undefined ? 'nothing' : 'look' };
  const isStill = so?.is === 'pending' ? 'wait' : 'nothing';
  const isLive = stable !== undefined && state.intent === undefined && alias?.version === stable.version;
  // Where somebody else moved the alias, nobody knows what is live.
  if (!isLive || (phase === 'HELD' && state.held.by === 'foreign')) return { do: isStill };
  const isSame = so?.version === stable.version && so.at === place.at && so.alias === place.alias;
  if (isSame && so.is === 'pending') return { do: now < Date.parse(so.next ?? '') ? 'wait' : 'try' };
  // Which one stays is not decided yet.
  if (isPending(state) || isReversing(state)) return { do: isStill };
  return { do: isSame && so.release === release ? 'nothing' : 'look' };
}

/**
 * The document with what is to be written now.
 *
 * @param model what the live version is on this server; undefined: none of its models
 */
export function asked(
  state: Release,
  place: Place | undefined,
  model: RegisteredVersion | undefined,
  now: number,
): Release {
  const { stable, writeBack: so, release } = state;
  if (place === undefined || stable === undefined) return next(state, { writeBack: undefined }, now);
  const isThere = so?.at === place.at;
  const were = isThere ? [...(so.before ?? []), ...(so.model ? [so.model] : [])] : [];
  const before = were
    .filter((one, index) => !isEqual(one, model) && were.findIndex((other) => isEqual(one, other)) === index)
    .slice(-BEFORE);
  const isFree = so?.is !== 'pending' || now >= Date.parse(so.next ?? '');
  const writeBack: WriteBack = {
    is: model === undefined && before.length === 0 ? 'none' : 'pending',
    at: place.at,
    alias: place.alias,
    release,
    version: stable.version,
    ...(model && { model }),
    ...(before.length > 0 && { before }),
    since: so?.version === stable.version ? so.since : iso(now),
    asked: iso(now),
    attempts: 0,
    // The attempt before may be under way still.
    next: isFree ? iso(now) : (so.next ?? iso(now)),
    // It was told that this server does not take it.
    ...(so?.is === 'pending' && so.told && isThere && { told: true }),
  };
  return next(state, { writeBack }, now);
}

/** Versions that were live before and are still to be told so; more would be of a server that was away. */
const BEFORE = 5;

const isEqual = (one: RegisteredVersion, other: RegisteredVersion | undefined): boolean =>
  one.name === other?.name && one.version === other.version;

/** The document before an attempt: until `next` nobody makes another one. */
export function attempted<S extends Release>(state: S, so: WriteBack, now: number): S {
  const attempts = (so.attempts ?? 0) + 1;
  const pause = Math.min(WRITE_AGAIN_MS, MINUTE_MS * 2 ** Math.min(attempts - 1, 10));
  return next<Release>(state, { writeBack: { ...so, attempts, next: iso(now + pause) } }, now) as S;
}

/** The document after one that succeeded. */
export function succeeded(state: Release, so: WriteBack, now: number): Release {
  const { before: _, attempts: __, next: ___, told: ____, reason: _____, ...rest } = so;
  return next(state, { writeBack: { ...rest, is: 'written' } }, now);
}

/** The document after one that failed. Somebody is told once, and once more when it is given up. */
export function failedBack(state: Release, so: WriteBack, failure: MlflowFailure, now: number): Release {
  const lasts = now - Date.parse(so.asked);
  const over = lasts >= WRITTEN_MS;
  // A server that starts anew is nobody's business.
  const isTold = so.told !== true && (failure.refuses || lasts >= BLIND_MS || over);
  const notices = [
    ...(isTold ? [failing(state, so, failure, now)] : []),
    ...(over ? [givenUp(state, so, failure, now)] : []),
  ];
  const { next: then, ...rest } = so;
  const writeBack: WriteBack = {
    ...rest,
    is: over ? 'gaveUp' : 'pending',
    ...(!over && then !== undefined && { next: then }),
    ...(isTold && { told: true }),
    reason: failure.failed,
  };
  return next(state, { writeBack, ...(notices.length > 0 && tell(state, ...notices)) }, now);
}

const failing = (state: Release, so: WriteBack, { failed }: MlflowFailure, now: number) =>
  notice(
    state,
    'MLflow is not told what is live',
    [
      `Why: MLflow at ${so.at} ${failed}.`,
      `What it should say: ${shouldSay(so)}.`,
      `The release itself is not touched by that. It is tried again until ${iso(Date.parse(so.asked) + WRITTEN_MS)}.`,
      'What to do: see that the server can be reached from AWS, and that who is named by custom.models.mlflow.secret may edit the model.',
    ],
    true,
    now,
  );

const givenUp = (state: Release, so: WriteBack, { failed }: MlflowFailure, now: number) =>
  notice(
    state,
    'MLflow was not told what is live, and is not asked any more',
    [
      `Why: MLflow at ${so.at} ${failed}.`,
      `What to do: once it answers, set it there: ${shouldSay(so)}. The next release of the model writes it again.`,
    ],
    false,
    now,
  );

/** What MLflow should say of it, for a person. */
export const shouldSay = ({ model, alias, before = [] }: WriteBack): string =>
  model === undefined
    ? `${before.map(({ name, version }) => `version ${version} of ${name}`).join(', ')} is not live any more`
    : `alias ${alias} of ${model.name} is version ${model.version}`;

/**
 * What is written, the alias first. Keys of tags begin with region and function, since several stages and
 * regions may share a registry.
 *
 * @param worker ARN of the worker, which is in the same account and region
 */
export function writesOf(
  { functionName }: Pick<Release, 'functionName'>,
  { alias, model, before = [], version, since }: WriteBack,
  worker: string,
): readonly MlflowWrite[] {
  const [, partition, , region, account] = worker.split(':');
  const key = `serverless-models.${region}.${functionName}`;
  const arn = `arn:${partition}:lambda:${region}:${account}:function:${functionName}:${version}`;
  const live: readonly MlflowWrite[] =
    model === undefined
      ? []
      : [
          { set: 'alias', ...model, alias },
          { set: 'tag', ...model, key, value: 'live' },
          { set: 'tag', ...model, key: `${key}.at`, value: `${arn} since ${since}` },
        ];
  return [
    ...live,
    ...before.map((one) => ({ set: 'tag', ...one, key, value: 'previous', mayBeGone: true }) as const),
  ];
}
