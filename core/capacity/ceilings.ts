import type { BenchCeiling } from './contract.ts';

/** Memory of one vCPU: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
const MB_OF_A_VCPU = 1769;

/** What was used at a rate, as far as it is known. */
export type Used = {
  /** Seconds of processor time in so many seconds. */
  readonly cpu?: number | undefined;
  readonly seconds: number;
  /** MB, the most at once. */
  readonly memory?: number | undefined;
  /** Requests at once: each takes an instance. */
  readonly outstanding?: number | undefined;
  /** Bytes, the largest. */
  readonly request: number;
  readonly answer: number;
};

export type CeilingLimits = {
  /** MB of the function; absent where nobody says. */
  readonly memory?: number | undefined;
  /** Instances at once; absent where nobody says. */
  readonly concurrency?: number | undefined;
  readonly payload: number;
};

/** How near a target is to what it may use; what is not known is left out. */
export function ceilingsOf(
  used: Used,
  { memory, concurrency, payload }: CeilingLimits,
): readonly BenchCeiling[] {
  const { cpu, seconds, outstanding, request, answer } = used;
  return [
    ...(cpu === undefined || memory === undefined || !(seconds > 0)
      ? []
      : [{ name: 'cpu', used: cpu / seconds, limit: memory / MB_OF_A_VCPU, unit: 'vCPU' } as const]),
    ...(used.memory === undefined || memory === undefined
      ? []
      : [{ name: 'memory', used: used.memory, limit: memory, unit: 'MB' } as const]),
    ...(outstanding === undefined || concurrency === undefined
      ? []
      : [{ name: 'concurrency', used: outstanding, limit: concurrency, unit: 'instances' } as const]),
    { name: 'request', used: request / 1024, limit: payload / 1024, unit: 'KB' },
    { name: 'answer', used: answer / 1024, limit: payload / 1024, unit: 'KB' },
  ];
}
