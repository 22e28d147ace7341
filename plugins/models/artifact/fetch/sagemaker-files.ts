import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelPackage, PackageContainer } from '../../../../aws/model-packages.ts';
import type {
  FetchedArtifact,
  ResolvedArtifact,
  ResolvedFile,
  SourceContext,
} from '../../contracts/sources/artifact-source.ts';
import { cacheFolder, keyOf, once } from '../../disk/cache.ts';
import { isTarFault, untar } from '../../disk/untar.ts';
import { fetchObjects, resolveObjects, withObject } from './s3.ts';

/** The files of a version in S3: an archive as SageMaker packs it, an object, or all below a prefix. */

type Refuse = (message: string, fix: string) => Error;
type Place = { readonly bucket: string; readonly key: string };
type Data = Pick<ResolvedArtifact, 'files' | 'others' | 'from'>;

/**
 * @param refuse makes an error of what is wrong with the version
 * @throws ProblemError `MODELS_ARTIFACT_MISSING`
 */
export async function dataOf(found: ModelPackage, context: SourceContext, refuse: Refuse): Promise<Data> {
  const container = containerOf(found, refuse);
  const place = placeIn(container.data ?? '');
  if (place === undefined)
    throw refuse(
      `keeps version ${found.version} at ${container.data}, which is not read from here`,
      'Register it with model data in S3.',
    );
  const data = container.kind === 'archive' ? archived : loose;
  return data(found, container, place, context, refuse);
}

function containerOf({ version, containers }: ModelPackage, refuse: Refuse): PackageContainer {
  const filled = containers.filter(({ data }) => data !== undefined);
  const [only, ...others] = filled;
  if (only === undefined)
    throw refuse(`has no model data in version ${version}`, 'Register it with a ModelDataUrl.');
  if (others.length > 0)
    throw refuse(
      `has version ${version} in ${filled.length} containers (${filled.map(({ name, data }) => name ?? data).join(', ')})`,
      'Export the whole of it as one graph, and register that.',
    );
  return only;
}

const placeIn = (url: string): Place | undefined => {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(url) ?? [];
  return bucket === undefined || key === undefined ? undefined : { bucket, key };
};

async function loose(
  { version }: ModelPackage,
  { kind, etag }: PackageContainer,
  { bucket, key }: Place,
  context: SourceContext,
  refuse: Refuse,
): Promise<Data> {
  const place = { bucket, key: kind === 'prefix' && !key.endsWith('/') ? `${key}/` : key };
  const from = `s3://${bucket}/${place.key.slice(0, place.key.lastIndexOf('/') + 1)}`;
  const { files } = await resolveObjects(`s3://${bucket}/${place.key}`, place, context);
  if (kind === 'object') unchanged(version, etag, files[0]?.version, refuse);
  const graph = graphAmong(version, files, [], refuse);
  return { files: [graph], others: files.filter((file) => file !== graph), from };
}

/** It is registered with the ETag that it had: what was approved is that one. */
function unchanged(version: number, registered: string | undefined, now = '', refuse: Refuse): void {
  const bare = (etag: string): string => etag.replaceAll('"', '');
  if (registered !== undefined && bare(registered) !== bare(now))
    throw refuse(
      `has version ${version} with other model data than lies in S3 now: its ETag was ${bare(registered)}`,
      'Register what lies there as a new version, and let that be approved.',
    );
}

async function archived(
  { version }: ModelPackage,
  { data = '', etag }: PackageContainer,
  place: Place,
  context: SourceContext,
  refuse: Refuse,
): Promise<Data> {
  const [archive] = (await resolveObjects(data, place, context)).files;
  unchanged(version, etag, archive?.version, refuse);
  const from = `${archive?.version} ${data}`;
  const folder = await unpacked(from, context).catch((error: unknown) => {
    if (!isTarFault(error)) throw error;
    throw refuse(
      `has version ${version} in ${data}, which ${error.message}`,
      'Pack it again with `tar czf model.tar.gz model.onnx`, and register that.',
    );
  });
  const { files, links } = JSON.parse(await readFile(join(folder, LISTED), 'utf8')) as Listed;
  const all = files.map(({ path, bytes }) => ({ path, bytes, version: archive?.version ?? '' }));
  const graph = graphAmong(version, all, links, refuse);
  return { files: [graph], others: all.filter((file) => file !== graph), from };
}

type Listed = {
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
  readonly links: readonly string[];
};
/** Beside each other: what was unpacked, and what an archive has in it. */
const [FILES, LISTED] = ['files', 'listed.json'];

/** Unpacks an archive into the cache, once for each ETag. */
function unpacked(from: string, context: SourceContext): Promise<string> {
  // An address may have spaces in it, and an ETag has none.
  const [, etag = '', url = ''] = /^(\S*) (.*)$/s.exec(from) ?? [];
  const place = placeIn(url) ?? { bucket: '', key: '' };
  return once(cacheFolder('sagemaker', keyOf(url, etag).slice(0, 32)), async (draft) => {
    try {
      await mkdir(join(draft, FILES));
      const listed = await withObject(place, etag, context, (archive, bytes) => {
        context.progress(`Unpacking ${url} (${Math.ceil((bytes ?? 0) / 1e6)} MB)`);
        return untar(archive, join(draft, FILES));
      });
      await writeFile(join(draft, LISTED), JSON.stringify(listed));
    } finally {
      context.progress(undefined);
    }
  });
}

/** The one graph; of several the one that is called so. */
function graphAmong(
  version: number,
  files: readonly ResolvedFile[],
  links: readonly string[],
  refuse: Refuse,
): ResolvedFile {
  const graphs = files.filter(({ path }) => path.endsWith('.onnx'));
  const named = graphs.filter(({ path }) => /(^|\/)model\.onnx$/.test(path));
  const [graph] = graphs.length === 1 ? graphs : named.length === 1 ? named : [];
  if (graph !== undefined) return graph;
  const fix = 'Pack one graph, or call it model.onnx.';
  const linked = links.filter((path) => path.endsWith('.onnx'));
  if (graphs.length === 0 && linked.length > 0)
    throw refuse(`has ${linked.join(', ')} in version ${version} as a link`, 'Pack the file itself.');
  const shown = (graphs.length === 0 ? files : graphs).map(({ path }) => path).slice(0, 10);
  throw refuse(
    graphs.length === 0
      ? `has no .onnx file in version ${version} (${shown.join(', ') || 'nothing is there'})`
      : `has ${graphs.length} graphs in version ${version}: ${shown.join(', ')}`,
    fix,
  );
}

export async function fetchData(
  resolved: ResolvedArtifact,
  beside: (file: string) => readonly string[],
  context: SourceContext,
): Promise<FetchedArtifact> {
  const { reference, from = '', others = [] } = resolved;
  const [graph] = resolved.files;
  if (graph === undefined) throw new Error(`${reference} was resolved to no file`);
  if (!from.startsWith('s3:'))
    return { path: join(await unpacked(from, context), FILES, graph.path), isOurs: true };
  if (others.length === 0) {
    // What lies beside an object was not listed.
    const whole = `${from}${graph.path}`;
    const files = [{ ...graph, path: whole.slice(whole.lastIndexOf('/') + 1) }];
    const object = placeIn(whole) ?? { bucket: '', key: '' };
    return fetchObjects({ reference: whole, isFolder: false, files }, object, beside, context);
  }
  const place = placeIn(`${from}.`) ?? { bucket: '', key: '' };
  const folder = { bucket: place.bucket, key: place.key.slice(0, -1) };
  const bring = async (files: readonly ResolvedFile[]): Promise<string> =>
    (await fetchObjects({ reference: from, isFolder: true, files }, folder, () => [], context)).path;
  const alone = join(await bring([graph]), graph.path);
  const below = graph.path.slice(0, graph.path.lastIndexOf('/') + 1);
  const names = new Set(beside(alone).map((name) => `${below}${name}`));
  const weights = others.filter(({ path }) => names.has(path));
  if (weights.length === 0) return { path: alone, isOurs: true };
  return { path: join(await bring([graph, ...weights]), graph.path), isOurs: true };
}
