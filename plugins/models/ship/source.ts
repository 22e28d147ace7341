import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { find, privateCopy, type SourceFile } from '../artifact/copy.ts';
import { type OnnxInfo, readOnnxFile } from '../artifact/onnx/onnx.ts';
import { type Problem, type ProblemCode, problemError, throwProblems } from '../declaration/errors.ts';
import type { Model } from '../declaration/model.ts';
import { digestOf } from '../disk/files.ts';
import { unsafeLocation } from '../disk/location.ts';
import { look } from '../disk/look.ts';
import { artifactProblems } from '../targets/lambda-zip/size.ts';
import { transformOf } from './bundle.ts';
import type { ShipContext } from './context.ts';
import { fetchArtifact } from './s3.ts';

/** An artifact in the cache, complete and hashed, but not yet loaded by anything. */
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
 * Finds the files of a model's artifact, a file, a folder with `model.onnx`, or either on S3 (downloaded once), and copies
 * them into the cache. Weights outside the graph count, and must lie below its folder.
 *
 * @throws ProblemError `MODELS_ARTIFACT_MISSING`, `_INVALID`, `_SIZE`, `_CHANGED`
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
  const there = await stat(path).catch(() => undefined);
  if (there === undefined) {
    throw fault(
      'MODELS_ARTIFACT_MISSING',
      `${named} does not exist.`,
      'Write a path relative to serverless.yml.',
    );
  }
  const graph = there.isDirectory() ? join(path, GRAPH) : path;
  if (!(await stat(graph).catch(() => undefined))?.isFile()) {
    throw fault(
      'MODELS_ARTIFACT_MISSING',
      `${named} has no ${GRAPH}.`,
      `Name its graph ${GRAPH}, or name the file itself.`,
    );
  }

  // Before anything is read of it.
  const { mark } = await look(graph);
  let info: OnnxInfo;
  try {
    info = readOnnxFile(graph);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw fault('MODELS_ARTIFACT_INVALID', why, 'Export the model again and compare its size.');
  }

  let bytes = (await stat(graph)).size;
  const weights: Weights[] = [];
  for (const location of info.external) {
    const file = await weightsAt(location, dirname(graph), fault);
    weights.push(file);
    bytes += file.bytes;
  }
  // Optimising hardly changes the size; so it is told before minutes of work.
  throwProblems(artifactProblems(bytes, key));
  const found = [{ ...(await find(GRAPH, graph)), mark }];
  for (const file of weights) found.push(await find(file.path, file.at));
  const transform = there.isDirectory() ? transformOf(path) : undefined;
  const digest = digestOf(found);
  // What came from S3 lies in the cache already.
  const files = artifact.kind === 's3' ? found : await privateCopy(found, digest);
  if (files === undefined) {
    throw fault(
      'MODELS_ARTIFACT_CHANGED',
      `${named} was changed while it was read.`,
      'Retry once nothing writes to it, or let the exporter write another file and rename it.',
    );
  }
  return {
    files,
    digest,
    bytes: found.reduce((sum, file) => sum + file.bytes, 0),
    info,
    ...(transform === undefined ? {} : { transform }),
  };
}

/** A file of weights: as the graph names it, and where it is. */
type Weights = { readonly path: string; readonly at: string; readonly bytes: number };

async function weightsAt(
  location: string,
  folder: string,
  fault: (code: ProblemCode, message: string, fix: string) => Error,
): Promise<Weights> {
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
  if (location === GRAPH) {
    throw fault(
      'MODELS_ARTIFACT_INVALID',
      `The graph keeps weights in ${GRAPH}, the name that the graph itself has when shipped.`,
      'Save its external data under another name.',
    );
  }
  return { path: location, at, bytes: there.size };
}
