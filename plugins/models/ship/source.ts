import { realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Problem, type ProblemCode, problemError } from '../errors.ts';
import type { Model } from '../model.ts';
import { transformOf } from './bundle.ts';
import { cacheFolder, once, place } from './cache.ts';
import type { ShipContext } from './context.ts';
import { knownSha256 } from './known.ts';
import { unsafeLocation } from './location.ts';
import { type OnnxInfo, readOnnxFile } from './onnx.ts';
import { fetchArtifact } from './s3.ts';
import { digestOf } from './zip.ts';

export type SourceFile = {
  /** Below the artifact: the graph is `model.onnx`, weights have the name that the graph gives them. */
  readonly path: string;
  /** Absolute. */
  readonly from: string;
  readonly bytes: number;
  readonly sha256: string;
};

/** An artifact on this disk, complete and hashed, but not yet loaded by anything. */
export type Source = {
  readonly files: readonly SourceFile[];
  /** sha256 over names and contents of all files. */
  readonly digest: string;
  readonly bytes: number;
  readonly info: OnnxInfo;
  /** Absolute path of the folder's transform.ts. */
  readonly transform?: string;
};

const GRAPH = 'model.onnx';

/**
 * Finds the files of a model's artifact: a file, a folder with `model.onnx`, or either on S3 (downloaded once).
 * Weights outside the graph count, and must lie below its folder.
 *
 * @throws ProblemError `MODELS_ARTIFACT_MISSING`, `MODELS_ARTIFACT_INVALID`
 */
export async function readSource(model: Model, context: ShipContext): Promise<Source> {
  const key = `models.${model.name}.artifact`;
  const { artifact } = model;
  const named = artifact.kind === 's3' ? `s3://${artifact.bucket}/${artifact.key}` : artifact.path;
  const fault = (code: ProblemCode, message: string, fix: string): Error =>
    problemError([{ code, key, value: named, message, fix } satisfies Problem]);

  const path =
    artifact.kind === 's3'
      ? await fetchArtifact(artifact, key, context)
      : resolve(context.serviceDir, artifact.path);
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    throw fault(
      'MODELS_ARTIFACT_MISSING',
      `${named} does not exist.`,
      'Write a path relative to serverless.yml.',
    );
  }
  const graph = found.isDirectory() ? join(path, GRAPH) : path;
  if (!(await stat(graph).catch(() => undefined))?.isFile()) {
    throw fault(
      'MODELS_ARTIFACT_MISSING',
      `${named} has no ${GRAPH}.`,
      `Name its graph ${GRAPH}, or name the file itself.`,
    );
  }

  let info: OnnxInfo;
  try {
    info = readOnnxFile(graph);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw fault('MODELS_ARTIFACT_INVALID', why, 'Export the model again and compare its size.');
  }

  const folder = dirname(graph);
  const files = [await fileAt(GRAPH, graph)];
  for (const location of info.external) {
    const unsafe = unsafeLocation(location);
    if (unsafe !== undefined) {
      throw fault(
        'MODELS_ARTIFACT_INVALID',
        `The graph keeps weights in ${JSON.stringify(location.slice(0, 200))}, ${unsafe}.`,
        'Save the model with its external data in files beside it.',
      );
    }
    const from = join(folder, location);
    if (!(await stat(from).catch(() => undefined))?.isFile()) {
      throw fault(
        'MODELS_ARTIFACT_MISSING',
        `The graph keeps weights in ${location}, and there is no such file beside it.`,
        'Put the external data where the graph expects it.',
      );
    }
    if (location === GRAPH) {
      throw fault(
        'MODELS_ARTIFACT_INVALID',
        `The graph keeps weights in ${GRAPH}, the name that the graph itself has when shipped.`,
        'Save its external data under another name.',
      );
    }
    files.push(await fileAt(location, from));
  }
  const transform = found.isDirectory() ? transformOf(path) : undefined;
  const digest = digestOf(files);
  return {
    files: await together(files, digest),
    digest,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    info,
    ...(transform === undefined ? {} : { transform }),
  };
}

/**
 * ONNX Runtime wants weights below the folder in which the graph really lies. Hugging Face's cache has a folder of
 * links to files elsewhere: those are gathered.
 */
async function together(files: readonly SourceFile[], digest: string): Promise<readonly SourceFile[]> {
  const home = dirname(files[0]?.from ?? '');
  if (files.every(({ path, from }, index) => index === 0 || from === join(home, path))) return files;
  const folder = await once(cacheFolder('gathered', digest.slice(0, 32)), async (draft) => {
    for (const { path, from } of files) await place(from, join(draft, path));
  });
  return files.map((file) => ({ ...file, from: join(folder, file.path) }));
}

async function fileAt(path: string, at: string): Promise<SourceFile> {
  const from = await realpath(at);
  return { path, from, ...(await knownSha256(from)) };
}
