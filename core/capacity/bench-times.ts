import type { BenchDocument } from './contract.ts';

/** What a bench of a deployed version says of a request's time. Milliseconds. */
export type BenchTimes = {
  /** The function's own time of a warm request, else what its callers waited. */
  readonly duration?: number;
  readonly isLambdas: boolean;
  /** INIT of a cold start; not known where none was met. */
  readonly init?: number;
};

export function benchTimes({ scenarios }: Pick<BenchDocument, 'scenarios'>): BenchTimes {
  const server = scenarios.find(({ scenario }) => scenario === 'Server');
  const single = scenarios.find(({ scenario }) => scenario === 'SingleStream');
  const told = server?.duration ?? single?.duration;
  // What waited for others, or failed, took as long as there were others.
  const isWaiting = server?.faults?.some(({ kind }) => kind === 'backlog' || kind === 'errors') === true;
  const seen = [told, single?.mean, isWaiting ? undefined : server?.mean];
  const duration = seen.find((one) => one !== undefined && one > 0);
  const inits = scenarios.flatMap(({ cold }) => (cold.init === undefined ? [] : [cold.init]));
  // Benches that were kept before INIT was: what a cold request took, less what a warm one takes.
  const waited = scenarios.flatMap(({ cold }) => (cold.median === undefined ? [] : [cold.median]));
  const init =
    inits.length > 0
      ? Math.max(...inits)
      : waited.length > 0
        ? Math.max(0, Math.max(...waited) - (duration ?? 0))
        : undefined;
  return {
    ...(duration !== undefined && { duration }),
    isLambdas: told !== undefined,
    ...(init !== undefined && { init }),
  };
}
