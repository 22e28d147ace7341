import { type BenchPercentile, MEMORY_SHARE, type Objective } from './contract.ts';
import { ascending, quantile } from './order-statistics.ts';
import { benchPercentile } from './percentiles.ts';

/** Which memory size a function should have, of what was measured at several. Times are milliseconds. */

/** What was seen at one size. */
export type MeasuredSize = {
  /** MB. */
  readonly memory: number;
  /** Warm invocations: the function's own time, and what is billed for it. */
  readonly warm: readonly { readonly duration: number; readonly billed: number }[];
  /** INIT phases of the cold starts that were met. */
  readonly cold: readonly number[];
  /** MB, the most that was used. */
  readonly used?: number;
  /** Why it does not run, or not to the end. */
  readonly failed?: string;
};

export type SizeRow = {
  readonly memory: number;
  readonly invocations: number;
  readonly used?: number;
  /** The median INIT phase. */
  readonly init?: number;
} & (
  | { readonly failed: string }
  | {
      /** p50, p95 and the objective's percentile. */
      readonly latency: readonly BenchPercentile[];
      readonly billed: { readonly p50: number; readonly p95: number; readonly mean: number };
      /** Dollars for a million warm requests. */
      readonly million: number;
      /** Absent without an objective. */
      readonly keeps?: boolean;
    }
);

type Ran = Exclude<SizeRow, { readonly failed: string }>;

/** @param price dollars for a million requests of so much memory that are billed so long */
export function sizeRow(
  { memory, warm, cold, used, failed }: MeasuredSize,
  objective: Objective | undefined,
  price: (memory: number, billed: number) => number,
): SizeRow {
  const init = quantile(ascending(cold), 0.5);
  const about = {
    memory,
    invocations: warm.length,
    ...(used !== undefined && { used }),
    ...(cold.length > 0 && { init }),
  };
  if (failed !== undefined) return { ...about, failed };
  if (warm.length === 0) return { ...about, failed: 'no warm invocation was seen' };
  const durations = ascending(warm.map(({ duration }) => duration));
  const billed = ascending(warm.map((one) => one.billed));
  const mean = billed.reduce((sum, one) => sum + one, 0) / billed.length;
  const percentiles = [...new Set([0.5, 0.95, objective?.percentile ?? 0.95])].toSorted((a, b) => a - b);
  const latency = percentiles.map((percentile) => benchPercentile(durations, percentile));
  const row = {
    ...about,
    latency,
    billed: { p50: quantile(billed, 0.5), p95: quantile(billed, 0.95), mean },
    million: price(memory, mean),
  };
  return objective === undefined
    ? row
    : { ...row, keeps: reached(row, objective.percentile) <= objective.ms };
}

/** What a size is held to: with 99 % confidence where there are invocations enough, else what was seen. */
export function reached({ latency }: Pick<Ran, 'latency'>, percentile: number): number {
  const found = latency.find((one) => one.percentile === percentile);
  return found?.bound ?? found?.ms ?? Number.POSITIVE_INFINITY;
}

/** Was more used than the gate lets a version of this size take? It would refuse that. */
export const isFull = ({ memory, used }: Pick<SizeRow, 'memory' | 'used'>): boolean =>
  used !== undefined && used > MEMORY_SHARE * memory;

export type SizeChoice =
  /** The cheapest that keeps the objective, or of all where there is none; full ones are left out. */
  | { readonly kind: 'cheapest'; readonly memory: number }
  /** None keeps it; the fastest is `lacks` milliseconds above it. `memory` is absent where none has room. */
  | { readonly kind: 'none'; readonly memory?: number; readonly lacks?: number };

export function chosenSize(rows: readonly SizeRow[], objective: Objective | undefined): SizeChoice {
  const ran = rows.filter((row): row is Ran => !('failed' in row || isFull(row)));
  const at = objective?.percentile ?? 0.95;
  // Equal ones: the faster one, then the smaller one.
  const [best] = ran
    .filter(({ keeps }) => keeps !== false)
    .toSorted((a, b) => a.million - b.million || reached(a, at) - reached(b, at) || a.memory - b.memory);
  if (best !== undefined) return { kind: 'cheapest', memory: best.memory };
  const [fastest] = ran.toSorted((a, b) => reached(a, at) - reached(b, at) || a.million - b.million);
  if (fastest === undefined || objective === undefined) return { kind: 'none' };
  return { kind: 'none', memory: fastest.memory, lacks: reached(fastest, at) - objective.ms };
}

/** Memory sizes of a function: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
export const SIZE_LIMITS = { lowest: 128, highest: 10_240 } as const;

/** 1,769 MB buy one processor, and a new account may not have more than 3,008. */
const LADDER = [128, 256, 512, 1024, 1769, 3008];

/** For a model whose files none of these holds. */
const LARGE = [4096, 6144, 8192, SIZE_LIMITS.highest];

/**
 * The sizes that are tried where nobody names any; none where no function is large enough.
 * @param least MB that the files of the model take
 */
export function sizeLadder(own: number, least: number): readonly number[] {
  const sizes = [...new Set([...LADDER, own])].filter((size) => size >= least);
  return sizes.length > 0 ? sizes.toSorted((a, b) => a - b) : LARGE.filter((size) => size >= least);
}
