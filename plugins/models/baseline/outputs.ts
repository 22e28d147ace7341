import type { OutputSignal } from '../../../core/drift/contract.ts';
import { fromHalf } from '../../../core/tensor/half.ts';
import type { OutputAnswer } from '../contracts/artifact-format.ts';

/**
 * What core/endpoint/output-signals.ts takes of each row of an answer, before it is scored: the number of the
 * greatest, its probability, the entropy over ln K, or the only value; NaN where that leaves a row out.
 *
 * @returns by signal, a value a row; undefined where the answer has not `rows` rows
 */
export function outputValues(
  signals: readonly OutputSignal[],
  answers: Readonly<Record<string, OutputAnswer>>,
  rows: number,
): readonly Float64Array[] | undefined {
  const values = signals.map(() => new Float64Array(rows).fill(Number.NaN));
  for (const output of new Set(signals.map((signal) => signal.output))) {
    const answer = answers[output];
    if (answer === undefined) return undefined;
    const numbers = numbersOf(answer);
    const own = signals.flatMap((signal, i) =>
      signal.output === output ? [{ signal, into: values[i] }] : [],
    );
    const isOfClasses = own.some(({ signal }) => signal.kind !== 'prediction');
    const size = isOfClasses ? (answer.dims.at(-1) ?? 0) : 1;
    if (numbers.length !== rows * size) return undefined;
    if (isOfClasses && size < 2) continue;
    for (let row = 0; row < rows; row++) {
      const of = isOfClasses
        ? classOf(
            numbers,
            row * size,
            size,
            own.some(({ signal }) => signal.logits),
          )
        : { prediction: numbers[row] as number };
      if (of === undefined || Object.values(of).some((value) => !Number.isFinite(value))) continue;
      for (const { signal, into } of own) if (into !== undefined) into[row] = of[signal.kind] ?? Number.NaN;
    }
  }
  return values;
}

type Found = Partial<Record<OutputSignal['kind'], number>>;

function classOf(values: ArrayLike<number>, start: number, size: number, logits: boolean): Found {
  let best = start;
  for (let i = start + 1; i < start + size; i++) {
    const value = values[i] as number;
    if (value > (values[best] as number) || Number.isNaN(value)) best = i;
  }
  let confidence = values[best] as number;
  let entropy = 0;
  if (logits) {
    let sum = 0;
    let weighted = 0;
    for (let i = start; i < start + size; i++) {
      const below = (values[i] as number) - confidence;
      const weight = Math.exp(below);
      sum += weight;
      if (weight > 0) weighted += weight * below;
    }
    entropy = Math.log(sum) - weighted / sum;
    confidence = 1 / sum;
  } else {
    for (let i = start; i < start + size; i++) {
      const p = values[i] as number;
      if (p > 0) entropy -= p * Math.log(p);
      else if (Number.isNaN(p)) entropy = p;
    }
  }
  return { label: best - start, confidence, entropy: entropy / Math.log(size) };
}

function numbersOf({ type, data }: OutputAnswer): ArrayLike<number> {
  // Node 22 has no Float16Array: half precision comes as bits there.
  if (type === 'float16' && data instanceof Uint16Array) return Float64Array.from(data, fromHalf);
  if (type === 'int64' || type === 'uint64') return Float64Array.from(data as ArrayLike<bigint>, Number);
  return type === 'string' ? [] : (data as ArrayLike<number>);
}
