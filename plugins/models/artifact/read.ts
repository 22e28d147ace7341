import { access, constants, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { ArtifactOrigin } from '../../../core/origin/contract.ts';
import type { ArtifactFormat, Contents, KeptArtifact } from '../contracts/artifact-format.ts';
import type { SourceContext } from '../contracts/sources/artifact-source.ts';
import { digestOf } from '../disk/files.ts';
import { unsafeLocation } from '../disk/location.ts';
import { look } from '../disk/look.ts';
import { type Problem, type ProblemCode, problemError } from '../problems/errors.ts';
import { find, privateCopy } from './copy.ts';
import { artifactFormatOf } from './formats.ts';
import { SIGNATURE, type Signed, verifySigned } from './signature/verify.ts';
import { sourceOf } from './sources/sources.ts';

/** What was read, and by what. */
export type ReadArtifact = KeptArtifact & {
  readonly format: ArtifactFormat;
  /** Absolute path of the folder that it came from, where it is one. */
  readonly folder?: string;
  /** Who signed it, where that is verified; for people. */
  readonly signedBy?: string;
  /** What a registry of models knows of it. */
  readonly origin?: ArtifactOrigin;
  /** For people. */
  readonly notices: readonly string[];
};

type Fault = (code: ProblemCode, message: string, fix: string) => Error;

type Alongside = { readonly path: string; readonly sha256: string };

/**
 * Finds the files of an artifact, a file, or a folder with its format’s main file, wherever it comes from,
 * and copies them into the cache where they are not in it already. Weights outside the graph count, and must
 * lie below its folder.
 *
 * @param signed who must have signed it, where that is declared
 * @param refuse throws where an artifact of so many bytes is of no use: before minutes of work
 * @param alongside what else of a folder is shipped, by its path there, with the sha256 of what is
 * @throws ProblemError `MODELS_ARTIFACT_MISSING`, `_INVALID`, `_CHANGED`, `MODELS_SIGNATURE`
 */
export async function readArtifact(
  reference: string,
  context: SourceContext,
  refuse: (bytes: number) => void,
  signed?: Signed,
  alongside: (folder: string) => Promise<readonly Alongside[]> = async () => [],
): Promise<ReadArtifact> {
  const { key } = context;
  const fault: Fault = (code, message, fix) =>
    problemError([{ code, key, value: reference, message, fix } satisfies Problem]);

  const source = sourceOf(reference);
  const resolved = await source.resolve(reference, context);
  const format = artifactFormatOf(resolved.files.map((file) => file.path));
  const { main } = format;
  // A folder has its signature in it.
  const own = signed !== undefined && signed.file === undefined && !resolved.isFolder ? [SIGNATURE] : [];
  const { path, isOurs } = await source.fetch(
    resolved,
    (file) => [...besides(format, file), ...own],
    context,
  );
  const graph = resolved.isFolder ? join(path, main) : path;
  if (!(await stat(graph).catch(() => undefined))?.isFile()) {
    throw fault(
      'MODELS_ARTIFACT_MISSING',
      `${reference} has no ${main}.`,
      `Name its graph ${main}, or name the file itself.`,
    );
  }
  await mustRead(graph, fault);

  // Before anything is read of it.
  const { mark } = await look(graph);
  const info = await readContents(
    format,
    graph,
    (message, fix = 'Export the model again and compare its size.') =>
      fault('MODELS_ARTIFACT_INVALID', message, fix),
  );

  let bytes = (await stat(graph)).size;
  const weights: Weights[] = [];
  for (const location of info.external) {
    const file = await weightsAt(location, dirname(graph), main, fault);
    weights.push(file);
    bytes += file.bytes;
  }
  // Optimising hardly changes the size.
  refuse(bytes);
  const found = [{ ...(await find(main, graph)), mark }];
  for (const file of weights) found.push(await find(file.path, file.at));
  const digest = digestOf(found);
  const files = isOurs ? found : await privateCopy(found, digest);
  if (files === undefined) {
    throw fault(
      'MODELS_ARTIFACT_CHANGED',
      `${reference} was changed while it was read.`,
      'Retry once nothing writes to it, or let the exporter write another file and rename it.',
    );
  }
  const others = resolved.isFolder ? await alongside(path) : [];
  const signedBy =
    signed &&
    (await verifySigned(signed, {
      key: `${key.replace(/\.artifact$/, '')}.signed`,
      serviceDir: context.serviceDir,
      folder: resolved.isFolder ? path : undefined,
      // Beside a file of ours lies what the cache notes of it.
      names: resolved.isFolder && isOurs ? resolved.files.map((file) => file.path) : undefined,
      beside: join(dirname(graph), SIGNATURE),
      shipped: [
        ...found.map(({ path: name, sha256 }) => ({ path: name === main ? basename(graph) : name, sha256 })),
        ...others,
      ].map((file) => ({ ...file, isLink: false })),
    }));
  return {
    files,
    digest,
    bytes: found.reduce((sum, file) => sum + file.bytes, 0),
    info,
    format,
    ...(resolved.isFolder && { folder: path }),
    ...(signedBy !== undefined && { signedBy }),
    ...(resolved.origin && { origin: resolved.origin }),
    notices: resolved.notices ?? [],
  };
}

/**
 * @param refuse makes the error of what is no such file from a sentence, and what to do where that is known
 * @throws what `refuse` makes
 */
export async function readContents(
  format: ArtifactFormat,
  graph: string,
  refuse: (message: string, fix?: string) => Error,
): Promise<Contents> {
  try {
    return format.read(graph);
  } catch (error) {
    if (await isPointer(graph))
      throw refuse(
        'The file is a pointer of Git LFS, which stands for the model until that is fetched.',
        FETCH_LFS,
      );
    throw refuse(error instanceof Error ? error.message : String(error));
  }
}

/**
 * Weights that the graph names; none where it cannot be read, or names unsafe ones: `readArtifact` says so.
 */
function besides(format: ArtifactFormat, graph: string): readonly string[] {
  try {
    return format.read(graph).external.filter((location) => unsafeLocation(location) === undefined);
  } catch {
    return [];
  }
}

const FETCH_LFS = 'Run `git lfs pull`, or let what checks the repository out fetch LFS files.';

/** https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md#the-pointer: less than 1024 bytes */
async function isPointer(path: string): Promise<boolean> {
  const { size } = await stat(path);
  return size < 1024 && /^version https:\/\/git-lfs\.github\.com\//.test(await readFile(path, 'utf8'));
}

/** A training job that ran as somebody else may have kept it to itself. */
const mustRead = (path: string, fault: Fault): Promise<void> =>
  access(path, constants.R_OK).catch((error: NodeJS.ErrnoException) => {
    // What has gone meanwhile is told by who reads it.
    if (error.code === 'ENOENT') return;
    throw fault(
      'MODELS_ARTIFACT_MISSING',
      `This user may not read ${path} (${error.code}).`,
      'Let this user read it, or package as one who may.',
    );
  });

/** A file of weights: as the graph names it, and where it is. */
type Weights = { readonly path: string; readonly at: string; readonly bytes: number };

async function weightsAt(location: string, folder: string, main: string, fault: Fault): Promise<Weights> {
  const unsafe = unsafeLocation(location);
  if (unsafe !== undefined) {
    throw fault(
      'MODELS_ARTIFACT_INVALID',
      `The graph keeps weights in ${JSON.stringify(location.slice(0, 200))}, ${unsafe}.`,
      'Save the model with its external data in files beside it.',
    );
  }
  const at = join(folder, location);
  const there = await stat(at).catch(() => undefined);
  if (there === undefined || !there.isFile()) {
    throw fault(
      'MODELS_ARTIFACT_MISSING',
      `The graph keeps weights in ${location}, and there is no such file beside it.`,
      'Put the external data where the graph expects it.',
    );
  }
  await mustRead(at, fault);
  if (await isPointer(at)) {
    throw fault(
      'MODELS_ARTIFACT_INVALID',
      `The graph keeps weights in ${location}, a pointer of Git LFS that stands for them until they are fetched.`,
      FETCH_LFS,
    );
  }
  if (location === main) {
    throw fault(
      'MODELS_ARTIFACT_INVALID',
      `The graph keeps weights in ${main}, the name that the graph itself has when shipped.`,
      'Save its external data under another name.',
    );
  }
  return { path: location, at, bytes: there.size };
}
