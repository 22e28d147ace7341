import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { authorizationFor, challengeOf } from './authorization.ts';
import type { RegistryLogin } from './docker-login.ts';
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
  registryFaultOf,
  repeatedly,
  wholeBody,
} from './exchange.ts';
import { type Blob, digestOfBytes } from './image.ts';
import type { ImageReference } from './reference.ts';

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
 * @param login asked once the registry wants to know who asks
 * @param write also to send
 */
export function openRepository(
  place: Pick<ImageReference, 'url' | 'repository'>,
  {
    login = async () => undefined,
    write = false,
    limits = REGISTRY_LIMITS,
  }: {
    readonly login?: () => Promise<RegistryLogin | undefined>;
    readonly write?: boolean;
    readonly limits?: RegistryLimits;
  } = {},
): ImageRepository {
  const origin = new URL(place.url);
  const base = `/v2/${place.repository}`;
  const at = (path: string): URL => new URL(`${base}/${path}`, origin);
  let authorization: string | undefined;

  const scopesFor = (from: string | undefined): string => {
    const own = `repository:${place.repository}:${write ? 'pull,push' : 'pull'}`;
    return from === undefined ? own : `${own} repository:${from}:pull`;
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
    const challenge = challengeOf(reply.headers['www-authenticate']);
    if (challenge === undefined) return reply;
    const next = await authorizationFor(challenge, origin, scopesFor(from), await login(), limits);
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

  const getManifest: ImageRepository['getManifest'] = (reference) =>
    repeatedly(limits, async () => {
      const accept = [...IMAGE_MANIFESTS, ...INDEXES].join(', ');
      const reply = await follow({ method: 'GET', url: at(`manifests/${reference}`), headers: { accept } });
      if (reply.status !== 200) throw await registryFaultOf(reply);
      const bytes = await wholeBody(reply, MANIFEST_BYTES);
      const mediaType = (reply.headers['content-type'] ?? '').split(';')[0]?.trim() ?? '';
      const digest = digestOfBytes(bytes);
      if (reference.startsWith('sha256:') && reference !== digest)
        throw registryFault('wrong', `answers with a manifest whose digest is ${digest}`);
      return { bytes, mediaType, digest };
    });

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

  const putBlob: ImageRepository['putBlob'] = async (blob, from, told = () => {}) => {
    let sent = 0;
    /** An upload that was interrupted, and may go on. */
    let begun: URL | undefined;
    await repeatedly(limits, async (attempt) => {
      // Only the answer may have been lost.
      if (attempt > 1 && (await isThere(blob.digest))) return;
      const resumed = begun === undefined ? undefined : await standing(begun);
      begun = undefined;
      const open = resumed ?? (await start(blob.digest, from));
      if (open === 'mounted') return;
      begun = open.url;
      let reached = open.start;
      try {
        begun = await sendFrom(blob, open, (bytes) => {
          sent += bytes;
          reached += bytes;
          told(reached);
        });
        await finish(begun, blob.digest);
      } catch (error) {
        if (resumed === undefined || !isRegistryFault(error) || error.kind === 'refused') throw error;
        // What the registry kept of it may not be what was sent: from the start, then.
        begun = error.kind === 'unreachable' ? begun : undefined;
        throw registryFault('unreachable', error.message, error);
      }
    });
    return sent;
  };

  /** Begins an upload, unless the registry takes the blob from another repository of its own. */
  const start = async (digest: string, from: string | undefined): Promise<Upload | 'mounted'> => {
    const url = at('blobs/uploads/');
    if (from !== undefined && from !== place.repository) {
      url.searchParams.set('mount', digest);
      url.searchParams.set('from', from);
    }
    const reply = await ask({ method: 'POST', url }, from);
    if (reply.status === 201) {
      await discard(reply);
      return 'mounted';
    }
    if (reply.status !== 202) throw await registryFaultOf(reply);
    return { url: await locationOf(reply), start: 0 };
  };

  /**
   * How much of an upload the registry has kept; undefined where it has forgotten it, or has nothing of it.
   */
  const standing = async (url: URL): Promise<Upload | undefined> => {
    const reply = await ask({ method: 'GET', url });
    const [, end] = /^(?:bytes=)?0-(\d+)$/.exec(reply.headers.range ?? '') ?? [];
    await discard(reply);
    // `0-0` is what many say of nothing.
    if (reply.status !== 204 || end === undefined || end === '0') return undefined;
    return { url: nextOf(url, reply.headers.location ?? url.href), start: Number(end) + 1 };
  };

  const sendFrom = async (blob: Blob, open: Upload, told: (bytes: number) => void): Promise<URL> => {
    const { start: first, url } = open;
    const left = Math.max(0, blob.size - first);
    const payload =
      'bytes' in blob.from
        ? { bytes: blob.from.bytes.subarray(first) }
        : { file: blob.from.file, start: first, size: left };
    const headers = first === 0 ? {} : { 'content-range': `${first}-${blob.size - 1}` };
    const reply = await ask({ method: 'PATCH', url, headers, payload, sent: told });
    if ('bytes' in blob.from) told(left);
    // 201 is what ECR says of it.
    if (![201, 202, 204].includes(reply.status)) throw await registryFaultOf(reply);
    return locationOf(reply);
  };

  const finish = async (url: URL, digest: string): Promise<void> => {
    const closing = new URL(url);
    closing.searchParams.set('digest', digest);
    const reply = await ask({ method: 'PUT', url: closing, patience: limits.checking });
    if (reply.status !== 201 && reply.status !== 204) throw await registryFaultOf(reply);
    await discard(reply);
  };

  const putManifest: ImageRepository['putManifest'] = (reference, { bytes, mediaType, digest }) =>
    repeatedly(limits, async () => {
      const url = at(`manifests/${reference}`);
      const reply = await ask({ method: 'PUT', url, payload: { bytes, type: mediaType } });
      if (reply.status !== 201) throw await registryFaultOf(reply);
      const found = reply.headers['docker-content-digest'];
      await discard(reply);
      if (typeof found === 'string' && found !== digest)
        throw registryFault('wrong', `keeps the manifest as ${found}, and was sent ${digest}`);
    });

  return { getManifest, getBlob, hasBlob, putBlob, putManifest };
}

/** Where to send the rest of a blob, and from which byte on. */
type Upload = { readonly url: URL; readonly start: number };

async function locationOf(reply: Reply): Promise<URL> {
  await discard(reply);
  const { location } = reply.headers;
  if (location === undefined)
    throw registryFault('wrong', `answers ${reply.status} without saying where to go on`);
  return nextOf(reply.url, location);
}

function nextOf(from: URL, location: string): URL {
  if (!URL.canParse(location, from.href)) throw registryFault('wrong', 'sends on to what is no address');
  const to = new URL(location, from);
  if (from.protocol === 'https:' && to.protocol !== 'https:')
    throw registryFault('wrong', `sends on from HTTPS to ${to.protocol.slice(0, -1)}`);
  return to;
}

const isOfDisk = (error: unknown): boolean =>
  error instanceof Error && 'syscall' in error && ['open', 'write'].includes(String(error.syscall));
