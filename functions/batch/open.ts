import type { Signature } from '../infer/contract.ts';
import type { Entry } from './contract.ts';
import type { Written } from './model.ts';
import type { Column, PartWriter, Rows, Source } from './rows.ts';

/** The rows of an object, in the entry's format. @throws an object fault */
export function openRows(entry: Entry, source: Source, signature: Signature): Promise<Rows> {
  throw new Error(`${entry.format} ${source.bytes} ${signature.inputs.length}`);
}

/** What writes the entry's parts. */
export function writerFor(
  { ids, join, outputFormat }: Entry,
  carried: readonly string[],
  outputs: readonly Written[],
): () => PartWriter {
  const columns = columnsOf(ids.length > 0 || join, carried, outputs);
  throw new Error(`${outputFormat} ${columns.length}`);
}

/** Carried columns, or the row's number where there are none, then the outputs. */
export function columnsOf(
  carries: boolean,
  carried: readonly string[],
  outputs: readonly Written[],
): readonly Column[] {
  const first: readonly Column[] = carries
    ? carried.map((name, index) => ({ name, of: 'carried', index }))
    : [{ name: 'row', of: 'row' }];
  return [
    ...first,
    ...outputs.flatMap(({ name: output, width }) =>
      Array.from(
        { length: width },
        (_, index): Column => ({
          name: width === 1 ? output : `${output}_${index}`,
          of: 'output',
          output,
          index,
        }),
      ),
    ),
  ];
}
