import type { TensorSpec } from '../tensor/contract.ts';
import { escapeHtml as esc } from './escape.ts';
import { elementCount, exampleShape, exampleValue } from './example.ts';

/**
 * Longer text than this is no help in a form: an empty field then stands for the example value everywhere.
 */
const PREFILLED_ELEMENTS = 1024;

/** one: a single value. rows: a line a row. json: an array, nested or flat. */
export type FieldKind = 'one' | 'rows' | 'json';

/**
 * How a person best writes a tensor of this shape: a free first dimension before a 1 is a batch of single
 * values.
 */
export function fieldKind(shape: readonly number[]): FieldKind {
  if (shape.includes(0)) return 'json';
  const single = shape.every((dimension, index) => dimension === 1 || (dimension < 0 && index === 0));
  if (single && (shape.length !== 1 || shape[0] === 1)) return 'one';
  return shape.length === 2 ? 'rows' : 'json';
}

function hintOf(kind: FieldKind, { shape, datatype }: TensorSpec, prefilled: boolean): string {
  const value =
    datatype === 'BYTES' ? 'strings in "quotes"' : datatype === 'BOOL' ? 'true or false' : 'numbers';
  const wanted = exampleShape(shape);
  const dimensions = shape
    .map((dimension) => (dimension < 0 ? 'any' : dimension.toLocaleString('en')))
    .join(' × ');
  if (!prefilled) {
    const count = elementCount(wanted).toLocaleString('en');
    return `${dimensions}: ${count} values. Left empty, each is ${exampleValue(datatype)}; or a JSON array, nested or flat.`;
  }
  if (kind === 'rows') {
    const [rows = -1, columns = -1] = shape;
    const lines = rows < 0 ? 'One row a line' : `${rows} ${rows === 1 ? 'row' : 'rows, one a line'}`;
    return `${lines}, ${columns < 0 ? 'any number of' : columns.toLocaleString('en')} ${value} a row, separated by commas.`;
  }
  if (shape.length === 1) {
    const [length = -1] = shape;
    return `A JSON array of ${length < 0 ? 'any number of' : length.toLocaleString('en')} ${value}.`;
  }
  return `A JSON array of ${value}, ${dimensions}, nested or flat.`;
}

function prefill(kind: FieldKind, { shape, datatype }: TensorSpec): string {
  const wanted = exampleShape(shape);
  const value = JSON.stringify(exampleValue(datatype));
  const list = (length: number): string => Array(length).fill(value).join(', ');
  if (kind === 'rows')
    return Array(wanted[0])
      .fill(list(wanted[1] ?? 0))
      .join('\n');
  // Without a value it may still be long: [[], [], …].
  const long = elementCount(wanted.map((dimension) => Math.max(dimension, 1))) > PREFILLED_ELEMENTS;
  return long ? '[]' : nested(wanted, value);
}

function nested([first, ...rest]: readonly number[], value: string): string {
  return first === undefined ? value : `[${Array(first).fill(nested(rest, value)).join(', ')}]`;
}

function control(kind: FieldKind, spec: TensorSpec, id: string, prefilled: boolean): string {
  const { datatype } = spec;
  const shared = `id="${id}" class="value" aria-describedby="${id}-h ${id}-e" spellcheck="false" autocapitalize="off" autocomplete="off"`;
  if (kind !== 'one') {
    const text = prefilled ? prefill(kind, spec) : '';
    const rows = Math.min(8, Math.max(2, text.split('\n').length + 1));
    return `<textarea ${shared} rows="${rows}">${esc(text)}</textarea>`;
  }
  if (datatype === 'BOOL') {
    return `<select ${shared}><option>true</option><option>false</option></select>`;
  }
  const mode = datatype === 'BYTES' ? 'text' : datatype.startsWith('FP') ? 'decimal' : 'numeric';
  return `<input ${shared} type="text" inputmode="${mode}" value="${esc(String(exampleValue(datatype)))}">`;
}

/**
 * One input of the signature as a form field, filled with a value that the endpoint takes.
 * What the page's script must know of it stands in `data-` attributes.
 */
export function field(spec: TensorSpec, id: string): string {
  const { name, datatype, shape } = spec;
  const kind = fieldKind(shape);
  const prefilled = elementCount(exampleShape(shape)) <= PREFILLED_ELEMENTS;
  const fill = prefilled ? '' : ` data-fill="${esc(JSON.stringify(exampleValue(datatype)))}"`;
  const hint = kind === 'one' ? '' : `${esc(hintOf(kind, spec, prefilled))}`;
  return `<div class="field${kind === 'one' ? '' : ' wide'}" data-name="${esc(name)}" data-datatype="${datatype}" data-shape="${esc(JSON.stringify(shape))}" data-kind="${kind}"${fill}><label for="${id}"><bdi>${esc(name)}</bdi> <small>${datatype}</small></label>${control(kind, spec, id, prefilled)}<p class="hint" id="${id}-h">${hint}</p><p class="error" id="${id}-e" hidden></p></div>`;
}
