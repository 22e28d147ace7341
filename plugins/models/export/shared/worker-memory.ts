import type { From } from '../../../../core/advice/contract.ts';
import { HOST_LIMITS } from '../../../../core/host/contract.ts';
import type { Facts, Model } from '../../declaration/model.ts';

/** What one worker of a model takes, and who says so. */
export type WorkerMemory = {
  /** MB, of 2^20 bytes, as Lambda and the kernel count. */
  readonly mb: number;
  readonly measured: boolean;
  /** Where the number is from, in words. */
  readonly from: string;
};

/** What a bench saw of it. */
export type MeasuredMemory = {
  /** MB at most; absent where nobody reported it. */
  readonly used?: From<number>;
  /** Identity of the artifact that was measured, and sha256 over its source, as far as they are known. */
  readonly identity?: string;
  readonly source?: string;
};

/** Was another artifact measured than that of these facts? */
export const isOfAnother = (
  bench: Pick<MeasuredMemory, 'identity' | 'source'>,
  { identity, source }: Pick<Facts, 'identity' | 'source'>,
): boolean =>
  (bench.identity !== undefined && bench.identity !== identity) ||
  (bench.source !== undefined && bench.source !== source);

/** A measured peak is that of the requests that were sent: others may be larger. */
const HEADROOM = 1.25;

/**
 * MB of Node, and what it has not given back yet. Measured of all of the front: 54 where nothing is asked,
 * 190 to 390 while fifty requests of 6 MB come at once, 498 where 128 MB of answers lie there unread
 * meanwhile; 576 where both bounds are full and 12,000 connections send 15 KB of headers that do not end.
 */
const FRONT_ITSELF = 320;
/** MB of the front: bodies that wait, and answers that nobody takes, have bounds of their own. */
const FRONT_MB = FRONT_ITSELF + (HOST_LIMITS.bodyBytes + HOST_LIMITS.answerBytes) / 1024 / 1024;

/** Kubernetes’ Mi; whole sixteens, so that a small change of a bench changes no file. */
const STEP = 16;

/** The measured memory where it is that of this artifact, else the declared. */
export function workerMemory(
  { memory, name }: Model,
  facts: Pick<Facts, 'identity' | 'source'>,
  bench: MeasuredMemory | undefined,
): WorkerMemory {
  const used = bench?.used;
  const isOther = bench !== undefined && isOfAnother(bench, facts);
  if (used === undefined || isOther) {
    const why = isOther ? 'the last bench was of another artifact' : 'no bench measured it';
    return { mb: memory, measured: false, from: `models.${name}.memory, since ${why}` };
  }
  return { mb: Math.ceil(used.value), measured: true, from: used.from };
}

/** MB of so many workers and the front. */
export function hostMemory({ mb, measured }: WorkerMemory, workers: number): number {
  const all = workers * mb * (measured ? HEADROOM : 1) + FRONT_MB;
  return Math.ceil(all / STEP) * STEP;
}

/** What `hostMemory` is the sum of. */
export function memoryNote({ mb, measured, from }: WorkerMemory, workers: number): string {
  const each = workers === 1 ? 'the worker' : `each of ${workers} workers`;
  return measured
    ? `Measured: ${mb} MB of ${each} at most (${from}), and a quarter more; ${FRONT_MB} MB are the front’s.`
    : `Declared, not measured: ${mb} MB for ${each} (${from}); ${FRONT_MB} MB are the front’s. Run \`sls models bench\` and export again.`;
}
