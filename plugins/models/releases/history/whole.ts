import { readCard } from '../../../../core/card/read.ts';
import { isObject } from '../../../../core/json/is-object.ts';
import { readOrigin } from '../../../../core/origin/origin.ts';
import type { Release } from '../../../../core/release/document/contract.ts';
import type { Deployment, VersionRecord } from '../../../../core/release/document/history-contract.ts';

/**
 * Whether what history tells of a document is in it. One that somebody wrote into must not keep all others
 * from being told.
 */

const isTime = (value: unknown): boolean => typeof value === 'string' && !Number.isNaN(Date.parse(value));
const isTextOrNone = (value: unknown): boolean => value === undefined || typeof value === 'string';
const isListOf = (value: unknown, is: (one: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every(is);

const isCommand = (value: unknown): boolean =>
  isObject(value) &&
  [value.release, value.verb, value.by].every((text) => typeof text === 'string') &&
  isTime(value.at) &&
  [value.to, value.reason].every(isTextOrNone);

const isVersion = (value: unknown): boolean =>
  isObject(value) &&
  typeof value.version === 'string' &&
  [value.fingerprint, value.source].every(isTextOrNone);

const isVersionOrNone = (value: unknown): boolean => value === undefined || isVersion(value);

/** @returns undefined where it is not whole */
export function wholeRelease(release: Release | undefined): Release | undefined {
  const {
    startedAt,
    updatedAt,
    shifts,
    judgements,
    refused,
    lives,
    steps,
    stable,
    candidate,
    began,
    commands = [],
    promotedBy,
    gate,
    reason,
  } = release ?? ({} as Partial<Release>);
  const isWhole =
    [startedAt, updatedAt].every(isTime) &&
    [shifts, judgements, refused].every((list) => isListOf(list, isObject)) &&
    isListOf(lives, isVersion) &&
    (steps === undefined || Array.isArray(steps)) &&
    [stable, candidate].every(isVersionOrNone) &&
    (began === undefined || (isObject(began) && isVersion(began.to))) &&
    isListOf(commands, isCommand) &&
    (promotedBy === undefined || (isObject(promotedBy) && isTextOrNone(promotedBy.by))) &&
    (gate === undefined || (isObject(gate) && Array.isArray(gate.failed))) &&
    isTextOrNone(reason);
  return isWhole ? release : undefined;
}

/** @returns undefined where it is not whole */
export function wholeDeployment(deployment: Deployment | undefined): Deployment | undefined {
  const { id, models, releases } = deployment ?? ({} as Partial<Deployment>);
  const isWhole =
    typeof id === 'string' && isListOf(models, isObject) && (releases === undefined || isObject(releases));
  return isWhole ? deployment : undefined;
}

/** @returns without an origin or a card that is none; undefined where it says no version */
export function wholeRecord({ origin, card, ...record }: VersionRecord): VersionRecord | undefined {
  if (typeof record.version !== 'string') return undefined;
  const [told, shown] = [readOrigin(textOf(origin)), readCard(textOf(card))];
  return { ...record, ...(told && { origin: told }), ...(shown && { card: shown }) };
}

const textOf = (value: unknown): string | undefined =>
  value === undefined ? undefined : JSON.stringify(value);
