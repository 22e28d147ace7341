import { isObject } from '../../../../core/json/is-object.ts';
import type { Architecture } from '../../declaration/model.ts';
import {
  type Descriptor,
  IMAGE_ARCHITECTURES,
  IMAGE_MANIFESTS,
  type ImageConfig,
  type ImageManifest,
  INDEXES,
} from './documents.ts';
import { type ImageReference, referenceText } from './reference.ts';
import type { FetchedManifest } from './registry.ts';

/** Makes an error: what is wrong, and what to write in its place. */
export type Refuse = (message: string, fix: string) => Error;

export const platformOf = (architecture: Architecture): string =>
  `linux/${IMAGE_ARCHITECTURES[architecture]}`;

/**
 * @param refuse makes what is thrown
 * @throws where it is no image of its own
 */
export function manifestIn(
  { bytes, mediaType, digest }: FetchedManifest,
  reference: ImageReference,
  architecture: Architecture,
  refuse: Refuse,
): ImageManifest {
  const text = referenceText(reference);
  const document: unknown = parsedJson(bytes);
  const type = isObject(document) && typeof document.mediaType === 'string' ? document.mediaType : mediaType;
  if (INDEXES.includes(type)) {
    const found = platformIn({ bytes, mediaType, digest }, architecture);
    const { host, repository } = reference;
    throw refuse(
      `${text} is an index of several images, and a function has one architecture`,
      found === undefined
        ? `It has none for ${platformOf(architecture)}: name another image, or another architecture.`
        : `Write \`${referenceText({ host, repository, digest: found })}\`, which is the one for ${platformOf(architecture)}.`,
    );
  }
  if (!IMAGE_MANIFESTS.includes(type) || !isManifest(document))
    throw refuse(
      `${text} is no image: its media type is ${type || 'not told'}`,
      'Name an image manifest of OCI, or of Docker’s version 2, schema 2.',
    );
  return { ...document, mediaType: type };
}

/** @returns digest of the image for the architecture in an index */
export function platformIn({ bytes }: FetchedManifest, architecture: Architecture): string | undefined {
  const document: unknown = parsedJson(bytes);
  const all: readonly unknown[] =
    isObject(document) && Array.isArray(document.manifests) ? document.manifests : [];
  for (const one of all) {
    if (!isObject(one) || !isObject(one.platform) || typeof one.digest !== 'string') continue;
    const { os, architecture: found } = one.platform;
    if (os === 'linux' && found === IMAGE_ARCHITECTURES[architecture]) return one.digest;
  }
  return undefined;
}

/** @returns undefined for what is no JSON */
export function parsedJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

/** @returns undefined for an index of images, and for whatever else is no manifest of one */
export function readManifest({ bytes }: FetchedManifest): ImageManifest | undefined {
  const document = parsedJson(bytes);
  return isManifest(document) ? document : undefined;
}

const isManifest = (value: unknown): value is ImageManifest =>
  isObject(value) &&
  value.schemaVersion === 2 &&
  isDescriptor(value.config) &&
  Array.isArray(value.layers) &&
  value.layers.every(isDescriptor);

/** A digest becomes the name of a file, and a part of addresses. */
const isDescriptor = (value: unknown): value is Descriptor =>
  isObject(value) &&
  typeof value.mediaType === 'string' &&
  typeof value.digest === 'string' &&
  /^sha256:[0-9a-f]{64}$/.test(value.digest) &&
  Number.isSafeInteger(value.size) &&
  Number(value.size) >= 0;

/**
 * @param refuse makes what is thrown
 * @throws where it is for another system
 */
export function configIn(
  json: string,
  manifest: ImageManifest,
  text: string,
  architecture: Architecture,
  refuse: Refuse,
): ImageConfig {
  const config: unknown = parsedJson(Buffer.from(json));
  if (
    !isObject(config) ||
    !isObject(config.rootfs) ||
    !Array.isArray(config.rootfs.diff_ids) ||
    config.rootfs.diff_ids.length !== manifest.layers.length
  )
    throw refuse(
      `${text} has a configuration that does not fit its layers`,
      'Name an image that a container can be started from.',
    );
  const { os, architecture: found } = config;
  if (os !== 'linux' || found !== IMAGE_ARCHITECTURES[architecture])
    throw refuse(
      `${text} is for ${os}/${found}, and the model for ${platformOf(architecture)}`,
      'Name the image for this architecture, or declare the other `architecture`.',
    );
  return config as ImageConfig;
}
