import type { Datatype, TensorSpec } from '../../tensor/contract.ts';
import { contentsOf, hasContents } from './contents.ts';
import {
  joinedPieces,
  type WirePieces,
  writtenBool,
  writtenBytes,
  writtenNumbers,
  writtenText,
} from './wire.ts';

/** What the JSON part of a binary answer says, as `inferAnswer` writes it. */
type Head = {
  readonly id?: string;
  readonly model_name: string;
  readonly model_version: string;
  readonly outputs: readonly {
    readonly name: string;
    readonly datatype: Datatype;
    readonly shape: readonly number[];
    readonly parameters: { readonly binary_data_size: number };
  }[];
};

/**
 * An answer of HTTP’s binary form as a `ModelInferResponse`.
 * @param raw the tensors go as raw bytes; they do, too, where one of them is FP16, which has no other form,
 *   and the protocol has all of them in one
 */
export function inferResponse(
  headers: Readonly<Record<string, string | readonly string[]>>,
  body: Uint8Array,
  raw: boolean,
): Uint8Array<ArrayBuffer> {
  const stated = headers['inference-header-content-length'];
  // A model without outputs has no binary ones.
  const length = stated === undefined ? body.length : Number(stated);
  const head: Head = JSON.parse(new TextDecoder().decode(body.subarray(0, length)));
  const asRaw = raw || head.outputs.some(({ datatype }) => !hasContents(datatype));
  const tensors: Uint8Array[] = [];
  const contents: Uint8Array[] = [];
  let at = length;
  for (const { name, datatype, shape, parameters } of head.outputs) {
    const bytes = body.subarray(at, at + parameters.binary_data_size);
    at += bytes.length;
    const own = asRaw ? [] : writtenBytes(5, contentsOf(datatype, bytes));
    tensors.push(
      ...writtenBytes(5, [
        ...writtenText(1, name),
        ...writtenText(2, datatype),
        ...writtenNumbers(3, shape),
        ...own,
      ]),
    );
    if (asRaw) contents.push(...writtenBytes(6, [bytes]));
  }
  return joinedPieces([
    ...writtenText(1, head.model_name),
    ...writtenText(2, head.model_version),
    ...writtenText(3, head.id ?? ''),
    ...tensors,
    ...contents,
  ]);
}

/** `ServerLiveResponse`, `ServerReadyResponse` and `ModelReadyResponse`: one field, one form. */
export const yesOrNo = (value: boolean): Uint8Array => joinedPieces(writtenBool(1, value));

/** `ServerMetadataResponse`. */
export const serverMetadata = (name: string, version: string, extensions: readonly string[]): Uint8Array =>
  joinedPieces([
    ...writtenText(1, name),
    ...writtenText(2, version),
    ...extensions.flatMap((one) => writtenText(3, one)),
  ]);

/** `ModelMetadataResponse`. */
export function modelMetadata(
  name: string,
  versions: readonly string[],
  platform: string,
  inputs: readonly TensorSpec[],
  outputs: readonly TensorSpec[],
): Uint8Array {
  const tensor = (number: number, spec: TensorSpec): WirePieces =>
    writtenBytes(number, [
      ...writtenText(1, spec.name),
      ...writtenText(2, spec.datatype),
      ...writtenNumbers(3, spec.shape),
    ]);
  return joinedPieces([
    ...writtenText(1, name),
    ...versions.flatMap((version) => writtenText(2, version)),
    ...writtenText(3, platform),
    ...inputs.flatMap((spec) => tensor(4, spec)),
    ...outputs.flatMap((spec) => tensor(5, spec)),
  ]);
}
