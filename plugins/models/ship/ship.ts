import { join } from 'node:path';
import type { CardDocument, ModelCard } from '../../../core/card/contract.ts';
import type { Manifest, RemoteFile } from '../../../core/endpoint/contract.ts';
import type { Columns, Signature } from '../../../core/tensor/contract.ts';
import type {
  ArtifactFormat,
  ArtifactRuntime,
  Inspection,
  KeptArtifact,
  Shippable,
} from '../contracts/artifact-format.ts';
import type { Code } from '../contracts/builder.ts';
import type { Facts, Model } from '../declaration/model.ts';
import { place } from '../disk/cache.ts';
import { type ArchiveEntry, sha256Text, type Upload } from '../disk/files.ts';
import { ownFile } from '../disk/own-file.ts';
import { packZip } from '../disk/pack.ts';
import { batchManifest } from '../plan/batch/functions.ts';
import { signalsOf, slowEdgesOf } from '../plan/watch/metrics.ts';
import { throwProblems } from '../problems/errors.ts';
import { builderOf } from '../targets/builders.ts';
import { batchFitProblems } from './batch.ts';
import { bundle, importPath } from './bundle.ts';
import { shipCard } from './card.ts';
import { shipCases } from './cases.ts';
import { hasSameInputs, type KnownColumns, knownColumns } from './columns.ts';
import type { ShipContext } from './context.ts';
import { type IdentityParts, identityOf } from './identity.ts';
import { shipLabelled } from './labelled.ts';
import { shipReference } from './reference.ts';
import { requestProblems } from './request-size.ts';
import { type Shared, takeShared } from './shared.ts';
import { type ReadSource, readSource } from './source.ts';
import { clientSignature, loadTransform } from './transform.ts';
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
  const { gate, batch } = model;
  if (batch !== undefined)
    throwProblems(batchFitProblems(`models.${model.name}.batch`, batch, signature, known.client));
  const cases =
    gate?.cases === undefined
      ? undefined
      : await shipCases(`models.${model.name}.gate.cases`, gate.cases, gate, signature, context.serviceDir);
  const graph = signature === inspection.signature ? {} : { graph: inspection.signature };
  const slowEdges = slowEdgesOf(model.latency?.p95);
  const reference =
    model.drift === undefined
      ? undefined
      : await shipReference(model.name, model.drift, { format, source, inspection, hasPre, known }, context);
  const columns = known.client ?? ofReference(reference?.columns, signature, inspection.signature);
  const labelled =
    gate?.metric === undefined
      ? undefined
      : await shipLabelled(`models.${model.name}.gate.metric`, gate.metric, { signature, columns }, context);
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

const cardOf = (
  { name }: Model,
  { card, read, inspection, signature, format }: Awaited<ReturnType<typeof prepare>>,
): CardDocument => ({
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

/** What a model is, before anything is packed. */
export async function prepare(
  model: Model,
  context: ShipContext,
): Promise<{
  format: ArtifactFormat;
  source: KeptArtifact;
  inspection: Inspection;
  /** What clients see. */
  signature: Signature;
  known: KnownColumns;
  shippable: Shippable;
  identity: string;
  /** What the identity is made of. */
  parts: IdentityParts;
  /** A transform makes the graph's inputs from what clients send. */
  hasPre: boolean;
  /** The artifact as it was read: who signed it, and what a registry of models knows of it. */
  read: ReadSource;
  card: ModelCard;
  /** Code of its functions by room, where a transform is in it. */
  bundled: Readonly<Record<string, string>> | undefined;
}> {
  const key = `models.${model.name}.artifact`;
  const read = await readSource(model, context);
  // Before minutes of work.
  const card = await shipCard(model, read, context);
  const transform =
    read.transform === undefined
      ? undefined
      : await loadTransform(read.transform, model, context, modulesWith(read.transform, model));
  const { format } = read;
  const { main } = format;
  const runtime = await format.runtime.here(context.progress);
  const source = await format.adapt(read);
  const inspection = await format.inspect(source, key, runtime);
  const signature =
    transform === undefined ? inspection.signature : clientSignature(inspection.signature, transform, key);
  throwProblems(requestProblems(signature, key));
  const known = knownColumns(model, source.info.columns, inspection.signature, signature);
  throwProblems(known.problems);
  const shippable = await format.prepare(source, key, runtime, {
    optimize: model.optimize,
    progress: context.progress,
    take: (made, folder) => takeShared(made, folder, main, context),
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
    hasPre: transform?.exports.pre === 'function',
    read,
    card,
    bundled: transform?.bundled,
  };
}

/**
 * A function of ours without a model (catalog, release worker): bundled from generated source and zipped.
 *
 * @param source an ES module that exports `handler`; imports by `importPath(ownFile('functions/…'))`
 */
export async function shipFunction(
  name: string,
  source: string,
  context: Pick<ShipContext, 'serviceDir' | 'outDir'>,
): Promise<
  Pick<Shipped, 'content'> & { readonly zip: string; readonly sha256: string; readonly zipBytes: number }
> {
  const code = await ownBundle(source, context.serviceDir, 'custom.models');
  const { content, zip, zipBytes } = await packZip(name, { 'handler.mjs': code }, [], context);
  return { content, zip, sha256: sha256Text(code), zipBytes };
}

/** Who makes a handler, by the room of `functions/`, of which constants; and its file in the zip. */
const ROOMS = {
  infer: { file: 'handler.mjs', maker: 'createHandler', constants: ['MODELS_MANIFEST'] },
  batch: { file: 'batch.mjs', maker: 'createBatch', constants: ['MODELS_MANIFEST', 'MODELS_BATCH'] },
} as const;

const roomsOf = ({ batch }: Model): readonly (keyof typeof ROOMS)[] =>
  batch === undefined ? ['infer'] : ['infer', 'batch'];

/**
 * A bundle takes its manifests from constants before it. So one bundle serves all models without a transform.
 */
function moduleOf(room: keyof typeof ROOMS, transform?: string): string {
  const { maker, constants } = ROOMS[room];
  const lines = [`import { ${maker} } from ${importPath(ownFile(`functions/${room}/handler`))};`];
  if (transform !== undefined) lines.push(`import * as transform from ${importPath(transform)};`);
  const given = [...constants, ...(transform === undefined ? [] : ['transform'])];
  lines.push(`export const handler = await ${maker}(${given.join(', ')});`);
  return `${lines.join('\n')}\n`;
}

const modulesWith = (transform: string, model: Model): Readonly<Record<string, string>> =>
  Object.fromEntries(roomsOf(model).map((room) => [room, moduleOf(room, transform)]));

const bundled = new Map<string, Promise<string>>();

/** A bundle of our own sources, made once a process: they stay as they are, and `source` says which. */
function ownBundle(source: string, folder: string, key: string): Promise<string> {
  const known = bundled.get(source);
  if (known !== undefined) return known;
  const made = bundle(source, folder, key);
  bundled.set(source, made);
  // What failed may go well the next time: `serve` lives for hours.
  made.catch(() => bundled.delete(source));
  return made;
}

/** The endpoint's, and beside it that of batch: one zip, so that both functions run the very same model. */
async function codeOf(
  model: Model,
  manifest: Manifest,
  withTransform: Readonly<Record<string, string>> | undefined,
  { serviceDir }: ShipContext,
): Promise<Code> {
  const values = { MODELS_MANIFEST: manifest, MODELS_BATCH: model.batch && batchManifest(model.batch) };
  const code: Record<string, string> = {};
  for (const room of roomsOf(model)) {
    const { file, constants } = ROOMS[room];
    const made =
      withTransform?.[room] ?? ownBundle(moduleOf(room), serviceDir, `models.${model.name}.artifact`);
    const before = constants.map((name) => `const ${name}=${JSON.stringify(values[name])};\n`);
    code[file] = `${before.join('')}${await made}`;
  }
  return code;
}

/** Puts a function's content into a folder of its own, unzipped: what `serve` runs. */
export async function unpack(content: readonly ArchiveEntry[], dir: string): Promise<void> {
  for (const { path, from } of content) await place(from, join(dir, path));
}
