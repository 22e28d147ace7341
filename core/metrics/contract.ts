/** Names of the metrics that endpoints publish, for all who count, judge, alarm and draw. */

/**
 * What the endpoint counts, in CloudWatch. A request is counted once it is answered, however it came; what
 * was refused counts in `rejected` only; crashes and timeouts are seen by `AWS/Lambda` alone. All exist by
 * `[Model]` and by `[Model, Version]`; where nothing happened, there is no point, which means 0.
 */
export const METRICS = {
  namespace: 'ServerlessModels',
  /** Dimensions: the function's name, and its version's number. */
  model: 'Model',
  version: 'Version',
  /** Answered inferences, failed ones included. */
  requests: 'Requests',
  /** Those that the model or the endpoint failed at: 5xx, and what docs/errors.md calls the model's. */
  errors: 'Errors',
  /** Milliseconds in the handler, of answers without error. */
  latency: 'Latency',
  /** The first answer without error of each instance; none where it was primed. It is in no `slow`. */
  coldStart: 'ColdStart',
  /** Answers without error, cold ones left out, beyond each of the slow edges. */
  slow: ['Slow0', 'Slow1', 'Slow2', 'Slow3'],
  /**
   * Requests that were wrong. A version that counts them by `[Model]` only has no `rejected` in its settings.
   */
  rejected: 'Rejected',
  /** `<output><signal>_<score>`: sums over answers without error. */
  output: 'Out_',
  scores: ['a', 'b', 'aa', 'bb', 'ab'],
} as const;

/**
 * `globalThis` has under the symbol of this name who takes an endpoint's lines in place of standard output: a
 * function of whole lines.
 */
export const LINES_TAKER = 'serverless-models.lines';
