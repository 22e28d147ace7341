import type { Release } from '../../../../core/release/document/contract.ts';
import type { VersionRef } from '../../../../core/release/document/parts-contract.ts';

/**
 * What a release was about: the version that was live when it began, absent for a first one, and the one to
 * be released.
 */
export type About = { readonly from?: string; readonly to?: VersionRef };

/**
 * @param before the release before it, where there is one: what was live at its end
 */
export function aboutOf(release: Release, before: Release | undefined): About {
  const { began } = release;
  // An older worker that began this release left what a newer one wrote of the release before.
  if (began?.release !== release.release) return recalled(release, before);
  return { ...(began.from !== undefined && { from: began.from }), to: began.to };
}

/** Older workers did not write down what a release was about: it follows from what became of it. */
function recalled(release: Release, before: Release | undefined): About {
  const { stable, candidate, lives, phase } = release;
  if (candidate === undefined)
    return pair(lives.find(({ version }) => version !== stable?.version)?.version, stable);
  return phase === 'ROLLED_BACK'
    ? rolledBack(release, candidate, before?.stable?.version)
    : pair(stable?.version, candidate);
}

/**
 * A rollback leaves the version that came back as stable and the one that gave way as candidate, whichever
 * they are. What it takes away is refused: first the release’s own version, before any other that gave way
 * later.
 *
 * @param was the version that was live at the end of the release before
 */
function rolledBack(release: Release, bad: VersionRef, was: string | undefined): About {
  const { stable, lives, promotedAt, startedAt, refused } = release;
  const known = [bad, stable, ...lives].filter((ref) => ref !== undefined);
  const first = refused.find(({ at }) => at >= (promotedAt ?? startedAt));
  const to = first === undefined ? bad : { version: first.version, fingerprint: first.fingerprint };
  // A release that came to nothing refuses nothing; its candidate is gone from the document.
  if (promotedAt === undefined && to.version === was) return { from: was };
  const from = known.some(({ version }) => version === was)
    ? was
    : to.version === bad.version
      ? stable?.version
      : bad.version;
  return pair(from, to);
}

const pair = (from: string | undefined, to: VersionRef | undefined): About => ({
  ...(from !== undefined && from !== to?.version && { from }),
  ...(to !== undefined && { to }),
});
