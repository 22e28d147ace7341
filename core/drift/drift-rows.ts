import type { Tensor } from '../tensor/datatypes.ts';
import { isPlain, MEAN, momentsOf, NORM, type Numbers, numberAt, SD } from '../tensor/numbers.ts';
import type { Tensors } from '../tensor/tensors.ts';
import { CONFIDENCE, ENTROPY, LABEL, readClasses } from './classes.ts';
import type { CategorySignal, NumericSignal, Signal } from './contract.ts';
import { categoryTaker, numberTaker, type Tally } from './drift-tally.ts';
import { createResidual, elementPlaces } from './residual.ts';

/**
 * Most rows that are scored of one request, evenly spaced: 100,000 would cost more than many a model, and
 * tell no more.
 */
export const MOST_ROWS = 1000;

/** Adds one tensor's rows to the tally. @returns the rows that were scored */
export type TensorRows = (tensors: Tensors) => number;

/** A signal with its number in the baseline. */
export type Placed<S extends Signal = Signal> = { readonly signal: S; readonly place: number };

/**
 * @param signals all of one tensor
 * @param isFree of a tensor of rank 1: is it a column, so that each element is a row? Else all of it is one
 * row
 */
export function readersOf(signals: readonly Placed[], isFree: boolean, tally: Tally): TensorRows[] {
  const name = signals[0]?.signal.tensor ?? '';
  const of = (...values: readonly NumericSignal['value'][]): Placed<NumericSignal>[] =>
    signals.filter((placed): placed is Placed<NumericSignal> => isNumeric(placed, values));
  const readers: ((tensor: Tensor) => number)[] = [];
  const elements = signals.filter(({ signal }) => signal.value === 'element');
  if (elements.length > 0) readers.push(elementReader(elements, isFree, tally));
  const wide = of('norm', 'mean', 'sd');
  if (wide.length > 0) readers.push(momentReader(wide, isFree, tally));
  for (const placed of of('residual')) readers.push(residualReader(placed, isFree, tally));
  const classes = signals.filter((placed): placed is Placed<ClassSignal> => isOfClasses(placed));
  for (const logits of [false, true]) {
    const alike = classes.filter(({ signal }) => (signal.logits ?? false) === logits);
    if (alike.length > 0) readers.push(classReader(alike, logits, tally));
  }
  for (const placed of of('prediction')) readers.push(predictionReader(placed, tally));
  return readers.map((read) => (tensors) => {
    const tensor = tensors[name];
    return tensor === undefined ? 0 : read(tensor);
  });
}

/** What is taken of a row of K values. */
type ClassSignal =
  | (NumericSignal & { readonly value: 'confidence' | 'entropy' })
  | (CategorySignal & { readonly value: 'label' });

const isNumeric = ({ signal }: Placed, values: readonly NumericSignal['value'][]): boolean =>
  signal.kind === 'numeric' && values.includes(signal.value);
const isOfClasses = ({ signal: { value } }: Placed): boolean =>
  value === 'label' || value === 'confidence' || value === 'entropy';

/** Rows that are scored of so many: never more than there are, and none of a shape that is none. */
const scoredOf = (rows: number): number => (rows > 0 ? Math.min(rows, MOST_ROWS) : 0);
/** The i-th of them. */
const rowAt = (i: number, scored: number, rows: number): number =>
  scored === rows ? i : Math.floor((i * rows) / scored);

/** The first dimension counts rows, but for a scalar and a vector of fixed length, which are one. */
const rowsOf = ({ shape }: Tensor, isFree: boolean): number =>
  shape.length > 1 || (shape.length === 1 && isFree) ? (shape[0] as number) : 1;

function widthOf({ shape }: Tensor, isFree: boolean): number {
  if (shape.length < 2) return isFree ? 1 : (shape[0] ?? 1);
  let width = 1;
  for (let i = 1; i < shape.length; i++) width *= shape[i] as number;
  return width;
}

function elementReader(placed: readonly Placed[], isFree: boolean, tally: Tally) {
  const numbers: { readonly column: number; readonly take: (value: number) => void }[] = [];
  const categories: { readonly column: number; readonly take: (value: unknown) => void }[] = [];
  for (const { signal, place } of placed) {
    const { column } = signal;
    if (signal.kind === 'numeric') numbers.push({ column, take: numberTaker(signal, place, tally) });
    else categories.push({ column, take: categoryTaker(signal, place, tally) });
  }
  return (tensor: Tensor): number => {
    const rows = rowsOf(tensor, isFree);
    const width = widthOf(tensor, isFree);
    const scored = scoredOf(rows);
    const plain = isPlain(tensor);
    const values = tensor.data as unknown as Numbers;
    // Halves are numbers in disguise; everything else is looked up as it is.
    const isHalf = tensor.datatype === 'FP16';
    for (let i = 0; i < scored; i++) {
      const start = rowAt(i, scored, rows) * width;
      for (let j = 0; j < numbers.length; j++) {
        const { column, take } = numbers[j] as (typeof numbers)[number];
        if (column < width)
          take(plain ? (values[start + column] as number) : numberAt(tensor, start + column));
      }
      for (let j = 0; j < categories.length; j++) {
        const { column, take } = categories[j] as (typeof categories)[number];
        if (column < width) take(isHalf ? numberAt(tensor, start + column) : values[start + column]);
      }
    }
    return scored;
  };
}

function momentReader(placed: readonly Placed<NumericSignal>[], isFree: boolean, tally: Tally) {
  const found = new Float64Array(3);
  const takers = placed.map(({ signal, place }) => ({
    at: signal.value === 'norm' ? NORM : signal.value === 'mean' ? MEAN : SD,
    take: numberTaker(signal, place, tally),
  }));
  return (tensor: Tensor): number => {
    const rows = rowsOf(tensor, isFree);
    const width = widthOf(tensor, isFree);
    const scored = scoredOf(rows);
    for (let i = 0; i < scored; i++) {
      momentsOf(tensor, rowAt(i, scored, rows) * width, width, found);
      for (const { at, take } of takers) take(found[at] as number);
    }
    return scored;
  };
}

/** A row of another width than the reference's has none, as what lacks an element. */
function residualReader({ signal, place }: Placed<NumericSignal>, isFree: boolean, tally: Tally) {
  const take = numberTaker(signal, place, tally);
  const { components } = signal;
  if (components === undefined) return () => 0;
  const places = elementPlaces(components.width);
  const residual = createResidual(components);
  const taken = new Float64Array(places.length);
  return (tensor: Tensor): number => {
    const rows = rowsOf(tensor, isFree);
    const width = widthOf(tensor, isFree);
    const scored = scoredOf(rows);
    if (width !== components.width) return scored;
    const plain = isPlain(tensor);
    const values = tensor.data as unknown as Numbers;
    for (let i = 0; i < scored; i++) {
      const start = rowAt(i, scored, rows) * width;
      for (let j = 0; j < places.length; j++) {
        const at = start + (places[j] as number);
        taken[j] = plain ? (values[at] as number) : numberAt(tensor, at);
      }
      take(residual(taken));
    }
    return scored;
  };
}

/** Rows of K values, however many dimensions are before the last: as the judge's scores have it. */
function classReader(placed: readonly Placed<ClassSignal>[], logits: boolean, tally: Tally) {
  const found = new Float64Array(3);
  const withEntropy = placed.some(({ signal }) => signal.value === 'entropy');
  const takers = placed.map(({ signal, place }) => ({
    value: signal.value,
    take: signal.kind === 'numeric' ? numberTaker(signal, place, tally) : categoryTaker(signal, place, tally),
  }));
  return (tensor: Tensor): number => {
    const size = tensor.shape.at(-1) ?? 0;
    if (!(size > 1)) return 0;
    const rows = Math.floor(tensor.data.length / size);
    const scored = scoredOf(rows);
    const plain = isPlain(tensor);
    const buffer = plain ? undefined : new Float64Array(size);
    const values = buffer ?? (tensor.data as unknown as Numbers);
    for (let i = 0; i < scored; i++) {
      const start = rowAt(i, scored, rows) * size;
      if (buffer !== undefined) for (let k = 0; k < size; k++) buffer[k] = numberAt(tensor, start + k);
      if (!readClasses(values, plain ? start : 0, size, logits, withEntropy, found)) continue;
      for (const { value, take } of takers) {
        if (value === 'label') take(found[LABEL] as number);
        else if (value === 'confidence') take(found[CONFIDENCE] as number);
        else take((found[ENTROPY] as number) / Math.log(size));
      }
    }
    return scored;
  };
}

function predictionReader({ signal, place }: Placed<NumericSignal>, tally: Tally) {
  const take = numberTaker(signal, place, tally);
  return (tensor: Tensor): number => {
    const rows = tensor.data.length;
    const scored = scoredOf(rows);
    for (let i = 0; i < scored; i++) take(numberAt(tensor, rowAt(i, scored, rows)));
    return scored;
  };
}
