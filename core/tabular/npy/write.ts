import type { Datatype } from '../../tensor/contract.ts';
import { numberAt } from '../../tensor/numbers.ts';
import { numbersIn } from '../cells/array-rows.ts';
import { cast } from '../cells/convert.ts';
import type { Column, PartWriter } from '../cells/format.ts';

/** Bytes that numpy's own heads are multiples of, so that elements are aligned in memory. */
const ALIGNMENT = 64;

/**
 * An array of NumPy, `[rows, columns]`, of the outputs' columns alone, as it has neither names nor texts. A
 * row that could not be scored is a row of NaN, so that rows of the array are rows of the part.
 *
 * @param datatypes of the outputs, by name: float32 holds FP32 and FP16, anything else makes it float64,
 * exact up to 2^53
 */
export function npyWriter(
  columns: readonly Column[],
  datatypes: Readonly<Record<string, Datatype>>,
): PartWriter {
  const outputs = columns.filter((column) => column.of === 'output');
  const isSingle = outputs.every(({ output }) => /^FP(16|32)$/.test(datatypes[output] ?? ''));
  const width = outputs.length;
  const arrays: (Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>)[] = [];
  return {
    add({ read, rows, faults }, tensors) {
      const out = isSingle ? new Float32Array(read * width) : new Float64Array(read * width);
      // Rows follow one another, and each is either good or faulty.
      const first = faults.reduce(
        (least, { row }) => Math.min(least, row),
        rows[0] ?? Number.POSITIVE_INFINITY,
      );
      for (const { row } of faults) out.fill(Number.NaN, (row - first) * width, (row - first + 1) * width);
      outputs.forEach(({ output, index = 0 }, column) => {
        const tensor = tensors[output];
        if (tensor === undefined) return;
        const step = tensor.data.length / rows.length;
        if (faults.length === 0 && tensor.datatype !== 'BYTES') {
          const from = numbersIn(tensor, tensor.data);
          const to = { datatype: isSingle ? 'FP32' : 'FP64', data: out } as const;
          cast(from, { at: index, step }, to, { at: column, step: width }, rows.length, ignore);
          return;
        }
        for (let i = 0; i < rows.length; i++)
          out[((rows[i] as number) - first) * width + column] = numberAt(tensor, i * step + index);
      });
      arrays.push(out);
    },
    size: () => arrays.reduce((sum, { byteLength }) => sum + byteLength, 0),
    end() {
      const elements = arrays.reduce((sum, { length }) => sum + length, 0);
      const rows = width === 0 ? 0 : elements / width;
      const head = header(isSingle ? '<f4' : '<f8', [rows, width]);
      const file = new Uint8Array(head.length + elements * (isSingle ? 4 : 8));
      file.set(head);
      let at = head.length;
      for (const array of arrays) {
        file.set(new Uint8Array(array.buffer), at);
        at += array.byteLength;
      }
      return file;
    },
  };
}

/** NaN and infinities are told as they are. */
const ignore = (): void => {};

/** The very bytes that numpy.save writes. */
function header(descr: string, shape: readonly number[]): Uint8Array {
  const fields = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`;
  // numpy leaves room for a first dimension that grows:
  // https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
  const room = ' '.repeat(Math.max(0, 21 - String(shape[0]).length));
  const length = fields.length + room.length + 1;
  // Up to a whole one, as numpy does.
  const pad = ALIGNMENT - ((10 + length) % ALIGNMENT);
  const text = `${fields}${room}${' '.repeat(pad)}\n`;
  const bytes = new Uint8Array(10 + text.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length & 0xff, text.length >> 8]);
  bytes.set(new TextEncoder().encode(text), 10);
  return bytes;
}
