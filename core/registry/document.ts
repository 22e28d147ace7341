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
  if (!isCore(document))
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
