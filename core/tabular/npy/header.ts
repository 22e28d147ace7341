import { objectFault } from '../../errors/object-errors.ts';
import type { Numeric } from '../cells/convert.ts';
import type { Source } from '../cells/format.ts';

/**
 * What an array is, as its file's head says:
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export type NpyHeader = {
  readonly datatype: Numeric;
  readonly shape: readonly number[];
  /** Columns lie one after the other ("Fortran order"), as in what a data frame gives. */
  readonly isByColumn: boolean;
  /** Byte of the file at which the elements begin. */
  readonly start: number;
};

/** https://numpy.org/doc/stable/reference/arrays.interface.html: the array's typestr. */
const DATATYPES: Readonly<Record<string, Numeric>> = {
  '|b1': 'BOOL',
  '|u1': 'UINT8',
  '|i1': 'INT8',
  '<u2': 'UINT16',
  '<i2': 'INT16',
  '<u4': 'UINT32',
  '<i4': 'INT32',
  '<u8': 'UINT64',
  '<i8': 'INT64',
  '<f2': 'FP16',
  '<f4': 'FP32',
  '<f8': 'FP64',
};

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** Enough for nearly all heads at the first read; numpy pads them to multiples of 64. */
const FIRST_READ = 1024;
/** A head with more is none that numpy writes for numbers. */
const HEAD_BYTES = 1024 ** 2;

const unreadable = (message: string, fix: string): Error => objectFault('UNREADABLE', `${message} ${fix}`);
const SAVE = 'Write it with numpy.save.';

/** @throws an object fault that says why the object is no array whose rows can be scored */
export async function readNpyHeader(source: Source): Promise<NpyHeader> {
  if (source.bytes === 0) throw unreadable('The object is empty.', SAVE);
  let bytes = await source.range(0, Math.min(FIRST_READ, source.bytes));
  if (bytes[0] === 0x1f && bytes[1] === 0x8b)
    throw unreadable(
      'The object is gzip, in which no row can be found without unpacking all before it.',
      'Upload the .npy file itself, which is hardly larger.',
    );
  if (bytes[0] === 0x50 && bytes[1] === 0x4b)
    throw unreadable('The object is a .npz archive.', 'Write one array with numpy.save.');
  if (source.bytes < 12 || MAGIC.some((byte, i) => bytes[i] !== byte))
    throw unreadable('The object is no array of NumPy.', SAVE);
  const major = bytes[6] as number;
  if (major < 1 || major > 3)
    throw unreadable(`The object is in version ${major} of NumPy’s format; 1 to 3 can be read.`, SAVE);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const from = major === 1 ? 10 : 12;
  const start = from + length;
  if (start > source.bytes) throw unreadable('The object ends within its head.', SAVE);
  if (length > HEAD_BYTES)
    throw unreadable(
      `The object’s head has ${length} bytes, where that of an array of numbers has some hundred.`,
      SAVE,
    );
  if (start > bytes.length) bytes = await source.range(0, start);
  return { ...headerOf(new TextDecoder().decode(bytes.subarray(from, start))), start };
}

/** @param text a literal of Python: `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }` */
function headerOf(text: string): Omit<NpyHeader, 'start'> {
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  const shape = /'shape':\s*\(([\dL,\s]*)\)/.exec(text)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(text)?.[1];
  if (shape === undefined || order === undefined || !text.includes("'descr'"))
    throw unreadable('The object’s head is not that of an array.', SAVE);
  // One byte has no order, whatever its writer says of it.
  const datatype = descr === undefined ? undefined : DATATYPES[descr.replace(/^[<>=](?=[bui]1$)/, '|')];
  if (datatype === undefined) {
    throw unreadable(
      `The array’s elements are ${descr === undefined ? 'records' : `of the type ${descr}`}; numbers of up to 8 bytes in little-endian order, and booleans, can be read.`,
      'Write rows.astype("float32") with numpy.save.',
    );
  }
  const dimensions = shape
    .split(',')
    .flatMap((part) => (part.trim() === '' ? [] : [Number.parseInt(part, 10)]));
  if (dimensions.length === 0)
    throw unreadable('The array is a single number.', 'Write an array with a row for each example.');
  // An array of one dimension, and one of which all but one dimension are 1, is the same in both orders;
  // numpy says False then.
  const isByColumn = order === 'True' && dimensions.length > 1;
  if (isByColumn && dimensions.length > 2) {
    throw unreadable(
      'The array is in Fortran order, in which no row of several dimensions lies in one place.',
      'Write numpy.ascontiguousarray(rows) with numpy.save.',
    );
  }
  return { datatype, shape: dimensions, isByColumn };
}
