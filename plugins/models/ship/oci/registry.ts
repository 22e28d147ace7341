import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { registryFaultOf } from './answered-fault.ts';
import { authorizationFor, type Logins } from './authorization.ts';
import { challengesOf } from './challenges.ts';
import { type Descriptor, IMAGE_MANIFESTS, INDEXES } from './documents.ts';
import {
  discard,
  exchange,
  isRegistryFault,
  REGISTRY_LIMITS,
  type RegistryLimits,
  type RegistryRequest,
  type Reply,
  reasonOf,
  registryFault,
  repeatedly,
  wholeBody,
} from './exchange.ts';
import { type Blob, digestOfBytes } from './image.ts';
import { nextOf } from './location.ts';
import type { ImageReference } from './reference.ts';
import { uploadBlob } from './upload.ts';

/** A document of a registry, as it came. */
export type FetchedManifest = {
  readonly bytes: Buffer;
  readonly mediaType: string;
  readonly digest: string;
};

/**
 * A repository of a registry, over the protocol that they all speak. Whatever may work in a moment is
 * repeated. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
 *
 * @throws RegistryFault, each of these
 */
export type ImageRepository = {
  /** @param reference tag or digest */
  readonly getManifest: (reference: string) => Promise<FetchedManifest>;
  /** Writes a blob into a file, checked by size and digest. */
  readonly getBlob: (blob: Descriptor, to: string, told?: (bytes: number) => void) => Promise<void>;
  readonly hasBlob: (digest: string) => Promise<boolean>;
  /**
   * Sends a blob.
   *
   * @param from another repository of the same registry that may have it
   * @param told the bytes that are sent, as they go
   * @returns bytes that were sent; those of interrupted attempts count, too
   */
  readonly putBlob: (blob: Blob, from?: string, told?: (bytes: number) => void) => Promise<number>;
  /** @param reference tag or digest */
  readonly putManifest: (
    reference: string,
    document: { readonly bytes: Uint8Array; readonly mediaType: string; readonly digest: string },
  ) => Promise<void>;
};

/**
 * Registries allow four megabytes: https://github.com/opencontainers/distribution-spec, "Pushing Manifests"
 */
const MANIFEST_BYTES = 4 * 1024 * 1024;

/** As many as browsers follow are too many here. */
const REDIRECTS = 5;

/**
 * @param place its repository
 * @param login asked once the registry wants to know who asks; `tokenLogin` for a server of tokens elsewhere
 * @param write also to send
 */
export function openRepository(
  place: Pick<ImageReference, 'url' | 'repository'>,
  {
    login = async () => undefined,
    tokenLogin = async () => undefined,
    write = false,
    limits = REGISTRY_LIMITS,
  }: {
    readonly write?: boolean;
    readonly limits?: RegistryLimits;
  } & Partial<Logins> = {},
): ImageRepository {
  const origin = new URL(place.url);
  const base = `/v2/${place.repository}`;
  const at = (path: string): URL => new URL(`${base}/${path}`, origin);
  let authorization: string | undefined;

  const scopesFor = (from: string | undefined): readonly string[] => {
    const own = `repository:${place.repository}:${write ? 'pull,push' : 'pull'}`;
    return from === undefined ? [own] : [own, `repository:${from}:pull`];
  };

  /**
   * One request with who asks, which nobody but the registry itself is told; asked again where it wants to
   * know.
   */
  const ask = async (question: RegistryRequest, from?: string): Promise<Reply> => {
    const send = (): Promise<Reply> =>
      exchange(
        {
          ...question,
          headers: {
            ...question.headers,
            ...(authorization !== undefined && question.url.origin === origin.origin && { authorization }),
          },
        },
        limits,
      );
    const reply = await send();
    if (reply.status !== 401 || question.url.origin !== origin.origin) return reply;
    const challenges = challengesOf(reply.headers['www-authenticate']);
    if (challenges.length === 0) return reply;
    const next = await authorizationFor(challenges, origin, scopesFor(from), { login, tokenLogin }, limits);
    if (next === undefined || next === authorization) return reply;
    await discard(reply);
    authorization = next;
    return send();
  };

  /** Where redirects lead. Another server is not told who asks. */
  const follow = async (question: RegistryRequest, left = REDIRECTS): Promise<Reply> => {
    const reply = await ask(question);
    const { location } = reply.headers;
    if (![301, 302, 303, 307, 308].includes(reply.status) || location === undefined) return reply;
    await discard(reply);
    if (left === 0) throw registryFault('wrong', 'sends on from one address to the next');
    return follow({ ...question, url: nextOf(question.url, location) }, left - 1);
  };

  const fetchManifest = async (reference: string): Promise<FetchedManifest> => {
    const accept = [...IMAGE_MANIFESTS, ...INDEXES].join(', ');
    const reply = await follow({ method: 'GET', url: at(`manifests/${reference}`), headers: { accept } });
    if (reply.status !== 200) throw await registryFaultOf(reply);
    const bytes = await wholeBody(reply, MANIFEST_BYTES);
    const mediaType = (reply.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
    const digest = digestOfBytes(bytes);
    if (reference.startsWith('sha256:') && reference !== digest)
      throw registryFault('wrong', `answers with a manifest whose digest is ${digest}`);
    return { bytes, mediaType, digest };
  };

  const getManifest: ImageRepository['getManifest'] = (reference) =>
    repeatedly(limits, () => fetchManifest(reference));

  /** Who may push need not be allowed to pull: then this is not known, and it is sent again. */
  const isNamed = (reference: string, digest: string): Promise<boolean> =>
    fetchManifest(reference).then(
      (found) => found.digest === digest,
      (error: unknown) => {
        if (!isRegistryFault(error) || error.kind === 'unreachable') throw error;
        return false;
      },
    );

  const getBlob: ImageRepository['getBlob'] = ({ digest, size }, to, told = () => {}) =>
    repeatedly(limits, async () => {
      const reply = await follow({ method: 'GET', url: at(`blobs/${digest}`) });
      if (reply.status !== 200) throw await registryFaultOf(reply);
      await mkdir(dirname(to), { recursive: true });
      const hash = createHash('sha256');
      let got = 0;
      const counted = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          got += chunk.length;
          hash.update(chunk);
          told(got);
          done(
            got > size ? registryFault('wrong', `sends more than the ${size} bytes of ${digest}`) : null,
            chunk,
          );
        },
      });
      await pipeline(reply.stream, counted, createWriteStream(to)).catch((error: unknown) => {
        if (isRegistryFault(error) || isOfDisk(error)) throw error;
        throw registryFault(
          'unreachable',
          `ends after ${got} of ${size} bytes of ${digest}: ${reasonOf(error)}`,
        );
      });
      if (got < size) throw registryFault('unreachable', `ends after ${got} of ${size} bytes of ${digest}`);
      const found = `sha256:${hash.digest('hex')}`;
      if (found !== digest)
        throw registryFault('wrong', `sends a blob for ${digest} whose digest is ${found}`);
    });

  const isThere = async (digest: string): Promise<boolean> => {
    const reply = await follow({ method: 'HEAD', url: at(`blobs/${digest}`) });
    if (reply.status !== 200 && reply.status !== 404) throw await registryFaultOf(reply);
    await discard(reply);
    return reply.status === 200;
  };

  const hasBlob: ImageRepository['hasBlob'] = (digest) => repeatedly(limits, () => isThere(digest));

  const putBlob: ImageRepository['putBlob'] = (blob, from, told = () => {}) =>
    uploadBlob({ ask, at, isThere, repository: place.repository, limits }, blob, from, told);

  const putManifest: ImageRepository['putManifest'] = (reference, { bytes, mediaType, digest }) =>
    repeatedly(limits, async () => {
      const url = at(`manifests/${reference}`);
      const reply = await ask({ method: 'PUT', url, payload: { bytes, type: mediaType } });
      if (reply.status !== 201) {
        const fault = await registryFaultOf(reply);
        // Registries whose tags are immutable refuse one that is there, although it is this image: by an
        // earlier push, or by this one, whose answer was lost.
        if (fault.kind === 'wrong' && (await isNamed(reference, digest))) return;
        throw fault;
      }
      const found = reply.headers['docker-content-digest'];
      await discard(reply);
      if (typeof found === 'string' && found !== digest)
        throw registryFault('wrong', `keeps the manifest as ${found}, and was sent ${digest}`);
    });

  return { getManifest, getBlob, hasBlob, putBlob, putManifest };
}

const isOfDisk = (error: unknown): boolean =>
  error instanceof Error && 'syscall' in error && ['open', 'write'].includes(String(error.syscall));
