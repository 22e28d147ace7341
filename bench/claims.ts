/** What the bench measures, and how a measurement becomes a verdict. */
import { median } from './median.ts';

export const GROUPS = [
  'serving',
  'cold',
  'release',
  'drift',
  'batch',
  'capacity',
  'sources',
  'host',
  'image',
] as const;
export type Group = (typeof GROUPS)[number];

/** How much is done. */
export type Effort = {
  /** Times that either side is run, in turns. */
  readonly repeats: number;
  /** Milliseconds that a case is warmed up for, and that one block of it lasts. */
  readonly warm: number;
  readonly block: number;
};
/** Each figure is a median of 15, enough for the median to stay when a third of the runs is disturbed. */
export const FULL: Effort = { repeats: 15, warm: 500, block: 300 };
/** A hundredth: does everything run at all? Its figures mean nothing. */
export const SHORT: Effort = { repeats: 1, warm: 5, block: 3 };

/** Both sides of one run, in the order they were taken. */
export type Sample = {
  readonly ours: readonly number[];
  /** Empty where a size is held against a plain limit. */
  readonly other: readonly number[];
  /**
   * What else the same run measured and a reader should know: one sentence, which is printed and judges
   * nothing.
   */
  readonly beside?: string;
};
/**
 * A machine may lack what a claim needs, for example a second core; that is reported, and never counts as
 * held.
 */
export type Measured = Sample | { readonly unmeasured: string };

export type Claim = {
  readonly name: string;
  readonly group: Group;
  /** One line for the table. */
  readonly about: string;
  readonly ours: string;
  readonly other?: string;
  /** The unit of the samples. */
  readonly unit: 'ms' | 'µs' | 's' | 'MB' | 'min' | '%' | '';
  /** `ratio`: ours ÷ other; `difference`: ours − other; `value`: ours. The latter two are in `unit`. */
  readonly compare: 'ratio' | 'difference' | 'value';
  readonly limit: number;
  measure(effort: Effort): Promise<Measured>;
};

export type Result = {
  readonly claim: Claim;
  readonly measured: Measured;
  readonly value?: number;
  readonly verdict: 'ok' | 'miss' | 'unmeasured';
};

export function judge(claim: Claim, measured: Measured): Result {
  if ('unmeasured' in measured) return { claim, measured, verdict: 'unmeasured' };
  const [ours, other] = [median(measured.ours), median(measured.other)];
  const value = { ratio: ours / other, difference: ours - other, value: ours }[claim.compare];
  return { claim, measured, value, verdict: value <= claim.limit ? 'ok' : 'miss' };
}

/** `bench <name> <ratio> <target> ok|miss`; names of figures that are no ratios end in their unit. */
export function lineOf({ claim, measured, value, verdict }: Result): string {
  const reason = 'unmeasured' in measured ? ` (${measured.unmeasured})` : '';
  return `bench ${claim.name} ${value === undefined ? '-' : value.toFixed(3)} ${claim.limit} ${verdict}${reason}`;
}
