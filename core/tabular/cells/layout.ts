import type { Columns, Datatype, Signature, TensorSpec } from '../../tensor/contract.ts';
import { counted } from '../../text/counted.ts';
import { BY_NAME, IN_ORDER, listOf, placesOf, type Taken } from './columns.ts';

/** One element of a row of the model: where it goes, and what people call it. */
export type Field = {
  readonly tensor: string;
  readonly datatype: Datatype;
  /** Position in the tensor's row. */
  readonly column: number;
  readonly label: string;
};

/** An input, and its elements in a row of reference data. */
export type RowTensor = {
  readonly spec: TensorSpec;
  /** Elements a row. */
  readonly width: number;
  /** Number of its first field. */
  readonly first: number;
};

/** What the file's columns are to the model. */
export type Layout = {
  readonly tensors: readonly RowTensor[];
  readonly fields: readonly Field[];
  /** The first field of each of the file's columns, −1 for one that is the model's own answer. */
  readonly targets: readonly number[];
  readonly taken: Taken;
};

/** The file's columns: their names, where it has any, and how many elements each has in a row. */
export type Header = {
  readonly names?: readonly string[];
  readonly widths: readonly number[];
  /** The rest of `Drop it`: what else to do with a column that is no input. */
  readonly orElse?: string;
};

/** Why the file cannot be used, and what to do. */
export type FileFault = (message: string, fix: string) => Error;

/**
 * Columns go to inputs by name; where the model has one input only, by the names of its columns, if they are
 * known, else in the file's order. The model's answers may be in the file and are passed over; anything else
 * that is not of the model is refused, as it is more likely a mistake than meant.
 */
export function layoutOf(
  { inputs, outputs, omitted }: Signature,
  header: Header,
  fault: FileFault,
  known?: Columns,
): Layout {
  const { names, widths, orElse = '' } = header;
  if (widths[0] === 1) checkSeparator(names, inputs, fault);
  checkNames(names, fault);
  for (const spec of inputs) {
    if (widthOf(spec) >= 0 || spec.shape.length === 2) continue;
    throw fault(
      `The model leaves the size of its input ${spec.name} open, [${spec.shape.join(', ')}], so its rows cannot be told apart.`,
      'Export the model with fixed dimensions except the first.',
    );
  }
  const [only] = inputs;
  const answers = new Set([...outputs.map(({ name }) => name), ...omitted]);
  const columnsFor = new Map<TensorSpec, readonly number[]>();
  let taken = BY_NAME;
  if (names === undefined) {
    inOrder(inputs, widths, columnsFor, fault);
    taken = IN_ORDER;
  } else if (only !== undefined && inputs.length === 1 && !isByName(only, header)) {
    const named = known && byNames(known, names, widths, fault);
    columnsFor.set(only, named ?? ofOnly(only, names, widths, answers));
    if (named === undefined) taken = known === undefined ? IN_ORDER : OTHER_NAMES;
  } else {
    const places = new Map(names.map((name, place) => [name, place]));
    for (const spec of inputs) columnsFor.set(spec, columnsOf(spec, places));
  }

  const tensors: RowTensor[] = [];
  const fields: Field[] = [];
  const targets = widths.map(() => -1);
  for (const spec of inputs) {
    const columns = columnsFor.get(spec) ?? [];
    if (columns.length === 0)
      throw fault(`It has no column ${spec.name}, an input of the model.`, 'Add this column to the file.');
    const first = fields.length;
    for (const column of columns) {
      const width = widths[column] as number;
      const before = fields[targets[column] ?? -1];
      if (before !== undefined) throw ambiguous(names?.[column] ?? '', before.tensor, spec.name, fault);
      targets[column] = fields.length;
      for (let i = 0; i < width; i++) {
        const at = fields.length - first;
        const label = width === 1 && names !== undefined ? (names[column] as string) : `${spec.name}[${at}]`;
        fields.push({ tensor: spec.name, datatype: spec.datatype, column: at, label });
      }
    }
    const width = fields.length - first;
    const due = widthOf(spec) < 0 && known?.bind ? known.names.length : widthOf(spec);
    if (due >= 0 && due !== width) throw wrongWidth(spec, due, width, orElse, fault);
    tensors.push({ spec, width, first });
  }
  const others = (names ?? []).filter((name, column) => (targets[column] ?? -1) < 0 && !answers.has(name));
  if (others.length > 0) throw strangers(others, fields, orElse, fault);
  return { tensors, fields, targets, taken };
}

const OTHER_NAMES: Taken = { by: 'order', notices: ['NAMES_DIFFER'] };

/**
 * The columns by the names that are known.
 * @returns undefined where the file's are others, and the known ones do not bind
 */
function byNames(
  known: Columns,
  names: readonly string[],
  widths: readonly number[],
  fault: FileFault,
): readonly number[] | undefined {
  const found = placesOf(known.names, names);
  if ('lacks' in found) {
    if (!known.bind) return undefined;
    const { lacks } = found;
    throw fault(
      `It has no column${lacks.length === 1 ? '' : 's'} ${listOf(lacks)}; the columns of the model are ${listOf(known.names)}.`,
      'Name the columns of the file as the model does, and add what is missing.',
    );
  }
  const wide = found.places.find((place) => widths[place] !== 1);
  if (wide === undefined) return found.places;
  throw fault(
    `Its column ${names[wide]} has ${widths[wide]} values a row, and a column of the model has one.`,
    'Write one value.',
  );
}

/** All of the file's columns in their order, less the model's answers if they are there, too. */
function ofOnly(
  only: TensorSpec,
  names: readonly string[],
  widths: readonly number[],
  answers: ReadonlySet<string>,
): readonly number[] {
  const all = names.map((_, column) => column);
  const sum = widths.reduce((total, width) => total + width, 0);
  return sum === widthOf(only) ? all : all.filter((column) => !answers.has(names[column] as string));
}

/** Dimensions of a row: a free first dimension counts rows; so does any first one of at least two. */
export const rowDimensions = ({ shape }: TensorSpec): readonly number[] =>
  shape.length === 1 && shape[0] !== -1 ? shape : shape.slice(1);

/** Elements of a row; −1 where the model leaves that open. */
export function widthOf(spec: TensorSpec): number {
  const inner = rowDimensions(spec);
  return inner.some((dimension) => dimension < 0) ? -1 : inner.reduce((product, one) => product * one, 1);
}

/** Elements of a row of all inputs; −1 where the model leaves that open. */
export function rowWidth(inputs: readonly TensorSpec[]): number {
  const widths = inputs.map(widthOf);
  return widths.some((width) => width < 0) ? -1 : widths.reduce((sum, width) => sum + width, 0);
}

/** Characters of a column's name, which the reason of each faulty row may quote. */
export const NAME_CHARACTERS = 10_000;
/** Columns that are carried where all are: each has an array of its own, and 200 bytes beside it. */
const CARRIED_COLUMNS = 2 ** 18;

export function checkCarried(names: readonly string[], fault: FileFault): void {
  if (names.length <= CARRIED_COLUMNS) return;
  throw fault(
    `It has ${names.length} columns; at most ${CARRIED_COLUMNS} are taken where all columns are carried.`,
    'Name in `ids` what is carried.',
  );
}

/** Each column has a name of its own. */
export function checkNames(names: readonly string[] | undefined, fault: FileFault): void {
  const seen = new Set<string>();
  for (const [i, name] of names?.entries() ?? []) {
    if (name === '')
      throw fault(
        `Its column ${i + 1} has no name.`,
        'Name it, or drop it: pandas leaves its row numbers out with index=False.',
      );
    if (name.length > NAME_CHARACTERS)
      throw fault(
        `The name of its column ${i + 1} has ${name.length} characters; at most ${NAME_CHARACTERS} are taken.`,
        'Write the names of the columns in the first line, and end it with a line end.',
      );
    if (seen.has(name))
      throw fault(`It has two columns ${name}.`, 'Give each column a name of its own, or drop one.');
    seen.add(name);
  }
}

/** Does a column have the input's name and its width? */
function isByName(spec: TensorSpec, { names = [], widths }: Header): boolean {
  const width = widths[names.indexOf(spec.name)];
  return width !== undefined && (width === widthOf(spec) || (width > 1 && widthOf(spec) < 0));
}

/** The column of the input's name, or those that number its elements from 0: `x_0`, `x_1`. */
function columnsOf({ name }: TensorSpec, places: ReadonlyMap<string, number>): number[] {
  const own = places.get(name);
  if (own !== undefined) return [own];
  const columns: number[] = [];
  for (let i = 0; ; i++) {
    const column = places.get(`${name}_${i}`);
    if (column === undefined) return columns;
    columns.push(column);
  }
}

/** Without names: one column after the other, in the signature's order; there is one of each element then. */
function inOrder(
  inputs: readonly TensorSpec[],
  widths: readonly number[],
  columnsFor: Map<TensorSpec, readonly number[]>,
  fault: FileFault,
): void {
  const open = inputs.filter((spec) => widthOf(spec) < 0);
  const known = inputs.reduce((sum, spec) => sum + Math.max(0, widthOf(spec)), 0);
  const rest = widths.length - known;
  if (open.length > 1 || (open.length === 0 ? rest !== 0 : rest < 1)) {
    const takes =
      open.length > 1
        ? `the inputs ${listOf(open.map(({ name }) => name))} of the model have no fixed width`
        : `the model takes ${known + open.length}${open.length > 0 ? ' or more' : ''}`;
    throw fault(
      `It has ${counted(widths.length, 'column')} without names; ${takes}.`,
      'Name the columns after the inputs of the model, or leave out those that are no input.',
    );
  }
  let next = 0;
  for (const spec of inputs) {
    const width = widthOf(spec) < 0 ? rest : widthOf(spec);
    columnsFor.set(
      spec,
      Array.from({ length: width }, (_, i) => next + i),
    );
    next += width;
  }
}

/** A file of one column whose name has another separator in it, for a model that takes more. */
export function checkSeparator(
  names: readonly string[] | undefined,
  inputs: readonly TensorSpec[],
  fault: FileFault,
): void {
  const [only, ...others] = names ?? [];
  if (only === undefined || others.length > 0 || rowWidth(inputs) < 2) return;
  const found = ([';', '\t', '|'] as const).find((separator) => only.includes(separator));
  if (found === undefined) return;
  throw fault(
    `Its first line has no comma, but ${SEPARATORS[found]}.`,
    'Separate the cells by commas, and write numbers with a point.',
  );
}

const SEPARATORS = { ';': 'semicolons', '\t': 'tabs', '|': 'vertical bars' } as const;

function strangers(
  names: readonly string[],
  fields: readonly Field[],
  orElse: string,
  fault: FileFault,
): Error {
  const takes = fields.length > 20 ? '' : `; the model takes ${fields.map(({ label }) => label).join(', ')}`;
  return names.length === 1
    ? fault(
        `Its column ${names[0]} is no input of the model${takes}.`,
        `Drop this column from the file${orElse}.`,
      )
    : fault(
        `Its columns ${listOf(names)} are no inputs of the model${takes}.`,
        `Drop these columns from the file${orElse}.`,
      );
}

/** Inputs `x` of two values and `x_1` of one: the column of the latter is also what numbers the former's. */
const ambiguous = (name: string, one: string, other: string, fault: FileFault): Error =>
  fault(
    `Its column ${name} may be of two inputs of the model, ${one} and ${other}.`,
    'Rename an input of the model, or upload JSON lines, whose values may be arrays.',
  );

function wrongWidth(spec: TensorSpec, due: number, width: number, orElse: string, fault: FileFault): Error {
  return fault(
    `It has ${width} column${width === 1 ? '' : 's'} for the input ${spec.name}; the model takes ${due}.`,
    due < width
      ? `Drop what is no input of the model, for example the label or row numbers${orElse}.`
      : 'Add what is missing, in the order in which the model was trained.',
  );
}
