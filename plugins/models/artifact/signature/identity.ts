import { createRequire } from 'node:module';
import { join } from 'node:path';
import { cacheFolder } from '../../disk/cache.ts';

/**
 * Signatures by an identity: Sigstore's certificate authority gave who signed a certificate of minutes, and
 * its log has noted the signature. npm's `sigstore` verifies that, which who declares an identity installs.
 */

/** What is used of `sigstore` and its own packages, in short. */
type Sigstore = {
  readonly bundleFromJSON: (bundle: unknown) => unknown;
  readonly toSignedEntity: (bundle: unknown) => unknown;
  readonly toTrustMaterial: (root: unknown) => unknown;
  readonly Verifier: new (
    trust: unknown,
  ) => {
    readonly verify: (entity: unknown) => {
      readonly identity?: {
        readonly subjectAlternativeName?: string;
        readonly extensions?: { readonly issuer?: string };
      };
    };
  };
  readonly TrustedRoot: { readonly fromJSON: (root: unknown) => unknown };
  readonly getTrustedRoot: (options: {
    readonly cachePath: string;
    readonly forceCache: boolean;
  }) => Promise<unknown>;
};

export const SIGSTORE_FIX =
  'Install it: `npm install --save-dev sigstore@5`. It takes Node 22.22.2 and later of 22, 24.15 and later of 24, or 26.';

/**
 * @param folder of the service, from where it is looked for first
 * @returns undefined where it is not installed
 * @throws what it says where it does not load, for example in a Node that it does not take
 */
export function loadSigstore(folder: string): Sigstore | undefined {
  for (const from of [join(folder, 'package.json'), import.meta.url]) {
    let at: string;
    try {
      at = createRequire(from).resolve('sigstore');
    } catch {
      continue;
    }
    // Its own packages may lie where only it finds them.
    const load = createRequire(at);
    return {
      ...load('@sigstore/bundle'),
      ...load('@sigstore/verify'),
      ...load('@sigstore/protobuf-specs'),
      ...load('@sigstore/tuf'),
    } as Sigstore;
  }
  return undefined;
}

/**
 * Whom to trust: a root that was given, else that of Sigstore's public instance, which comes by TUF and is
 * kept. Where that cannot be reached, what is kept is taken until it expires.
 */
async function rootOf(
  { TrustedRoot, getTrustedRoot }: Sigstore,
  given: string | undefined,
): Promise<unknown> {
  if (given !== undefined) return TrustedRoot.fromJSON(JSON.parse(given));
  const cachePath = cacheFolder('sigstore');
  try {
    return await getTrustedRoot({ cachePath, forceCache: false });
  } catch (error) {
    return await getTrustedRoot({ cachePath, forceCache: true }).catch(() => {
      throw error;
    });
  }
}

/**
 * @param text of the signature
 * @param root text of a `trusted_root.json`; undefined for Sigstore's public instance
 * @returns what is wrong, a sentence's end
 */
export async function faultOfIdentity(
  sigstore: Sigstore,
  text: string,
  wanted: { readonly identity: string; readonly issuer: string; readonly root: string | undefined },
): Promise<string | undefined> {
  let trust: unknown;
  try {
    trust = sigstore.toTrustMaterial(await rootOf(sigstore, wanted.root));
  } catch (error) {
    const what =
      wanted.root === undefined ? 'Sigstore’s own root cannot be had' : '`root` is no trusted root';
    return `cannot be checked: ${what} (${reasonOf(error)})`;
  }
  let signer: { readonly by: string | undefined; readonly issuer: string | undefined };
  try {
    const { identity } = new sigstore.Verifier(trust).verify(
      sigstore.toSignedEntity(sigstore.bundleFromJSON(JSON.parse(text))),
    );
    signer = { by: identity?.subjectAlternativeName, issuer: identity?.extensions?.issuer };
  } catch (error) {
    return `is not one that Sigstore vouches for: ${reasonOf(error)}`;
  }
  // Not by the library's policy, which takes an identity as a pattern: `a.c` would be `abc`, too.
  if (signer.by === undefined || signer.by !== wanted.identity)
    return `was made by ${signer.by ?? 'nobody that it names'}, and not by ${wanted.identity}`;
  if (signer.issuer === undefined || signer.issuer !== wanted.issuer)
    return `was made by who ${signer.issuer ?? 'nobody'} knows as ${signer.by}, and not ${wanted.issuer}`;
  return undefined;
}

const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').slice(0, 300);
