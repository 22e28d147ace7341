import { answerInBody } from './answer.ts';
import { filled, tensorText } from './tensor.ts';

/**
 * The docs page’s script: bundled when a service is packaged, and put into the page, whose policy pins it by
 * digest. What core/catalog/docs.ts writes is what it finds. Nothing becomes markup.
 */

const SHOWN_VALUES = 64;
const SHOWN_CHARACTERS = 20_000;
const CURL_CHARACTERS = 4000;

type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;
/** A request's body, or the first field that is wrong. `long`: the body lacks what is too long. */
type Asked = { readonly body: string; readonly long?: boolean } | { readonly wrong: HTMLElement };

/** The page has it: it is this script's own. */
function the<Found extends HTMLElement>(within: ParentNode, selector: string): Found {
  const found = within.querySelector<Found>(selector);
  if (found === null) throw new Error(`There is no ${selector}.`);
  return found;
}
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Says what is wrong with a field; nothing, where the text is empty. @returns its control */
function complain(field: HTMLElement, text: string): HTMLElement {
  const control = the(field, '.value, [name=json]');
  control.setAttribute('aria-invalid', String(text !== ''));
  const error = the(field, '.error');
  error.textContent = text;
  error.hidden = text === '';
  return control;
}

/**
 * Marks every field that is wrong.
 * @param most characters of a field that is filled: more would take the time of each key that is pressed
 */
function ofFields(form: HTMLFormElement, most = Number.POSITIVE_INFINITY): Asked {
  let long = false;
  let wrong: HTMLElement | undefined;
  const tensors: string[] = [];
  for (const field of form.querySelectorAll<HTMLElement>('[data-name]')) {
    const { name = '', datatype = '', kind, fill } = field.dataset;
    const shape = JSON.parse(field.dataset.shape ?? '[]');
    try {
      const text = the<Control>(field, '.value').value;
      if (filled({ shape, fill }, text) > most) long = true;
      else tensors.push(tensorText({ name, datatype, shape, kind, fill }, text));
      complain(field, '');
    } catch (error) {
      const control = complain(field, messageOf(error));
      wrong ??= control;
    }
  }
  return wrong === undefined ? { body: `{"inputs": [\n  ${tensors.join(',\n  ')}\n]}`, long } : { wrong };
}

const textIn = (form: HTMLFormElement) => the<HTMLTextAreaElement>(form, '[name=json]');

function ofText(form: HTMLFormElement): Asked {
  const field = the(form, '.json');
  const { value } = textIn(form);
  try {
    JSON.parse(value);
  } catch (error) {
    return { wrong: complain(field, `This is not JSON: ${messageOf(error)}`) };
  }
  complain(field, '');
  return { body: value };
}

const inJson = (form: HTMLFormElement): boolean => new FormData(form).get('mode') === 'json';
const askedIn = (form: HTMLFormElement): Asked => (inJson(form) ? ofText(form) : ofFields(form));
const urlOf = (form: HTMLFormElement): string => new URL(form.dataset.url ?? '', document.baseURI).href;
const authorizationIn = (form: HTMLFormElement) =>
  form.querySelector<HTMLInputElement>('[name=authorization]');
const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

function curlOf(form: HTMLFormElement): string {
  const asked = inJson(form) ? ofText(form) : ofFields(form, CURL_CHARACTERS);
  if ('wrong' in asked) return 'Fix the fields above first.';
  const { body, long } = asked;
  const short = !long && body.length <= CURL_CHARACTERS;
  const data = short ? quote(inJson(form) ? body : body.replace(/\n\s*/g, '')) : '@request.json';
  const before = short ? '' : '# The body is long: save what JSON shows above as request.json.\n';
  const token = authorizationIn(form) === null ? '' : " \\\n  -H 'authorization: …'";
  return `${before}curl ${quote(urlOf(form))} \\\n  -H 'content-type: application/json'${token} \\\n  --data-binary ${data}`;
}

type Output = {
  readonly name: string;
  readonly datatype: string;
  readonly shape?: readonly number[];
  readonly data: unknown;
};

function blockOf(output: Output): HTMLElement {
  const flat: unknown[] = [output.data].flat(Number.POSITIVE_INFINITY);
  const values = flat
    .slice(0, SHOWN_VALUES)
    .map((value) => (typeof value === 'string' ? JSON.stringify(value) : String(value)));
  const more = flat.length > SHOWN_VALUES ? `, … ${flat.length - SHOWN_VALUES} more` : '';
  const block = document.createElement('div');
  const name = document.createElement('h4');
  const words = document.createElement('bdi');
  words.textContent = output.name;
  const type = document.createElement('small');
  type.textContent = ` ${output.datatype} [${(output.shape ?? []).join(', ')}]`;
  name.append(words, type);
  const list = document.createElement('code');
  list.textContent = values.join(', ') + more;
  block.append(name, list);
  return block;
}

const cut = (text: string): string =>
  text.length > SHOWN_CHARACTERS
    ? `${text.slice(0, SHOWN_CHARACTERS)}\n… ${text.length - SHOWN_CHARACTERS} more characters`
    : text;

async function ask(form: HTMLFormElement, section: HTMLElement): Promise<void> {
  const [status, outputs, raw] = [the(section, '.status'), the(section, '.outputs'), the(section, '.raw')];
  const button = the<HTMLButtonElement>(form, '[type=submit]');
  const asked = askedIn(form);
  if ('wrong' in asked) {
    asked.wrong.focus();
    return;
  }
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  const authorization = authorizationIn(form)?.value;
  if (authorization) headers.authorization = authorization;
  button.disabled = true;
  the(section, '.answer').className = 'answer';
  status.textContent = 'Waiting…';
  outputs.replaceChildren();
  outputs.hidden = true;
  raw.hidden = true;
  const start = performance.now();
  try {
    const response = await fetch(urlOf(form), { method: 'POST', headers, body: asked.body });
    const text = await response.text();
    const took = (performance.now() - start).toFixed(1);
    const answer = answerInBody(text);
    const version = answer?.model_version ? `, version ${answer.model_version}` : '';
    const failed = response.ok ? '' : `: ${answer?.error ?? answer?.message ?? response.statusText}`;
    status.textContent = `${response.status} in ${took} ms${version}${failed}`;
    the(section, '.answer').classList.add(response.ok ? 'good' : 'bad');
    if (Array.isArray(answer?.outputs)) {
      outputs.replaceChildren(...answer.outputs.map(blockOf));
      outputs.hidden = false;
    }
    raw.hidden = text === '';
    the(raw, 'pre').textContent = cut(text);
  } catch (error) {
    status.textContent = `No answer: ${messageOf(error)}`;
    the(section, '.answer').classList.add('bad');
  } finally {
    button.disabled = false;
  }
}

/**
 * Browsers have no clipboard for pages that come over HTTP from another machine: then the text is marked, to
 * be copied with the keyboard.
 */
async function copied(text: HTMLElement): Promise<string> {
  try {
    await navigator.clipboard.writeText(text.textContent ?? '');
    return 'Copied';
  } catch {
    getSelection()?.selectAllChildren(text);
    return 'Marked';
  }
}

function bringUp(form: HTMLFormElement, section: HTMLElement): void {
  const curl = the(section, '.curl pre');
  const copy = the(section, '.copy');
  const refresh = (): void => {
    curl.textContent = curlOf(form);
  };
  form.addEventListener('input', refresh);
  form.addEventListener('change', ({ target }) => {
    if (!(target instanceof HTMLInputElement) || target.name !== 'mode') return;
    const isJson = inJson(form);
    if (isJson) {
      const asked = ofFields(form);
      if ('body' in asked) textIn(form).value = asked.body;
    }
    the(form, '.json').hidden = !isJson;
    the(form, '.fields').hidden = isJson;
    refresh();
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    ask(form, section);
  });
  copy.addEventListener('click', async () => {
    copy.textContent = await copied(curl);
    setTimeout(() => {
      copy.textContent = 'Copy';
    }, 1500);
  });
  // Browsers refill forms on reload without an event, radios included.
  form.reset();
  refresh();
}

for (const form of document.querySelectorAll('form')) {
  const section = form.closest('section');
  if (section !== null) bringUp(form, section);
}
