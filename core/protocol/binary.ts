import { refusal } from '../errors/refusals.ts';
import type { Datatype } from '../tensor/contract.ts';
import { KINDS, type TensorData } from '../tensor/datatypes.ts';
import { textFault } from '../tensor/values.ts';
import { textAt } from '../text/utf8.ts';

/**
 * A tensor from raw bytes: little-endian, row-major, BOOL a byte, BYTES each with 4 bytes of length before
 * it. NaN and infinities pass as they are, unless the model says `finite`: for some models NaN is a missing
 * value.
 */
export function readBinary(
  tail: Uint8Array<ArrayBuffer>,
  position: number,
  size: number,
  datatype: Datatype,
  elements: number,
  path: string,
): TensorData {
  if (datatype === 'BYTES') return readBinaryTexts(tail, position, size, elements, path);
  const kind = KINDS[datatype];
  if (size !== elements * kind.size) {
    throw refusal(
      'WRONG_LENGTH',
      `${path}.parameters.binary_data_size must be ${elements * kind.size}, as the shape says.`,
    );
  }
  const offset = tail.byteOffset + position;
  let data = tail.buffer;
  let start = offset;
  if (offset % kind.size !== 0) {
    data = tail.buffer.slice(offset, offset + size);
    start = 0;
  }
  const view = kind.view(data, start, elements);
  if (datatype === 'BOOL') {
    for (let i = 0; i < elements; i++) {
      if (Number(view[i]) > 1) throw refusal('WRONG_VALUE', `${path}: byte ${i} of BOOL must be 0 or 1.`);
    }
  }
  return view;
}

function readBinaryTexts(
  tail: Uint8Array<ArrayBuffer>,
  position: number,
  size: number,
  elements: number,
  path: string,
): string[] {
  const end = position + size;
  const wrong = (): Error =>
    refusal('WRONG_LENGTH', `${path}: the binary data do not hold the shape’s ${elements} texts.`);
  if (elements * 4 > size) throw wrong();
  const texts: string[] = [];
  const lengths = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  let p = position;
  for (let i = 0; i < elements; i++) {
    if (p + 4 > end) throw wrong();
    const length = lengths.getUint32(p, true);
    p += 4;
    if (p + length > end) throw wrong();
    const text = textAt(tail, p, p + length);
    if (text === undefined) {
      throw refusal('WRONG_VALUE', `${path}: text ${i} is not UTF-8, which is all that ONNX Runtime takes.`);
    }
    const fault = textFault(text);
    if (fault !== undefined) throw refusal('WRONG_VALUE', `${path}: text ${i} ${fault}`);
    texts.push(text);
    p += length;
  }
  if (p !== end) throw wrong();
  return texts;
}
