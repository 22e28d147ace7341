/**
 * How good a version is, measured on labelled rows: names, settings and results. Shapes and limits only.
 */

/** An interval of 100,000 rows is three times as narrow as one of 10,000; more cost time, and tell little. */
export const LABELLED_ROWS = 100_000;

/**
 * What can be measured. `of`: what is asked of the model’s answer. `better`: which limit goes with it, `min`
 * where higher is better, `max` where lower is. `share`: it is a share of something, so that percent are
 * points of it.
 */
export const MEASURES = {
  accuracy: { better: 'higher', of: 'classes', share: true },
  auc: { better: 'higher', of: 'score', share: true },
  logLoss: { better: 'lower', of: 'probability', share: false },
  mae: { better: 'lower', of: 'number', share: false },
  rmse: { better: 'lower', of: 'number', share: false },
  r2: { better: 'higher', of: 'number', share: true },
} as const satisfies Readonly<
  Record<
    string,
    {
      readonly better: 'higher' | 'lower';
      readonly of: 'classes' | 'score' | 'probability' | 'number';
      readonly share: boolean;
    }
  >
>;
export type Measure = keyof typeof MEASURES;

/** The place of one among the classes, a number, a text, a flag; a whole number beyond 2⁵³ is a bigint. */
export type Label = number | bigint | string | boolean;

/** What the gate measures, as the template says it. */
export type MetricSettings = {
  /** The labelled rows in the registry, `files/<sha256>`: a request and its labels a line. */
  readonly cases: {
    readonly sha256: string;
    readonly bytes: number;
    readonly rows: number;
    readonly requests: number;
  };
  readonly name: Measure;
  /** The output that is the prediction. */
  readonly output: string;
  /** The least that is good enough, where higher is better; the most, where lower is. */
  readonly min?: number;
  readonly max?: number;
  /** By so much, in the measure’s own unit, it may be worse than the live version. */
  readonly worseThanLive?: number;
  /** Where the rows cannot decide: refuse (absent) or let it pass. */
  readonly onNoData?: 'pass';
};

/** A value, and the interval that has the true one in 95 of 100 samples of rows. */
export type Estimate = { readonly value: number; readonly low: number; readonly high: number };

/**
 * Why these rows tell nothing, as the rest of a sentence: fewer than the interval’s method is good for, or
 * all with one label.
 */
export type Unmeasured = { readonly lacks: string };

/** How a limit and an interval lie to each other. */
export type QualityVerdict = 'pass' | 'fail' | 'nodata';

/** The version beside the live one, on the same rows. */
export type LiveComparison = {
  readonly version: string;
  readonly verdict: QualityVerdict;
  /** What the live version has. */
  readonly value?: number;
  /** The version’s value less the live one’s, and its interval; absent where they cannot be compared. */
  readonly difference?: Estimate;
  /** By so much it may be worse. */
  readonly margin: number;
};

/** The live version, why it could not be asked, and whether it is of the very same artifact. */
export type LiveVersion = { readonly version: string; readonly fault?: string; readonly same?: boolean };

export type MetricResult = {
  readonly verdict: QualityVerdict;
  /** Absent where the rows tell nothing. */
  readonly estimate?: Estimate;
  readonly limit?: { readonly is: 'min' | 'max'; readonly value: number; readonly verdict: QualityVerdict };
  readonly live?: LiveComparison;
  /** For a person; names no value of a row. */
  readonly reason: string;
};

/** How far the rows are scored, and what came out. */
export type MetricState = {
  readonly name: Measure;
  readonly rows: number;
  readonly done: number;
  /** Rows that the version refused, from 1; the first few. */
  readonly refused: readonly number[];
  /** Why the live version could not be asked: then it is compared no more. */
  readonly liveFault?: string;
  readonly result?: MetricResult;
};

/**
 * What each row came to, in order, so that the next slice of a gate goes on from there: 1 for right and 0 for
 * wrong (accuracy), the score (auc), the loss (logLoss), the error (mae, rmse, r2).
 */
export type RowScores = {
  readonly own: readonly number[];
  /** The live version’s, and which that was. */
  readonly live?: { readonly version: string; readonly scores: readonly number[] };
};
