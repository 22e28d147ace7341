import { type Refusal, refusal } from '../errors/refusals.ts';
import { DATATYPES, type TensorSpec } from '../tensor/contract.ts';
import { KINDS, type NumericData, type Tensor } from '../tensor/datatypes.ts';
import type { Tensors } from '../tensor/tensors.ts';

/**
 * What a model's transform gives, held against what it is to give: ONNX Runtime would blame the model for
 * what `pre` did wrong, and a client would get what `post` did wrong. A model without a transform never comes
 * here.
 *
 * Every refusal is TRANSFORM_FAILED and names the tensor as the signature does, and datatypes, shapes and
 * counts: never a value, nor a name or a text that the transform gave, which it may have made of one.
 */

/**
 * @param given by `pre`
 * @param inputs of the graph
 * @returns each of these inputs and no other, in its datatype, rank and fixed dimensions; plain arrays of
 * numbers as typed ones
 * @throws Refusal
 */
export function feedsOf(given: unknown, inputs: readonly TensorSpec[]): Tensors {
  const { tensors, stray } = taken(given, inputs, 'pre', 'input');
  const feeds: Record<string, Tensor> = Object.create(null);
  for (const { name, shape } of inputs) {
    const tensor = tensors[name];
    const at = `The input ${JSON.stringify(name)} that pre of the transform gave`;
    if (tensor === undefined)
      throw wrong(`pre of the transform gave no input ${JSON.stringify(name)}, which the model needs.`);
    const fits = (dimension: number, i: number): boolean => dimension < 0 || tensor.shape[i] === dimension;
    if (tensor.shape.length !== shape.length || !shape.every(fits)) {
      const free = shape.some((dimension) => dimension < 0) ? ', where -1 is any size' : '';
      throw wrong(`${at} has the shape ${shown(tensor.shape)}; expected ${shown(shape)}${free}.`);
    }
    feeds[name] = tensor;
  }
  if (stray > 0) {
    const names = inputs.map(({ name }) => JSON.stringify(name)).join(', ');
    const has = inputs.length === 0 ? 'none' : names;
    throw wrong(
      `pre of the transform gave ${stray} of a name that no input of the model has; it has ${has}.`,
    );
  }
  return feeds;
}

/**
 * The declared shape is not asked of it: exporters declare `[1]` for what has a row each, and that `post` may
 * pass on.
 *
 * @param given by `post`
 * @param outputs that clients are told of
 * @returns those of them that were given; plain arrays of numbers as typed ones
 * @throws Refusal
 */
export function answersOf(given: unknown, outputs: readonly TensorSpec[]): Tensors {
  return taken(given, outputs, 'post', 'output').tensors;
}

/**
 * Tensors for `pre`, which may write to the object that it gets, and to the shapes in it: what was asked is
 * looked at once more after it. Their data are the same.
 */
export function lentTo(tensors: Tensors): Tensors {
  const lent: Record<string, Tensor> = Object.create(null);
  for (const name in tensors) {
    const tensor = tensors[name] as Tensor;
    lent[name] = { ...tensor, shape: [...tensor.shape] };
  }
  return lent;
}

type Taken = {
  readonly tensors: Tensors;
  /** How many others there are. */
  readonly stray: number;
};

function taken(given: unknown, specs: readonly TensorSpec[], by: string, kind: string): Taken {
  if (typeof given !== 'object' || given === null)
    throw wrong(`${by} of the transform gave ${kindOf(given)}; expected an object of tensors by name.`);
  const found = given as Readonly<Record<string, unknown>>;
  const tensors: Record<string, Tensor> = Object.create(null);
  let known = 0;
  for (const spec of specs) {
    if (!Object.hasOwn(found, spec.name)) continue;
    known += 1;
    const at = `The ${kind} ${JSON.stringify(spec.name)} that ${by} of the transform gave`;
    tensors[spec.name] = tensorOf(found[spec.name], spec, at);
  }
  return { tensors, stray: Object.keys(found).length - known };
}

function tensorOf(value: unknown, spec: TensorSpec, at: string): Tensor {
  if (typeof value !== 'object' || value === null)
    throw wrong(`${at} is ${kindOf(value)}; expected a tensor: datatype, shape and data.`);
  const { datatype, shape, data } = value as Readonly<Record<string, unknown>>;
  if (datatype !== spec.datatype) {
    const known = DATATYPES.find((one) => one === datatype);
    const has = known === undefined ? 'no datatype of the protocol' : `the datatype ${known}`;
    throw wrong(`${at} has ${has}; expected ${spec.datatype}.`);
  }
  if (!isShape(shape)) throw wrong(`${at} has no shape; expected an array of whole numbers.`);
  const read = spec.datatype === 'BYTES' ? textsOf(data, at) : numbersOf(data, spec.datatype, at);
  const elements = shape.reduce((product, dimension) => product * dimension, 1);
  if (read.length !== elements)
    throw wrong(`${at} has ${read.length} elements; the shape ${shown(shape)} says ${elements}.`);
  return { datatype: spec.datatype, shape, data: read as never };
}

function textsOf(data: unknown, at: string): string[] {
  if (!Array.isArray(data))
    throw wrong(`${at} has data of the kind ${containerOf(data)}; expected an array.`);
  const index = data.findIndex((element: unknown) => typeof element !== 'string');
  if (index >= 0) throw wrong(`${at} has ${kindOf(data[index])} at data[${index}]; expected a text.`);
  return data;
}

function numbersOf(
  data: unknown,
  datatype: Exclude<TensorSpec['datatype'], 'BYTES'>,
  at: string,
): NumericData {
  const empty = KINDS[datatype].allocate(0);
  // A Buffer is a Uint8Array, and ONNX Runtime takes it as one.
  if (data instanceof (empty.constructor as new () => NumericData)) return data;
  // Another realm has constructors of its own; a test runner gives such arrays, for example.
  if (isOfRealm(data) && containerOf(data) === empty.constructor.name)
    return KINDS[datatype].view(data.buffer, data.byteOffset, data.length);
  // A canvas has its pixels so.
  if (datatype === 'UINT8' && data instanceof Uint8ClampedArray) return Uint8Array.from(data);
  // FP16 travels as its bits, and nobody could tell whether plain numbers are those.
  if (!Array.isArray(data) || datatype === 'FP16') {
    const container = empty.constructor.name;
    throw wrong(`${at} has data of the kind ${containerOf(data)}; expected ${container} for ${datatype}.`);
  }
  const index = data.findIndex((element: unknown) => !isElement(element, datatype));
  if (index >= 0) throw wrong(`${at} has no ${datatype} at data[${index}].`);
  const typed = KINDS[datatype].allocate(data.length);
  if (typed instanceof BigInt64Array || typed instanceof BigUint64Array) typed.set(data.map(BigInt));
  else typed.set(data.map(Number));
  return typed;
}

const isOfRealm = (data: unknown): data is NumericData => ArrayBuffer.isView(data) && 'length' in data;

/** May it stand in a plain array? A float may be NaN, as in a typed one. */
function isElement(element: unknown, datatype: Exclude<TensorSpec['datatype'], 'BYTES'>): boolean {
  if (datatype === 'BOOL') return element === true || element === false || element === 0 || element === 1;
  if (datatype === 'FP32' || datatype === 'FP64') return typeof element === 'number';
  if (datatype === 'INT64') return isWhole(element) && BigInt(element) === BigInt.asIntN(64, BigInt(element));
  if (datatype === 'UINT64')
    return isWhole(element) && BigInt(element) === BigInt.asUintN(64, BigInt(element));
  const { least, greatest } = KINDS[datatype];
  return Number.isInteger(element) && Number(element) >= least && Number(element) <= greatest;
}

const isWhole = (element: unknown): element is bigint | number =>
  typeof element === 'bigint' || Number.isInteger(element);

const isShape = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((dimension) => Number.isSafeInteger(dimension) && dimension >= 0);

const shown = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

const kindOf = (value: unknown): string => {
  if (value === undefined || value === null) return String(value);
  return typeof value === 'object' ? containerOf(value) : `a value of the type ${typeof value}`;
};

/** The name of a container that JavaScript has, not of one that somebody named. */
const containerOf = (data: unknown): string => {
  if (Array.isArray(data)) return 'Array';
  if (!ArrayBuffer.isView(data)) return data === undefined ? 'undefined' : 'no array';
  return Object.prototype.toString.call(data).slice('[object '.length, -1);
};

const wrong = (sentence: string): Refusal => refusal('TRANSFORM_FAILED', sentence);
