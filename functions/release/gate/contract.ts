/** What the gate follows and finds. Shapes only. */

export type GateSettings = {
  /** The case file in the registry, `files/<sha256>`: JSON lines of `{inputs, outputs}`. */
  readonly cases?: { readonly sha256: string; readonly bytes: number; readonly count: number };
  /** Name of a SageMaker endpoint that is asked instead of `outputs`. */
  readonly reference?: string;
  /** Largest difference allowed: |got − expected| ≤ tolerance · max(1, |expected|). */
  readonly tolerance: number;
  /** Requests per second, and seconds. */
  readonly load?: { readonly rate: number; readonly duration: number };
};

/** How far the gate got, and what it found. Values of cases are in `releases/<model>/gate-<release>.json`, never in a reason. */
export type GateState = {
  readonly verdict?: 'pass' | 'fail';
  /** Cases done, of how many, and the 1-based numbers of those that failed (the first 100). */
  readonly done: number;
  readonly count: number;
  readonly failed: readonly number[];
  /** Milliseconds; from the scheduled time of each request. */
  readonly load?: {
    readonly sent: number;
    readonly errors: number;
    readonly p50: number;
    readonly p95: number;
    readonly p99: number;
  };
  /** MB, the largest that any invocation of the gate reported. */
  readonly memory?: number;
  readonly reason?: string;
  /** Another tick leaves the gate alone until then: two loads at once would measure each other. */
  readonly lease?: string;
};
