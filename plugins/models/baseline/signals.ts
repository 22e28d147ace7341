import type { FileHandle } from 'node:fs/promises';
import type { CategorySignal, NumericSignal, Signal } from '../../../core/drift/contract.ts';
import { listOf } from '../../../core/tabular/cells/columns.ts';
import { type Field, type Layout, type RowTensor, widthOf } from '../../../core/tabular/cells/layout.ts';
import { nullsPhiOf } from './absent.ts';
import { breathe } from './breathe.ts';
import { categoryPart } from './category.ts';
import { numericPart } from './numeric.ts';
import { readColumn, type Stored } from './store.ts';
import type { SignalValues } from './values.ts';
import { summaries } from './wide.ts';

/**
 * Columns that are watched one by one; wider rows, for example images and embeddings, by some numbers of
 * each.
 */
const MOST_COLUMNS = 200;

/**
 * Texts beyond these are ids or prose: every request would have an unseen one. Classes beyond them are as
 * rare.
 */
const MOST_TEXTS = 1000;

/** A signal without its name, which is told when all are known. */
export type Unnamed = Signal extends infer S ? (S extends Signal ? Omit<S, 'name'> : never) : never;

type Found = { readonly signals: readonly Unnamed[]; readonly notices: readonly string[] };

/** Signals of the inputs, a column in memory at a time. */
export async function inputSignals(
  file: FileHandle,
  stored: Stored,
  { tensors, fields }: Layout,
  progress: (done: number, of: number) => void,
): Promise<Found> {
  const signals: Unnamed[] = [];
  const notices: string[] = [];
  const wide = wideOf(tensors);
  const missing: string[] = [];
  const bursts: string[] = [];
  let watched = 0;
  let unwatched = 0;
  for (const tensor of tensors) {
    const { spec, first, width } = tensor;
    const isWide = wide.has(tensor);
    if (isWide && spec.datatype === 'BYTES') {
      notices.push(`The texts of ${spec.name} are not watched: a row has ${width} of them.`);
    } else if (isWide) {
      progress(first, fields.length);
      for (const { value, values, ...more } of await summaries(file, stored, tensor, notices)) {
        const label = `${value} of ${spec.name}`;
        const nullsPhi = nullsPhiOf(values);
        const own = { ...more, ...(nullsPhi !== undefined && { nullsPhi }) };
        signals.push({ ...numeric(label, spec.name, 0, value, values, notices), ...own, of: 'input' });
        await breathe();
      }
    }
    for (let i = first; i < first + width && !isWide; i++) {
      if (watched === MOST_COLUMNS) {
        unwatched++;
        continue;
      }
      watched++;
      progress(i, fields.length);
      const { label, column } = fields[i] as Field;
      const values = await readColumn(file, stored, i);
      const texts = stored.texts[i];
      const codes = values as Float64Array<ArrayBuffer>;
      const part =
        texts === undefined
          ? numeric(label, spec.name, column, 'element', values, notices)
          : category(label, spec.name, column, 'element', codes, texts, notices);
      if (part !== undefined) {
        const nullsPhi = nullsPhiOf(values);
        if (nullsPhi !== undefined) bursts.push(`${label} (φ ${Number(nullsPhi.toPrecision(2))})`);
        signals.push({ ...part, ...(nullsPhi !== undefined && { nullsPhi }), of: 'input' });
        if (part.nulls > 0 && part.nulls < stored.rows) missing.push(`${label} in ${part.nulls}`);
      }
      // Whoever wants to stop this is heard between two columns.
      await breathe();
    }
  }
  const open = tensors.filter((tensor) => !wide.has(tensor) && isOfAnyLength(tensor, fields));
  if (open.length > 0) {
    const lengths = open.map(({ spec, width }) => `${spec.name} has ${width}`);
    notices.push(
      `The model takes rows of any length, and in the reference each row of ${listOf(lengths)} values. What a row of a request has fewer is told as missing, and more are not watched: take rows of the length that requests have, padded as they are.`,
    );
  }
  if (unwatched > 0)
    notices.push(`The first ${MOST_COLUMNS} of its columns are watched, and ${unwatched} are not.`);
  if (missing.length > 0)
    notices.push(
      `Some of the ${stored.rows} rows of the reference have no value: ${listOf(missing)}. An empty cell, null, NaN and infinity count as none.`,
    );
  if (bursts.length > 0)
    notices.push(
      `How many rows have no value of ${listOf(bursts)} differs from window to window in the reference itself: only larger changes of it are told.`,
    );
  return { signals, notices };
}

/** Tokens of a text, for example. Columns with names of their own are of a table, where each row has all. */
const isOfAnyLength = ({ spec, first }: RowTensor, fields: readonly Field[]): boolean => {
  const label = fields[first]?.label;
  return (
    widthOf(spec) < 0 && (label === spec.name || label === `${spec.name}_0` || label === `${spec.name}[0]`)
  );
};

const noValues = (label: string): string => `${label} has no value in any row of the reference.`;
const constant = (label: string): string => `${label} has one value only in the reference.`;

/** A numeric signal, with a notice where it cannot drift. */
export function numeric(
  label: string,
  tensor: string,
  column: number,
  value: NumericSignal['value'],
  values: SignalValues,
  notices: string[],
): Omit<NumericSignal, 'name' | 'of'> {
  const part = numericPart(values);
  if (part.nulls === values.length) notices.push(noValues(label));
  else if (part.sd === 0) notices.push(constant(label));
  return { kind: 'numeric', label, tensor, column, value, ...part };
}

/**
 * A category signal, with a notice where it cannot drift; undefined, with one, where every other row would be
 * unseen.
 */
export function category(
  label: string,
  tensor: string,
  column: number,
  value: CategorySignal['value'],
  codes: Float64Array,
  texts: readonly string[],
  notices: string[],
): Omit<CategorySignal, 'name' | 'of'> | undefined {
  const part = categoryPart(codes, texts);
  const known = part.values.length + part.rare.length;
  if (known > MOST_TEXTS) {
    const what = value === 'label' ? 'classes' : 'texts';
    notices.push(`${label} is not watched: it has ${known} different ${what}, more than ${MOST_TEXTS}.`);
    return undefined;
  }
  if (known < 2) notices.push(known === 0 ? noValues(label) : constant(label));
  return { kind: 'category', label, tensor, column, value, ...part };
}

/** Images and embeddings; and where all columns together are too many, every input that has several. */
function wideOf(tensors: readonly RowTensor[]): ReadonlySet<RowTensor> {
  const wide = new Set(tensors.filter(({ spec, width }) => spec.shape.length > 2 || width > MOST_COLUMNS));
  const narrow = tensors.filter((tensor) => !wide.has(tensor));
  if (narrow.reduce((sum, { width }) => sum + width, 0) > MOST_COLUMNS)
    for (const tensor of narrow) if (tensor.width > 1) wide.add(tensor);
  return wide;
}

/** Letters, digits and _, as metrics' names may have, each once. */
export function named(signals: readonly Unnamed[]): Signal[] {
  const taken = new Set<string>();
  return signals.map((signal) => {
    const base =
      signal.label
        .replace(/[^A-Za-z0-9]+/g, '_')
        .replace(/^_+|_+$/g, '')
        .slice(0, 60) || 'signal';
    let name = base;
    for (let i = 2; taken.has(name); i++) name = `${base}_${i}`;
    taken.add(name);
    return { name, ...signal };
  });
}
