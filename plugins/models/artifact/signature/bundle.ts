import { X509Certificate } from 'node:crypto';
import { fieldIn, listIn, textIn } from '../../../../core/json/fields.ts';

/**
 * A signature of OpenSSF Model Signing, `model.sig`: a bundle of Sigstore's v0.3 with a DSSE envelope.
 * https://github.com/sigstore/model-transparency and
 * https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
 */
export type SignatureBundle = {
  readonly payload: Buffer;
  readonly payloadType: string;
  readonly signature: Buffer;
  /** sha256 of the public key's PEM, where it was signed with a key; absent in old ones. */
  readonly hint?: string;
  /** The signer's first, where it was signed with a certificate. */
  readonly certificates: readonly X509Certificate[];
};

/** A signature has some kilobytes for each file of the model. */
export const SIGNATURE_BYTES = 16 * 1024 * 1024;

const MEDIA_TYPE = /^application\/vnd\.dev\.sigstore\.bundle(\.v0\.3\+json|\+json;version=0\.[123])$/;

/** @returns a sentence's end where it is no such thing: "is no JSON" */
export function readBundle(text: string): SignatureBundle | string {
  let bundle: unknown;
  try {
    bundle = JSON.parse(text);
  } catch {
    return 'is no JSON';
  }
  if (!MEDIA_TYPE.test(textIn(bundle, 'mediaType') ?? '')) return 'is no bundle of Sigstore';
  const envelope = fieldIn(bundle, 'dsseEnvelope');
  const [payload, payloadType] = [textIn(envelope, 'payload'), textIn(envelope, 'payloadType')];
  const signatures = listIn(envelope, 'signatures');
  const signature = textIn(signatures[0], 'sig');
  if (payload === undefined || payloadType === undefined || signature === undefined || signatures.length > 1)
    return 'has no DSSE envelope with one signature';
  const material = fieldIn(bundle, 'verificationMaterial');
  const hint = textIn(fieldIn(material, 'publicKey'), 'hint');
  const certificates = certificatesIn(material);
  if (certificates === undefined) return 'has a certificate that is none';
  return {
    payload: Buffer.from(payload, 'base64'),
    payloadType,
    signature: Buffer.from(signature, 'base64'),
    ...(hint !== undefined && { hint }),
    certificates,
  };
}

function certificatesIn(material: unknown): readonly X509Certificate[] | undefined {
  const chain = listIn(fieldIn(material, 'x509CertificateChain'), 'certificates');
  const single = fieldIn(material, 'certificate');
  try {
    return [...chain, ...(single === undefined ? [] : [single])].map(
      (one) => new X509Certificate(Buffer.from(textIn(one, 'rawBytes') ?? '', 'base64')),
    );
  } catch {
    return undefined;
  }
}

/** What is signed: DSSE's pre-authentication encoding. */
export const signedBytes = ({ payload, payloadType }: SignatureBundle): Buffer =>
  Buffer.concat([
    Buffer.from(`DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `),
    payload,
  ]);
