import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';
import type { registry } from '../../core/registry/registry.ts';
import type { receiveRequest } from '../../core/release/receive.ts';
import type { Resources } from '../../plugins/models/contracts/feature.ts';
import type { Endpoint, ReleaseInput } from '../../plugins/models/contracts/input.ts';
import { writeZip } from '../../plugins/models/disk/zip.ts';
import type { releaseFunctions } from '../../plugins/models/plan/release/functions.ts';
import { unzip } from '../unzip.ts';
import { digestMark, FOLDER_MARK, KEPT, type Kept } from './kept.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A version of the plugin, as far as it makes the stack of releases. */
export type Edition = {
  /** Source of the release worker. */
  readonly worker: string;
  readonly releaseFunctions: typeof releaseFunctions;
  readonly releaseResources: (
    input: ReleaseInput,
    endpoints: readonly Endpoint[],
  ) => { readonly resources: Resources };
  readonly receive: typeof receiveRequest;
  readonly registry: typeof registry;
};

/** As `make.ts` beside it has written. */
const kept = (): Kept => JSON.parse(brotliDecompressSync(readFileSync(KEPT)).toString());

/** Main before this version: what is deployed already was made by it. */
export async function versionBefore(): Promise<Edition> {
  const { pure, zips } = kept();
  const worker = zips['models-release.zip']?.['handler.mjs'];
  if (worker === undefined) throw new Error(`${KEPT} has no release worker. Run: node test/older/make.ts`);
  const folder = await mkdtemp(join(tmpdir(), 'models-older-'));
  try {
    const file = join(folder, 'pure.mjs');
    await writeFile(file, pure);
    return { worker, ...(await import(pathToFileURL(file).href)) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * Writes what main before made of the demo service into the folder `to`, for `sls deploy --package`.
 *
 * @param from what this version made of the same service: the models and the layer are taken from there
 */
export async function packagedBefore(from: string, to: string): Promise<void> {
  const { commit, files, zips } = kept();
  const drafts = await mkdtemp(join(tmpdir(), 'models-older-'));
  const digests = new Map<string, string>();
  try {
    await mkdir(join(to, 'models'), { recursive: true });
    for (const [zip, modules] of Object.entries(zips)) {
      const content = { ...(await unzip(sameIn(from, zip))), ...modules };
      const entries = Object.keys(content).map((path) => ({ path, from: join(drafts, zip, path), bytes: 0 }));
      for (const { path, from } of entries) {
        await mkdir(dirname(from), { recursive: true });
        await writeFile(from, content[path] ?? '');
      }
      await writeZip(join(to, zip), entries);
      const bytes = await readFile(join(to, zip));
      digests.set(zip, createHash('sha256').update(bytes).digest('base64'));
    }
  } finally {
    await rm(drafts, { recursive: true });
  }
  for (const [path, text] of Object.entries(files)) {
    let written = text.replaceAll(FOLDER_MARK, to);
    for (const [zip, digest] of digests) written = written.replaceAll(digestMark(zip), digest);
    await writeFile(join(to, path), written);
  }
  const layersOf = async (folder: string) =>
    JSON.parse(await readFile(join(folder, 'models', 'uploads.json'), 'utf8')).layers as readonly {
      readonly sha256: string;
      readonly from: string;
    }[];
  const ours = await layersOf(from);
  for (const { sha256, from: name } of await layersOf(to)) {
    const same = ours.find((layer) => layer.sha256 === sha256);
    if (same === undefined)
      throw new Error(
        `The layer of ${commit} is ${sha256}, which is not made any more. Run: node test/older/make.ts <a later commit>`,
      );
    await copyFile(join(from, 'models', same.from), join(to, 'models', name));
  }
}

/** Where this version has put the same: a name of its own where the service is called as the model. */
function sameIn(folder: string, zip: string): string {
  const path = join(folder, zip);
  return existsSync(path) ? path : path.replace(/\.zip$/, '.model.zip');
}

/** Writes the plugin of main before, able to deploy packages, below `folder`. @returns its path */
export async function pluginBefore(folder: string): Promise<string> {
  const path = join(folder, 'plugin.mjs');
  await mkdir(folder, { recursive: true });
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(path, kept().plugin);
  return path;
}
