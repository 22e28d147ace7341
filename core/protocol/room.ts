import { TENSOR_BYTES } from '../endpoint/contract.ts';
import { refusal } from '../errors/refusals.ts';
import type { Datatype } from '../tensor/contract.ts';
import { sizeOf } from '../tensor/datatypes.ts';

/**
 * What is left of the memory of a request's tensors. A dimension of 0 counts as 1: a tensor without elements
 * takes no byte of a body, whatever its other dimensions are, and a model may compute and answer something
 * for each of those.
 *
 * @param room in bytes, before this tensor
 * @param path of the tensor
 * @throws Refusal `TENSOR_TOO_LARGE`
 */
export function roomAfter(room: number, shape: readonly number[], datatype: Datatype, path: string): number {
  let bytes = sizeOf(datatype);
  for (const dimension of shape) bytes *= Math.max(1, dimension);
  if (bytes <= room) return room - bytes;
  const asked = TENSOR_BYTES - room + bytes;
  throw refusal(
    'TENSOR_TOO_LARGE',
    `${path}.shape: the tensors of a request may take ${megabytes(TENSOR_BYTES)} MB of memory, and up to this one they take ${megabytes(asked)}, where a dimension of 0 counts as 1. Send fewer rows at once.`,
  );
}

/**
 * The same of rows whose shapes are known once they are read.
 *
 * @param row number of the last one that is read
 * @param rowBytes of a row of all tensors
 * @throws Refusal `TENSOR_TOO_LARGE`
 */
export function checkRowsRoom(row: number, rowBytes: number): void {
  if (row * rowBytes <= TENSOR_BYTES) return;
  throw refusal(
    'TENSOR_TOO_LARGE',
    `The tensors of a request may take ${megabytes(TENSOR_BYTES)} MB of memory, and up to row ${row} of the body they take ${megabytes(row * rowBytes)}. Send fewer rows at once.`,
  );
}

const megabytes = (bytes: number): number => Math.ceil(bytes / 1024 / 1024);
