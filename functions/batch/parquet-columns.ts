import { type FileMetaData, parquetSchema } from 'hyparquet';
import type { Signature, TensorSpec } from '../infer/contract.ts';
import { checkNames, type Fault, layoutOf, rowDimensions } from '../shared/layout.ts';
import { objectFault } from './faults.ts';
import { type Kind, kindOf } from './parquet-kinds.ts';
import type { Extras } from './rows.ts';
import type { RowSpec } from './stacked.ts';

/** A column of the file that is read. */
export type ReadColumn = {
  readonly name: string;
  /** Which of the file's flat columns it is: its place in each row group. */
  readonly leaf: number;
  readonly kind: Kind;
  /** Of the model's inputs, and the place in its row; absent for one that is only carried. */
  readonly target?: { readonly input: number; readonly at: number };
  /** Among the carried columns, or −1. */
  readonly carried: number;
};

export type ParquetColumns = {
  readonly inputs: readonly RowSpec[];
  readonly columns: readonly ReadColumn[];
  /** Names of the carried columns. */
  readonly carried: readonly string[];
};

const wrongHeader: Fault = (message, fix) => objectFault('WRONG_HEADER', `${message} ${fix}`);

/**
 * What each column of the file is to the model, by the rules of reference data (functions/shared/layout.ts).
 * @throws an object fault `WRONG_HEADER` that names the column
 */
export function parquetColumns(
  metadata: FileMetaData,
  signature: Signature,
  { ids, join }: Extras,
): ParquetColumns {
  const { children } = parquetSchema(metadata);
  const names = children.map(({ element }) => element.name);
  checkNames(names, wrongHeader);
  for (const id of ids) {
    if (names.includes(id)) continue;
    throw wrongHeader(
      `It has no column ${id}, which is one of ids.`,
      'Add the column, or take it out of ids.',
    );
  }
  const others = names.filter((name) => !ids.includes(name));
  const own = join ? modelsOwn(others, signature) : others;
  const layout = layoutOf(signature, { names: own, widths: own.map(() => 1) }, wrongHeader);
  const inputs = layout.tensors.map(({ spec, width }): RowSpec => ({ spec, inner: innerOf(spec, width) }));
  const carried = ids.length > 0 ? ids : join ? names : [];
  let leaf = 0;
  const columns = children.flatMap((child): ReadColumn[] => {
    const { element } = child;
    const { name } = element;
    const place = leaf;
    leaf += leavesOf(child);
    const field = layout.fields[layout.targets[own.indexOf(name)] ?? -1];
    const at = carried.indexOf(name);
    if (field === undefined && at < 0) return [];
    if (child.children.length > 0 || element.repetition_type === 'REPEATED')
      throw wrongHeader(
        `Its column ${name} is nested.`,
        field === undefined
          ? 'Drop it, or name the columns to carry in ids.'
          : 'Give each element a column of its own, or upload JSON lines, whose values may be arrays.',
      );
    const kind = kindOf(element);
    if (kind === undefined)
      throw wrongHeader(`Its column ${name} ${KINDS_READ}`, 'Write it as one of these, or drop it.');
    if (field === undefined) return [{ name, leaf: place, kind, carried: at }];
    const isText = kind.datatype === 'BYTES';
    if (isText && !(kind.isText && field.datatype === 'BYTES'))
      throw wrongHeader(
        `Its column ${name} has ${kind.isText ? 'texts' : 'dates, times or decimals'}; the model takes ${field.datatype} there.`,
        'Write the column as the model takes it.',
      );
    if (!isText && field.datatype === 'BYTES')
      throw wrongHeader(
        `Its column ${name} has ${kind.datatype === 'BOOL' ? 'booleans' : 'numbers'}; the model takes texts there.`,
        'Write the column as texts.',
      );
    const input = inputs.findIndex(({ spec }) => spec.name === field.tensor);
    return [{ name, leaf: place, kind, target: { input, at: field.column }, carried: at }];
  });
  return { inputs, columns, carried };
}

const KINDS_READ =
  'is of a type that cannot be read; numbers, booleans, texts, dates, timestamps, decimals and UUIDs can.';

const leavesOf = ({ children }: ReturnType<typeof parquetSchema>): number =>
  children.length === 0 ? 1 : children.reduce((sum, child) => sum + leavesOf(child), 0);

/** With `join`: the columns that are named after inputs, if all inputs have some; else all but the model's own answers. */
function modelsOwn(names: readonly string[], { inputs, outputs, omitted }: Signature): readonly string[] {
  const isOf = (name: string, input: string): boolean =>
    name === input || (name.startsWith(`${input}_`) && /^\d+$/.test(name.slice(input.length + 1)));
  const named = names.filter((name) => inputs.some((input) => isOf(name, input.name)));
  if (inputs.every((input) => named.some((name) => isOf(name, input.name)))) return named;
  const answers = new Set([...outputs.map(({ name }) => name), ...omitted]);
  return names.filter((name) => !answers.has(name));
}

function innerOf(spec: TensorSpec, width: number): readonly number[] {
  const inner = rowDimensions(spec);
  return inner.some((dimension) => dimension < 0) ? [width] : inner;
}
