import type { Manifest } from '../endpoint/contract.ts';
import { objectFault } from '../errors/object-errors.ts';
import type { Column, PartWriter, Rows, Source } from '../tabular/cells/format.ts';
import { formatOf } from '../tabular/formats.ts';
import type { Entry } from './contract.ts';
import type { Written } from './widths.ts';

/** The rows of an object, in the entry's format. @throws an object fault */
export const openRows = (
  { format, ids, join, missing }: Entry,
  source: Source,
  { signature, columns }: Pick<Manifest, 'signature' | 'columns'>,
): Promise<Rows> =>
  formatOf(format).open(source, signature, {
    ids,
    join,
    ...(columns && { columns }),
    ...(missing && { missing }),
  });

/**
 * @returns what makes a writer for each file, one after the other: the next has the memory of the last
 * @throws an object fault `WRONG_HEADER` where two columns that are written have one name
 */
export async function writerFor(
  { ids, join, outputFormat }: Entry,
  { carried, types }: Pick<Rows, 'carried' | 'types'>,
  outputs: readonly Written[],
): Promise<() => PartWriter> {
  const format = formatOf(outputFormat);
  const columns = columnsOf(ids.length > 0 || join, carried, outputs, format.nests);
  // Those of an array have none.
  if (!format.isArray) checkColumns(columns);
  const datatypes = Object.fromEntries(outputs.map(({ name, datatype }) => [name, datatype]));
  return format.writer(columns, datatypes, types);
}

function checkColumns(columns: readonly Column[]): void {
  const known = new Map<string, Column['of']>();
  for (const { name, of } of columns) {
    const other = known.get(name);
    known.set(name, of);
    if (other === undefined) continue;
    throw objectFault(
      'WRONG_HEADER',
      other === 'output'
        ? `Two of the answers have a column ${name}. Choose other outputs with \`emit\`, or write \`outputFormat: jsonl\`, where an output is one column.`
        : `Its column ${name} has the name of one of the answers beside it. Rename the column, or choose other outputs with \`emit\`.`,
    );
  }
}

/**
 * Carried columns, or the row's number where there are none, then the outputs: a column an element, but where
 * values may be arrays.
 */
function columnsOf(
  carries: boolean,
  carried: readonly string[],
  outputs: readonly Written[],
  arrays: boolean,
): readonly Column[] {
  const first: readonly Column[] = carries
    ? carried.map((name, index) => ({ name, of: 'carried', index }))
    : [{ name: 'row', of: 'row' }];
  return [
    ...first,
    ...outputs.flatMap(({ name: output, width = 1 }): Column[] => {
      if (arrays) return [{ name: output, of: 'output', output }];
      return Array.from({ length: width }, (_, index) => ({
        name: width === 1 ? output : `${output}_${index}`,
        of: 'output',
        output,
        index,
      }));
    }),
  ];
}
