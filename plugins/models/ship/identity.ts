import type { Architecture } from '../model.ts';
import { keyOf } from './cache.ts';

/**
 * What a version of a model is known by: where it comes from and how it is treated, not the optimised bytes, which
 * may differ between two machines without being another model.
 *
 * @returns sha256 in hex
 */
export function identityOf(parts: {
  /** `Source.digest`. */
  readonly source: string;
  /** Digest of the bundled transform.ts, if there is one. */
  readonly transform: string | undefined;
  readonly runtime: string;
  readonly architecture: Architecture;
  readonly optimize: boolean;
}): string {
  const { source, transform, runtime, architecture, optimize } = parts;
  return keyOf('identity/1', source, transform ?? null, runtime, architecture, optimize);
}
