import { type FileHandle, open } from 'node:fs/promises';
import type { Fault } from '../../../../core/tabular/cells/layout.ts';
import { fromHalf } from '../../../../core/tensor/half.ts';
import { fillerOf, putColumn, type Reading, type Sink } from './reading.ts';

type Kind = { readonly size: number; readonly at: (view: DataView, offset: number) => number | bigint };

/** https://numpy.org/doc/stable/reference/arrays.interface.html: the array's typestr. */
const KINDS: Readonly<Record<string, Kind>> = {
  '|b1': { size: 1, at: (view, at) => view.getUint8(at) },
  '|u1': { size: 1, at: (view, at) => view.getUint8(at) },
  '|i1': { size: 1, at: (view, at) => view.getInt8(at) },
  '<u2': { size: 2, at: (view, at) => view.getUint16(at, true) },
  '<i2': { size: 2, at: (view, at) => view.getInt16(at, true) },
  '<u4': { size: 4, at: (view, at) => view.getUint32(at, true) },
  '<i4': { size: 4, at: (view, at) => view.getInt32(at, true) },
  '<u8': { size: 8, at: (view, at) => view.getBigUint64(at, true) },
  '<i8': { size: 8, at: (view, at) => view.getBigInt64(at, true) },
  '<f2': { size: 2, at: (view, at) => fromHalf(view.getUint16(at, true)) },
  '<f4': { size: 4, at: (view, at) => view.getFloat32(at, true) },
  '<f8': { size: 8, at: (view, at) => view.getFloat64(at, true) },
};

/** Read at a time. */
const PART_BYTES = 4 * 1024 ** 2;

/**
 * NumPy's own format (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): rows, each of all of the model's elements.
 * Of a data frame's values columns come one after the other ("Fortran order").
 */
export async function readNpy({ path, fault, open: opened, progress }: Reading): Promise<void> {
  const file = await open(path);
  try {
    const { kind, rows, width, isByColumn, start } = await header(file, fault);
    const size = rows * width * kind.size;
    const { size: bytes } = await file.stat();
    if (bytes - start !== size) {
      throw fault(
        `It has ${bytes - start} bytes of data; its header says ${size}.`,
        'Write it again with numpy.save.',
      );
    }
    const sink = await opened({ widths: Array.from({ length: width }, () => 1) });
    if (isByColumn) await readColumns(file, { kind, rows, width, start }, sink, fault, progress);
    else await readRows(file, { kind, rows, width, start }, sink, fault, progress);
  } finally {
    await file.close();
  }
}

type Array2 = { readonly kind: Kind; readonly rows: number; readonly width: number; readonly start: number };

async function readRows(
  file: FileHandle,
  { kind, rows, width, start }: Array2,
  sink: Sink,
  fault: Fault,
  progress: (share: number) => void,
): Promise<void> {
  const filler = fillerOf(sink, fault);
  const rowBytes = width * kind.size;
  const step = Math.max(1, Math.floor(PART_BYTES / rowBytes));
  for (let first = 0; first < rows; first += step) {
    const count = Math.min(step, rows - first);
    const view = await viewOf(file, start + first * rowBytes, count * rowBytes);
    for (let row = 0; row < count; row++) {
      const where = (): string => `Row ${first + row + 1}`;
      for (let column = 0; column < width; column++)
        filler.put(column, kind.at(view, (row * width + column) * kind.size), where);
      filler.next();
      if (filler.full()) await filler.flush();
    }
    progress((first + count) / rows);
  }
  await filler.flush();
}

async function readColumns(
  file: FileHandle,
  { kind, rows, width, start }: Array2,
  sink: Sink,
  fault: Fault,
  progress: (share: number) => void,
): Promise<void> {
  await sink.store.expect(rows);
  const step = PART_BYTES / kind.size;
  for (let column = 0; column < width; column++) {
    for (let first = 0; first < rows; first += step) {
      const count = Math.min(step, rows - first);
      const view = await viewOf(file, start + (column * rows + first) * kind.size, count * kind.size);
      const run = { length: count, at: (i: number) => kind.at(view, i * kind.size) };
      await putColumn(sink, column, first, run, fault);
    }
    progress((column + 1) / width);
  }
}

async function viewOf(file: FileHandle, position: number, length: number): Promise<DataView> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done);
    if (bytesRead === 0) throw new Error('The file became shorter while it was read.');
    done += bytesRead;
  }
  return new DataView(bytes.buffer);
}

async function header(file: FileHandle, fault: Fault): Promise<Array2 & { readonly isByColumn: boolean }> {
  const broken = (): Error => fault('It is no array of NumPy.', 'Write it with numpy.save.');
  const { size } = await file.stat();
  if (size < 12) throw broken();
  const magic = await viewOf(file, 0, 12);
  if (magic.getUint32(0) !== 0x934e554d || magic.getUint16(4) !== 0x5059) throw broken();
  const isLong = magic.getUint8(6) > 1;
  const length = isLong ? magic.getUint32(8, true) : magic.getUint16(8, true);
  const from = isLong ? 12 : 10;
  if (length > 1024 ** 2 || from + length > size) throw broken();
  const text = new TextDecoder().decode(await viewOf(file, from, length));
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(text)?.[1];
  const kind = descr === undefined ? undefined : KINDS[descr];
  if (kind === undefined || shape === undefined) {
    throw fault(
      `Its elements are ${descr === undefined ? 'records' : `of the type ${descr}`}; numbers in little-endian order can be read.`,
      'Write rows.astype("float32") with numpy.save, or the columns as CSV.',
    );
  }
  const [rows = 0, ...inner] = shape.split(',').flatMap((part) => (part.trim() === '' ? [] : [Number(part)]));
  const isByColumn = /'fortran_order':\s*True/.test(text) && inner.length > 0;
  if (isByColumn && inner.length > 1) {
    throw fault('It is in Fortran order.', 'Write numpy.ascontiguousarray(rows) with numpy.save.');
  }
  const width = inner.reduce((product, one) => product * one, 1);
  if (width === 0 || rows === 0)
    throw fault('It has no elements.', 'Write an array with a row for each example.');
  return { kind, rows, width, isByColumn, start: from + length };
}
