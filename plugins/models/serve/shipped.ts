import { constants } from 'node:fs';
import { copyFile, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Model } from '../model.ts';
import type { ShipContext } from '../ship/context.ts';
import { shipModel } from '../ship/ship.ts';
import { filesBelow } from '../ship/zip.ts';
import type { ShippedModel } from './local.ts';

/**
 * Ships a model as deploy does, then makes its files this folder's own: shipping links them, and an artifact that is written over
 * while a running session has it mapped would take the process down.
 *
 * @param context `outDir` must be this version's alone
 */
export async function shipHere(model: Model, context: ShipContext): Promise<ShippedModel> {
  const { dir, facts, uploads } = await shipModel(model, context);
  const target = (path: string): string => join(dir, path);
  for (const { path } of await filesBelow(dir)) await own(target(path), target(path));
  // What would be fetched from the bucket is put where the endpoint looks first.
  for (const { path, sha256 } of facts.remote) {
    const upload = uploads.find((candidate) => candidate.sha256 === sha256);
    if (upload !== undefined) await own(upload.from, target(path));
  }
  return { dir, facts };
}

async function own(from: string, to: string): Promise<void> {
  const draft = `${to}.own`;
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, draft, constants.COPYFILE_FICLONE);
  await rename(draft, to);
}
