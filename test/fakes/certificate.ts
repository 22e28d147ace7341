/** A certificate that nobody vouches for, as registries within companies have. */
import { generateKeyPairSync, sign } from 'node:crypto';

/** https://www.itu.int/rec/T-REC-X.690: tag, length, content */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const size = content.length;
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');
const [SEQUENCE, SET] = [0x30, 0x31];
/** ecdsa-with-SHA256 */
const ALGORITHM = der(SEQUENCE, der(0x06, bytes('2a8648ce3d040302')));

/** Object identifiers in DER of what a name is made of: https://www.rfc-editor.org/rfc/rfc4519 */
const ATTRIBUTES = { CN: '550403', O: '55040a' } as const;
type Names = readonly (readonly [attribute: keyof typeof ATTRIBUTES, value: string])[];

/**
 * keyUsage: digitalSignature and, as it is its own issuer, keyCertSign.
 * https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.3
 */
const FOR_SIGNING = der(
  0xa3,
  der(SEQUENCE, der(SEQUENCE, der(0x06, bytes('551d0f')), der(0x04, bytes('03020284')))),
);
/** Only the third version has extensions. */
const THIRD = der(0xa0, der(0x02, Buffer.from([2])));

/**
 * For `localhost`, or whom it names, by itself. https://www.rfc-editor.org/rfc/rfc5280#section-4.1
 *
 * @param until its last year
 * @param isForSigning it says that it may sign
 */
export function selfSigned(
  until = 2099,
  names: Names = [['CN', 'localhost']],
  isForSigning = false,
): { readonly key: string; readonly cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const part = ([attribute, value]: Names[number]): Buffer =>
    der(SET, der(SEQUENCE, der(0x06, bytes(ATTRIBUTES[attribute])), der(0x0c, Buffer.from(value))));
  const name = der(SEQUENCE, ...names.map(part));
  const [from, to] = ['20200101000000Z', `${until}0101000000Z`].map((time) => der(0x18, Buffer.from(time)));
  const signed = der(
    SEQUENCE,
    ...(isForSigning ? [THIRD] : []),
    ...[der(0x02, Buffer.from([1])), ALGORITHM, name, der(SEQUENCE, from ?? name, to ?? name), name],
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(isForSigning ? [FOR_SIGNING] : []),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', signed, privateKey));
  const whole = der(SEQUENCE, signed, ALGORITHM, signature).toString('base64');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${whole.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
  };
}
