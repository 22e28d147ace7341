/**
 * The docs page’s script. Text, not a module: the page must be one string, and its policy pins this text by
 * digest. Values go into the request as they were typed, so that a 64-bit integer keeps its last digit;
 * nothing becomes markup.
 */
export const SCRIPT = String.raw`
'use strict';
const INTEGER = /^-?(0|[1-9]\d*)$/;
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const SHOWN_VALUES = 64;
const SHOWN_CHARACTERS = 20000;
const CURL_CHARACTERS = 4000;

function show(element, text) { element.textContent = text; element.hidden = text === ''; }

function single(text, datatype) {
  if (datatype === 'BYTES') return JSON.stringify(text);
  if (datatype === 'BOOL') return text;
  const value = text.trim();
  if (!(datatype.startsWith('FP') ? NUMBER : INTEGER).test(value)) {
    throw new Error(datatype.startsWith('FP') ? 'Write a number, for example 0.5.' : 'Write a whole number.');
  }
  return value;
}

function parseList(text, hint) {
  let value;
  try { value = JSON.parse(text); } catch { throw new Error(hint); }
  if (!Array.isArray(value)) throw new Error(hint);
  return value;
}

function rows(text, shape, datatype) {
  const hint = datatype === 'BYTES' ? 'separate strings in "quotes" by commas.' : 'separate values by commas.';
  const lines = text.split('\n').map((line) => line.trim()).filter((line) => line !== '');
  if (lines.length === 0) throw new Error('Write at least one row.');
  if (shape[0] >= 0 && lines.length !== shape[0]) throw new Error('Write ' + shape[0] + ' rows; there are ' + lines.length + '.');
  const widths = lines.map((line, index) => parseList('[' + line + ']', 'Row ' + (index + 1) + ': ' + hint).length);
  const width = shape[1] >= 0 ? shape[1] : widths[0];
  const wrong = widths.findIndex((found) => found !== width);
  if (wrong >= 0) throw new Error('Row ' + (wrong + 1) + ' has ' + widths[wrong] + ' values instead of ' + width + '.');
  return { shape: [lines.length, width], data: '[' + lines.map((line) => '[' + line + ']').join(', ') + ']' };
}

function product(shape) { return shape.reduce((all, dimension) => all * dimension, 1); }

function nesting(value, found) {
  if (!Array.isArray(value)) return found;
  return nesting(value[0], [...found, value.length]);
}

function array(text, shape) {
  const value = parseList(text, 'Write a JSON array.');
  const nested = nesting(value, []);
  if (nested.length === shape.length) {
    const wrong = shape.findIndex((dimension, index) => dimension >= 0 && dimension !== nested[index]);
    if (wrong >= 0) throw new Error('Dimension ' + (wrong + 1) + ' is ' + nested[wrong] + ' instead of ' + shape[wrong] + '.');
    return { shape: nested, data: text };
  }
  if (nested.length > 1) throw new Error('Nest ' + shape.length + ' deep, or write one flat array.');
  const free = shape.filter((dimension) => dimension < 0).length;
  if (free > 1) throw new Error('With ' + free + ' free dimensions, nest the array ' + shape.length + ' deep.');
  const known = product(shape.filter((dimension) => dimension >= 0));
  const length = free === 1 ? value.length / known : 1;
  if (free === 0 ? value.length !== known : !Number.isInteger(length)) {
    throw new Error('There are ' + value.length + ' values' + (free === 0 ? ' instead of ' + known : ', not a multiple of ' + known) + '.');
  }
  return { shape: shape.map((dimension) => (dimension < 0 ? length : dimension)), data: text };
}

function tensorOf(field) {
  const { name, datatype, kind, fill } = field.dataset;
  const shape = JSON.parse(field.dataset.shape);
  const text = field.querySelector('.value').value;
  const ones = shape.map((dimension) => (dimension < 0 ? 1 : dimension));
  let read;
  if (fill !== undefined && text.trim() === '') {
    read = { shape: ones, data: '[' + Array(product(ones)).fill(fill).join(',') + ']' };
  } else if (kind === 'one') {
    read = { shape: ones, data: '[' + single(text, datatype) + ']' };
  } else {
    read = kind === 'rows' ? rows(text, shape, datatype) : array(text, shape);
  }
  return '{"name": ' + JSON.stringify(name) + ', "shape": ' + JSON.stringify(read.shape) + ', "datatype": "' + datatype + '", "data": ' + read.data + '}';
}

function complain(field, text) {
  const control = field.querySelector('.value, [name=json]');
  control.setAttribute('aria-invalid', String(text !== ''));
  show(field.querySelector('.error'), text);
  return text === '' ? undefined : control;
}

/** @returns the body, or undefined after marking every field that is wrong */
function bodyOf(form) {
  let wrong;
  const tensors = [];
  for (const field of form.querySelectorAll('[data-name]')) {
    try {
      tensors.push(tensorOf(field));
      complain(field, '');
    } catch (error) {
      const control = complain(field, error.message);
      wrong ??= control;
    }
  }
  return wrong === undefined ? { body: '{"inputs": [\n  ' + tensors.join(',\n  ') + '\n]}' } : { wrong };
}

function jsonOf(form) {
  const field = form.querySelector('.json');
  const control = form.elements.json;
  try { JSON.parse(control.value); } catch (error) {
    return { wrong: complain(field, 'This is not JSON: ' + error.message) };
  }
  complain(field, '');
  return { body: control.value };
}

const inJson = (form) => form.elements.mode.value === 'json';
const requestOf = (form) => (inJson(form) ? jsonOf(form) : bodyOf(form));
const urlOf = (form) => new URL(form.dataset.url, document.baseURI).href;
const quote = (text) => "'" + text.replaceAll("'", "'\\''") + "'";

function curlOf(form) {
  const { body } = requestOf(form);
  if (body === undefined) return 'Mend the fields above first.';
  const short = body.length <= CURL_CHARACTERS;
  const data = short ? quote(inJson(form) ? body : body.replace(/\n\s*/g, '')) : '@request.json';
  const before = short ? '' : '# The body is long: save what JSON shows above as request.json.\n';
  const token = form.elements.authorization ? " \\\n  -H 'authorization: …'" : '';
  return before + 'curl ' + quote(urlOf(form)) + " \\\n  -H 'content-type: application/json'" + token + ' \\\n  --data-binary ' + data;
}

function rowOf(output) {
  const flat = [output.data].flat(Infinity);
  const values = flat.slice(0, SHOWN_VALUES).map((value) => (typeof value === 'string' ? JSON.stringify(value) : String(value)));
  const block = document.createElement('div');
  const name = document.createElement('h4');
  const words = document.createElement('bdi');
  words.textContent = output.name;
  const type = document.createElement('small');
  type.textContent = ' ' + output.datatype + ' [' + (output.shape ?? []).join(', ') + ']';
  name.append(words, type);
  const list = document.createElement('code');
  list.textContent = values.join(', ') + (flat.length > SHOWN_VALUES ? ', … ' + (flat.length - SHOWN_VALUES) + ' more' : '');
  block.append(name, list);
  return block;
}

async function ask(form, section) {
  const status = section.querySelector('.status');
  const outputs = section.querySelector('.outputs');
  const raw = section.querySelector('.raw');
  const button = form.querySelector('[type=submit]');
  const request = requestOf(form);
  if (request.wrong) { request.wrong.focus(); return; }
  const headers = { 'content-type': 'application/json' };
  if (form.elements.authorization?.value) headers.authorization = form.elements.authorization.value;
  button.disabled = true;
  section.querySelector('.answer').className = 'answer';
  status.textContent = 'Waiting…';
  outputs.replaceChildren();
  outputs.hidden = true;
  raw.hidden = true;
  const start = performance.now();
  try {
    const response = await fetch(urlOf(form), { method: 'POST', headers, body: request.body });
    const text = await response.text();
    const took = (performance.now() - start).toFixed(1);
    let answer;
    try { answer = JSON.parse(text); } catch { answer = undefined; }
    const version = answer?.model_version ? ', version ' + answer.model_version : '';
    const failed = response.ok ? '' : ': ' + (answer?.error ?? answer?.message ?? response.statusText);
    status.textContent = response.status + ' in ' + took + ' ms' + version + failed;
    section.querySelector('.answer').classList.add(response.ok ? 'good' : 'bad');
    if (Array.isArray(answer?.outputs)) {
      outputs.replaceChildren(...answer.outputs.map(rowOf));
      outputs.hidden = false;
    }
    raw.hidden = text === '';
    raw.querySelector('pre').textContent = text.length > SHOWN_CHARACTERS ? text.slice(0, SHOWN_CHARACTERS) + '\n… ' + (text.length - SHOWN_CHARACTERS) + ' more characters' : text;
  } catch (error) {
    status.textContent = 'No answer: ' + error.message;
    section.querySelector('.answer').classList.add('bad');
  } finally {
    button.disabled = false;
  }
}

for (const form of document.querySelectorAll('form')) {
  const section = form.closest('section');
  const curl = section.querySelector('.curl pre');
  const copy = section.querySelector('.copy');
  const refresh = () => { curl.textContent = curlOf(form); };
  form.addEventListener('input', refresh);
  form.addEventListener('change', (event) => {
    if (event.target.name !== 'mode') return;
    const json = inJson(form);
    if (json) form.elements.json.value = bodyOf(form).body ?? form.elements.json.value;
    form.querySelector('.json').hidden = !json;
    form.querySelector('.fields').hidden = json;
    refresh();
  });
  form.addEventListener('submit', (event) => { event.preventDefault(); ask(form, section); });
  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(curl.textContent);
    copy.textContent = 'Copied';
    setTimeout(() => { copy.textContent = 'Copy'; }, 1500);
  });
  // Browsers refill forms on reload without an event, radios included.
  form.reset();
  refresh();
}
`;
