import { type AsRead, asRead, type StoredRelease } from '../release/document/as-read.ts';
import type { SignatureRecord } from '../release/document/history-contract.ts';
import type { Core } from './port.ts';

/** The schema of documents that this code writes; an older or newer one is told by it. */
export const SCHEMA = 1;

/** @returns undefined where it is no JSON */
export function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * @param key of the object: who reads the error finds nothing else that names it
 * @throws SyntaxError where it is no JSON, of which it tells nothing: values of requests may be in it
 */
export function documentIn(text: string, key: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new SyntaxError(`${key} is no JSON: put back an earlier version of that object, or delete it`);
  }
}

type Fields = Readonly<Record<string, unknown>>;
export const fields = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};

/** The `rev` of a document of any schema; one without it is as old as can be. */
export function revOf(text: string | undefined): number {
  const { rev } = fields(json(text ?? ''));
  return typeof rev === 'number' ? rev : 0;
}

const MALFORMED = 'MalformedDocument';

/**
 * The error that a document raises which is none of ours, in any schema: somebody wrote it, or a part of it
 * is lost.
 */
export type Malformed = Error & {
  readonly key: string;
  /** As far as it can still be read. */
  readonly functionName: string | undefined;
};
export const isMalformed = (error: unknown): error is Malformed =>
  error instanceof Error && error.name === MALFORMED;

/** @throws Malformed where the text is not a release of any schema. */
export function releaseIn(text: string, key: string): Partial<AsRead> & { readonly core: Core } {
  const document = json(text);
  if (!isCore(document) || (document.schema === SCHEMA && !isSound(document)))
    throw Object.assign(new Error(`${key} is not a release document`), {
      name: MALFORMED,
      key,
      functionName: /"functionName"\s*:\s*"([\w-]+)"/.exec(text)?.[1],
    });
  return document.schema === SCHEMA
    ? { core: document, ...asRead(document as unknown as StoredRelease) }
    : { core: document };
}

function isCore(value: unknown): value is Core {
  if (typeof value !== 'object' || value === null) return false;
  const { schema, functionName, alias, highest } = value as Record<string, unknown>;
  return (
    typeof schema === 'number' &&
    schema >= SCHEMA &&
    typeof functionName === 'string' &&
    typeof alias === 'string' &&
    typeof highest === 'number'
  );
}

type Kind = 'object' | 'list' | 'number' | 'string';
const KINDS: { readonly [kind in Kind]: (value: unknown) => boolean } = {
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  list: Array.isArray,
  number: (value) => typeof value === 'number',
  string: (value) => typeof value === 'string',
};

/** What every worker has written in every phase. */
const ALWAYS: Readonly<Record<string, Kind>> = {
  ...{ rev: 'number', release: 'string', model: 'string', startedAt: 'string', updatedAt: 'string' },
  ...{ deadline: 'string', settings: 'object', schedule: 'object', shifts: 'list', judgements: 'list' },
  ...{ refused: 'list', rollbacks: 'list', notices: 'list', lives: 'list', requests: 'list' },
};
/** What hangs on the phase; `as-read.ts` goes on without it, and not with something else in its place. */
const PHASED: Readonly<Record<string, Kind>> = {
  ...{ stable: 'object', candidate: 'object', steps: 'list', step: 'number', basis: 'object' },
  ...{ watch: 'object', reversal: 'object', held: 'object', gate: 'object' },
};

/**
 * Has every part the form that all code relies on? Else whoever reads fails somewhere later, in words that
 * name neither the document nor what helps.
 */
function isSound(document: object): boolean {
  const parts = fields(document);
  const is = ([key, kind]: readonly [string, Kind]): boolean => KINDS[kind](parts[key]);
  return (
    Object.entries(ALWAYS).every(is) &&
    Object.entries(PHASED).every((part) => parts[part[0]] === undefined || is(part)) &&
    ['stable', 'candidate'].every(
      (key) => parts[key] === undefined || typeof fields(parts[key]).version === 'string',
    )
  );
}

/** What is compared is only told, so one that somebody damaged is as good as none. */
export function isSignature(value: unknown): value is SignatureRecord {
  const { schema, inputs, outputs } = fields(value);
  return schema === SCHEMA && [inputs, outputs].every((specs) => Array.isArray(specs) && specs.every(isSpec));
}

function isSpec(value: unknown): boolean {
  const { name, datatype, shape } = fields(value);
  return (
    typeof name === 'string' &&
    typeof datatype === 'string' &&
    Array.isArray(shape) &&
    shape.every((dimension) => typeof dimension === 'number')
  );
}
