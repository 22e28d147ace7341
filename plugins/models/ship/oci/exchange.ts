import { createReadStream } from 'node:fs';
import { type IncomingHttpHeaders, type IncomingMessage, request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { tlsFault } from '../../../../core/errors/tls-errors.ts';
import { isProxyFault, PROXY_FIX, proxied } from '../../network/proxied.ts';

/**
 * One request and its answer. Not by `fetch`: Node's ends the whole process where a server closes the
 * connection before everything that it sent is read. https://github.com/nodejs/undici/issues/5360
 */

/** Bytes to send: in memory, or of a file from a place on. */
type Payload =
  | { readonly bytes: Uint8Array; readonly type?: string }
  | { readonly file: string; readonly start: number; readonly size: number; readonly type?: string };

export type RegistryRequest = {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly payload?: Payload;
  /** What the payload tells of who asks. */
  readonly secrets?: readonly string[];
  /** Called with the bytes of each piece of a file that goes out. */
  readonly sent?: (bytes: number) => void;
  /** Milliseconds without a byte in either direction; else that of the limits. */
  readonly patience?: number;
};

export type Reply = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The address that answered, and what it was told of who asks. */
  readonly url: URL;
  readonly told: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  /** To be read or destroyed. */
  readonly stream: IncomingMessage;
};

/**
 * Why a registry gave or took nothing: it cannot be reached or says itself that it cannot now, it refuses, it
 * has no such thing, or it answers what it should not.
 */
export type RegistryFault = Error & {
  readonly kind: 'unreachable' | 'refused' | 'absent' | 'wrong';
  readonly status?: number;
  /** Milliseconds after which it wants to be asked again. */
  readonly after?: number;
  /** What to do about it, where that is known better than by the kind. */
  readonly fix?: string;
};

export const isRegistryFault = (error: unknown): error is RegistryFault =>
  error instanceof Error && error.name === 'RegistryFault';

/** @param message the end of a sentence about the registry: "does not answer within 30 s" */
export const registryFault = (
  kind: RegistryFault['kind'],
  message: string,
  {
    status,
    after,
    fix,
    cause,
  }: Pick<RegistryFault, 'status' | 'after' | 'fix'> & { readonly cause?: unknown } = {},
): RegistryFault =>
  Object.assign(new Error(message, { cause }), {
    name: 'RegistryFault',
    kind,
    ...(status !== undefined && { status }),
    ...(after !== undefined && { after }),
    ...(fix !== undefined && { fix }),
  });

/** Milliseconds and counts. */
export const REGISTRY_LIMITS = {
  /** Without a byte in either direction. */
  patience: 30_000,
  /** The same where a registry has to read or write a whole blob before it answers. */
  checking: 300_000,
  attempts: 5,
  /** Before the second attempt; each further one waits twice as long. */
  pause: 500,
  /** The longest wait that a registry may ask for. */
  longest: 60_000,
};
export type RegistryLimits = typeof REGISTRY_LIMITS;

/** Bytes that are read of a file at once. */
const PIECE = 256 * 1024;

/** @throws RegistryFault `unreachable` where there is no whole answer */
export function exchange(question: RegistryRequest, limits: RegistryLimits): Promise<Reply> {
  const { method, url, headers = {}, payload, secrets = [], patience = limits.patience } = question;
  const size = payload === undefined ? 0 : 'bytes' in payload ? payload.bytes.length : payload.size;
  const request = url.protocol === 'https:' ? overHttps : overHttp;
  return new Promise((resolve, reject) => {
    const agent = proxied();
    const sent = request(url, {
      method,
      ...(agent && { agent }),
      headers: {
        'user-agent': 'serverless-models',
        ...headers,
        ...(payload !== undefined && { 'content-type': payload.type ?? 'application/octet-stream' }),
        ...(method !== 'GET' && method !== 'HEAD' && { 'content-length': String(size) }),
      },
    });
    const unreachable = (error: Error): void => reject(isRegistryFault(error) ? error : faultOf(error));
    let silence = patience;
    const late = (): void => {
      sent.destroy(registryFault('unreachable', `sends and takes nothing for ${silence / 1000} s`));
    };
    sent.setTimeout(patience, late);
    sent.on('error', unreachable);
    const file =
      payload !== undefined && 'file' in payload && payload.size > 0
        ? createReadStream(payload.file, {
            start: payload.start,
            end: payload.start + payload.size - 1,
            highWaterMark: PIECE,
          })
        : undefined;
    sent.once('response', (stream) => {
      // A server may answer before it has read everything: then it wants no more of it.
      file?.destroy();
      // Node has nobody look at its connection any more, which would be open as long as the server leaves it.
      stream.once('close', () => {
        if (!sent.writableFinished) sent.destroy();
      });
      const { statusCode: status = 0, headers: answered } = stream;
      resolve({ status, headers: answered, url, told: headers, secrets, stream });
    });
    if (file === undefined) {
      sent.end(payload !== undefined && 'bytes' in payload ? payload.bytes : undefined);
      return;
    }
    // What cannot be read of the disk is no fault of the registry.
    file.once('error', (error) => {
      sent.removeListener('error', unreachable);
      sent.on('error', () => {});
      sent.destroy();
      reject(error);
    });
    if (question.sent !== undefined) {
      const { sent: note } = question;
      file.on('data', (chunk) => note(chunk.length));
    }
    // What it has whole it may have to write somewhere else first: a server before it passes it on only now.
    sent.once('finish', () => {
      silence = Math.max(patience, limits.checking);
      sent.setTimeout(silence);
    });
    file.pipe(sent);
    sent.once('close', () => file.destroy());
  });
}

/** What became of a request without an answer. */
function faultOf(error: Error): RegistryFault {
  const why = reasonOf(error);
  const tls = tlsFault(why);
  if (tls !== undefined) return registryFault('wrong', tls.message, { fix: tls.fix, cause: error });
  if (isProxyFault(error))
    return registryFault('wrong', `cannot be reached: ${why}`, { fix: PROXY_FIX, cause: error });
  return registryFault('unreachable', `cannot be reached: ${why}`);
}

/** @throws RegistryFault where it is longer, or breaks off */
export async function wholeBody({ stream }: Reply, most: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > most) throw registryFault('wrong', `answers with more than ${most} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    throw isRegistryFault(error) ? error : registryFault('unreachable', `breaks off: ${reasonOf(error)}`);
  }
  return Buffer.concat(chunks);
}

/** Reads what nobody needs, so that the connection can be used again. */
export async function discard(reply: Reply): Promise<void> {
  await wholeBody(reply, 1024 * 1024).catch(() => reply.stream.destroy());
}

/**
 * Repeats what may work in a moment; what is refused is not asked for again.
 *
 * @param work is given a function by which it says that the attempts before were of use: they do not count
 */
export async function repeatedly<T>(
  limits: RegistryLimits,
  work: (attempt: number, further: () => void) => Promise<T>,
): Promise<T> {
  let failures = 0;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(attempt, () => {
        failures = 0;
      });
    } catch (error) {
      failures += 1;
      if (!isRegistryFault(error) || error.kind !== 'unreachable' || failures >= limits.attempts) throw error;
      const own = limits.pause * 2 ** (failures - 1);
      await sleep(Math.min(limits.longest, Math.max(own, error.after ?? 0)));
    }
  }
}

export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return code ?? error.message;
}
