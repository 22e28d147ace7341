import type { VersionImage } from '../../../../core/release/document/history-contract.ts';
import type { Host } from '../../contracts/host.ts';
import type { Endpoint } from '../../contracts/input.ts';
import { targetOf } from '../../targets/targets.ts';

/** Digits of a fingerprint in a tag: enough to tell all versions of a repository apart. */
const DIGITS = 12;

/**
 * The image that a version runs from; undefined of a zip. Its tag follows from all that the version does, the
 * image’s layers included: a tag never comes to mean another image.
 */
export function versionImage(
  { model, facts, fingerprint }: Pick<Endpoint, 'model' | 'facts' | 'fingerprint'>,
  host: Host,
): VersionImage | undefined {
  const repository = targetOf(model).repository?.(model, host);
  return repository === undefined || facts.image === undefined
    ? undefined
    : { repository, tag: `v-${fingerprint.slice(0, DIGITS)}`, base: facts.image.base };
}
