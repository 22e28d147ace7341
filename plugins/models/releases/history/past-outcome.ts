/** What became of a release, and when. */
import type { Release } from '../../../../core/release/document/contract.ts';
import type { Phase } from '../../../../core/release/document/parts-contract.ts';
import { endTime } from '../../../../core/release/state/predicates.ts';
import type { About } from '../words/about.ts';

/**
 * Documents of older workers do not tell it. Superseded is what was written down when the next one began; a
 * rollback of what never was promoted is as old as its refusal; else nothing was noted later, as a rule.
 */
export function pastEnd(release: Release, about: About, after: Release | undefined): string {
  const { phase, promotedAt, updatedAt } = release;
  const rolledBack = phase === 'ROLLED_BACK' ? (promotedAt ?? refusedAt(release, about)) : undefined;
  const known = phase === 'SUPERSEDED' ? after?.startedAt : rolledBack;
  return endTime(release) ?? known ?? updatedAt;
}

const refusedAt = ({ refused, startedAt }: Release, { to }: About): string | undefined =>
  refused.findLast(({ fingerprint, at }) => fingerprint === to?.fingerprint && at >= startedAt)?.at;

/** When what was promoted gave its traffic up. */
export const backAt = (release: Release, about: About): string | undefined =>
  release.phase === 'ROLLED_BACK' && release.promotedAt !== undefined ? refusedAt(release, about) : undefined;

/** In a few words, for people. */
export function pastOutcome(release: Release, about: About): string {
  if (release.phase !== 'REVERSING') return outcomeIn(release.phase, release, about);
  const { from } = release.reversal;
  return from === 'BAKING'
    ? 'promoted, now doubted'
    : `${outcomeIn(from, release, about)}, and the live version is doubted`;
}

function outcomeIn(phase: Phase, release: Release, about: About): string {
  switch (phase) {
    case 'DONE':
    case 'BAKING':
      return release.returnedAt === undefined ? 'promoted' : broughtBack(wasOf(release));
    case 'ROLLED_BACK':
      return returnOf(release, about);
    case 'ABORTED':
      return 'given up';
    case 'SUPERSEDED':
      return 'superseded';
    case 'HELD':
      return 'held';
    default:
      return 'under way';
  }
}

const ROLLED_BACK = 'rolled back';
const broughtBack = (was: string): string => `${was}, then brought back`;

/** What never was promoted, and is live since a person undid its rollback. */
export const BROUGHT_BACK = broughtBack(ROLLED_BACK);

const wasOf = ({ promotedAt }: Release): string =>
  promotedAt === undefined ? ROLLED_BACK : `promoted, then ${ROLLED_BACK}`;

/** Where traffic went back: to the version from before, to another one, or there and back. */
function returnOf(release: Release, { from, to }: About): string {
  const { promotedAt, stable, refused } = release;
  const was = wasOf(release);
  if (stable === undefined || stable.version === from || from === undefined) return was;
  if (stable.version === to?.version) return broughtBack(was);
  if (promotedAt !== undefined) return `${was} to version ${stable.version}`;
  // Both at once, or the version that stayed live gave way later, after the release had come to nothing.
  const own = refused.find(({ fingerprint }) => fingerprint === to?.fingerprint);
  const theirs = refused.find(({ version }) => version === from);
  if (own !== undefined && (theirs ?? own).at === own.at)
    return `given up in favour of version ${stable.version}`;
  return `${own === undefined ? 'given up' : was}, then version ${from} gave way to version ${stable.version}`;
}
