import type { Datatype, Signature, TensorSpec } from '../tensor/contract.ts';
import { type Label, MEASURES, type Measure } from './contract.ts';

/** Which output is the prediction, and what a label must be for it. Pure. */

/** `index`: the place of a class among the output’s columns; the others as the output has them. */
export type LabelKind = 'index' | 'integer' | 'flag' | 'text' | 'number';

/** Elements of a row of an output; −1 where the model leaves that open. */
function outputWidth({ shape }: TensorSpec): number {
  const inner = shape.slice(1);
  return inner.some((dimension) => dimension < 0) ? -1 : inner.reduce((product, one) => product * one, 1);
}

const isFloat = (datatype: Datatype): boolean => datatype.startsWith('FP');

/** What the label of a row is held against. */
export function labelKind(measure: Measure, { datatype }: TensorSpec): LabelKind {
  if (MEASURES[measure].of === 'number') return 'number';
  if (isFloat(datatype)) return 'index';
  return datatype === 'BYTES' ? 'text' : datatype === 'BOOL' ? 'flag' : 'integer';
}

/** @returns why the output cannot be the prediction, as the rest of a sentence about it */
function unfit(measure: Measure, spec: TensorSpec): string | undefined {
  const { datatype } = spec;
  const width = outputWidth(spec);
  switch (MEASURES[measure].of) {
    case 'classes':
      return isFloat(datatype) || width === 1 || width === -1
        ? undefined
        : `has ${width} elements a row; ${measure} takes one class, or floats of which the greatest is the class`;
    case 'score':
      return !isFloat(datatype)
        ? `is ${datatype}; ${measure} takes floats`
        : width > 2
          ? `has ${width} elements a row; ${measure} takes one score, or those of two classes`
          : undefined;
    case 'probability':
      return isFloat(datatype)
        ? undefined
        : `is ${datatype}; ${measure} takes probabilities, which are floats`;
    case 'number':
      return datatype === 'BYTES' || datatype === 'BOOL' || width > 1
        ? `is ${datatype} with ${width} elements a row; ${measure} takes one number`
        : undefined;
  }
}

/**
 * The output that is the prediction: the one that is named, else the only one that fits; for accuracy one
 * that has classes before one that has floats.
 * @returns the output, or what is wrong, and what to do
 */
export function predictionOf(
  measure: Measure,
  { outputs }: Signature,
  named: string | undefined,
): TensorSpec | { readonly message: string; readonly fix: string; readonly names: boolean } {
  const names = outputs.map(({ name }) => name).join(', ');
  if (named !== undefined) {
    const spec = outputs.find(({ name }) => name === named);
    if (spec === undefined)
      return {
        message: `names no output of the model, which has ${names}.`,
        fix: 'Name one of them.',
        names: true,
      };
    const fault = unfit(measure, spec);
    return fault === undefined
      ? spec
      : { message: `${fault}.`, fix: 'Name another output, or another metric.', names: true };
  }
  const fitting = outputs.filter((spec) => unfit(measure, spec) === undefined);
  const classes = fitting.filter(({ datatype }) => MEASURES[measure].of === 'classes' && !isFloat(datatype));
  const floats = fitting.filter(({ datatype }) => isFloat(datatype));
  const found = [classes, floats, fitting].find((some) => some.length > 0) ?? [];
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  return only === undefined
    ? {
        message: `finds no output that is a prediction for ${measure}; the model has ${names}.`,
        fix: 'Name another metric, or give the model such an output by a transform.ts.',
        names: false,
      }
    : {
        message: `finds several outputs that may be the prediction: ${found.map(({ name }) => name).join(', ')}.`,
        fix: 'Name it with `output`.',
        names: false,
      };
}

/** Number of columns that a label may be the index of; undefined where the model leaves it open. */
export function classesOf(measure: Measure, spec: TensorSpec): number | undefined {
  // It knows two alone: any other label would silently be none of the class.
  if (measure === 'auc') return 2;
  const width = outputWidth(spec);
  return width < 0 ? undefined : Math.max(2, width);
}

const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const INTEGER = /^[+-]?\d+$/;

/**
 * A label as it stands in a file: text of csv, any value of JSON, what Parquet has.
 * @param classes names of the output’s columns, in their order
 * @param count of the columns
 * @returns what is wrong with it as the rest of a sentence, without the value
 */
export function readLabel(
  value: unknown,
  kind: LabelKind,
  classes: readonly string[] | undefined,
  count: number | undefined,
): { readonly label: Label } | { readonly fault: string } {
  if (
    value === null ||
    value === undefined ||
    value === '' ||
    (typeof value === 'number' && Number.isNaN(value))
  )
    return { fault: 'has no label.' };
  const text = typeof value === 'string' ? value : undefined;
  if (kind === 'text') {
    if (text !== undefined) return { label: text };
    return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
      ? { label: String(value) }
      : { fault: 'has a label that is no text.' };
  }
  if (kind === 'index' && classes !== undefined) {
    const index = classes.indexOf(text ?? String(value));
    return index < 0
      ? { fault: `has a label that is none of the classes ${classes.join(', ')}.` }
      : { label: index };
  }
  const read = numberOf(value);
  if (kind === 'number')
    return Number.isFinite(Number(read ?? Number.NaN))
      ? { label: Number(read) }
      : { fault: 'has a label that is no number.' };
  if (kind === 'flag')
    return read === 0 || read === 1
      ? { label: read === 1 }
      : { fault: 'has a label that is neither true nor false.' };
  const isWhole = typeof read === 'bigint' || (typeof read === 'number' && Number.isInteger(read));
  if (!isWhole)
    return {
      fault: `has a label that is no whole number${kind === 'index' ? '; name the classes with `classes`' : ''}.`,
    };
  if (kind === 'integer') return { label: read };
  const index = Number(read);
  return index < 0 || (count !== undefined && index >= count)
    ? { fault: `has a label that is no class from 0 to ${count === undefined ? '…' : count - 1}.` }
    : { label: index };
}

/** Numbers as csv and JSON write them, true and false as 1 and 0; whole numbers keep every digit. */
function numberOf(value: unknown): number | bigint | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'bigint') return narrow(value);
  if (typeof value !== 'string') return undefined;
  const word = value.trim();
  if (INTEGER.test(word)) return narrow(BigInt(word.replace(/^\+/, '')));
  if (NUMBER.test(word)) return Number(word);
  return /^true$/i.test(word) ? 1 : /^false$/i.test(word) ? 0 : undefined;
}

const narrow = (value: bigint): number | bigint => {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
};
