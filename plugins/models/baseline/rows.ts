import { open } from 'node:fs/promises';
import { isObjectFault, messageAndFix } from '../../../core/errors/object-errors.ts';
import type { Block, RowFault } from '../../../core/tabular/cells/format.ts';
import type { FileFault, Header, Layout } from '../../../core/tabular/cells/layout.ts';
import type { TabularFormat } from '../../../core/tabular/cells/tabular-format.ts';
import type { Columns, Datatype, Signature } from '../../../core/tensor/contract.ts';
import type { Tensors } from '../../../core/tensor/tensors.ts';
import { diskSource } from './file-source.ts';
import { type Store, textNumber } from './store.ts';
import { castValue, isPlainValue } from './values.ts';

/** Bytes of a file's rows that are in memory at a time, where a format reads more than a block ahead. */
const PART_BYTES = 16 * 1024 ** 2;
/** A row of reference data may be an image, in words. */
const ROW_BYTES = 64 * 1024 ** 2;

/** What is known of the columns once the file is open. */
export type Table = { readonly header: Header; readonly layout: Layout };

/**
 * The rows of reference data, as batch's readers read them, into a store.
 * @param opened is told what the columns are, and gives where they go; not asked where there is no row
 */
export async function readRows(
  path: string,
  format: TabularFormat,
  signature: Signature,
  columns: Columns | undefined,
  {
    fault,
    progress,
    opened,
  }: {
    readonly fault: FileFault;
    /** Part of the file that is read, 0 to 1. */
    readonly progress: (share: number) => void;
    readonly opened: (table: Table) => Promise<Store>;
  },
): Promise<void> {
  const file = await open(path);
  try {
    let read = 0;
    const source = await diskSource(file, (bytes) => {
      read += bytes;
      progress(Math.min(1, read / source.bytes));
    });
    const rows = await format.open(source, numbersOf(signature), {
      ids: [],
      join: false,
      ...(columns && { columns }),
      reference: true,
      rowBytes: ROW_BYTES,
    });
    const table = rows.table && ofModel(rows.table, signature, rows.taken);
    const store = table && (await opened(table));
    if (rows.count !== undefined) store?.expect(rows.count);
    const fill = store && fillerOf(store, table.layout, fault);
    for await (const block of rows.all(PART_BYTES)) {
      const [first] = block.faults;
      if (first !== undefined) throw rowFault(first, fault);
      await fill?.(block);
    }
    await fill?.(undefined);
    progress(1);
  } catch (error) {
    if (!isObjectFault(error)) throw error;
    const { message, fix } = messageAndFix(error);
    throw fault(message, fix);
  } finally {
    await file.close();
  }
}

/** Numbers are read as they are written, and held against the model's datatypes afterwards. */
const numbersOf = (signature: Signature): Signature => ({
  ...signature,
  inputs: signature.inputs.map((spec) => ({
    ...spec,
    datatype: spec.datatype === 'BYTES' ? 'BYTES' : 'FP64',
  })),
});

function ofModel({ header, layout }: Table, { inputs }: Signature, taken = layout.taken): Table {
  const specs = new Map(inputs.map((spec) => [spec.name, spec]));
  const own = (name: string) => specs.get(name) as (typeof inputs)[number];
  return {
    header,
    layout: {
      ...layout,
      taken,
      tensors: layout.tensors.map((tensor) => ({ ...tensor, spec: own(tensor.spec.name) })),
      fields: layout.fields.map((field) => ({ ...field, datatype: own(field.tensor).datatype })),
    },
  };
}

/** @returns puts the rows of a block into the store; undefined: those that are left, at the end */
function fillerOf(
  store: Store,
  { tensors, fields }: Layout,
  fault: FileFault,
): (block: Block | undefined) => Promise<void> {
  const { block: columns, capacity, texts } = store;
  let filled = 0;
  const put = ({ rows, lines }: Block, values: Tensors, from: number, count: number): void => {
    for (const { spec, width, first } of tensors) {
      const data = values[spec.name]?.data as Float64Array | string[];
      for (let i = 0; i < width; i++) {
        const out = columns[first + i] as Float64Array;
        const dictionary = texts[first + i];
        let at = from * width + i;
        if (dictionary !== undefined)
          for (let row = 0; row < count; row++, at += width)
            out[filled + row] = textNumber(dictionary, data[at] as string);
        else if (isPlainValue(spec.datatype))
          for (let row = 0; row < count; row++, at += width) {
            const value = data[at] as number;
            // An infinity minus itself is no number.
            out[filled + row] = value - value === 0 ? value : Number.NaN;
          }
        else
          for (let row = 0; row < count; row++, at += width) {
            const stored = castValue(spec.datatype as Exclude<Datatype, 'BYTES'>, data[at] as number);
            if (typeof stored === 'string') {
              const where = lines === undefined ? `Row ${rows[from + row]}` : `Line ${lines[from + row]}`;
              throw wrongValue(fault, where, `${fields[first + i]?.label} ${stored}`);
            }
            out[filled + row] = stored;
          }
      }
    }
  };
  return async (block) => {
    if (block === undefined) {
      if (filled > 0) await store.flush(filled);
      return;
    }
    for (let from = 0; from < block.rows.length; ) {
      const count = Math.min(block.rows.length - from, capacity - filled);
      put(block, block.tensors, from, count);
      from += count;
      filled += count;
      if (filled < capacity) continue;
      await store.flush(filled);
      filled = 0;
    }
  };
}

function rowFault({ row, line, reason }: RowFault, fault: FileFault): Error {
  const where = line === undefined ? `Row ${row}` : `Line ${line}`;
  if (reason.startsWith('Column ')) return wrongValue(fault, where, reason.slice('Column '.length));
  const sentence = reason.replace(/^The (row|line)\b/, where);
  return fault(sentence === reason ? `${where}: ${reason}` : sentence, 'Correct it, or leave it out.');
}

/** The value itself is nobody's to see: it may be a person's. */
const wrongValue = (fault: FileFault, where: string, what: string): Error =>
  fault(`${where}, column ${what}`, 'Correct it, or leave it empty where there is no value.');
