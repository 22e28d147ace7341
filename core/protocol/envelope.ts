import { refusal } from '../errors/refusals.ts';
import { NESTING } from '../tensor/contract.ts';

/**
 * A request's JSON with the arrays at `inputs[i].data` taken out, still as text: they are nearly all of a
 * request, and become tensors without becoming JavaScript arrays first (scan.ts). In `value` each is `[k]`, k
 * its place in `spans`.
 */
export type Envelope = { readonly value: unknown; readonly spans: readonly string[] };

const QUOTE = 34;
const COLON = 58;
const OPEN = 91;
const BACKSLASH = 92;
const CLOSE = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/**
 * @throws Refusal `INVALID_JSON`, `TOO_DEEP` (before anything is parsed) or `FORBIDDEN_KEY`
 */
export function readEnvelope(text: string): Envelope {
  try {
    return walk(text, true);
  } catch {
    // Either the JSON is wrong, or an array is not of numbers and was cut in the wrong place. Now walked step
    // by step.
    return walk(text, false);
  }
}

/**
 * @param leap find the end of an array by its bracket, as if it held numbers; where that is wrong, the rest
 * is no JSON
 */
function walk(text: string, leap: boolean): Envelope {
  const spans: string[] = [];
  const kinds = new Uint8Array(NESTING + 1);
  let skeleton = '';
  let copied = 0;
  let topKey = '';
  let depth = 0;
  let p = 0;
  // Next quote, brace and bracket at or after p. Remembered, so that no text makes us search the same stretch
  // again and again.
  let quote = -1;
  let brace = -1;
  let bracket = -1;
  // Start and depth of a `data` array that has more than numbers in it and is therefore walked through.
  let slow = -1;
  let slowDepth = 0;

  /** Where the array of numbers at `from` ends; before it, if it is plainly something else. */
  const numbersEnd = (from: number): number => {
    const first = text.charCodeAt(skipSpace(text, from + 1));
    if (first === QUOTE) return -1;
    if (first !== OPEN) {
      if (bracket < from) bracket = indexOr(text, ']', from);
      return bracket === text.length ? -1 : bracket + 1;
    }
    // Numbers have neither quotes nor braces: their last bracket is the last one before the next of these.
    if (quote < from) quote = indexOr(text, '"', from);
    if (brace < from) brace = indexOr(text, '}', from);
    // This stretch alone ends before the next key: a search of the whole text would be one for each key.
    const last = text.slice(from, Math.min(quote, brace)).lastIndexOf(']');
    return last < 0 ? -1 : from + last + 1;
  };

  while (p < text.length) {
    const c = text.charCodeAt(p);
    if (c === QUOTE) {
      const end = stringEnd(text, p);
      const after = skipSpace(text, end);
      if (text.charCodeAt(after) !== COLON || kinds[depth] !== OPEN_BRACE) {
        p = end;
        continue;
      }
      const key = keyAt(text, p, end);
      if (key === '__proto__')
        throw refusal('FORBIDDEN_KEY', 'A key is named __proto__, which is not allowed.');
      if (depth === 1) topKey = key;
      p = skipSpace(text, after + 1);
      const isData = depth === 3 && key === 'data' && topKey === 'inputs' && kinds[2] === OPEN && slow < 0;
      if (!isData || text.charCodeAt(p) !== OPEN) continue;

      const arrayEnd = leap ? numbersEnd(p) : -1;
      if (arrayEnd <= p) {
        slow = p;
        slowDepth = depth;
        continue;
      }
      skeleton += `${text.slice(copied, p)}[${spans.length}]`;
      spans.push(text.slice(p, arrayEnd));
      copied = arrayEnd;
      p = arrayEnd;
      continue;
    }
    if (c === OPEN || c === OPEN_BRACE) {
      if (++depth > NESTING) throw refusal('TOO_DEEP', `The body is nested deeper than ${NESTING}.`);
      kinds[depth] = c;
    } else if (c === CLOSE || c === CLOSE_BRACE) {
      depth--;
      if (depth < 0) throw notJson();
      if (depth === slowDepth && slow >= 0) {
        skeleton += `${text.slice(copied, slow)}[${spans.length}]`;
        spans.push(text.slice(slow, p + 1));
        copied = p + 1;
        slow = -1;
      }
    }
    p++;
  }
  let value: unknown;
  try {
    value = JSON.parse(skeleton + text.slice(copied));
  } catch {
    throw notJson();
  }
  // JSON.parse keeps the last of a key that is there twice: an array that nobody reads would pass unseen,
  // whatever is in it.
  if (arraysOf(value) !== spans.length) {
    throw refusal('INVALID_JSON', 'An object of the body has the key inputs or data twice.');
  }
  return { value, spans };
}

/** How many `inputs[i].data` are arrays. */
function arraysOf(value: unknown): number {
  const inputs = (value as { readonly inputs?: unknown } | null)?.inputs;
  if (!Array.isArray(inputs)) return 0;
  let count = 0;
  for (const input of inputs) if (Array.isArray(input?.data)) count++;
  return count;
}

const notJson = (): Error => refusal('INVALID_JSON', 'The body is not valid JSON.');

/** @returns the offset after the closing quote of the string that opens at `start` */
function stringEnd(text: string, start: number): number {
  for (let p = start + 1; ; p++) {
    p = text.indexOf('"', p);
    if (p < 0) throw notJson();
    let q = p - 1;
    while (text.charCodeAt(q) === BACKSLASH) q--;
    if ((p - q) % 2 === 1) return p + 1;
  }
}

/** A key as JSON reads it: `"d\\u0061ta"` is `data`, too. */
function keyAt(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end - 1);
  if (!raw.includes('\\')) return raw;
  try {
    return JSON.parse(text.slice(start, end));
  } catch {
    throw notJson();
  }
}

function skipSpace(text: string, from: number): number {
  let p = from;
  let c = text.charCodeAt(p);
  while (c === 32 || c === 10 || c === 13 || c === 9) c = text.charCodeAt(++p);
  return p;
}

const indexOr = (text: string, character: string, from: number): number => {
  const found = text.indexOf(character, from);
  return found < 0 ? text.length : found;
};
