import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fieldIn, listIn, textIn } from '../../../../core/json/fields.ts';
import type {
  FetchedArtifact,
  ResolvedArtifact,
  ResolvedFile,
  SourceContext,
} from '../../contracts/sources/artifact-source.ts';
import { cacheFolder, keyOf, once, placeKnown } from '../../disk/cache.ts';
import { unsafeLocation } from '../../disk/location.ts';
import { askFile } from './http.ts';
import { isHttpFault, ofVersion, unlessRefused } from './http-fault.ts';
import { exportAdvice, flavorsIn } from './mlflow-flavors.ts';
import { type MlflowVersion, originOf, versionIn } from './mlflow-origin.ts';
import { mlflowPlace } from './mlflow-place.ts';
import { askMlflow, type MlflowServer, mlflowServer, otherStore } from './mlflow-server.ts';
import { type Asked, lacking, rememberedResolve, unfetched } from './remembered.ts';
import { fetchObjects, resolveObjects } from './s3.ts';

/** A version as it is asked for: by its number, or by an alias. */
type Place = { readonly name: string; readonly alias?: string; readonly version?: string };

/** A folder with more is not a model's. */
const ITEMS = 1000;
/** What describes a model to MLflow; in it stands what its graph is called. */
const MLMODEL = 'MLmodel';
const MLMODEL_BYTES = 1024 * 1024;

/**
 * The version that a reference stands for now, its graph, and what MLflow knows of it.
 * https://mlflow.org/docs/latest/api_reference/rest-api.html
 *
 * @throws ProblemError `MODELS_ARTIFACT_MISSING` with MLflow's answer
 */
export function resolveVersion(
  reference: string,
  place: Place,
  context: SourceContext,
): Promise<ResolvedArtifact> {
  const server = mlflowServer(reference, context);
  const asked = askedOf(reference, server);
  return rememberedResolve(asked, context, async () => {
    const version = await versionOf(server, place);
    if (version === undefined || version.status !== 'READY')
      throw lacking(
        asked,
        context.key,
        version === undefined
          ? 'answers with something that is no version of a model'
          : `has version ${version.version} as ${version.status}, which is not ready`,
        'Check the address, and whether the version was uploaded whole.',
      );
    return contentOf(server, version, asked, context, place).catch((error: unknown) =>
      ofVersion(error, version.version),
    );
  });
}

/** Where its files are, and what is known of it. */
async function contentOf(
  server: MlflowServer,
  version: MlflowVersion,
  asked: Asked,
  context: SourceContext,
  { alias }: Place,
): Promise<ResolvedArtifact> {
  const folder = await folderOf(server, version, asked, context);
  const files = await filesIn(server, folder, asked, context);
  const graph = await graphOf(server, folder, files, asked, context);
  // Evidence, which who may read the model may be denied: the model is served without it.
  const [run, model] = await Promise.all([
    version.run && unlessRefused(askMlflow(server, 'mlflow/runs/get', { run_id: version.run })),
    version.model && unlessRefused(askMlflow(server, `mlflow/logged-models/${version.model}`)),
  ]);
  return {
    reference: asked.reference,
    isFolder: false,
    files: [graph],
    others: files.filter((file) => file !== graph),
    from: folder,
    origin: originOf(version, server.at, alias, run, model),
  };
}

const askedOf = (reference: string, { at, access }: MlflowServer): Asked => ({
  ...{ reference, at, who: `MLflow at ${at}`, access },
});

async function versionOf(server: MlflowServer, { name, alias, version }: Place) {
  const answer =
    alias === undefined
      ? await askMlflow(server, 'mlflow/model-versions/get', { name, version: version ?? '' })
      : await askMlflow(server, 'mlflow/registered-models/alias', { name, alias });
  return versionIn(answer);
}

/** Where the files of a version are kept: `source` says it of no version of MLflow 3 (mlflow #25562). */
async function folderOf(
  server: MlflowServer,
  { name, version, created }: MlflowVersion,
  asked: Asked,
  context: SourceContext,
): Promise<string> {
  const uri = textIn(
    await askMlflow(server, 'mlflow/model-versions/get-download-uri', { name, version }),
    'artifact_uri',
  );
  const { scheme, path } = mlflowPlace(uri);
  if (scheme === 's3') {
    const store = otherStore();
    if (store === undefined) return `s3://${path}/`;
    throw lacking(
      asked,
      context.key,
      `keeps version ${version} at s3://${path}, in the store ${store} that MLFLOW_S3_ENDPOINT_URL names; AWS’s S3 may have a bucket of that name that is somebody else’s`,
      'Let the tracking server give its artifacts (`--serve-artifacts`), set AWS_ENDPOINT_URL_S3 to that store as well, or unset MLFLOW_S3_ENDPOINT_URL where they are in AWS’s S3.',
    );
  }
  // An address of a server may stand before the path; the server that was asked has them.
  const below = /^mlflow-artifacts:\/\/[^/]/.test(uri ?? '') ? path.slice(path.indexOf('/') + 1) : path;
  if (scheme !== 'mlflow-artifacts' || below === '' || unsafeLocation(below) !== undefined)
    throw lacking(
      asked,
      context.key,
      `keeps version ${version} at ${scheme === '' ? 'no address' : `${scheme}:`}, which is not read from here`,
      'Let the tracking server give its artifacts (`--serve-artifacts`), or keep them in S3.',
    );
  return `${created}:${below}`;
}

/** Files lie in a bucket, or the server gives them below this path. */
const pathOf = (folder: string): string => folder.slice(folder.indexOf(':') + 1);

async function graphOf(
  server: MlflowServer,
  folder: string,
  files: readonly ResolvedFile[],
  asked: Asked,
  context: SourceContext,
): Promise<ResolvedFile> {
  const described = files.find(({ path }) => path === MLMODEL);
  if (described === undefined || described.bytes > MLMODEL_BYTES)
    throw lacking(asked, context.key, `has no ${MLMODEL} there`, 'Log the model by `mlflow.onnx.log_model`.');
  const at = await download(server, folder, [described], context);
  const flavors = flavorsIn(await readFile(join(at, MLMODEL), 'utf8'));
  const data = textIn(fieldIn(flavors, 'onnx'), 'data');
  const graph = files.find(({ path }) => path === data);
  if (graph === undefined)
    throw lacking(
      asked,
      context.key,
      data === undefined
        ? `has a model of ${Object.keys(flavors).join(', ') || 'no flavor'} there, which is no ONNX`
        : `names ${data} as its graph, and has no such file`,
      exportAdvice(flavors),
    );
  return graph;
}

/** Each with what tells its content from another's: the registry lets no version change. */
async function filesIn(
  server: MlflowServer,
  folder: string,
  asked: Asked,
  context: SourceContext,
): Promise<readonly ResolvedFile[]> {
  if (folder.startsWith('s3:')) return (await resolveObjects(folder, placeIn(folder), context)).files;
  const found: ResolvedFile[] = [];
  const folders = [''];
  let seen = 0;
  for (let below = folders.pop(); below !== undefined; below = folders.pop()) {
    seen += 1;
    const path = [pathOf(folder), ...(below === '' ? [] : [below])].join('/');
    const answer = await askMlflow(server, 'mlflow-artifacts/artifacts', { path });
    for (const file of listIn(answer, 'files')) {
      const name = textIn(file, 'path') ?? '';
      const whole = below === '' ? name : `${below}/${name}`;
      if (unsafeLocation(whole) !== undefined) continue;
      if (fieldIn(file, 'is_dir') === true) folders.push(whole);
      else found.push({ path: whole, version: folder, bytes: Number(fieldIn(file, 'file_size') ?? 0) });
    }
    if (found.length + folders.length > ITEMS || seen > ITEMS)
      throw lacking(
        asked,
        context.key,
        `has more than ${ITEMS} files and folders there`,
        'Log the model again, without what it does not need.',
      );
  }
  return found;
}

const placeIn = (folder: string): { readonly bucket: string; readonly key: string } => {
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]+)\/(.*)$/.exec(folder) ?? [];
  return { bucket, key };
};

/**
 * Downloads the graph, and the weights that it names from beside it, once a version.
 *
 * @throws ProblemError `MODELS_ARTIFACT_MISSING`
 */
export async function fetchVersion(
  resolved: ResolvedArtifact,
  beside: (file: string) => readonly string[],
  context: SourceContext,
): Promise<FetchedArtifact> {
  const { reference, from = '', others = [] } = resolved;
  const [graph] = resolved.files;
  if (graph === undefined) throw new Error(`${reference} was resolved to no file`);
  const server = mlflowServer(reference, context);
  const asked = askedOf(reference, server);
  if (from.startsWith('s3:')) {
    const file = `${from}${graph.path}`;
    // Names are those in the graph's own folder, as its weights are.
    const files = [{ ...graph, path: graph.path.slice(graph.path.lastIndexOf('/') + 1) }];
    return fetchObjects({ ...resolved, reference: file, files }, placeIn(file), beside, context);
  }
  try {
    const folder = await download(server, from, [graph], context);
    const names = beside(join(folder, graph.path));
    if (names.length === 0) return { path: join(folder, graph.path), isOurs: true };
    const graphFolder = graph.path.slice(0, graph.path.lastIndexOf('/') + 1);
    const weights = names.map((name) => {
      const file = others.find(({ path }) => path === `${graphFolder}${name}`);
      if (file === undefined)
        throw lacking(
          asked,
          context.key,
          `has no ${name}, which is needed beside the graph`,
          'Log the model again, with all its files.',
        );
      return file;
    });
    const whole = await download(server, from, [graph, ...weights], context, folder);
    return { path: join(whole, graph.path), isOurs: true };
  } catch (error) {
    throw isHttpFault(error) ? unfetched(asked, context, error) : error;
  }
}

/** @param known a folder of the cache with some of them */
async function download(
  server: MlflowServer,
  folder: string,
  files: readonly ResolvedFile[],
  context: SourceContext,
  known?: string,
): Promise<string> {
  if (folder.startsWith('s3:')) {
    const resolved = { reference: folder, isFolder: true, files };
    return (await fetchObjects(resolved, placeIn(folder), () => [], context)).path;
  }
  const { at, url: base, headers, progress } = server;
  const key = keyOf(
    at,
    folder,
    files.map(({ path, bytes }) => [path, bytes]),
  );
  return once(cacheFolder('mlflow', key.slice(0, 32)), async (draft) => {
    const digests: Record<string, string> = {};
    try {
      for (const { path, bytes } of files) {
        if (await placeKnown(known, path, draft)) continue;
        const line = `Downloading ${path} from ${at} (${Math.ceil(bytes / 1e6)} MB)`;
        progress(line);
        const below = `${pathOf(folder)}/${path}`.split('/').map(encodeURIComponent).join('/');
        const url = `${base}/api/2.0/mlflow-artifacts/artifacts/${below}`;
        const question = { url, headers, progress: (text = line) => progress(text) };
        digests[path] = await askFile(question, join(draft, path), bytes);
      }
      return digests;
    } finally {
      progress(undefined);
    }
  });
}
