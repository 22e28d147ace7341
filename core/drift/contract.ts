/**
 * What the build side, the endpoint and the monitor agree on about drift. No behaviour here. Method and
 * formulas: docs/drift.md.
 */

/** Equal parts of the reference data that a numeric signal is cut into; there is one knot more. */
export const PARTS = 120;

/**
 * Reference data, boiled down when packaged: no row of it leaves the machine. The registry keeps it by
 * content, as a file whose name is its digest, where monitor and reports read it; the endpoint has its
 * signals in the manifest.
 */
export type Baseline = {
  readonly schema: 1;
  /** sha256 (hex) of the file that it was built from. */
  readonly source: string;
  /** Rows of that file. */
  readonly rows: number;
  /** Inputs first, in the model's order, then outputs. */
  readonly signals: readonly Signal[];
};

/** What an endpoint scores. */
export type ScoredBaseline = {
  /** sha256 (hex) of the baseline's JSON: two versions score alike where it is equal. */
  readonly baseline: string;
  /** The inputs' sums are metrics, too, for native alarms. */
  readonly native: boolean;
  /** Share (above 0) of the requests that are scored, where not all are. */
  readonly sample?: number;
  readonly signals: readonly Signal[];
};

export type Signal = NumericSignal | CategorySignal;

type Common = {
  /** Part of metrics' names: letters, digits and _, unique in the baseline. */
  readonly name: string;
  /** What people call it: the column's name. */
  readonly label: string;
  readonly of: 'input' | 'output';
  /** The tensor of the graph, and the position in its last dimension; 0 for what is of a whole row. */
  readonly tensor: string;
  readonly column: number;
  /**
   * Rows of the reference that were looked at for it, where not all were: a slow model is not run on every
   * one.
   */
  readonly rows?: number;
  /** Those of them without a value (absent, or not finite). `rows − nulls` is the m of the formulas. */
  readonly nulls: number;
  /**
   * Overdispersion of the reference's own windows, at least 1: data in order of place or season differ from
   * window to window.
   */
  readonly phi: number;
  /**
   * The same of how many rows of a window have no value, where that is clearly more: they come in bursts.
   * Absent in baselines of earlier versions.
   */
  readonly nullsPhi?: number;
  /** Rows of the reference in each cell; cells are numbered as here. */
  readonly counts: readonly number[];
  /** The output's K values are logits; else probabilities. */
  readonly logits?: boolean;
};

export type NumericSignal = Common & {
  readonly kind: 'numeric';
  /**
   * What is taken of a row: one element; of all of a wide row Euclidean norm, mean or standard deviation, or
   * what `components` leave of it; of an output's K values the greatest's probability or the entropy of all
   * over ln K, or its only value.
   */
  readonly value: 'element' | 'norm' | 'mean' | 'sd' | 'residual' | 'confidence' | 'entropy' | 'prediction';
  /** Only where the value is `residual`. */
  readonly components?: Components;
  /** PARTS + 1 quantiles, ascending; equal ones are an atom. */
  readonly knots: readonly number[];
  /**
   * Score constants: h₁ = (u−mean)/sd; h₂ = ((u−mean)² − sd² − skew·h₁)/spread. `spread` 0: two values only,
   * h₂ = 0. `sd` 0: constant, no scores.
   */
  readonly mean: number;
  readonly sd: number;
  readonly skew: number;
  readonly spread: number;
  /**
   * Upper edges of all cells but the last, ascending: deciles, equal ones merged. A value is in the first
   * cell whose edge is not below it. A constant has two, the number before it and itself, so that what is
   * below has a cell of its own; in baselines of earlier versions it has itself only.
   */
  readonly edges: readonly number[];
};

/** Elements of a wide row that its residual is taken of: of more, one out of each of so many stretches. */
export const MOST_TAKEN = 1024;

/** Principal components of the elements taken. Numbers are of 32 bits, the lowest byte first, in base64. */
export type Components = {
  /** Elements of a whole row; one of another width has no residual. */
  readonly width: number;
  /** Mean of each element taken, and one over its standard deviation; 0 of a constant. */
  readonly mean: string;
  readonly scale: string;
  /** Unit vectors, one after the other. */
  readonly axes: string;
};

export type CategorySignal = Common & {
  readonly kind: 'category';
  /** What is taken of a row: one element; of an output's K values the number of the greatest. */
  readonly value: 'element' | 'label';
  /**
   * The most frequent ones, or some of those about as frequent, by their text (numbers as JavaScript writes
   * them). Then come two more cells: other known ones, and unseen ones, in the reference the rows whose
   * category no other row has and `values` has not (in baselines of earlier versions none).
   */
  readonly values: readonly string[];
  /** The known ones beyond `values`. */
  readonly rare: readonly string[];
};

/** Share of the requests that is scored at least: a line stands for a thousand then. */
export const LEAST_SAMPLE = 0.001;

/** Categories that have a cell of their own. */
export const OWN_CELLS = 8;

/**
 * One line a request in the endpoint's log, from which monitor and reports count. Sums and counts of a
 * request's rows, which tell a single row nearly (SECURITY.md). What was not answered has no line.
 */
export type DriftLine = {
  /** The baseline's digest: marks the line, and says what the numbers are of. */
  readonly drift: string;
  /** The version's number. */
  readonly v: string;
  /** Share of the requests that have a line, where not all have. */
  readonly sample?: number;
  /** Rows of the request that were scored: all, or of very many a thousand, evenly spaced. */
  readonly rows: number;
  /**
   * Σh₁ and Σh₂ over the rows, by signal in the baseline's order, 0 for categories; of an output the mean
   * over the rows instead.
   */
  readonly a: readonly number[];
  readonly b: readonly number[];
  /**
   * Rows by cell, by signal in the baseline's order. A request of one row has one character a signal instead:
   * base 36, `-` for none.
   */
  readonly cells: string | readonly (readonly number[])[];
};

/** Metrics of drift, by `[Model]` only, in the namespace of the endpoint's. */
export const DRIFT_METRICS = {
  /**
   * `Scaled_<signal>_a`, `Scaled_<signal>_b`: Σh₁/√φ and Σh₂/√φ, φ of the version's own reference. So an
   * alarm needs to know nothing of the versions that it watches: n + R² is the greatest variance of each sum,
   * whichever versions n and R are added up over.
   */
  score: 'Scaled_',
  /** n and R of inputs: scored rows, and those over √m, m the rows of the version's own reference. */
  rows: 'ScaledRows',
  rowsNoise: 'ScaledRowsNoise',
  /**
   * n and R of outputs in one metric: a value 1/√m for each scored request, so that n is its sample count and
   * R its sum. Each metric costs.
   */
  answers: 'ScaledAnswers',
  /** `Null_<signal>`: rows without a value. */
  null: 'Null_',
  /**
   * The monitor's, at the end of each window: the largest change of an input in σ, inputs that drifted in it
   * and in the one before, outputs whose classes did, and rows seen.
   */
  max: 'DriftMax',
  signals: 'DriftFeatures',
  classes: 'DriftClasses',
  seen: 'DriftRows',
  /**
   * Runs in which a window could not be judged, or told of: log, baseline or registry could not be read, or
   * the topic not be reached.
   */
  unreadable: 'DriftUnreadable',
} as const;

/** Most numeric inputs whose drift native alarms watch; beyond, or with categories, the monitor does. */
export const NATIVE = 4;

/**
 * Seconds between two runs of the monitor, and of one run at most: shorter, so that no two read the same log
 * at once.
 */
export const MONITOR_EVERY = 300;
export const MONITOR_TIMEOUT = 280;

/** What the monitor is told: built into it when packaged. */
export type Watched = {
  /** The name under `models:`, Lambda's name, and its log group. */
  readonly model: string;
  readonly functionName: string;
  readonly logGroup: string;
  /** The log group of the model's batch function, whose rows count, too. */
  readonly batchLogGroup?: string;
  /** Seconds. */
  readonly window: number;
  /**
   * Rate of false discoveries a window: √(budget / windows a month), lowered where two windows that share a
   * reference would break the budget.
   */
  readonly q: number;
  /** σ below which a shift is no drift. */
  readonly effect: number;
};

/**
 * What the monitor found in a window: kept in the registry as `drift/<model>/<window's start>-<its
 * seconds>.json`, for example `2026-01-31T100000Z-3600`.
 */
export type DriftWindow = {
  readonly schema: 1;
  readonly model: string;
  /** Digest; empty where nothing was scored. */
  readonly baseline: string;
  /** ISO 8601. */
  readonly from: string;
  readonly to: string;
  /** Those that were scored. */
  readonly requests: number;
  readonly rows: number;
  /** How many requests they stand for, about, where not all were scored. */
  readonly estimated?: number;
  readonly signals: readonly SignalWindow[];
};

export type SignalWindow = {
  readonly name: string;
  readonly label: string;
  /** Rows with a value (of an output: requests). */
  readonly n: number;
  /** Those by cell; a request whose rows lie in several is in each of them with a part. */
  readonly cells: readonly number[];
  readonly nulls: number;
  /**
   * Signed shift of the mean score and size of all change, in σ; the statistic and its p; chi² over the
   * cells. Absent where nothing can be told.
   */
  readonly shift?: number;
  readonly size?: number;
  readonly smooth?: { readonly t: number; readonly p: number };
  readonly chi?: { readonly x2: number; readonly df: number; readonly p: number };
  readonly psi?: number;
  /**
   * Share of rows with an unseen category, or in cells that are empty in the reference (anything but a
   * constant), and p of its test.
   */
  readonly unseen?: { readonly share: number; readonly p: number };
  /**
   * Share of rows without a value, here and in the reference; size in σ and p of their difference. A question
   * of its own.
   */
  readonly missing?: {
    readonly share: number;
    readonly before: number;
    readonly size: number;
    readonly p: number;
  };
  readonly drifted: boolean;
};

/**
 * A number that every answer gives, from which a judge can tell that two versions answer differently.
 * Published as sums of its scores, of their squares and of their product, by the rows' mean: rows of one
 * request are not independent.
 */
export type OutputSignal = {
  /**
   * Part of the metrics' names. It ends with the basis, the function from outputs to scores: two versions
   * share a name only where they share the function, so nothing else can be compared by mistake.
   */
  readonly name: string;
  /**
   * What is taken of a row of K values: the number of the greatest, its probability, the entropy of all.
   * `prediction`: a row's only value.
   */
  readonly kind: 'label' | 'confidence' | 'entropy' | 'prediction';
  /** The graph's output that it reads. */
  readonly output: string;
  /** The K values are logits; else probabilities. */
  readonly logits: boolean;
  /** Two, or one where a second would be constant or say the same. */
  readonly scores: 1 | 2;
};

/** Rows with a value in a window, below which no signal is judged: by the monitor, and by alarms. */
export const LEAST_ROWS = 100;
