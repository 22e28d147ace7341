import { type Label, MEASURES, type Measure } from './contract.ts';

/** Elements of an output in an answer: numbers, bigints, booleans, texts. */
export type Predicted = {
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly data: readonly unknown[];
};

/** As scikit-learn's `log_loss` clips: 0 would cost an infinite loss, whatever the other rows are. */
const EPSILON: Readonly<Record<string, number>> = { FP16: 2 ** -10, FP32: 2 ** -23, FP64: 2 ** -52 };
/** Probabilities of a row may miss 1 by so much, in half precision and many classes. */
const SUM = 0.02;
/** Pairs that add up to 1 as nearly as this count as probabilities, as far as half precision goes. */
const PAIR = 2 ** -10;

/**
 * What each row came to.
 * @returns by row its score, or a sentence about why it has none, without values; one sentence where the
 * output has not an answer for each row
 */
export function scoreRows(
  measure: Measure,
  { datatype, data }: Predicted,
  labels: readonly Label[],
): readonly (number | string)[] | string {
  const rows = labels.length;
  const width = data.length / rows;
  if (!Number.isInteger(width) || width === 0)
    return `The answer has ${data.length} elements for ${rows} ${rows === 1 ? 'row' : 'rows'}.`;
  return labels.map((label, row) =>
    scoreOf(measure, datatype, data.slice(row * width, (row + 1) * width), label),
  );
}

function scoreOf(measure: Measure, datatype: string, own: readonly unknown[], label: Label): number | string {
  switch (MEASURES[measure].of) {
    case 'classes':
      return rightOf(datatype, own, label);
    case 'score':
      return own.length > 2 ? `auc takes two classes, and the output has ${own.length}.` : rankOf(own);
    case 'probability':
      return lossOfRow(datatype, own, label);
    case 'number': {
      const value =
        own.length === 1 ? finite(own[0]) : `${measure} takes one number a row, and there are ${own.length}.`;
      return typeof value === 'string' ? value : value - Number(label);
    }
  }
}

/**
 * Two logits mean the probability of their difference; the second alone would rank rows by what both share.
 * Half of 1 + the difference is of two probabilities the second itself. It is taken as it is, so that equal
 * ones stay equal, whatever digit the first was rounded to. Rows come by answers, each of which may have one:
 * both must be on one scale.
 */
function rankOf(own: readonly unknown[]): number | string {
  const values = numbersOf(own);
  if (typeof values === 'string') return values;
  const [first = 0, second] = values;
  if (second === undefined) return first;
  const isPair = first >= 0 && second >= 0 && Math.abs(first + second - 1) <= PAIR;
  return isPair ? second : 0.5 + second / 2 - first / 2;
}

function finite(value: unknown): number | string {
  const number = typeof value === 'bigint' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number)
    ? number
    : 'The prediction is no finite number.';
}

function rightOf(datatype: string, own: readonly unknown[], label: Label): number | string {
  if (!datatype.startsWith('FP')) {
    if (own.length !== 1) return `accuracy takes one class a row, and there are ${own.length}.`;
    // biome-ignore lint/suspicious/noDoubleEquals: between a number and a bigint it compares values, exactly
    return typeof own[0] === 'string' || typeof label === 'string' ? +(own[0] === label) : +(own[0] == label);
  }
  const values = numbersOf(own);
  if (typeof values === 'string') return values;
  const [only = 0] = values;
  if (values.length > 1) {
    if (Number(label) >= values.length) return noColumn(values.length);
    return +(greatestOf(values) === label);
  }
  return only < 0 || only > 1 ? NO_PROBABILITY : +((only > 0.5 ? 1 : 0) === label);
}

/** @returns index of the first greatest. A vocabulary has more values than a call takes arguments. */
function greatestOf(values: readonly number[]): number {
  let best = 0;
  for (const [index, value] of values.entries()) if (value > (values[best] as number)) best = index;
  return best;
}

const NO_PROBABILITY = 'The prediction is no probability from 0 to 1.';
const noColumn = (columns: number): string => `The label is no class of an output of ${columns} columns.`;

function numbersOf(values: readonly unknown[]): readonly number[] | string {
  const numbers: number[] = [];
  for (const value of values) {
    const number = finite(value);
    if (typeof number === 'string') return number;
    numbers.push(number);
  }
  return numbers;
}

/** −ln of the probability that the row's class got. */
function lossOfRow(datatype: string, own: readonly unknown[], label: Label): number | string {
  const values = numbersOf(own);
  if (typeof values === 'string') return values;
  if (values.some((value) => value < 0 || value > 1)) return NO_PROBABILITY;
  const [only = 0] = values;
  const all = values.length === 1 ? [1 - only, only] : values;
  if (Math.abs(all.reduce((sum, value) => sum + value, 0) - 1) > SUM)
    return 'The probabilities of its classes do not add up to 1.';
  const probability = all[Number(label)];
  if (probability === undefined) return noColumn(all.length);
  const epsilon = EPSILON[datatype] ?? 2 ** -52;
  return -Math.log(Math.min(1 - epsilon, Math.max(epsilon, probability)));
}
