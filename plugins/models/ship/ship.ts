import { join } from 'node:path';
import type { CardDocument } from '../../../core/card/contract.ts';
import type { Manifest, RemoteFile } from '../../../core/endpoint/contract.ts';
import { bareBelow } from '../../../core/protocol/route.ts';
import type { Columns, Signature } from '../../../core/tensor/contract.ts';
import type { ArtifactRuntime } from '../contracts/artifact-format.ts';
import type { ShipContext } from '../contracts/ship-context.ts';
import type { Facts, Model } from '../declaration/model.ts';
import { place } from '../disk/cache.ts';
import type { ArchiveEntry, Upload } from '../disk/files.ts';
import { signalsOf, slowEdgesOf } from '../plan/watch/metrics.ts';
import { orProblems, type Problem, throwProblems } from '../problems/errors.ts';
import { builderOf } from '../targets/builders.ts';
import { batchFitProblems } from './batch.ts';
import { codeOf } from './code.ts';
import { hasSameInputs } from './columns.ts';
import { shipCases } from './gate/cases.ts';
import { shipLabelled } from './gate/labelled.ts';
import { type Prepared, prepare } from './prepare.ts';
import { refusedAbsence, shipReference } from './reference.ts';
import type { Shared } from './shared.ts';
import { unlikeProblems } from './unlike.ts';

/** A model's function, ready for the framework. */
export type Shipped = {
  readonly facts: Facts;
  /** What loads the artifact. */
  readonly runtime: ArtifactRuntime;
  /** The function's content, unzipped: files of the cache, by their paths in the zip. */
  readonly content: readonly ArchiveEntry[];
  /** Absolute path of the zip, where it is deployed as one. */
  readonly zip?: string;
  /** Files of `facts.remote`, for `uploadFiles` before the deploy. */
  readonly uploads: readonly Upload[];
  /** The gate's case file and labelled rows, and the baseline: what the registry keeps by content. */
  readonly registry: readonly Upload[];
  /** The optimised files, for a registry that machines share. */
  readonly optimised?: Shared;
};

/**
 * Everything from an artifact to a zip: read, load and run in a child, optimise, bundle the handler around
 * it. Work is cached by content; an unchanged model costs milliseconds.
 *
 * @throws ProblemError with what is wrong with the artifact, or with its transform.ts
 */
export async function shipModel(model: Model, context: ShipContext): Promise<Shipped> {
  const key = `models.${model.name}.artifact`;
  const prepared = await prepare(model, context);
  const validated = context.validated?.get(model.name);
  if (validated !== undefined)
    throwProblems(unlikeProblems(`models.${model.name}`, validated, prepared.parts, prepared.read.origin));
  const { format, source, inspection, signature, known, shippable, identity, hasPre } = prepared;
  const { gate, batch, drift } = model;
  const problems: Problem[] = [];
  if (batch !== undefined)
    problems.push(...batchFitProblems(`models.${model.name}.batch`, batch, signature, known.client));
  const path = gate?.cases;
  const cases =
    gate === undefined || path === undefined
      ? undefined
      : await orProblems(problems, () =>
          shipCases(`models.${model.name}.gate.cases`, path, gate, signature, context.serviceDir),
        );
  const graph = signature === inspection.signature ? {} : { graph: inspection.signature };
  const slowEdges = slowEdgesOf(model.latency?.p95);
  const bare = bareBelow(model.http?.path ?? '/', model.name);
  const reference =
    drift === undefined
      ? undefined
      : await orProblems(problems, () =>
          shipReference(model.name, drift, { format, source, inspection, hasPre, known }, context),
        );
  const columns = known.client ?? ofReference(reference?.columns, signature, inspection.signature);
  const metric = gate?.metric;
  const isNamed = drift === undefined || reference !== undefined;
  // Rows are matched by the names of the reference data, too.
  const labelled =
    metric === undefined || !isNamed
      ? undefined
      : await orProblems(problems, () =>
          shipLabelled(`models.${model.name}.gate.metric`, metric, { signature, columns }, context),
        );
  throwProblems(problems);
  const manifest = (remote: readonly RemoteFile[]): Manifest => ({
    schema: 1,
    model: model.name,
    identity,
    signature,
    ...graph,
    opset: inspection.opset,
    file: `model/${format.main}`,
    signals: signalsOf(inspection.signature),
    ...(slowEdges && { slowEdges }),
    ...(bare !== undefined && { bare }),
    ...(reference && { drift: reference.scored }),
    ...(columns && { columns }),
    ...(model.missing && { missing: model.missing }),
    ...(model.finite && { finite: model.finite }),
    ...(model.audit && { audit: { predictions: model.audit.predictions } }),
    remote,
  });

  const builder = builderOf(model);
  const files = shippable.files.map((file) => ({ ...file, path: `model/${file.path}` }));
  const whole = await codeOf(model, manifest([]), prepared.bundled, context);
  const runtimeBytes = format.runtime.bytes(model.architecture);
  const remote = builder.remoteOf(files, whole, runtimeBytes, key);
  const code = remote.length === 0 ? whole : await codeOf(model, manifest(remote), prepared.bundled, context);
  const packed = await builder.pack(model, code, remote.length === 0 ? files : [], {
    ...context,
    runtime: format.runtime,
  });
  return {
    facts: {
      identity,
      source: source.digest,
      sourceBytes: source.bytes,
      ...(prepared.read.signedBy !== undefined && { signedBy: prepared.read.signedBy }),
      ...(prepared.read.origin && { origin: prepared.read.origin }),
      card: cardOf(model, prepared),
      ...(validated && { promoted: validated.evidence }),
      signature,
      ...graph,
      ...(columns && { columns }),
      opset: inspection.opset,
      optimized: shippable.optimized,
      zipBytes: packed.zipBytes,
      unzippedBytes: packed.bytes,
      runtimeBytes,
      remote,
      ...(cases && { cases: cases.facts }),
      ...(labelled && { labelled: labelled.facts }),
      ...(reference && { drift: reference.facts }),
      notices: [
        ...prepared.read.notices,
        ...inspection.notices,
        ...known.notices,
        ...(reference?.notices ?? []),
        ...(labelled?.notices ?? []),
        ...(reference && !hasPre ? refusedAbsence(model, reference, signature.inputs) : []),
        ...(shippable.notice === undefined ? [] : [shippable.notice]),
        ...(shippable.optimized === true || !model.optimize ? [] : [shippable.optimized]),
      ],
    },
    runtime: format.runtime,
    content: packed.content,
    ...(packed.zip !== undefined && { zip: packed.zip }),
    ...(shippable.key !== undefined && { optimised: { key: shippable.key, files: shippable.files } }),
    registry: [cases, labelled, reference].flatMap((kept) => (kept === undefined ? [] : [kept.upload])),
    uploads:
      remote.length === 0 ? [] : shippable.files.map(({ sha256, bytes, from }) => ({ sha256, bytes, from })),
  };
}

const cardOf = ({ name }: Model, { card, read, inspection, signature, format }: Prepared): CardDocument => ({
  schema: 1,
  model: name,
  card,
  artifact: {
    sha256: read.digest,
    files: read.files.map(({ path, sha256, bytes }) => ({ path, sha256, bytes })),
    opset: inspection.opset,
  },
  ...(read.origin && { origin: read.origin }),
  ...(read.signedBy !== undefined && { signedBy: read.signedBy }),
  runtime: runtimeOf(format.runtime),
  inputs: signature.inputs,
  outputs: signature.outputs,
});

const runtimeOf = ({ name, version, purl }: ArtifactRuntime): CardDocument['runtime'] => ({
  name,
  version,
  ...(purl !== undefined && { purl }),
});

/**
 * Names that nobody declared, of the reference data: where clients send what the graph takes, they are
 * theirs, too.
 */
const ofReference = (
  names: readonly string[] | undefined,
  client: Signature,
  graph: Signature,
): Columns | undefined =>
  names !== undefined && hasSameInputs(client, graph) ? { names, bind: false } : undefined;

/** Puts a function's content into a folder of its own, unzipped: what `serve` runs. */
export async function unpack(content: readonly ArchiveEntry[], dir: string): Promise<void> {
  for (const { path, from } of content) await place(from, join(dir, path));
}
