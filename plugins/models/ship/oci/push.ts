import { stat } from 'node:fs/promises';
import type { AwsConfig } from '../../../../core/ports/config.ts';
import { sizeText } from '../../../../core/units/bytes.ts';
import { type Problem, problemError } from '../../problems/errors.ts';
import { isRegistryFault, type RegistryFault } from './exchange.ts';
import type { Blob, OciImage } from './image.ts';
import { loginFix, registryFor } from './login.ts';
import { type ImageReference, referenceText } from './reference.ts';
import type { ImageRepository } from './registry.ts';

/** What became of a push. */
export type Pushed = {
  /** The manifest’s. */
  readonly digest: string;
  readonly blobs: number;
  /**
   * Those that the registry did not have, and bytes that went to it, those of interrupted attempts included.
   */
  readonly sentBlobs: number;
  readonly sentBytes: number;
};

/**
 * A repository that is pushed to.
 *
 * @param key option or key that names the place
 * @throws ProblemError `MODELS_IMAGE_PUSH` where nobody can tell who asks there
 */
export const openToPush = (to: ImageReference, aws: AwsConfig, key: string): Promise<ImageRepository> =>
  registryFor(to, { aws, write: true }).catch((error: unknown) => {
    throw isRegistryFault(error) ? pushProblem(to, error, key) : error;
  });

/**
 * Brings an image into a registry: the blobs that it lacks, then the manifest, under its digest and each tag.
 *
 * @param from repository of the same registry that the base came from, which may lend its blobs
 * @throws ProblemError `MODELS_IMAGE_PUSH`; `MODELS_CACHE` for a file that is not what was packaged, before
 * anything is sent
 */
export async function pushImage(
  registry: ImageRepository,
  image: OciImage,
  to: Omit<ImageReference, 'tag' | 'digest'>,
  {
    tags = [],
    from,
    key = 'models',
    progress = () => {},
  }: {
    readonly tags?: readonly string[];
    readonly from?: string;
    /** Option or key that names the place. */
    readonly key?: string;
    readonly progress?: (text: string | undefined) => void;
  } = {},
): Promise<Pushed> {
  const { manifest, blobs } = image;
  const total = blobs.reduce((sum, { size }) => sum + size, 0);
  let [done, sentBlobs, sentBytes] = [0, 0, 0];
  const tell = (bytes: number): void =>
    progress(
      `Pushing the image to ${to.host} (${Math.round(((done + bytes) / Math.max(1, total)) * 100)} % of ${megabytes(total)})`,
    );
  try {
    const lacking: Blob[] = [];
    for (const blob of blobs) {
      tell(0);
      if (await registry.hasBlob(blob.digest)) done += blob.size;
      else lacking.push(blob);
    }
    for (const blob of lacking) await mustBeWhole(blob, key);
    for (const blob of lacking) {
      const sent = await registry.putBlob(blob, from, tell);
      sentBytes += sent;
      if (sent > 0) sentBlobs += 1;
      done += blob.size;
    }
    for (const reference of tags.length === 0 ? [manifest.digest] : tags)
      await registry.putManifest(reference, manifest);
  } catch (error) {
    throw isRegistryFault(error) ? pushProblem(to, error, key) : error;
  } finally {
    progress(undefined);
  }
  return { digest: manifest.digest, blobs: blobs.length, sentBlobs, sentBytes };
}

/** A package keeps no large layers: these lie in the cache of the machine that packaged it. */
async function mustBeWhole({ digest, size, from }: Blob, key: string): Promise<void> {
  if ('bytes' in from) return;
  const { file } = from;
  const found = (await stat(file).catch(() => undefined))?.size;
  if (found === size) return;
  const what = found === undefined ? 'is gone' : `has ${found} bytes in place of ${size}`;
  throw problemError([
    {
      code: 'MODELS_CACHE',
      key,
      value: file,
      message: `${file} ${what}, and is a layer of the image: ${sizeText(size)}, ${digest}.`,
      fix: 'Package again on this machine: of an image, a package holds only layers of at most 250 MB.',
    },
  ]);
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;

/** What to throw for a fault of the registry. */
export function pushProblem(
  to: Omit<ImageReference, 'tag' | 'digest'>,
  fault: RegistryFault,
  key: string,
): Error {
  const place = referenceText(to);
  const problem: Problem = {
    code: 'MODELS_IMAGE_PUSH',
    key,
    value: place,
    message: `The image cannot be pushed to ${place}: the registry ${fault.message}.`,
    fix: fault.fix ?? FIXES[fault.kind](to.host),
  };
  return problemError([problem], fault);
}

const FIXES: Readonly<Record<RegistryFault['kind'], (host: string) => string>> = {
  refused: (host) => loginFix(host, 'push there'),
  absent: () => 'Make the repository, or name one that is there.',
  unreachable: () => 'Push again, once it answers: what it has already is not sent twice.',
  wrong: () =>
    'Find out what this address serves: a registry has the API of the OCI distribution specification.',
};
