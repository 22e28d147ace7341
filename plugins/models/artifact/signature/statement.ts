import { createHash } from 'node:crypto';
import { fieldIn, listIn, textIn } from '../../../../core/json/fields.ts';
import type { SignatureBundle } from './bundle.ts';

/** What is signed: each file of a model with its sha256. */
export type SignedFiles = {
  /** sha256 in hex by path; a file that was signed by itself is `.`. */
  readonly files: ReadonlyMap<string, string>;
  /** Paths that who signed left out, with all below. */
  readonly ignored: readonly string[];
  readonly allowsLinks: boolean;
};

const STATEMENT = 'https://in-toto.io/Statement/v1';
const PREDICATE = 'https://model_signing/signature/v1.0';

/** @returns a sentence's end where it says nothing of a model: "is no statement about a model" */
export function readStatement({ payload, payloadType }: SignatureBundle): SignedFiles | string {
  if (payloadType !== 'application/vnd.in-toto+json') return 'is no statement of in-toto';
  let statement: unknown;
  try {
    statement = JSON.parse(payload.toString());
  } catch {
    return 'is no statement of in-toto';
  }
  if (textIn(statement, '_type') !== STATEMENT || textIn(statement, 'predicateType') !== PREDICATE)
    return 'is no statement about a model of model-signing 1.0 or later';
  const predicate = fieldIn(statement, 'predicate');
  const serialization = fieldIn(predicate, 'serialization');
  const method = textIn(serialization, 'method');
  if (method !== 'files' || textIn(serialization, 'hash_type') !== 'sha256')
    return `has digests by ${method} and ${textIn(serialization, 'hash_type')}, and only sha256 of whole files is read`;
  const files = new Map<string, string>();
  const all = createHash('sha256');
  for (const resource of listIn(predicate, 'resources')) {
    const [name, digest] = [textIn(resource, 'name'), textIn(resource, 'digest')];
    const isSound =
      name !== undefined && /^[0-9a-f]{64}$/.test(digest ?? '') && textIn(resource, 'algorithm') === 'sha256';
    if (!isSound || digest === undefined || files.has(name)) return 'names a file without a sha256, or twice';
    files.set(name, digest);
    all.update(digest, 'hex');
  }
  const subjects = listIn(statement, 'subject');
  if (
    files.size === 0 ||
    subjects.length !== 1 ||
    textIn(fieldIn(subjects[0], 'digest'), 'sha256') !== all.digest('hex')
  )
    return 'has a digest over all its files that does not fit them';
  return {
    files,
    ignored: listIn(serialization, 'ignore_paths').filter((path) => typeof path === 'string'),
    allowsLinks: fieldIn(serialization, 'allow_symlinks') === true,
  };
}

/** Left out by who signed: neither hashed, nor extra. */
export const isIgnored = ({ ignored }: SignedFiles, path: string): boolean =>
  ignored.some((one) => path === one || path.startsWith(`${one}/`));

/** A file as it is there, below what was signed. */
export type PresentFile = { readonly path: string; readonly sha256: string; readonly isLink: boolean };

/**
 * What differs between what was signed and what is there, for people.
 *
 * @param isWhole all files of a folder are there, so that one which is not there is missing; else what is
 * there is a part of what was signed
 */
export function differences(
  signed: SignedFiles,
  present: readonly PresentFile[],
  isWhole: boolean,
): readonly string[] {
  const alone = signed.files.size === 1 ? signed.files.get('.') : undefined;
  // What is deployed must be signed, also where who signed left its name out.
  const counted = isWhole ? present.filter(({ path }) => !isIgnored(signed, path)) : present;
  const found: string[] = [];
  for (const { path, sha256, isLink } of counted) {
    const wanted = signed.files.get(path) ?? (counted.length === 1 ? alone : undefined);
    if (wanted === undefined) found.push(`${path} is not signed`);
    else if (wanted !== sha256) found.push(`${path} was changed`);
    else if (isLink && !signed.allowsLinks) found.push(`${path} is a link`);
  }
  if (isWhole && alone === undefined) {
    const there = new Set(counted.map(({ path }) => path));
    for (const path of signed.files.keys()) if (!there.has(path)) found.push(`${path} is missing`);
  }
  return found;
}
