import { type ReadArtifact, readArtifact } from '../artifact/read.ts';
import { sourceOf } from '../artifact/sources/sources.ts';
import type { ShipContext } from '../contracts/ship-context.ts';
import type { Model } from '../declaration/model.ts';
import { throwProblems } from '../problems/errors.ts';
import { builderOf } from '../targets/builders.ts';
import { transformOf } from './bundle.ts';

export type ReadSource = ReadArtifact & {
  /** Absolute path of the folder's transform.ts. */
  readonly transform?: string;
};

/**
 * A model's artifact, and what lies beside it.
 *
 * @throws ProblemError `MODELS_ARTIFACT_MISSING`, `_INVALID`, `_SIZE`, `_CHANGED`
 */
export async function readSource(model: Model, context: ShipContext): Promise<ReadSource> {
  const key = `models.${model.name}.artifact`;
  const { reference } = model.artifact;
  const origin = context.validated?.get(model.name)?.origin;
  const source = await readArtifact(
    (origin && sourceOf(reference).pinned?.(reference, origin)) ?? reference,
    { ...context, key },
    (bytes) => throwProblems(builderOf(model).problems(bytes, key)),
    model.signed,
  );
  const transform = source.folder === undefined ? undefined : transformOf(source.folder);
  return { ...source, ...(transform !== undefined && { transform }) };
}
