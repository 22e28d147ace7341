import { createHash, createPublicKey, type KeyObject, verify, X509Certificate } from 'node:crypto';
import { type SignatureBundle, signedBytes } from './bundle.ts';

/** Whether a signature is of who should have signed: each check returns what is wrong, a sentence's end. */

/** As the curve decides it for model-signing. */
const HASHES: Readonly<Record<string, string>> = {
  prime256v1: 'sha256',
  secp384r1: 'sha384',
  secp521r1: 'sha512',
};

const hashOf = ({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string | undefined =>
  asymmetricKeyType === 'ec' ? HASHES[asymmetricKeyDetails?.namedCurve ?? ''] : undefined;

/** @param pem the public key of who should have signed */
export function faultOfKey(bundle: SignatureBundle, pem: string): string | undefined {
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch {
    return 'cannot be checked: the key is no public key in PEM';
  }
  // A private key makes a public one, too; it has no place in a repository.
  if (/PRIVATE KEY/.test(pem)) return 'cannot be checked: the key is a private one';
  const own = createHash('sha256')
    .update(String(key.export({ type: 'spki', format: 'pem' })))
    .digest('hex');
  if (bundle.certificates.length > 0) return 'was made with a certificate, and a key is declared';
  if (bundle.hint !== undefined && bundle.hint !== own) return 'was made with another key';
  return faultOfBytes(bundle, key);
}

function faultOfBytes(bundle: SignatureBundle, key: KeyObject): string | undefined {
  const hash = hashOf(key);
  if (hash === undefined) return 'cannot be checked: the key is none of the curves P-256, P-384 and P-521';
  return verify(hash, signedBytes(bundle), key, bundle.signature) ? undefined : 'does not fit what it signs';
}

/** Certificates between the signer's and a trusted one. */
const LENGTH = 8;

/**
 * The chain as model-signing's own command checks it: up to a trusted certificate, every one valid when the
 * signer's became valid, since nothing else tells when it was signed.
 *
 * @param trusted certificates in PEM, one after another
 * @param subject for example `CN=models, O=Example`: what the signer's certificate must say, perhaps among
 * more
 */
export function faultOfCertificate(
  bundle: SignatureBundle,
  trusted: string,
  subject: string,
): string | undefined {
  const [signer, ...others] = bundle.certificates;
  if (signer === undefined) return 'was made with a key, and a certificate is declared';
  const roots = certificatesOf(trusted);
  if (roots === undefined || roots.length === 0) return 'cannot be checked: `ca` has no certificate in PEM';
  const chain = faultOfChain(signer, others, roots);
  if (chain !== undefined) return chain;
  if (!maySign(signer)) return 'was made with a certificate that is not for signing';
  // Its type does not tell: Node has none where it is empty, as where all names are alternative ones.
  const { subject: names = '' }: { readonly subject?: string } = signer;
  const said = new Set(names.split('\n'));
  const parts = partsOf(subject);
  // Else it would be anybody’s whom the authority knows.
  if (parts.length === 0) return 'cannot be checked: `subject` says nothing';
  const missing = parts.find((part) => !said.has(part));
  if (missing !== undefined)
    return `was made by ${names.replaceAll('\n', ', ') || 'nobody that its subject names'}, and not by ${subject}`;
  return faultOfBytes(bundle, signer.publicKey);
}

/**
 * `CN=a, O=b` → its parts. A comma in a value is written as `\,`, and so is what else has a meaning there: as
 * Node writes what a certificate says, and a refusal shows it.
 */
const partsOf = (subject: string): readonly string[] =>
  (subject.match(/(?:\\.|[^,])+/gs) ?? []).map((part) => part.trim()).filter((part) => part !== '');

function certificatesOf(pem: string): readonly X509Certificate[] | undefined {
  try {
    return (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
      (one) => new X509Certificate(one),
    );
  } catch {
    return undefined;
  }
}

function faultOfChain(
  signer: X509Certificate,
  others: readonly X509Certificate[],
  roots: readonly X509Certificate[],
): string | undefined {
  const at = signer.validFromDate.getTime();
  const isValid = ({ validFromDate, validToDate }: X509Certificate): boolean =>
    validFromDate.getTime() <= at && at <= validToDate.getTime();
  const issued = (by: X509Certificate, one: X509Certificate): boolean =>
    one.checkIssued(by) && one.verify(by.publicKey);
  if (!isValid(signer)) return 'was made with a certificate that was never valid';
  let current = signer;
  for (let below = 0; below < LENGTH; below += 1) {
    const root = roots.find((one) => issued(one, current) && (one.ca || one.raw.equals(current.raw)));
    const issuer =
      root ?? others.find((one) => one.ca && !one.raw.equals(current.raw) && issued(one, current));
    if (issuer === undefined) return 'was made with a certificate that leads to none of `ca`';
    if (!isValid(issuer)) return 'was made with a certificate whose issuer was not valid then';
    if (below > pathLengthOf(issuer) && !issuer.raw.equals(signer.raw))
      return 'was made with a certificate whose issuer may not issue so long a chain';
    if (root !== undefined) return undefined;
    current = issuer;
  }
  return 'was made with a certificate whose chain is too long';
}

/**
 * Key usage "digital signature", or extended key usage "code signing": one of both, as model-signing asks.
 */
function maySign(certificate: X509Certificate): boolean {
  const usage = extensionOf(certificate, KEY_USAGE);
  // BIT STRING: tag, length, unused bits, then the first bit is "digital signature".
  const isForSignatures = usage !== undefined && usage[0] === 3 && ((usage[3] ?? 0) & 0x80) !== 0;
  return isForSignatures || (certificate.keyUsage ?? []).includes('1.3.6.1.5.5.7.3.3');
}

/** Certificates of issuers that may stand below one; no limit where it says none. */
function pathLengthOf(certificate: X509Certificate): number {
  const constraints = extensionOf(certificate, BASIC_CONSTRAINTS);
  // SEQUENCE { BOOLEAN TRUE, INTEGER }, which is absent mostly.
  return constraints !== undefined && constraints[5] === 2 && constraints[6] === 1
    ? (constraints[7] ?? 0)
    : Number.POSITIVE_INFINITY;
}

const [KEY_USAGE, BASIC_CONSTRAINTS] = [0x0f, 0x13];

/**
 * The value of an extension `2.5.29.<id>`, which `node:crypto` does not give: its name in DER, perhaps
 * "critical", then an OCTET STRING of less than 128 bytes. https://www.rfc-editor.org/rfc/rfc5280#section-4.2
 */
function extensionOf({ raw }: X509Certificate, id: number): Buffer | undefined {
  const name = Buffer.from([0x06, 0x03, 0x55, 0x1d, id]);
  const at = raw.indexOf(name);
  if (at < 0) return undefined;
  const critical = raw[at + 5] === 1 ? 3 : 0;
  const start = at + 5 + critical;
  const length = raw[start + 1] ?? 0;
  return raw[start] === 4 && length < 128 ? raw.subarray(start + 2, start + 2 + length) : undefined;
}
