import { refusal } from '../errors/refusals.ts';
import { rowOf } from '../tabular/csv/records.ts';
import type { Tensor } from '../tensor/datatypes.ts';
import type { Tensors } from '../tensor/tensors.ts';
import { elementsText } from './answer.ts';
import { checkElements, OR_BINARY } from './event.ts';
import { type Answer, JSON_HEADERS } from './http.ts';
import type { Shapes } from './request.ts';

/**
 * `{"predictions": […]}`, a row each, or CSV.
 *
 * @param rows of the request
 * @throws Refusal where the outputs have no rows in common
 */
export function predictionsAnswer(tensors: Tensors, shapes: Shapes, csv: boolean, rows: number): Answer {
  checkRows('output', shapes, rows);
  const outputs = outputsOf(tensors, shapes);
  const [first] = outputs;
  const count = first?.tensor.shape[0] ?? 1;
  const texts = outputs.map(({ name, tensor }, i) => {
    const rowShape = tensor.shape.length === 0 ? [] : tensor.shape.slice(1);
    if ((tensor.shape[0] ?? 1) !== count) {
      throw refusal(
        'INVALID_REQUEST',
        'The outputs differ in their first dimension; use the infer path for this model.',
      );
    }
    const values = valuesOf(tensor, `$.outputs[${i}]`);
    return { name, rows: rowsOf(values, count, rowShape, csv, outputs.length) };
  });
  if (csv) {
    const lines = Array.from({ length: count }, (_, i) => texts.map(({ rows }) => rows[i]).join());
    return {
      status: 200,
      headers: { ...JSON_HEADERS, 'content-type': 'text/csv; charset=utf-8' },
      body: lines.map((line) => `${line}\n`).join(''),
    };
  }
  const [only, ...others] = texts;
  const list =
    only !== undefined && others.length === 0
      ? only.rows
      : Array.from(
          { length: count },
          (_, i) => `{${texts.map(({ name, rows }) => `${JSON.stringify(name)}:${rows[i]}`).join()}}`,
        );
  return { status: 200, headers: JSON_HEADERS, body: `{"predictions":[${list.join()}]}` };
}

/**
 * A first dimension that is fixed though rows are free has something else: layers of a recurrent network, for
 * example. As many rows as it has would be taken for these.
 *
 * @throws Refusal where there are several rows
 */
export function checkRows(side: 'input' | 'output', shapes: Shapes, rows: number): void {
  if (rows <= 1 || !shapes.inputs.some(({ shape: [first = 1] }) => first < 0)) return;
  const other = shapes[`${side}s`].find(({ shape: [first = 1] }) => first > 1);
  if (other === undefined) return;
  throw refusal(
    'INVALID_REQUEST',
    `The first dimension of the ${side} ${JSON.stringify(other.name)} counts no rows; use the infer path for this model.`,
  );
}

/** `{"outputs": …}`, each output whole. */
export function outputsAnswer(tensors: Tensors, shapes: Shapes): Answer {
  const outputs = outputsOf(tensors, shapes).map(({ name, tensor }, i) => ({
    name,
    text: nested(valuesOf(tensor, `$.outputs[${i}]`), tensor.shape),
  }));
  const [only, ...others] = outputs;
  const text =
    only !== undefined && others.length === 0
      ? only.text
      : `{${outputs.map((output) => `${JSON.stringify(output.name)}:${output.text}`).join()}}`;
  return { status: 200, headers: JSON_HEADERS, body: `{"outputs":${text}}` };
}

/** @throws Refusal also where they are too large to be sent */
function outputsOf(tensors: Tensors, shapes: Shapes): { name: string; tensor: Tensor }[] {
  const outputs = shapes.outputs.map(({ name }) => {
    const tensor = tensors[name];
    if (tensor !== undefined) return { name, tensor };
    throw refusal('TRANSFORM_FAILED', `The transform gave no output ${JSON.stringify(name)}.`);
  });
  checkElements(
    outputs.reduce((sum, { tensor }) => sum + tensor.data.length, 0),
    0,
    OR_BINARY,
  );
  return outputs;
}

/** Elements as JSON texts. */
function valuesOf({ datatype, data }: Tensor, path: string): string[] {
  if (datatype === 'BYTES') return (data as string[]).map((text) => JSON.stringify(text));
  const text = elementsText(datatype, data, path);
  return text === '' ? [] : text.split(',');
}

/** @param outputs of the model, beside each other in CSV */
function rowsOf(
  values: readonly string[],
  count: number,
  shape: readonly number[],
  csv: boolean,
  outputs: number,
): string[] {
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  return Array.from({ length: count }, (_, i) => {
    const row = values.slice(i * size, (i + 1) * size);
    return csv ? rowOf(row, outputs === 1) : nested(row, shape);
  });
}

function nested(values: readonly string[], shape: readonly number[]): string {
  const [count, ...rest] = shape;
  if (count === undefined) return values[0] ?? 'null';
  if (rest.length === 0) return `[${values.join()}]`;
  const size = rest.reduce((product, dimension) => product * dimension, 1);
  const parts = Array.from({ length: count }, (_, i) => nested(values.slice(i * size, (i + 1) * size), rest));
  return `[${parts.join()}]`;
}
