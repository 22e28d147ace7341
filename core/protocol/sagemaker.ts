import { isRefusal, refusal } from '../errors/refusals.ts';
import { listOf, type Taken } from '../tabular/cells/columns.ts';
import type { Columns, TensorSpec } from '../tensor/contract.ts';
import type { Tensors } from '../tensor/tensors.ts';
import { inferAnswer, type Responder } from './answer.ts';
import { type Body, splitBody, withoutMark } from './body.ts';
import { parseCsv } from './csv-body.ts';
import { readEnvelope } from './envelope.ts';
import { type EndpointRequest, utf8 } from './event.ts';
import type { Answer } from './http.ts';
import { type InferRequest, readRequest, readValue, type Shapes } from './request.ts';
import { checkRows, outputsAnswer, predictionsAnswer } from './sagemaker-answer.ts';
import { type BodyPlaces, placedInBody } from './sagemaker-places.ts';

/**
 * SageMaker's shape: what its TensorFlow Serving and scikit-learn containers take at POST /invocations, so
 * that clients of such an endpoint can move here.
 * https://github.com/aws/sagemaker-tensorflow-serving-container,
 * https://github.com/aws/sagemaker-inference-toolkit
 *
 * `application/json` (also without a content type):
 *   {"instances": [[1, 2], [3, 4]]}           a row each, where the model has one input
 *   {"instances": [{"age": 1, "job": "x"}]}   a row each, by names of inputs or of the only one’s columns
 *   {"inputs": [[1, 2], [3, 4]]}              the only input, whole
 *   {"inputs": {"age": [1], "job": ["x"]}}    each input, whole
 *   [[1, 2], [3, 4]]                          as instances; [1, 2] is one row
 *   {"inputs": [{"name": …, "datatype": …}]}  the Open Inference Protocol, answered in it, as Triton's
 *                                             container does
 * `application/vnd.sagemaker-triton.binary+json;json-header-size=N`: the same, with binary tensors. So are
 *   answers with binary outputs.
 * `application/jsonlines`: an instance a line.
 * `text/csv`: a row a line, with or without a header (`csv-head.ts`); columns are those of the only input, of
 *   rank 2, or one for each input. The answer's header `x-models-columns` says whether they were taken by
 *   their names, or in their order.
 *
 * Answers: `{"predictions": [row, …]}`, and `{"outputs": …}` to `inputs`; a model of one output gives its
 * values, of several an object by output names. With `Accept: text/csv` a line a row, the outputs' values
 * beside each other.
 */
export function readInvocation(
  request: EndpointRequest,
  body: Body,
  shapes: Shapes,
  responder: Responder,
): { readonly asked: InferRequest; readonly answer: (tensors: Tensors) => Answer } {
  const [type = '', ...options] = (request.headers['content-type'] ?? 'application/json').split(';');
  const csv = wantsCsv(request.headers.accept);
  switch (type.trim().toLowerCase()) {
    case 'application/json':
      return readJson(textOf(body), shapes, responder, csv);
    case 'application/jsonlines':
    case 'application/x-ndjson':
      return rows(readLines(textOf(body)), shapes, csv);
    case 'text/csv': {
      const { tensors: inputs, taken } = parseCsv(textOf(body), shapes.inputs, shapes);
      const asked = { ...EMPTY, tensors: inputs, outputs: allOf(shapes) };
      checkRows('input', shapes, rowsIn(asked));
      return {
        asked,
        answer: (tensors) => telling(taken, predictionsAnswer(tensors, shapes, csv, rowsIn(asked))),
      };
    }
    case TRITON: {
      const size = options
        .map((option) => /^\s*json-header-size="?(\d+)"?\s*$/i.exec(option)?.[1])
        .find(Boolean);
      const headers = size === undefined ? {} : { 'inference-header-content-length': size };
      const { json, tail } = splitBody(body, headers);
      return protocol(readRequest(json, shapes, tail), responder);
    }
    default:
      throw refusal(
        'UNSUPPORTED_MEDIA_TYPE',
        'This path takes application/json, application/jsonlines and text/csv.',
      );
  }
}

/** What Triton’s container calls its binary form; with `;json-header-size=N` behind it. */
const TRITON = 'application/vnd.sagemaker-triton.binary+json';

type Invocation = ReturnType<typeof readInvocation>;
const EMPTY = { id: undefined, parameters: {} };

const textOf = (body: Body): string => withoutMark(typeof body === 'string' ? body : utf8(body));

/** CSV where it is accepted, and JSON is not rather: https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1 */
function wantsCsv(accept: string | undefined): boolean {
  const csv = weightOf(accept, 'text/csv');
  return csv > 0 && csv >= weightOf(accept, 'application/json');
}

function weightOf(accept: string | undefined, type: string): number {
  for (const range of accept?.toLowerCase().split(',') ?? []) {
    const [name = '', ...options] = range.split(';').map((part) => part.trim());
    if (name !== type) continue;
    const weight = options.find((option) => option.startsWith('q='));
    return weight === undefined ? 1 : Number(weight.slice(2));
  }
  return 0;
}

const allOf = (shapes: Shapes): InferRequest['outputs'] =>
  shapes.outputs.map((spec) => ({ spec, binary: false }));
const rowsIn = ({ tensors }: InferRequest): number => Object.values(tensors)[0]?.shape[0] ?? 1;
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const invalid = (message: string): Error => refusal('INVALID_REQUEST', message);

function protocol(asked: InferRequest, responder: Responder): Invocation {
  return { asked, answer: (tensors) => asTriton(inferAnswer(responder, asked.id, asked.outputs, tensors)) };
}

/**
 * SageMaker passes on no header but the content type, which therefore says where the JSON ends, too:
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
 */
function asTriton(answer: Answer): Answer {
  const { 'inference-header-content-length': size } = answer.headers;
  if (size === undefined) return answer;
  return { ...answer, headers: { ...answer.headers, 'content-type': `${TRITON};json-header-size=${size}` } };
}

function readJson(text: string, shapes: Shapes, responder: Responder, csv: boolean): Invocation {
  const { value, spans } = readEnvelope(text);
  const isProtocol =
    isObject(value) && Array.isArray(value.inputs) && isObject(value.inputs[0]) && 'name' in value.inputs[0];
  if (isProtocol || spans.length > 0) return protocol(readRequest(text, shapes), responder);
  if (Array.isArray(value)) {
    // One row may come without the brackets around rows.
    return rows(Array.isArray(value[0]) || isObject(value[0]) ? value : [value], shapes, csv);
  }
  if (!isObject(value)) throw invalid('The body must be a JSON object or array.');
  if (Array.isArray(value.instances)) return rows(value.instances, shapes, csv);
  if (value.inputs === undefined)
    throw invalid('The body must have instances, inputs, or be an array of rows.');
  const { inputs } = value;
  const isNamed = isObject(inputs);
  const asked = whole(isNamed ? inputs : byOnly(shapes.inputs, inputs, '$.inputs'), shapes, {
    path: '$.inputs',
    isNamed,
  });
  return {
    asked,
    answer: (tensors) =>
      csv ? predictionsAnswer(tensors, shapes, csv, rowsIn(asked)) : outputsAnswer(tensors, shapes),
  };
}

/** How the columns were taken, for who sends csv: `order`, and why that may be wrong. */
function telling({ by, notices }: Taken, answer: Answer): Answer {
  return { ...answer, headers: { ...answer.headers, 'x-models-columns': [by, ...notices].join('; ') } };
}

/**
 * A value a line: one that is cut is no row, and what is left of it no part of the next.
 *
 * @throws Refusal `INVALID_JSON` with the line
 */
function readLines(text: string): unknown[] {
  const values: unknown[] = [];
  text.split(/\r?\n/).forEach((line, i) => {
    if (line.trim() === '') return;
    let found: unknown;
    try {
      // In an array, so that no key of a row is taken for one of the protocol's.
      found = readEnvelope(`[${line}]`).value;
    } catch (error) {
      if (!isRefusal(error) || error.code !== 'INVALID_JSON') throw error;
    }
    if (!Array.isArray(found) || found.length !== 1)
      throw refusal('INVALID_JSON', `Line ${i + 1} is not one JSON value.`);
    values.push(found[0]);
  });
  return values;
}

/** Rows become columns, columns tensors. @param names of columns that rows had, which are arrays now */
function rows(
  instances: readonly unknown[],
  shapes: Shapes,
  csv: boolean,
  names?: readonly string[],
): Invocation {
  const [only, ...others] = shapes.inputs;
  const [first] = instances;
  if (shapes.columns !== undefined && only !== undefined && others.length === 0) {
    if (isObject(first) && !Object.hasOwn(first, only.name))
      return rows(instances.map(arrayBy(shapes.columns)), shapes, csv, shapes.columns.names);
  }
  checkRows('input', shapes, instances.length);
  const columns: Record<string, unknown[]> = Object.create(null);
  const isNamed = isObject(first);
  for (const { name } of isNamed ? shapes.inputs : []) columns[name] = [];
  instances.forEach((instance, i) => {
    const path = `$.instances[${i}]`;
    if (!isNamed) return;
    if (!isObject(instance)) throw invalid(`${path} must be an object by input names, as the first one is.`);
    for (const name in instance) {
      if (columns[name] === undefined) {
        throw refusal('UNKNOWN_INPUT', `${path}: the model’s inputs are ${namesOf(shapes.inputs)}.`);
      }
      columns[name].push(instance[name]);
    }
    for (const { name } of shapes.inputs) {
      if (columns[name]?.length !== i + 1) {
        throw refusal('MISSING_INPUT', `${path}: the input ${JSON.stringify(name)} is missing.`);
      }
    }
  });
  const asked = whole(isNamed ? columns : byOnly(shapes.inputs, instances, '$.instances'), shapes, {
    path: '$.instances',
    isNamed,
    ...(names && { columns: names }),
  });
  return { asked, answer: (tensors) => predictionsAnswer(tensors, shapes, csv, rowsIn(asked)) };
}

/** A row by the names of its columns, as pandas writes it, becomes one in the model's order. */
const arrayBy =
  ({ names }: Columns) =>
  (instance: unknown, i: number): unknown[] => {
    const path = `$.instances[${i}]`;
    if (!isObject(instance)) throw invalid(`${path} must be an object by column names, as the first one is.`);
    const lacks = names.filter((name) => !Object.hasOwn(instance, name));
    if (lacks.length > 0)
      throw refusal('MISSING_INPUT', `${path}: the columns ${listed(lacks)} are missing.`);
    if (Object.keys(instance).length > names.length)
      throw refusal('UNKNOWN_INPUT', `${path}: the model’s columns are ${listed(names)}, and no others.`);
    return names.map((name) => instance[name]);
  };

const listed = (names: readonly string[]): string => listOf(names.map((name) => JSON.stringify(name)));

const namesOf = (specs: readonly TensorSpec[]): string => listed(specs.map(({ name }) => name));

function byOnly(specs: readonly TensorSpec[], value: unknown, path: string): Record<string, unknown> {
  const [only, ...others] = specs;
  if (only === undefined || others.length > 0) {
    throw invalid(`${path} must name the model’s inputs: ${namesOf(specs)}.`);
  }
  return { [only.name]: value };
}

/**
 * Values without shapes: the nesting says the shape; a column of single values fits an input of shape [n, 1],
 * too.
 */
function whole(
  values: Readonly<Record<string, unknown>>,
  shapes: Shapes,
  places: Omit<BodyPlaces, 'inputs'>,
): InferRequest {
  const inputs = Object.entries(values).map(([name, value]) => {
    const spec = shapes.inputs.find((candidate) => candidate.name === name);
    if (spec === undefined) {
      throw refusal('UNKNOWN_INPUT', `${places.path}: the model’s inputs are ${namesOf(shapes.inputs)}.`);
    }
    const shape = nestingOf(value);
    if (spec.shape.length <= 2 && shape.length === spec.shape.length - 1 && spec.shape.at(-1) === 1) {
      return { name, datatype: spec.datatype, shape: [...shape, 1], data: [value].flat() };
    }
    return { name, datatype: spec.datatype, shape, data: Array.isArray(value) ? value : [value] };
  });
  try {
    return readValue({ inputs }, shapes, shapes.missing === 'nan');
  } catch (error) {
    throw placedInBody(error, { ...places, inputs: Object.keys(values) });
  }
}

function nestingOf(value: unknown): number[] {
  const shape: number[] = [];
  for (let inner = value; Array.isArray(inner); inner = inner[0]) shape.push(inner.length);
  return shape;
}
