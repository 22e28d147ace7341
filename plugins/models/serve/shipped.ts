import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactRuntime } from '../contracts/artifact-format.ts';
import type { ShipContext } from '../contracts/ship-context.ts';
import type { Model } from '../declaration/model.ts';
import { place } from '../disk/cache.ts';
import { problemError } from '../problems/errors.ts';
import { shipModel, unpack } from '../ship/ship.ts';
import type { ShippedModel } from './local.ts';

/**
 * Ships a model as deploy does, then puts its files into a folder of its own: a running session has them
 * mapped, and one that is written over meanwhile would take the process down.
 *
 * @param context `outDir` must be this version's alone
 * @param absent what to throw where the runtime has no build for this machine
 */
export async function shipHere(
  model: Model,
  context: ShipContext,
  absent: (runtime: ArtifactRuntime) => Error = noRuntime,
): Promise<ShippedModel> {
  const { content, facts, runtime, uploads, zip } = await shipModel(model, context);
  const folder = await runtime.here(context.progress);
  if (folder === undefined) throw absent(runtime);
  if (zip !== undefined) await rm(zip);
  const dir = join(context.outDir, model.name);
  await unpack(content, dir);
  // What would be fetched from the bucket is put where the endpoint looks first.
  for (const { path, sha256 } of facts.remote) {
    const upload = uploads.find((candidate) => candidate.sha256 === sha256);
    if (upload !== undefined) await place(upload.from, join(dir, path));
  }
  return { dir, facts, runtime: { version: runtime.version, folder } };
}

const noRuntime = ({ name, version }: ArtifactRuntime): Error =>
  problemError([
    {
      code: 'MODELS_RUNTIME_UNAVAILABLE',
      key: 'models',
      message: `${name} ${version} has no build for ${process.platform}-${process.arch}.`,
      fix: 'Serve on Linux with glibc, macOS or Windows; deploying works from here.',
    },
  ]);
