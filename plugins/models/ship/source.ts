import { type ReadArtifact, readArtifact } from '../artifact/read.ts';
import { sourceOf } from '../artifact/sources/sources.ts';
import type { ShipContext } from '../contracts/ship-context.ts';
import type { Model } from '../declaration/model.ts';
import { throwProblems } from '../problems/errors.ts';
import { builderOf } from '../targets/builders.ts';
import { type BundledTransform, bundleTransform } from './bundled-transform.ts';

export type ReadSource = ReadArtifact & {
  /** The folder's transform.ts. */
  readonly transform?: BundledTransform;
};

/**
 * A model's artifact, and its transform, which is verified as the artifact is.
 *
 * @throws ProblemError `MODELS_ARTIFACT_MISSING`, `_INVALID`, `_SIZE`, `_CHANGED`, `MODELS_SIGNATURE`,
 * `MODELS_TRANSFORM_INVALID`
 */
export async function readSource(model: Model, context: ShipContext): Promise<ReadSource> {
  const key = `models.${model.name}.artifact`;
  const { reference } = model.artifact;
  const origin = context.validated?.get(model.name)?.origin;
  const beside: { transform?: BundledTransform | undefined } = {};
  const source = await readArtifact(
    (origin && sourceOf(reference).pinned?.(reference, origin)) ?? reference,
    { ...context, key },
    (bytes) => throwProblems(builderOf(model).problems(bytes, key)),
    model.signed,
    async (folder) => {
      beside.transform = await bundleTransform(folder, model, context);
      return beside.transform?.files ?? [];
    },
  );
  const { transform } = beside;
  return { ...source, ...(transform !== undefined && { transform }) };
}
