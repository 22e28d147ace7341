import { TENSOR_BYTES } from '../endpoint/contract.ts';
import { refusal } from '../errors/refusals.ts';
import type { Columns, Datatype, TensorSpec } from '../tensor/contract.ts';
import { NESTING } from '../tensor/contract.ts';
import type { Tensor, TensorData } from '../tensor/datatypes.ts';
import { nonFiniteIn } from '../tensor/finite.ts';
import { FRESH_MEMORY, type Memory } from '../tensor/memory.ts';
import { readList, readText } from '../tensor/read-json.ts';
import { readBinary } from './binary.ts';
import { type Envelope, readEnvelope } from './envelope.ts';
import { roomAfter } from './room.ts';

/**
 * An infer request, understood and checked against the signature: every input is there, in its datatype and
 * shape.
 */
export type InferRequest = {
  readonly id: string | undefined;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly tensors: Record<string, Tensor>;
  /** In the order asked for; all of the model's where the request names none. */
  readonly outputs: readonly WantedOutput[];
};
export type WantedOutput = { readonly spec: TensorSpec; readonly binary: boolean };

/** The signature, and what the manifest says of inputs beside it. */
export type Shapes = {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly omitted: readonly string[];
  readonly columns?: Columns;
  readonly missing?: 'nan';
  readonly finite?: true;
};

type Fields = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const invalid = (message: string): Error => refusal('INVALID_REQUEST', message);
const NONE: Fields = Object.freeze({});

/**
 * Reads a request of the Open Inference Protocol v2:
 * https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
 *
 * @param text the JSON, or the JSON part before binary tensors
 * @param tail the bytes after it, where the request has `Inference-Header-Content-Length`
 * @throws Refusal with a JSON path, 400 or 413
 */
export function readRequest(
  text: string,
  signature: Shapes,
  tail?: Uint8Array<ArrayBuffer>,
  memory: Memory = FRESH_MEMORY,
): InferRequest {
  return understand(readEnvelope(text), signature, tail, memory);
}

/**
 * The same for a request that is a JavaScript value already: a direct invocation's event.
 * @param missing null is NaN, of floats
 */
export function readValue(value: unknown, signature: Shapes, missing = false): InferRequest {
  checkKeys(value, 1);
  return understand({ value, spans: undefined }, signature, undefined, FRESH_MEMORY, missing);
}

/**
 * Checks the keys of what no text was read from; not those of `data`, whose elements are looked at one by
 * one.
 */
function checkKeys(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth > NESTING) throw refusal('TOO_DEEP', `The request is nested deeper than ${NESTING}.`);
  if (Object.hasOwn(value, '__proto__')) {
    throw refusal('FORBIDDEN_KEY', 'A key is named __proto__, which is not allowed.');
  }
  for (const [key, part] of Object.entries(value)) if (key !== 'data') checkKeys(part, depth + 1);
}

type Source = { readonly value: unknown; readonly spans: Envelope['spans'] | undefined };

function understand(
  { value, spans }: Source,
  signature: Shapes,
  tail: Uint8Array<ArrayBuffer> | undefined,
  memory: Memory,
  missing = false,
): InferRequest {
  if (!isObject(value)) throw invalid('The body must be a JSON object with inputs.');
  const { inputs } = value;
  // The objects of some clients, MLServer's among them, write what is not there as null.
  const id = value.id ?? undefined;
  if (id !== undefined && typeof id !== 'string') throw invalid('$.id must be a string.');
  const parameters = readParameters(value.parameters, '$.parameters');
  if (!Array.isArray(inputs)) throw invalid('$.inputs must be an array of tensors.');

  const tensors: Record<string, Tensor> = Object.create(null);
  let room = TENSOR_BYTES;
  let position = 0;
  let used = 0;
  for (let i = 0; i < inputs.length; i++) {
    const path = `$.inputs[${i}]`;
    const input: unknown = inputs[i];
    if (!isObject(input)) throw invalid(`${path} must be an object.`);
    const spec = specOf(input.name, signature.inputs, path);
    if (tensors[spec.name] !== undefined) {
      throw refusal('DUPLICATE_NAME', `${path}.name: this input is there twice.`);
    }
    if (input.datatype !== spec.datatype) {
      throw refusal('WRONG_DATATYPE', `${path}.datatype must be ${spec.datatype}.`);
    }
    const shape = readShape(input.shape, spec, `${path}.shape`);
    const elements = elementCount(shape);
    room = roomAfter(room, shape, spec.datatype, path);

    const { binary_data_size: size, shared_memory_region: shared } = readParameters(
      input.parameters,
      `${path}.parameters`,
    );
    if (shared !== undefined) throw invalid(`${path}.parameters: shared memory is not offered here.`);
    let data: TensorData;
    if (size !== undefined) {
      if (input.data !== undefined) throw invalid(`${path} has both data and binary_data_size.`);
      if (tail === undefined) {
        throw invalid(
          `${path}.parameters.binary_data_size needs the header Inference-Header-Content-Length, which says where the JSON ends.`,
        );
      }
      if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
        throw invalid(`${path}.parameters.binary_data_size must be a number of bytes.`);
      }
      if (size > tail.length - position) {
        throw invalid(`${path}.parameters.binary_data_size is more than the body has left.`);
      }
      data = readBinary(tail, position, size, spec.datatype, elements, path);
      if (signature.finite) checkFinite(spec.datatype, data, path);
      position += size;
    } else {
      const { data: list } = input;
      if (!Array.isArray(list)) throw invalid(`${path}.data must be an array.`);
      const span: unknown = spans === undefined ? undefined : spans[list[0]];
      if (typeof span === 'string') {
        used++;
        data = readText(span, spec.datatype, shape, elements, `${path}.data`, memory);
      } else {
        data = readList(list, spec.datatype, shape, elements, `${path}.data`, missing);
      }
    }
    tensors[spec.name] = { datatype: spec.datatype, shape, data: data as never };
  }
  if (spans !== undefined && used !== spans.length) throw invalid('An input has data more than once.');
  if (tail !== undefined && position !== tail.length) {
    throw invalid('The body goes on after the last binary tensor.');
  }
  for (const { name } of signature.inputs) {
    if (tensors[name] === undefined) {
      throw refusal('MISSING_INPUT', `$.inputs: the input ${JSON.stringify(name)} is missing.`);
    }
  }
  return { id, parameters, tensors, outputs: readOutputs(value.outputs, parameters, signature) };
}

function readParameters(value: unknown, path: string): Fields {
  if (value === undefined || value === null) return NONE;
  if (!isObject(value)) throw invalid(`${path} must be an object.`);
  return value;
}

function specOf(name: unknown, specs: readonly TensorSpec[], path: string): TensorSpec {
  const spec = specs.find((candidate) => candidate.name === name);
  if (spec !== undefined) return spec;
  throw refusal('UNKNOWN_INPUT', `${path}.name: the model’s inputs are ${namesOf(specs)}.`);
}

const namesOf = (specs: readonly TensorSpec[]): string =>
  specs.map(({ name }) => JSON.stringify(name)).join(', ') || 'none';

function readShape(value: unknown, { shape }: TensorSpec, path: string): number[] {
  if (!Array.isArray(value)) throw invalid(`${path} must be an array of whole numbers.`);
  if (value.length !== shape.length) {
    throw refusal('WRONG_SHAPE', `${path} must have rank ${shape.length}: ${describe(shape)}.`);
  }
  for (let i = 0; i < value.length; i++) {
    const dimension: unknown = value[i];
    if (typeof dimension !== 'number' || !Number.isSafeInteger(dimension) || dimension < 0) {
      throw refusal('WRONG_SHAPE', `${path}[${i}] must be a whole number, 0 or more.`);
    }
    const due = shape[i] ?? -1;
    if (due >= 0 && dimension !== due) throw refusal('WRONG_SHAPE', `${path}[${i}] must be ${due}.`);
  }
  return value;
}

const describe = (shape: readonly number[]): string => `[${shape.join(', ')}], where -1 is any size`;

function elementCount(shape: readonly number[]): number {
  let product = 1;
  for (const dimension of shape) product *= dimension;
  return product;
}

/** @throws Refusal `WRONG_VALUE` that names the first element which is no number */
function checkFinite(datatype: Datatype, data: TensorData, path: string): void {
  const place = nonFiniteIn(datatype, data);
  if (place < 0) return;
  throw refusal(
    'WRONG_VALUE',
    `${path}: element ${place} is NaN or infinite, which this model does not take.`,
  );
}

function readOutputs(value: unknown, parameters: Fields, signature: Shapes): WantedOutput[] {
  const { binary_data_output: all } = parameters;
  if (all !== undefined && typeof all !== 'boolean') {
    throw invalid('$.parameters.binary_data_output must be true or false.');
  }
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) {
    return signature.outputs.map((spec) => ({ spec, binary: all === true }));
  }
  if (!Array.isArray(value)) throw invalid('$.outputs must be an array of outputs.');
  const seen = new Set<unknown>();
  return value.map((output: unknown, i) => {
    const path = `$.outputs[${i}]`;
    if (!isObject(output)) throw invalid(`${path} must be an object.`);
    const { name } = output;
    const spec = signature.outputs.find((candidate) => candidate.name === name);
    if (spec === undefined) {
      const known = signature.omitted.some((omitted) => omitted === name)
        ? 'this output is a map or a sequence, which the protocol cannot express'
        : `the model’s outputs are ${namesOf(signature.outputs)}`;
      throw refusal('UNKNOWN_OUTPUT', `${path}.name: ${known}.`);
    }
    if (seen.has(name)) throw refusal('DUPLICATE_NAME', `${path}.name: this output is asked for twice.`);
    seen.add(name);
    const {
      binary_data: binary,
      classification,
      shared_memory_region: shared,
    } = readParameters(output.parameters, `${path}.parameters`);
    if (binary !== undefined && typeof binary !== 'boolean') {
      throw invalid(`${path}.parameters.binary_data must be true or false.`);
    }
    if ((classification !== undefined && classification !== 0) || shared !== undefined) {
      throw invalid(`${path}.parameters: neither classification nor shared memory is offered here.`);
    }
    return { spec, binary: binary ?? all === true };
  });
}
