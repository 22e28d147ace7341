import type { ModelCard } from '../../../core/card/contract.ts';
import type { Signature } from '../../../core/tensor/contract.ts';
import type { ArtifactFormat, Inspection, KeptArtifact, Shippable } from '../contracts/artifact-format.ts';
import type { ShipContext } from '../contracts/ship-context.ts';
import type { Model } from '../declaration/model.ts';
import { throwProblems } from '../problems/errors.ts';
import { shipCard } from './card.ts';
import { type KnownColumns, knownColumns } from './columns.ts';
import { type IdentityParts, identityOf } from './identity.ts';
import { requestProblems } from './request-size.ts';
import { takeShared } from './shared.ts';
import { type ReadSource, readSource } from './source.ts';
import { clientSignature, loadTransform } from './transform.ts';

/** What a model is, before anything is packed. */
export type Prepared = {
  readonly format: ArtifactFormat;
  readonly source: KeptArtifact;
  readonly inspection: Inspection;
  /** What clients see. */
  readonly signature: Signature;
  readonly known: KnownColumns;
  readonly shippable: Shippable;
  readonly identity: string;
  /** What the identity is made of. */
  readonly parts: IdentityParts;
  /** A transform makes the graph's inputs from what clients send. */
  readonly hasPre: boolean;
  /** The artifact as it was read: who signed it, and what a registry of models knows of it. */
  readonly read: ReadSource;
  readonly card: ModelCard;
  /** Code of its functions by room, where a transform is in it. */
  readonly bundled: Readonly<Record<string, string>> | undefined;
};

/**
 * Reads an artifact, loads and runs it in a child, and optimises it, or takes its optimised files.
 *
 * @throws ProblemError with what is wrong with the artifact, or with its transform.ts
 */
export async function prepare(model: Model, context: ShipContext): Promise<Prepared> {
  const key = `models.${model.name}.artifact`;
  const read = await readSource(model, context);
  // Before minutes of work.
  const card = await shipCard(model, read, context);
  const { transform } = read;
  const exports = transform && (await loadTransform(transform, model, context));
  const { format } = read;
  const { main } = format;
  const runtime = await format.runtime.here(context.progress);
  const source = await format.adapt(read);
  const inspection = await format.inspect(source, key, runtime);
  const signature =
    transform === undefined || exports === undefined
      ? inspection.signature
      : clientSignature(inspection.signature, transform.name, exports, key);
  throwProblems(requestProblems(signature, key));
  const known = knownColumns(model, source.info.columns, inspection.signature, signature);
  throwProblems(known.problems);
  const shippable = await format.prepare(source, key, runtime, {
    optimize: model.optimize,
    progress: context.progress,
    // Nobody signed what another machine made of it, and whoever may write to the bucket can put it there.
    ...(model.signed === undefined && {
      take: (made: string, folder: string) => takeShared(made, folder, main, context),
    }),
  });
  const parts: IdentityParts = {
    source: read.digest,
    transform: transform?.digest,
    runtime: format.runtime.version,
    architecture: model.architecture,
    optimize: model.optimize,
    inputs: model,
  };
  return {
    format,
    source,
    inspection,
    signature,
    known,
    shippable,
    identity: identityOf(parts),
    parts,
    hasPre: exports?.pre === 'function',
    read,
    card,
    bundled: transform?.bundled,
  };
}
