import type { Release, VersionRef } from '../../../functions/release/document/contract.ts';

/** What a release was about: the version that was live when it began, absent for a first one, and the one to be released. */
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

/** A rollback to a version before the stable one, in the middle of a release: stable and candidate are other versions since. */
const FURTHER_BACK = /^version (\d+) was rolled back to version \d+: version (\d+) is withdrawn, and /;

/** Older workers did not write down what a release was about: it follows from what became of it. */
function recalled(
  { stable, candidate, lives, promotedAt, reason = '', refused, startedAt }: Release,
  before: Release | undefined,
): About {
  if (candidate === undefined)
    return pair(lives.find(({ version }) => version !== stable?.version)?.version, stable);
  const was = before?.stable?.version;
  if (promotedAt !== undefined && was !== undefined) {
    // Rolled back, and brought back by somebody after that.
    if (was === candidate.version) return pair(was, stable);
    if (lives.some(({ version }) => version === was)) return pair(was, candidate);
  }
  const [, from, withdrawn] = FURTHER_BACK.exec(reason) ?? [];
  if (from !== undefined && withdrawn !== undefined) {
    const known = refused.findLast(({ version }) => version === withdrawn);
    return pair(from, { version: withdrawn, ...(known && { fingerprint: known.fingerprint }) });
  }
  // It came to nothing, and after that the version that had stayed live gave way.
  const own = refused.findLast(({ version, at }) => version !== candidate.version && at >= startedAt);
  if (promotedAt === undefined && was === candidate.version && own !== undefined)
    return pair(was, { version: own.version, fingerprint: own.fingerprint });
  return pair(stable?.version, candidate);
}

const pair = (from: string | undefined, to: VersionRef | undefined): About => ({
  ...(from !== undefined && from !== to?.version && { from }),
  ...(to !== undefined && { to }),
});
