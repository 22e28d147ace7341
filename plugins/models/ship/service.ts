import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { CatalogManifest } from '../../../core/catalog/contract.ts';
import type { Watched } from '../../../core/drift/contract.ts';
import type { AwsConfig } from '../../../core/ports/config.ts';
import type { ArtifactRuntime } from '../contracts/artifact-format.ts';
import type { SharedRuntime } from '../contracts/builder.ts';
import type { Built } from '../contracts/input.ts';
import type { KeptImage } from '../contracts/kept-image.ts';
import type { ServiceContext } from '../contracts/ship-context.ts';
import type { Facts, Model } from '../declaration/model.ts';
import { CATALOG, DRIFT, RELEASE } from '../declaration/naming.ts';
import { exists, place } from '../disk/cache.ts';
import type { Upload } from '../disk/files.ts';
import { inFolder } from '../disk/folder.ts';
import { ownFile } from '../disk/own-file.ts';
import { ownVersion } from '../disk/own-version.ts';
import { isProblemError, type Problem, problemError, throwProblems } from '../problems/errors.ts';
import { builderOf } from '../targets/builders.ts';
import { importPath } from './bundle.ts';
import { shipFunction } from './own-function.ts';
import { pageScript } from './page-script.ts';
import { type Shared, share } from './shared.ts';
import { shipModel } from './ship.ts';
import { uploadFiles } from './upload.ts';

/** Everything of a service's models, ready for the framework: what the plan and the deploy go on with. */
export type ShippedService = {
  readonly built: ReadonlyMap<string, Built>;
  /** Zips of our own functions by key. */
  readonly zips: ReadonlyMap<string, string>;
};

/**
 * What goes to which bucket before the stack is updated; kept beside the package, for `sls deploy --package`.
 */
type Uploads = {
  readonly layers: readonly Upload[];
  readonly files: readonly Upload[];
  /** Gates' cases and labelled rows, and baselines. */
  readonly registry: readonly Upload[];
  readonly optimised: readonly Shared[];
  /** What clients see of each model, by name; absent in a package of an earlier plugin. */
  readonly signatures?: Readonly<Record<string, Facts['signature']>>;
  /** Layers of at most `IN_PACKAGE` lie in the package; absent in a package of an earlier plugin. */
  readonly images?: readonly KeptImage[];
};

const FOLDER = 'models';
const UPLOADS = 'uploads.json';

/**
 * Packages all models of a service: one after another, since each may use every core.
 *
 * @param manifests from the facts; the catalog's is undefined where there is none
 */
export async function shipService(
  models: readonly Model[],
  context: ServiceContext,
  manifests: {
    readonly catalog: (
      facts: ReadonlyMap<string, Facts>,
      versions: { plugin: string; runtime: string },
    ) => CatalogManifest | undefined;
    readonly monitor: (facts: ReadonlyMap<string, Facts>) => readonly Watched[];
  },
): Promise<ShippedService> {
  const layers = new Map<string, SharedRuntime>();
  const runtimes = new Set<ArtifactRuntime>();
  const built = new Map<string, Built>();
  const files: Upload[] = [];
  const kept: Upload[] = [];
  const optimised: Shared[] = [];
  const images: KeptImage[] = [];
  await eachModel(models, async (model, isFine) => {
    context.progress(`Packaging the model ${model.name}`);
    const shipped = await shipModel(model, context);
    if (!isFine) return;
    const { runtime, zip } = shipped;
    const { facts, image } = await context.imaged(model, shipped);
    const { architecture } = model;
    const { shared } = builderOf(model);
    const by = shared?.by(runtime, architecture) ?? '';
    const layer = layers.get(by) ?? (await shared?.make(runtime, architecture, context.progress));
    if (layer !== undefined) layers.set(by, layer);
    runtimes.add(runtime);
    built.set(model.name, {
      facts,
      ...(layer !== undefined && { layer: layer.facts }),
      ...(zip !== undefined && { zip }),
    });
    files.push(...shipped.uploads);
    kept.push(...shipped.registry);
    if (image !== undefined) images.push(image);
    if (shipped.optimised !== undefined) optimised.push(shipped.optimised);
  }).finally(() => context.progress(undefined));
  const facts = new Map([...built].map(([name, entry]) => [name, entry.facts]));
  const zips = new Map([[RELEASE, (await shipFunction(RELEASE, releaseSource(), context)).zip]]);
  const watched = manifests.monitor(facts);
  if (watched.length > 0) zips.set(DRIFT, (await shipFunction(DRIFT, monitorSource(watched), context)).zip);
  const versions = { plugin: await ownVersion(), runtime: versionsOf(runtimes) };
  const catalog = manifests.catalog(facts, versions);
  if (catalog !== undefined)
    zips.set(CATALOG, (await shipFunction(CATALOG, catalogSource(catalog, await pageScript()), context)).zip);
  const signatures = Object.fromEntries([...facts].map(([name, { signature }]) => [name, signature]));
  await keepUploads(context.outDir, layers, kept, { files, optimised, signatures, images });
  return { built, zips };
}

/** Nearly always of one. */
const versionsOf = (runtimes: Iterable<ArtifactRuntime>): string =>
  [...runtimes].map(({ version }) => version).join(', ');

const catalogSource = (manifest: CatalogManifest, page: string): string =>
  `import { createCatalog } from ${importPath(ownFile('functions/catalog/handler'))};\nexport const handler = createCatalog(${JSON.stringify(manifest)}, ${JSON.stringify(page)});\n`;

const monitorSource = (watched: readonly Watched[]): string =>
  `import { createMonitor } from ${importPath(ownFile('functions/drift/handler'))};\nexport const handler = createMonitor(${JSON.stringify(watched)});\n`;

const releaseSource = (): string =>
  `export { handler } from ${importPath(ownFile('functions/release/handler'))};\n`;

/**
 * Layers, cases and baselines lie in the package itself, which may be moved; files beyond the zip limit are
 * too large for that.
 */
async function keepUploads(
  outDir: string,
  layers: ReadonlyMap<string, SharedRuntime>,
  registry: readonly Upload[],
  { images = [], ...others }: Omit<Uploads, 'layers' | 'registry'>,
): Promise<void> {
  const folder = join(outDir, FOLDER);
  await mkdir(folder, { recursive: true });
  const kept: Upload[] = [];
  for (const [shared, { facts, zip }] of layers) {
    // Not `.zip`: the framework takes each zip below its folder for a function's, and would then never find
    // that nothing changed.
    const name = `${shared}.layer`;
    await copyFile(zip, join(folder, name));
    kept.push({ sha256: facts.sha256, bytes: facts.bytes, from: name });
  }
  const moved: KeptImage[] = [];
  for (const image of images) {
    const placed = image.layers.map(async (layer) => {
      if (layer.size > IN_PACKAGE) return layer;
      const name = `${layer.digest.replace(':', '-')}.layer`;
      await place(layer.file, join(folder, name));
      return { ...layer, file: name };
    });
    moved.push({ ...image, layers: await Promise.all(placed) });
  }
  for (const { sha256, from } of registry) await copyFile(from, join(folder, registryFile(sha256)));
  const uploads: Uploads = {
    layers: kept,
    registry: registry.map((file) => ({ ...file, from: registryFile(file.sha256) })),
    ...others,
    ...(moved.length > 0 && { images: moved }),
  };
  await writeFile(join(folder, UPLOADS), JSON.stringify(uploads));
}

/** Bytes of a layer that a package has in itself, so that it can be moved to another machine. */
const IN_PACKAGE = 250 * 1024 ** 2;

const registryFile = (sha256: string): string => `${sha256}.kept`;

/** Where uploads go: bucket and key prefix, ending in `/`. */
export type UploadPlace = { readonly bucket: string; readonly prefix: string };

const inPackage = (folder: string, upload: Upload): Upload => ({
  ...upload,
  from: join(folder, basename(upload.from)),
});

/** What goes to the registry's files. */
const filesIn = (
  folder: string,
  { registry, files }: Pick<Uploads, 'registry' | 'files'>,
): readonly Upload[] => [...registry.map((upload) => inPackage(folder, upload)), ...files];

/**
 * Uploads what the stack refers to by content; what is there already costs one request.
 *
 * @param to `shared`: the bucket that machines share, if the service names one
 * @returns sentences for people: what could not be done, and need not
 */
export async function uploadService(
  outDir: string,
  aws: AwsConfig,
  to: {
    readonly layers: UploadPlace;
    readonly files: UploadPlace;
    readonly shared?: string | undefined;
  },
  progress: (text: string | undefined) => void,
): Promise<readonly string[]> {
  const folder = join(outDir, FOLDER);
  const { layers, files, registry, optimised } = await uploadsIn(folder);
  if (layers.length > 0) {
    progress('Uploading the ONNX Runtime layer');
    await uploadFiles(
      aws,
      to.layers.bucket,
      to.layers.prefix,
      layers.map((upload) => inPackage(folder, upload)),
      progress,
      'zipped',
    );
  }
  const shared = filesIn(folder, { registry, files });
  if (shared.length > 0) await uploadFiles(aws, to.files.bucket, to.files.prefix, shared, progress);
  if (to.shared === undefined) return [];
  return share(aws, to.shared, optimised, progress).then(
    () => [],
    (error: unknown) => [
      `models: optimised files were not put into s3://${to.shared} for other machines: ${error instanceof Error ? error.message : error}`,
    ],
  );
}

/**
 * What a deploy that the framework skips puts back: versions read these files when they start, the gate and
 * the monitor of drift when they run, and a rule of the bucket or a person may have deleted them.
 *
 * @returns what is to be told
 */
export async function restoreFiles(
  outDir: string,
  aws: AwsConfig,
  { bucket, prefix }: UploadPlace,
  progress: (text: string | undefined) => void,
): Promise<readonly string[]> {
  const folder = join(outDir, FOLDER);
  const all = filesIn(folder, await uploadsIn(folder));
  if (all.length === 0) return [];
  const count = await uploadFiles(aws, bucket, prefix, all, progress);
  if (count === 0) return [];
  const what = count === 1 ? 'A file of the models was' : `${count} files of the models were`;
  return [
    `${what} gone from s3://${bucket}/${prefix}, and ${count === 1 ? 'is' : 'are'} there again: see that no rule of the bucket deletes there.`,
  ];
}

/** @throws ProblemError: a package may have been moved in part */
async function uploadsIn(folder: string): Promise<Uploads> {
  const path = join(folder, UPLOADS);
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    const problem: Problem = {
      code: 'MODELS_CACHE',
      key: 'models',
      value: path,
      message: `${path} cannot be read, which packaging wrote: it says what the models need in S3.`,
      fix: 'Package again, and move the whole folder where it is deployed from elsewhere.',
    };
    throw problemError([problem], error);
  }
}

/**
 * What clients see of each packaged model, by name; empty where the package is of an earlier plugin, or none
 * is there.
 */
export async function packagedSignatures(outDir: string): Promise<ReadonlyMap<string, Facts['signature']>> {
  const folder = join(outDir, FOLDER);
  const found: Partial<Uploads> = (await exists(join(folder, UPLOADS))) ? await uploadsIn(folder) : {};
  const { signatures = {} } = found;
  return new Map(Object.entries(signatures));
}

/** Images of the package, each with absolute paths of its layers. */
export async function packagedImages(outDir: string): Promise<readonly KeptImage[]> {
  const folder = join(outDir, FOLDER);
  const { images = [] } = await uploadsIn(folder);
  return images.map((image) => ({
    ...image,
    layers: image.layers.map((layer) => ({ ...layer, file: resolve(folder, layer.file) })),
  }));
}

/**
 * Facts of these models without a package: everything is made (and cached) as for a deploy, then dropped.
 * Reports every faulty model.
 */
export async function factsOf(
  models: readonly Model[],
  context: ServiceContext,
): Promise<ReadonlyMap<string, Facts>> {
  const facts = new Map<string, Facts>();
  await inFolder((outDir) =>
    eachModel(models, async (model) => {
      context.progress(`Inspecting the model ${model.name}`);
      const shipped = await shipModel(model, { ...context, outDir });
      facts.set(model.name, (await context.imaged(model, shipped)).facts);
    }),
  ).finally(() => context.progress(undefined));
  return facts;
}

/**
 * Works on each model, so that all that are faulty are told. A registry that did not answer, and what is no
 * model’s own, npm that cannot be reached for one, would be waited for again by each: there it ends.
 *
 * @param work is told whether nothing was refused before
 * @throws ProblemError
 */
async function eachModel(
  models: readonly Model[],
  work: (model: Model, isFine: boolean) => Promise<void>,
): Promise<void> {
  const problems: Problem[] = [];
  for (const model of models) {
    try {
      await work(model, problems.length === 0);
    } catch (error) {
      if (!isProblemError(error)) throw error;
      problems.push(...error.problems);
      if (isUnanswered(error.cause) || error.problems.some(({ key }) => !/^models\.\w/.test(key))) break;
    }
  }
  throwProblems(problems);
}

/** Faults of registries of models, and of images, say of what kind they are. */
const isUnanswered = (cause: unknown): boolean =>
  cause instanceof Error && 'kind' in cause && cause.kind === 'unreachable';
