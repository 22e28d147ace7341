/** What a bench measures and keeps. Times are milliseconds where nothing else is written. */

/** MLPerf's scenarios, in its words: https://github.com/mlcommons/inference_policies */
export const SCENARIOS = ['SingleStream', 'Server', 'Offline'] as const;
export type Scenario = (typeof SCENARIOS)[number];

/** Share of a function's memory above which the next larger request may be the one that dies. */
export const MEMORY_SHARE = 0.95;

/** `wrong`: another answer than expected; `late`: none within the patience. */
export type BenchOutcome = 'ok' | 'wrong' | 'refused' | 'failed' | 'late';

/** How one request ended, as far as whoever sent it can tell. */
export type BenchAnswer = {
  readonly outcome: BenchOutcome;
  /** It started an instance. */
  readonly cold: boolean;
  /** What Lambda says that the start took: its INIT phase. */
  readonly init?: number;
  /** The function's own time, which has no network in it. */
  readonly duration?: number;
  /** MB that it took at most. */
  readonly memory?: number;
  readonly bytes?: number;
};

/** An objective: this share of the requests within so many milliseconds. */
export type Objective = { readonly percentile: number; readonly ms: number };

export type BenchPercentile = {
  readonly percentile: number;
  readonly ms: number;
  /** By MLPerf's early stopping, where there are requests enough. */
  readonly bound?: number;
  /** Requests that the bound needs, where there are not. */
  readonly needs?: number;
};

/** Why a run is not valid. `kind` is stable. */
export type BenchFault = {
  readonly kind: 'interrupted' | 'generator' | 'errors' | 'backlog' | 'falling' | 'queries' | 'objective';
  readonly words: string;
};

export type BenchCeiling = {
  readonly name: 'cpu' | 'memory' | 'concurrency' | 'request' | 'answer';
  readonly used: number;
  readonly limit: number;
  readonly unit: string;
};

export type ScenarioResult = {
  readonly scenario: Scenario;
  readonly verdict: 'VALID' | 'INVALID';
  readonly faults: readonly BenchFault[];
  /** Seconds that were measured, of all runs together. */
  readonly seconds: number;
  readonly requests: number;
  readonly outcomes: Readonly<Record<BenchOutcome | 'unsent', number>>;
  /** Requests that met a cold start; they are not in the percentiles. */
  readonly cold: {
    readonly count: number;
    readonly median?: number;
    readonly max?: number;
    /** Median of Lambda's INIT phase, where it is reported. */
    readonly init?: number;
  };
  readonly percentiles: readonly BenchPercentile[];
  readonly mean: number;
  /** Latency by share of the requests: what the picture of the distribution is drawn from. */
  readonly distribution: readonly (readonly [share: number, ms: number])[];
  /** Requests a second that were to be sent; absent where each waits for the one before. */
  readonly rate?: number;
  /** Rows a second that were answered rightly. */
  readonly samples: number;
  readonly sustained: { readonly ratio?: number; readonly rate: number };
  readonly lateness: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly objective?: Objective;
  /** By repeated runs with different seeds. */
  readonly promised?: {
    readonly percentile: number;
    readonly seeds: readonly number[];
    readonly runs: readonly number[];
    readonly upper?: number;
    readonly lower?: number;
    /** Why there is no bound. */
    readonly without?: string;
  };
  /** Most requests that were out at once. */
  readonly outstanding: number;
  /** Bytes of the largest answer. */
  readonly bytes: number;
  /** MB, the most that any request reported. */
  readonly memory?: number;
  /** The function's own time of a request, on average; absent where nobody reports it. */
  readonly duration?: number;
  readonly ceilings: readonly BenchCeiling[];
};

export type BenchCurve = {
  readonly objective?: Objective;
  readonly points: readonly {
    readonly rate: number;
    readonly answered: number;
    readonly mean?: number;
    readonly latency?: number;
    readonly upper?: number;
    readonly keptUp: boolean;
  }[];
  readonly knee?: number;
  /** The largest rate whose upper bound keeps the objective. */
  readonly capacity?: number;
  /** How near to its limits the target was at that rate, and whether it held it. */
  readonly atCapacity?: Pick<ScenarioResult, 'ceilings' | 'samples' | 'sustained'>;
};

/** `bench.json`. */
export type BenchDocument = {
  readonly schema: 1;
  /** Never a result of MLPerf: nobody submitted or reviewed it. */
  readonly kind: 'MLPerf-like';
  readonly model: string;
  /** ISO. */
  readonly at: string;
  readonly plugin: string;
  readonly strict: boolean;
  /** Ended by a person before all was measured. */
  readonly interrupted: boolean;
  readonly target: {
    readonly kind: 'here' | 'url' | 'function';
    readonly name: string;
    readonly version?: string;
    readonly identity?: string;
    readonly memory?: number;
    readonly architecture?: string;
  };
  readonly machine: Readonly<Record<string, string>>;
  readonly asked: { readonly from: string; readonly requests: number; readonly bytes: number };
  /** The very first answer; `start`: until the process was ready that was started for it. */
  readonly first?: { readonly answer: number; readonly start?: number };
  readonly scenarios: readonly ScenarioResult[];
  readonly curve?: BenchCurve;
  /** Dollars for a million rows, by cause. */
  readonly million?: {
    readonly total: number;
    readonly rate?: number;
    readonly duration: number;
    readonly from: string;
  };
};
