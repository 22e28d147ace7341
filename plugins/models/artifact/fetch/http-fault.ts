import { tlsFault } from '../../../../core/errors/tls-errors.ts';

/**
 * Why a registry gave nothing: it is not there (or says itself that it cannot now), it refuses, it has no
 * such thing, or it answers what it should not. What is not `unreachable` is the same in a moment.
 */
export type HttpFault = Error & {
  readonly kind: 'unreachable' | 'refused' | 'absent' | 'wrong';
  readonly status?: number;
  /** Milliseconds after which it wants to be asked again. */
  readonly after?: number;
  /** What to do about it, where that is known better than by the kind. */
  readonly fix?: string;
  /** What the reference stands for now, where that was answered before. */
  readonly version?: string;
};

export const isHttpFault = (error: unknown): error is HttpFault =>
  error instanceof Error && error.name === 'HttpFault';

/** @param message the end of a sentence about the registry: "does not answer within 30 s" */
export const httpFault = (
  kind: HttpFault['kind'],
  message: string,
  status?: number,
  fix?: string,
): HttpFault =>
  Object.assign(new Error(message), {
    name: 'HttpFault',
    kind,
    ...(status !== undefined && { status }),
    ...(fix !== undefined && { fix }),
  });

/** Throws an error again, a fault with the version that the reference stands for, as answered before it. */
export function ofVersion(error: unknown, version: string): never {
  throw isHttpFault(error) ? Object.assign(error, { version }) : error;
}

/** @returns the answer; undefined where it was refused, or is none */
export const unlessRefused = (asked: Promise<unknown>): Promise<unknown> =>
  asked.catch((error: unknown) => {
    if (isHttpFault(error) && error.kind !== 'unreachable') return undefined;
    throw error;
  });

/**
 * What became of a question without an answer: only the network’s faults may be gone later. What Node does
 * not send, and whom it does not trust, has to be put right.
 *
 * @param why the code of an error
 */
export function unansweredFault(why: string): HttpFault {
  const tls = tlsFault(why);
  if (tls !== undefined) return httpFault('wrong', tls.message, undefined, tls.fix);
  if (why === 'ERR_INVALID_CHAR')
    return httpFault('refused', 'is not asked: what says who asks has a character that no header may have');
  if (/^ERR_(?:INVALID_(?:URL|PROTOCOL)|UNESCAPED_CHARACTERS)$/.test(why))
    return httpFault('wrong', `is not asked: its address is none over HTTP (${why})`);
  return httpFault('unreachable', `cannot be reached: ${why}`);
}
