import type { Architecture, Model } from '../declaration/model.ts';
import { keyOf } from '../disk/cache.ts';

/**
 * What a version of a model is known by: where it comes from and how it is treated, not the optimised bytes,
 * which may differ between two machines without being another model.
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
  /**
   * The keys about inputs, as written. A model that writes none of them keeps the identity that it had before
   * these keys existed.
   */
  readonly inputs: Pick<Model, 'columns' | 'missing' | 'finite'>;
}): string {
  const { source, transform, runtime, architecture, optimize, inputs } = parts;
  const { columns, missing, finite } = inputs;
  const declared = { ...(columns && { columns }), ...(missing && { missing }), ...(finite && { finite }) };
  return keyOf(
    'identity/1',
    source,
    transform ?? null,
    runtime,
    architecture,
    optimize,
    ...(Object.keys(declared).length === 0 ? [] : [declared]),
  );
}
