import { registryFaultOf } from './answered-fault.ts';
import {
  discard,
  isRegistryFault,
  type RegistryLimits,
  type RegistryRequest,
  type Reply,
  registryFault,
  repeatedly,
} from './exchange.ts';
import type { Blob } from './image.ts';
import { nextOf, toldLocation } from './location.ts';

/** What an upload needs of its repository. */
type Around = {
  /** @param from another repository that the question is about, too */
  readonly ask: (question: RegistryRequest, from?: string) => Promise<Reply>;
  /** @param path below the repository */
  readonly at: (path: string) => URL;
  readonly isThere: (digest: string) => Promise<boolean>;
  readonly repository: string;
  readonly limits: RegistryLimits;
};

/** Bytes that a registry must have kept more than the last time, so that going on is worth while. */
const FURTHER = 64 * 1024;

/** Where to send the rest of a blob, and from which byte on. */
type Upload = { readonly url: URL; readonly start: number };

/**
 * Sends a blob. What is interrupted goes on from where the registry says that it stands.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks
 *
 * @param from another repository of the same registry that may have it
 * @returns bytes that were sent; those of interrupted attempts count, too
 */
export async function uploadBlob(
  around: Around,
  blob: Blob,
  from: string | undefined,
  told: (bytes: number) => void,
): Promise<number> {
  const { limits, isThere } = around;
  let sent = 0;
  /** An upload that was interrupted, and may go on. */
  let begun: URL | undefined;
  /** Bytes that the registry has kept of it. */
  let kept = 0;
  await repeatedly(limits, async (attempt, further) => {
    // Only the answer may have been lost.
    if (attempt > 1 && (await isThere(blob.digest))) return;
    const resumed = begun === undefined ? undefined : await standing(around, begun);
    begun = undefined;
    if (resumed !== undefined && resumed.start >= kept + FURTHER) further();
    kept = Math.max(kept, resumed?.start ?? 0);
    const open = resumed ?? (await start(around, blob.digest, from));
    if (open === 'mounted') return;
    begun = open.url;
    let reached = open.start;
    try {
      // With all of its bytes there, nothing is left that could be named as a range.
      if (resumed?.start !== blob.size)
        begun = await sendFrom(around, blob, open, (bytes) => {
          sent += bytes;
          reached += bytes;
          told(reached);
        });
      await finish(around, begun, blob.digest);
    } catch (error) {
      if (resumed === undefined || !isRegistryFault(error) || error.kind === 'refused') throw error;
      // What the registry kept of it may not be what was sent: from the start, then.
      begun = error.kind === 'unreachable' ? begun : undefined;
      throw registryFault('unreachable', error.message, error);
    }
  });
  return sent;
}

/**
 * Begins an upload, unless the registry takes the blob from another repository of its own. Who may send here
 * need not be allowed to read there, which registries refuse, or servers of tokens: then it is sent.
 */
async function start(around: Around, digest: string, from: string | undefined): Promise<Upload | 'mounted'> {
  if (from === undefined || from === around.repository) return begin(around, digest);
  return begin(around, digest, from).catch((error: unknown) => {
    if (!isRegistryFault(error) || error.kind === 'unreachable') throw error;
    return begin(around, digest);
  });
}

async function begin({ ask, at }: Around, digest: string, from?: string): Promise<Upload | 'mounted'> {
  const url = at('blobs/uploads/');
  if (from !== undefined) {
    url.searchParams.set('mount', digest);
    url.searchParams.set('from', from);
  }
  const reply = await ask({ method: 'POST', url }, from);
  if (reply.status === 201) {
    await discard(reply);
    return 'mounted';
  }
  if (reply.status !== 202) throw await registryFaultOf(reply);
  return { url: await toldLocation(reply), start: 0 };
}

/**
 * How much of an upload the registry has kept; undefined where it has forgotten it, or has nothing of it.
 */
async function standing({ ask }: Around, url: URL): Promise<Upload | undefined> {
  const reply = await ask({ method: 'GET', url });
  const [, end] = /^(?:bytes=)?0-(\d+)$/.exec(reply.headers.range ?? '') ?? [];
  await discard(reply);
  // `0-0` is what many say of nothing.
  if (reply.status !== 204 || end === undefined || end === '0') return undefined;
  return { url: nextOf(url, reply.headers.location ?? url.href), start: Number(end) + 1 };
}

async function sendFrom(
  { ask }: Around,
  blob: Blob,
  open: Upload,
  told: (bytes: number) => void,
): Promise<URL> {
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
  return toldLocation(reply);
}

async function finish({ ask, limits }: Around, url: URL, digest: string): Promise<void> {
  const closing = new URL(url);
  closing.searchParams.set('digest', digest);
  const reply = await ask({ method: 'PUT', url: closing, patience: limits.checking });
  if (reply.status !== 201 && reply.status !== 204) throw await registryFaultOf(reply);
  await discard(reply);
}
