import { lstat, readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { plainText } from '../../../../core/text/plain.ts';
import { knownSha256 } from '../../disk/known.ts';
import { withSlashes } from '../../disk/slashes.ts';
import { problemError } from '../../problems/errors.ts';
import { readBundle, SIGNATURE_BYTES, type SignatureBundle } from './bundle.ts';
import { faultOfIdentity, loadSigstore, SIGSTORE_FIX } from './identity.ts';
import { differences, isIgnored, type PresentFile, readStatement } from './statement.ts';
import { faultOfCertificate, faultOfKey } from './trust.ts';

/** What is declared: who must have signed, and where the signature is. */
export type Signed = {
  readonly key?: string | undefined;
  readonly ca?: string | undefined;
  readonly subject?: string | undefined;
  readonly identity?: string | undefined;
  readonly issuer?: string | undefined;
  readonly root?: string | undefined;
  readonly file?: string | undefined;
};

/** Name of a signature, as model-signing's own command writes it. */
export const SIGNATURE = 'model.sig';

/** Files that are named in a problem. */
const SHOWN = 5;

/**
 * Verifies that an artifact is what somebody signed, every file of it.
 *
 * @param key YAML path of the model
 * @param folder of the signed files, where all of them are there; else the artifact is a part of it
 * @param beside absolute path at which the signature lies, where `file` names none
 * @param shipped the files that are deployed, by the names that they have where they come from
 * @returns who signed, for people: `the key 172f2d3a…`, the subject of a certificate, or an identity
 * @throws ProblemError `MODELS_SIGNATURE`
 */
export async function verifySigned(
  signed: Signed,
  {
    key,
    serviceDir,
    folder,
    names,
    beside,
    shipped,
  }: {
    readonly key: string;
    readonly serviceDir: string;
    readonly folder: string | undefined;
    /** Its files; else what is found below it. */
    readonly names: readonly string[] | undefined;
    readonly beside: string;
    readonly shipped: readonly PresentFile[];
  },
): Promise<string> {
  const refuse = (at: string, value: unknown, message: string, fix: string): Error =>
    problemError([{ code: 'MODELS_SIGNATURE', key: at, value, message, fix }]);
  const at = signed.file === undefined ? beside : resolve(serviceDir, signed.file);
  const name = signed.file ?? SIGNATURE;
  const text = await bounded(at);
  if (text === undefined)
    throw refuse(
      `${key}.file`,
      name,
      `There is no signature ${name}${signed.file === undefined ? ' beside the artifact' : ''}.`,
      'Sign the artifact with `model_signing sign`, or name the file of its signature.',
    );
  const bundle = readBundle(text);
  const wrong = (fault: string): Error =>
    refuse(
      key,
      name,
      `The signature ${name} ${fault}.`,
      'Do not deploy it before you know why; then let it be signed again.',
    );
  if (typeof bundle === 'string') throw wrong(bundle);
  const trusted = async (path: string, of: string): Promise<string> => {
    const content = await bounded(resolve(serviceDir, path));
    if (content !== undefined) return content;
    throw refuse(`${key}.${of}`, path, `${path} does not exist.`, 'Write a path relative to serverless.yml.');
  };
  const identified = async (identity: string): Promise<string | undefined> => {
    const sigstore = loadSigstore(serviceDir);
    if (sigstore === undefined)
      throw refuse(
        `${key}.identity`,
        identity,
        'The package sigstore, which verifies identities, is not installed.',
        SIGSTORE_FIX,
      );
    const root = signed.root === undefined ? undefined : await trusted(signed.root, 'root');
    return faultOfIdentity(sigstore, text, { identity, issuer: signed.issuer ?? '', root });
  };
  const fault =
    signed.identity !== undefined
      ? await identified(signed.identity)
      : signed.key !== undefined
        ? faultOfKey(bundle, await trusted(signed.key, 'key'))
        : faultOfCertificate(bundle, await trusted(signed.ca ?? '', 'ca'), signed.subject ?? '');
  if (fault !== undefined) throw wrong(fault);
  const statement = readStatement(bundle);
  if (typeof statement === 'string') throw wrong(statement);
  // What is deployed was read before, and may have been another one then.
  const found = new Set(differences(statement, shipped, false));
  if (folder !== undefined) {
    const paths = (names ?? (await pathsBelow(folder))).filter(
      (path) => join(folder, path) !== at && !isIgnored(statement, path),
    );
    const present: PresentFile[] = [];
    for (const path of paths) present.push(await presentAt(folder, path));
    for (const one of differences(statement, present, true)) found.add(one);
  }
  if (found.size === 0) return signer(bundle, signed);
  const more = found.size > SHOWN ? `, and ${found.size - SHOWN} more` : '';
  throw wrong(`does not fit the artifact: ${[...found].slice(0, SHOWN).join(', ')}${more}`);
}

function signer({ certificates, hint = '' }: SignatureBundle, { key, identity, issuer }: Signed): string {
  if (identity !== undefined) return `${identity} (${issuer})`;
  const [certificate] = certificates;
  if (certificate !== undefined) return plainText(certificate.subject.replaceAll('\n', ', '));
  return `the key ${hint === '' ? key : `${hint.slice(0, 12)}…`}`;
}

async function bounded(path: string): Promise<string | undefined> {
  const there = await stat(path).catch(() => undefined);
  if (!there?.isFile() || there.size > SIGNATURE_BYTES) return undefined;
  return readFile(path, 'utf8');
}

async function pathsBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => withSlashes(relative(folder, join(entry.parentPath, entry.name))));
}

/** A link to a folder, or to nowhere, is no file that could have been signed. */
async function presentAt(folder: string, path: string): Promise<PresentFile> {
  const at = join(folder, path);
  const isFile = (await stat(at).catch(() => undefined))?.isFile() === true;
  return {
    path,
    isLink: (await lstat(at)).isSymbolicLink(),
    sha256: isFile ? (await knownSha256(at)).sha256 : '',
  };
}
