import { CONFIDENCE, ENTROPY, LABEL, readClasses } from '../drift/classes.ts';
import type { OutputSignal } from '../drift/contract.ts';
import { METRICS } from '../metrics/contract.ts';
import { numbersOf } from '../tensor/numbers.ts';
import type { Tensors } from '../tensor/tensors.ts';

/**
 * Scores of what a model answered: the same functions in every version, whatever data there are.
 *
 * The judge compares means of scores and takes their noise from the stable version, so it is right for any
 * function, and shifting or stretching one changes nothing. A function is good where it moves as the outputs
 * do:
 *
 *   label        two classes: −1 or 1, by the greater one. More: their number k as u = k/(K−1), then h₁(u)
 *   and h₂(u). confidence   the greatest probability p as u = (2/π)·asin √p, then h₁(u), h₂(u): confident
 *   models crowd near 1, where
 *                this spreads them, as it makes a share's noise alike everywhere.
 *   entropy      over ln K, then the same.
 *   prediction   asinh x. A logarithm to both sides, all but linear over the range of one model's answers: a
 *   shift keeps
 *                its size in standard deviations, whatever the unit, and one wild answer cannot decide. No
 *                second score: without reference data nobody knows the centre that spread would be measured
 *                from.
 *
 * h₁(u) = √3·(2u−1) and h₂(u) = √5·(6u²−6u+1) are Legendre polynomials, normalised on [0, 1]: location and
 * spread. Their basis is called f1 in the signals' names. Scores over the quantiles of reference data would
 * have a name of their own.
 *
 * @returns JSON members, each with a comma before it, of all of a request's outputs; the mean over rows,
 * those that are not finite left out. Where none is left, 0: it adds nothing to a sum.
 */
export function createScorer(signals: readonly OutputSignal[]): (tensors: Tensors) => string {
  const readers: Reader[] = [];
  for (const output of new Set(signals.map((signal) => signal.output))) {
    const own = signals.filter((signal) => signal.output === output);
    const classes = own.filter(({ kind }) => kind !== 'prediction');
    if (classes.length > 0) readers.push(classReader(output, classes));
    for (const signal of own) if (signal.kind === 'prediction') readers.push(predictionReader(signal));
  }
  const [first = () => '', ...others] = readers;
  return others.length === 0
    ? first
    : (tensors) => others.reduce((text, reader) => text + reader(tensors), first(tensors));
}

/** Names of the metrics of `signals`, in the order in which the scorer writes them. */
export const scoreNames = (signals: readonly OutputSignal[]): string[] =>
  signals.flatMap((signal) =>
    signal.scores === 1
      ? [nameOf(signal, 'a'), nameOf(signal, 'aa')]
      : METRICS.scores.map((score) => nameOf(signal, score)),
  );
const nameOf = ({ name }: OutputSignal, score: string): string => `${METRICS.output}${name}_${score}`;

type Reader = (tensors: Tensors) => string;

const ROOT3 = Math.sqrt(3);
const ROOT5 = Math.sqrt(5);
const h1 = (u: number): number => ROOT3 * (2 * u - 1);
const h2 = (u: number): number => ROOT5 * (6 * u * (u - 1) + 1);
/** [0, 1] to [0, 1]; a sum of rounded probabilities may be a little beyond. */
const arcsine = (share: number): number =>
  (2 / Math.PI) * Math.asin(Math.sqrt(Math.min(1, Math.max(0, share))));

/** Label, confidence and entropy of an output of rows of K values, in one pass. */
function classReader(output: string, signals: readonly OutputSignal[]): Reader {
  const logits = signals.some((signal) => signal.logits);
  const withEntropy = signals.some(({ kind }) => kind === 'entropy');
  const found = new Float64Array(3);
  const writers = signals.map((signal) => ({ kind: signal.kind, write: writerOf(signal, 4) }));
  return (tensors) => {
    const tensor = tensors[output];
    const values = numbersOf(tensor);
    const size = tensor?.shape.at(-1) ?? 0;
    let rows = 0;
    let [labelA, labelB, sureA, sureB, mixedA, mixedB] = [0, 0, 0, 0, 0, 0];
    for (let start = 0; size > 1 && start + size <= values.length; start += size) {
      if (!readClasses(values, start, size, logits, withEntropy, found)) continue;
      rows++;
      const label = found[LABEL] as number;
      if (size === 2) labelA += label === 0 ? -1 : 1;
      else {
        const u = label / (size - 1);
        labelA += h1(u);
        labelB += h2(u);
      }
      const sure = arcsine(found[CONFIDENCE] as number);
      sureA += h1(sure);
      sureB += h2(sure);
      if (withEntropy) {
        const u = arcsine((found[ENTROPY] as number) / Math.log(size));
        mixedA += h1(u);
        mixedB += h2(u);
      }
    }
    const share = rows === 0 ? 0 : 1 / rows;
    let text = '';
    for (const { kind, write } of writers) {
      if (kind === 'label') text += write(labelA * share, labelB * share);
      else if (kind === 'confidence') text += write(sureA * share, sureB * share);
      else text += write(mixedA * share, mixedB * share);
    }
    return text;
  };
}

function predictionReader(signal: OutputSignal): Reader {
  const write = writerOf(signal, 6);
  return (tensors) => {
    const values = numbersOf(tensors[signal.output]);
    let rows = 0;
    let sum = 0;
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      if (value - value !== 0) continue;
      rows++;
      sum += Math.asinh(value);
    }
    return write(rows === 0 ? 0 : sum / rows, 0);
  };
}

/**
 * Scores become whole numbers of 10^−digits, which V8 writes four times faster than fractions, and whose
 * squares are exact: so `aa` is of the very score that `a` says.
 */
function writerOf(signal: OutputSignal, digits: number): (a: number, b: number) => string {
  const scale = 10 ** digits;
  const member = (score: string): string => `,"${nameOf(signal, score)}":`;
  const [a, b, aa, bb, ab] = [member('a'), member('b'), member('aa'), member('bb'), member('ab')];
  const single = `e-${digits}`;
  const square = `e-${digits * 2}`;
  if (signal.scores === 1) {
    return (first) => {
      const x = Math.round(first * scale);
      return a + x + single + aa + x * x + square;
    };
  }
  return (first, second) => {
    const x = Math.round(first * scale);
    const y = Math.round(second * scale);
    return a + x + single + b + y + single + aa + x * x + square + bb + y * y + square + ab + x * y + square;
  };
}
