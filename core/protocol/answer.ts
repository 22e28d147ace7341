import { refusal } from '../errors/refusals.ts';
import type { Datatype } from '../tensor/contract.ts';
import { DATATYPE_OF, sizeOf, type Tensor, type TensorData } from '../tensor/datatypes.ts';
import { fromHalf } from '../tensor/half.ts';
import { exactInteger, negativeZero } from '../tensor/raw-json.ts';
import { checkElements, checkValueSize, OR_BINARY } from './event.ts';
import { type Answer, JSON_HEADERS } from './http.ts';
import type { WantedOutput } from './request.ts';

const encoder = new TextEncoder();

/** Who answers: `model_name`, `model_version`. */
export type Responder = { readonly model: string; readonly version: string };

/** What ONNX Runtime gives back for an output, as far as we read it. */
export type OrtOutput = { readonly type: string; readonly dims: readonly number[]; readonly data: unknown };

/**
 * An output of ONNX Runtime in the protocol's words; undefined for a type that the protocol does not name.
 */
export function tensorOf({ type, dims, data }: OrtOutput): Tensor | undefined {
  const datatype = DATATYPE_OF[type];
  if (datatype === undefined) return undefined;
  if (datatype === 'FP16' && ArrayBuffer.isView(data)) {
    // Float16Array where JavaScript has one, else Uint16Array: the same bytes.
    const bits = new Uint16Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength / 2);
    return { datatype, shape: dims, data: bits as never };
  }
  return { datatype, shape: dims, data: data as never };
}

/**
 * The protocol's answer, in JSON or with binary tensors behind it.
 * @param id the request's, echoed
 * @throws Refusal `NON_FINITE_OUTPUT`: in JSON it would be a silent null; `ANSWER_TOO_LARGE` before anything
 * is written of what could not be sent
 */
export function inferAnswer(
  responder: Responder,
  id: string | undefined,
  wanted: readonly WantedOutput[],
  tensors: Readonly<Record<string, Tensor>>,
): Answer {
  checkWanted(wanted, tensors);
  const parts: Uint8Array[] = [];
  let outputs = '';
  for (let i = 0; i < wanted.length; i++) {
    const { spec, binary } = wanted[i] as WantedOutput;
    const { datatype, shape, data } = tensorNamed(tensors, spec.name);
    let rest: string;
    if (binary) {
      const bytes = binaryOf(datatype, data);
      parts.push(bytes);
      rest = `"parameters":{"binary_data_size":${bytes.byteLength}}`;
    } else {
      rest = `"data":[${elementsText(datatype, data, `$.outputs[${i}].data`)}]`;
    }
    const comma = i === 0 ? '' : ',';
    outputs += `${comma}{"name":${JSON.stringify(spec.name)},"datatype":"${datatype}","shape":[${shape.join()}],${rest}}`;
  }
  const echo = id === undefined ? '' : `"id":${JSON.stringify(id)},`;
  const text = `{${echo}"model_name":"${responder.model}","model_version":"${responder.version}","outputs":[${outputs}]}`;
  if (parts.length === 0) return { status: 200, headers: JSON_HEADERS, body: text };
  const { header, body } = bodyOf(text, parts);
  return {
    status: 200,
    headers: {
      'content-type': 'application/octet-stream',
      'x-content-type-options': 'nosniff',
      'inference-header-content-length': String(header),
    },
    body,
  };
}

function checkWanted(wanted: readonly WantedOutput[], tensors: Readonly<Record<string, Tensor>>): void {
  let count = 0;
  let raw = 0;
  let isText = true;
  for (const { spec, binary } of wanted) {
    const { datatype, data } = tensorNamed(tensors, spec.name);
    if (binary) {
      isText = false;
      // A text has its length before it.
      raw += data.length * (datatype === 'BYTES' ? 4 : sizeOf(datatype));
    } else count += data.length;
  }
  checkElements(count, raw, isText ? OR_BINARY : undefined);
}

/**
 * The same as a JavaScript value, for direct invocations; binary does not travel there, so `binary` is passed
 * over. Integers that a double cannot hold, and −0, are `JSON.rawJSON`, which Lambda's runtime writes with
 * every digit and the sign.
 */
export function inferValue(
  responder: Responder,
  id: string | undefined,
  wanted: readonly WantedOutput[],
  tensors: Readonly<Record<string, Tensor>>,
): object {
  checkElements(wanted.reduce((sum, { spec }) => sum + tensorNamed(tensors, spec.name).data.length, 0));
  const outputs = wanted.map(({ spec }, i) => {
    const { datatype, shape, data } = tensorNamed(tensors, spec.name);
    return { name: spec.name, datatype, shape, data: elements(datatype, data, `$.outputs[${i}].data`) };
  });
  const value = {
    ...(id === undefined ? {} : { id }),
    model_name: responder.model,
    model_version: responder.version,
    outputs,
  };
  checkValueSize(
    value,
    outputs.reduce((sum, { data }) => sum + sizeAtMost(data), 0),
  );
  return value;
}

/** A double takes up to 24 characters and a comma, a character of a text up to six. */
function sizeAtMost(data: readonly unknown[]): number {
  if (typeof data[0] !== 'string') return data.length * 25;
  return data.reduce<number>((sum, text) => sum + String(text).length * 6 + 3, 0);
}

function tensorNamed(tensors: Readonly<Record<string, Tensor>>, name: string): Tensor {
  const tensor = tensors[name];
  if (tensor !== undefined) return tensor;
  throw refusal('TRANSFORM_FAILED', `The transform gave no output ${JSON.stringify(name)}.`);
}

/**
 * Comma-separated JSON. Floats are written so that the same float is read back, whatever precision the reader
 * has.
 */
export function elementsText(datatype: Datatype, data: TensorData, path: string): string {
  switch (datatype) {
    case 'BYTES': {
      const text = JSON.stringify(data);
      return text.slice(1, -1);
    }
    case 'BOOL':
      return Array.from(data as Uint8Array, (byte) => (byte === 0 ? 'false' : 'true')).join();
    case 'FP16':
      return floatsText(Float64Array.from(data as Uint16Array, fromHalf), path);
    case 'FP32':
    case 'FP64':
      return floatsText(data as Float64Array, path);
    default:
      return data.join();
  }
}

function floatsText(data: Float32Array | Float64Array, path: string): string {
  const negativeZero = checkFinite(data, path);
  // join() is the engine's own loop; but it writes −0 as 0.
  return negativeZero ? Array.from(data, (x) => (Object.is(x, -0) ? '-0' : String(x))).join() : data.join();
}

/** @returns is there a −0 */
function checkFinite(data: Float32Array | Float64Array, path: string): boolean {
  let negativeZero = false;
  for (let i = 0; i < data.length; i++) {
    const x = data[i] as number;
    // NaN and infinities are the only numbers whose difference with themselves is not 0.
    if (x - x !== 0) {
      throw refusal(
        'NON_FINITE_OUTPUT',
        `${path}[${i}] is NaN or infinite, which JSON cannot say; ask for binary_data to see it.`,
      );
    }
    if (x === 0 && 1 / x < 0) negativeZero = true;
  }
  return negativeZero;
}

/** Elements as JSON values. */
function elements(datatype: Datatype, data: TensorData, path: string): unknown[] {
  switch (datatype) {
    case 'BYTES':
      return data as string[];
    case 'BOOL':
      return Array.from(data as Uint8Array, (byte) => byte !== 0);
    case 'INT64':
    case 'UINT64':
      return Array.from(data as BigInt64Array, (x) =>
        Number.isSafeInteger(Number(x)) ? Number(x) : exactInteger(x),
      );
    case 'FP16':
      return floats(Float64Array.from(data as Uint16Array, fromHalf), path);
    case 'FP32':
    case 'FP64':
      return floats(data as Float64Array, path);
    default:
      return Array.from(data as Int32Array);
  }
}

/** Lambda's runtime, too, would write −0 as 0. */
function floats(data: Float32Array | Float64Array, path: string): unknown[] {
  return checkFinite(data, path)
    ? Array.from(data, (x) => (Object.is(x, -0) ? negativeZero() : x))
    : Array.from(data);
}

/** Little-endian, row-major; BYTES each with 4 bytes of length before it. */
function binaryOf(datatype: Datatype, data: TensorData): Uint8Array {
  if (datatype !== 'BYTES') {
    const view = data as Uint8Array;
    return new Uint8Array(view.buffer, view.byteOffset, view.length * sizeOf(datatype));
  }
  return binaryTexts(data as string[]);
}

function binaryTexts(texts: readonly string[]): Uint8Array {
  // A call for each text and no memory of its own: that would take most of the time.
  const bytes = new Uint8Array(texts.reduce((sum, { length }) => sum + 4 + 3 * length, 0));
  const lengths = new DataView(bytes.buffer);
  let at = 0;
  for (const text of texts) {
    const { written } = encoder.encodeInto(text, bytes.subarray(at + 4));
    lengths.setUint32(at, written, true);
    at += 4 + written;
  }
  return bytes.subarray(0, at);
}

/**
 * Binary tensors behind their JSON.
 * @returns beside it, how many bytes the JSON has
 */
function bodyOf(json: string, parts: readonly Uint8Array[]) {
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  // Nearly every JSON is ASCII, and is written where it stays.
  let header = json.length;
  let body = new Uint8Array(header + size);
  if (encoder.encodeInto(json, body.subarray(0, header)).read < header) {
    const bytes = encoder.encode(json);
    header = bytes.length;
    body = new Uint8Array(header + size);
    body.set(bytes);
  }
  let at = header;
  for (const part of parts) {
    body.set(part, at);
    at += part.length;
  }
  return { header, body };
}
