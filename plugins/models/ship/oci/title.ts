import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject } from '../../../../core/json/is-object.ts';
import { inFolder } from '../../disk/folder.ts';
import { parsedJson, readManifest } from './base-documents.ts';
import type { FetchedManifest, ImageRepository } from './registry.ts';

/**
 * The label that has the name of an image’s model:
 * https://github.com/opencontainers/image-spec/blob/main/annotations.md
 */
export const TITLE = 'org.opencontainers.image.title';

/** A longer configuration is not brought for a name. */
const CONFIG_BYTES = 1024 * 1024;

/** What an image says of itself: somebody else’s texts. */
type ImageTold = {
  /** Its label. */
  readonly title?: string;
  /** As images say it: `amd64`. */
  readonly architecture?: string;
};

/**
 * Asks a registry what an image says it is.
 *
 * @returns nothing where it is an index of images
 * @throws RegistryFault
 */
export async function toldBy(
  registry: Pick<ImageRepository, 'getBlob'>,
  manifest: FetchedManifest,
): Promise<ImageTold> {
  const config = readManifest(manifest)?.config;
  if (config === undefined || config.size > CONFIG_BYTES) return {};
  return inFolder(async (folder) => {
    const file = join(folder, 'config.json');
    await registry.getBlob(config, file);
    const document = parsedJson(await readFile(file));
    if (!isObject(document)) return {};
    const { architecture, config: started } = document;
    const labels = isObject(started) ? started.Labels : undefined;
    const title = isObject(labels) ? labels[TITLE] : undefined;
    return {
      ...(typeof title === 'string' && { title }),
      ...(typeof architecture === 'string' && { architecture }),
    };
  });
}
