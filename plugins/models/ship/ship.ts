import { createHash } from 'node:crypto';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Columns, Manifest, RemoteFile, Signature } from '../../../functions/infer/contract.ts';
import { throwProblems } from '../errors.ts';
import type { Facts, Model } from '../model.ts';
import { batchManifest } from '../plan/batch.ts';
import { signalsOf, slowEdgesOf } from '../plan/metrics.ts';
import { batchFitProblems } from './batch.ts';
import { bundle, importPath, ownFile } from './bundle.ts';
import { cacheFolder, keyOf, once, place } from './cache.ts';
import { shipCases } from './cases.ts';
import { hasSameInputs, type KnownColumns, knownColumns } from './columns.ts';
import type { ShipContext } from './context.ts';
import { identityOf } from './identity.ts';
import { type Inspection, inspect } from './inspect.ts';
import { optimise, type Shippable, withLocale } from './optimise.ts';
import { shipReference } from './reference.ts';
import { hostRuntime, layerBytes, ORT_VERSION } from './runtime.ts';
import type { Shared } from './shared.ts';
import { artifactProblems, requestProblems, UNZIPPED_BYTES } from './size.ts';
import { readSource, type Source } from './source.ts';
import { clientSignature, loadTransform } from './transform.ts';
import type { Upload } from './upload.ts';
import { type Entry, writeZip } from './zip.ts';

/** A model's function, ready for the framework. */
export type Shipped = {
  readonly facts: Facts;
  /** Absolute path of the function's content, unzipped: what `serve` runs. */
  readonly dir: string;
  /** Absolute path of the zip. */
  readonly zip: string;
  /** Files of `facts.remote`, for `uploadFiles` before the deploy. */
  readonly uploads: readonly Upload[];
  /** The gate's case file, and the baseline: what the registry keeps by content. */
  readonly registry: readonly Upload[];
  /** The optimised files, for a registry that machines share. */
  readonly optimised?: Shared;
};

/**
 * Everything from an artifact to a zip: read, load and run in a child, optimise, bundle the handler around it.
 * Work is cached by content; an unchanged model costs milliseconds.
 *
 * @throws ProblemError with what is wrong with the artifact, or with its transform.ts
 */
export async function shipModel(model: Model, context: ShipContext): Promise<Shipped> {
  const key = `models.${model.name}.artifact`;
  const prepared = await prepare(model, context);
  const { source, inspection, signature, known, shippable, identity, hasPre } = prepared;
  const { gate, batch } = model;
  if (batch !== undefined)
    throwProblems(batchFitProblems(`models.${model.name}.batch`, batch, signature, known.client));
  const cases =
    gate?.cases === undefined
      ? undefined
      : await shipCases(`models.${model.name}.gate.cases`, gate.cases, gate, signature, context.serviceDir);
  const modelBytes = shippable.files.reduce((sum, { bytes }) => sum + bytes, 0);
  const graph = signature === inspection.signature ? {} : { graph: inspection.signature };
  const slowEdges = slowEdgesOf(model.latency?.p95);
  const reference =
    model.drift === undefined
      ? undefined
      : await shipReference(model.name, model.drift, { source, inspection, hasPre, known }, context);
  const columns = known.client ?? ofReference(reference?.columns, signature, inspection.signature);
  const manifest = (remote: readonly RemoteFile[]): Manifest => ({
    schema: 1,
    model: model.name,
    identity,
    signature,
    ...graph,
    opset: inspection.opset,
    file: 'model/model.onnx',
    signals: signalsOf(inspection.signature),
    ...(slowEdges && { slowEdges }),
    ...(reference && { drift: reference.scored }),
    ...(columns && { columns }),
    ...(model.missing && { missing: model.missing }),
    ...(model.finite && { finite: model.finite }),
    ...(model.audit && { audit: { predictions: model.audit.predictions } }),
    remote,
  });

  let remote: RemoteFile[] = [];
  let entries = await entriesOf(model, source, manifest(remote), context);
  if (bytesOf(entries) + modelBytes + layerBytes(model.architecture) > UNZIPPED_BYTES) {
    throwProblems(artifactProblems(modelBytes, key));
    remote = shippable.files.map(({ path, sha256, bytes }) => ({ path: `model/${path}`, sha256, bytes }));
    entries = await entriesOf(model, source, manifest(remote), context);
  }
  const inside = remote.length === 0 ? shippable.files : [];
  const packed = await pack(
    model.name,
    entries,
    inside.map(({ path, from, bytes, sha256 }) => ({ path: `model/${path}`, from, bytes, sha256 })),
    context,
  );
  return {
    facts: {
      identity,
      source: source.digest,
      sourceBytes: source.bytes,
      signature,
      ...graph,
      opset: inspection.opset,
      optimized: shippable.optimized,
      zipBytes: packed.zipBytes,
      unzippedBytes: packed.bytes,
      remote,
      ...(cases && { cases: cases.facts }),
      ...(reference && { drift: reference.facts }),
      notices: [
        ...inspection.notices,
        ...known.notices,
        ...(reference?.notices ?? []),
        ...(shippable.optimized === true || !model.optimize ? [] : [shippable.optimized]),
      ],
    },
    dir: packed.dir,
    zip: packed.zip,
    ...(shippable.key !== undefined && { optimised: { key: shippable.key, files: shippable.files } }),
    registry: [...(cases ? [cases.upload] : []), ...(reference ? [reference.upload] : [])],
    uploads:
      remote.length === 0 ? [] : shippable.files.map(({ sha256, bytes, from }) => ({ sha256, bytes, from })),
  };
}

/** Names that nobody declared, of the reference data: where clients send what the graph takes, they are theirs, too. */
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
  source: Source;
  inspection: Inspection;
  /** What clients see. */
  signature: Signature;
  known: KnownColumns;
  shippable: Shippable;
  identity: string;
  /** A transform makes the graph's inputs from what clients send. */
  hasPre: boolean;
}> {
  const key = `models.${model.name}.artifact`;
  const read = await readSource(model, context);
  // Optimising hardly changes the size; so say it before minutes of work.
  throwProblems(artifactProblems(read.bytes, key));
  const transform =
    read.transform === undefined ? undefined : await loadTransform(read.transform, model, context);
  const runtime = await hostRuntime(context.progress);
  const source = await withLocale(read);
  const inspection = await inspect(source, key, runtime);
  const signature =
    transform === undefined ? inspection.signature : clientSignature(inspection.signature, transform, key);
  throwProblems(requestProblems(signature, key));
  const known = knownColumns(model, source.info.columns, inspection.signature, signature);
  throwProblems(known.problems);
  const shippable: Shippable = model.optimize
    ? await optimise(source, key, runtime, context)
    : { files: source.files, optimized: 'Not optimised: optimize is false.' };
  const identity = identityOf({
    source: read.digest,
    transform: transform?.digest,
    runtime: ORT_VERSION,
    architecture: model.architecture,
    optimize: model.optimize,
    inputs: model,
  });
  return {
    source,
    inspection,
    signature,
    known,
    shippable,
    identity,
    hasPre: transform?.exports.pre === 'function',
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
): Promise<{
  readonly dir: string;
  readonly zip: string;
  readonly sha256: string;
  readonly zipBytes: number;
}> {
  const code = await bundle(source, context.serviceDir, 'custom.models');
  const { dir, zip, zipBytes } = await pack(name, { 'handler.mjs': code }, [], context);
  return { dir, zip, sha256: sha256(code), zipBytes };
}

/** Code that Lambda starts with, by its file in the zip. */
type Code = Readonly<Record<string, string>>;

const bytesOf = (code: Code): number =>
  Object.values(code).reduce((sum, text) => sum + Buffer.byteLength(text), 0);

/** The endpoint's, and beside it that of batch: one zip, so that both functions run the very same model. */
async function entriesOf(
  model: Model,
  source: Source,
  manifest: Manifest,
  context: ShipContext,
): Promise<Code> {
  const entry = (room: string, maker: string, constants: Readonly<Record<string, unknown>>) =>
    entryOf({ room, maker, constants }, model, source, context);
  const { batch } = model;
  return {
    'handler.mjs': await entry('infer', 'createHandler', { [MANIFEST]: manifest }),
    ...(batch !== undefined && {
      'batch.mjs': await entry('batch', 'createBatch', {
        [MANIFEST]: manifest,
        [BATCH]: batchManifest(batch),
      }),
    }),
  };
}

/** What a bundle takes its manifests from: constants before it. So one bundle serves all models without a transform. */
const MANIFEST = 'MODELS_MANIFEST';
const BATCH = 'MODELS_BATCH';
const bundles = new Map<string, Promise<string>>();

async function entryOf(
  {
    room,
    maker,
    constants,
  }: {
    readonly room: string;
    readonly maker: string;
    readonly constants: Readonly<Record<string, unknown>>;
  },
  model: Model,
  source: Source,
  context: ShipContext,
): Promise<string> {
  const lines = [`import { ${maker} } from ${importPath(ownFile(`functions/${room}/handler`))};`];
  if (source.transform !== undefined)
    lines.push(`import * as transform from ${importPath(source.transform)};`);
  const given = [...Object.keys(constants), ...(source.transform === undefined ? [] : ['transform'])];
  lines.push(`export const handler = await ${maker}(${given.join(', ')});`);
  const make = () => bundle(`${lines.join('\n')}\n`, context.serviceDir, `models.${model.name}.artifact`);
  // A transform may change while `serve` runs; our own files do not.
  const kept = `${room} ${context.serviceDir}`;
  const made = source.transform === undefined ? (bundles.get(kept) ?? make()) : make();
  if (source.transform === undefined) bundles.set(kept, made);
  const before = Object.entries(constants).map(
    ([name, value]) => `const ${name}=${JSON.stringify(value)};\n`,
  );
  return `${before.join('')}${await made}`;
}

/** Zip (cached by content) and unzipped folder of one function, in the output folder. */
async function pack(
  name: string,
  code: Code,
  files: readonly (Entry & { readonly sha256: string })[],
  { outDir }: Pick<ShipContext, 'outDir'>,
): Promise<{ dir: string; zip: string; zipBytes: number; bytes: number }> {
  const key = keyOf(
    'zip/1',
    Object.values(code).map(sha256).join(' '),
    files.map(({ path, sha256: digest }) => [path, digest]),
  ).slice(0, 32);
  const folder = await once(cacheFolder('zips', key), async (draft) => {
    const entries: Entry[] = [];
    for (const [path, text] of Object.entries(code)) {
      const from = join(draft, path);
      await writeFile(from, text);
      entries.push({ path, from, bytes: Buffer.byteLength(text) });
    }
    await writeZip(join(draft, 'function.zip'), [...entries, ...files]);
  });
  const dir = join(outDir, name);
  const zip = join(outDir, `${name}.zip`);
  await rm(dir, { recursive: true, force: true });
  await rm(zip, { force: true });
  await mkdir(outDir, { recursive: true });
  for (const path of Object.keys(code)) await place(join(folder, path), join(dir, path));
  for (const { path, from } of files) await place(from, join(dir, path));
  await place(join(folder, 'function.zip'), zip);
  const { size: zipBytes } = await stat(zip);
  return {
    dir,
    zip,
    zipBytes,
    bytes: bytesOf(code) + files.reduce((sum, file) => sum + file.bytes, 0),
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
