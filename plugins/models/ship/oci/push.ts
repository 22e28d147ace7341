import { type Problem, problemError } from '../../problems/errors.ts';
import { isRegistryFault, type RegistryFault } from './exchange.ts';
import type { OciImage } from './image.ts';
import { loginFix } from './login.ts';
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
 * Brings an image into a registry: the blobs that it lacks, then the manifest, under its digest and each tag.
 *
 * @param from repository of the same registry that the base came from, which may lend its blobs
 * @throws ProblemError `MODELS_IMAGE_PUSH`
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
    for (const blob of unique(blobs)) {
      tell(0);
      if (!(await registry.hasBlob(blob.digest))) {
        const sent = await registry.putBlob(blob, from, tell);
        sentBytes += sent;
        if (sent > 0) sentBlobs += 1;
      }
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

/** A base may name an empty layer several times. */
const unique = <T extends { readonly digest: string }>(blobs: readonly T[]): readonly T[] => [
  ...new Map(blobs.map((blob) => [blob.digest, blob])).values(),
];

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
