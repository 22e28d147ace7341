import { sign, X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { signedBytes } from '../../../../../../plugins/models/artifact/signature/bundle.ts';
import { faultOfCertificate } from '../../../../../../plugins/models/artifact/signature/trust.ts';
import { selfSigned } from '../../../../../fakes/certificate.ts';

/** What is wrong with a signature by a trusted certificate of these names, held against a subject. */
function faultOf(names: Parameters<typeof selfSigned>[1], subject: string): string | undefined {
  const { cert, key } = selfSigned(2099, names, true);
  const unsigned = {
    payload: Buffer.from('{}'),
    payloadType: 'application/vnd.in-toto+json',
    signature: Buffer.alloc(0),
    certificates: [new X509Certificate(cert)],
  };
  const signature = sign('sha256', signedBytes(unsigned), key);
  return faultOfCertificate({ ...unsigned, signature }, cert, subject);
}

describe('the subject of a signer’s certificate', () => {
  const inc = [
    ['O', 'Example, Inc.'],
    ['CN', 'models'],
  ] as const;

  it.each(['O=Example\\, Inc.', 'CN=models, O=Example\\, Inc.', 'CN=models'])(
    'with a comma in a value is %s',
    (subject) => {
      expect(faultOf(inc, subject)).toBeUndefined();
    },
  );

  it.each(['O=Example', 'O=Example, Inc.', 'O=Example\\', 'Inc.'])('is not %s', (subject) => {
    expect(faultOf(inc, subject)).toBe(`was made by O=Example\\, Inc., CN=models, and not by ${subject}`);
  });

  it('is written as a refusal says it, whatever is in a value', () => {
    const odd = [
      ['O', 'a + b; "c" \\ <d>'],
      ['CN', '#1, \\'],
    ] as const;
    const [, said = ''] = /^was made by (.+), and not by CN=else$/.exec(faultOf(odd, 'CN=else') ?? '') ?? [];
    expect(said).toContain('CN=');
    expect(faultOf(odd, said)).toBeUndefined();
  });

  it('may be empty, as where all names are alternative ones', () => {
    expect(faultOf([], 'CN=models')).toBe('was made by nobody that its subject names, and not by CN=models');
  });

  it.each([',', ' , '])('is one that says something, and not "%s"', (subject) => {
    expect(faultOf(inc, subject)).toBe('cannot be checked: `subject` says nothing');
  });
});
