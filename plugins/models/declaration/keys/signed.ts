import { key } from './key.ts';
import { map, text } from './kinds.ts';

/** `models.<name>.signed`: paths are relative to the service. */
export const signedKey = key(
  map({
    key: key(text, {
      description: 'Public key of who must have signed it: PEM, of the curve P-256, P-384 or P-521.',
      example: 'keys/ml.pub',
      fix: 'Write the path of a public key.',
    }),
    ca: key(text, {
      description: 'Certificates, PEM, to one of which the signer’s must lead. Needs `subject`.',
      example: 'keys/ca.pem',
      fix: 'Write the path of a file of certificates.',
    }),
    subject: key(text, {
      description: 'What the signer’s certificate must say, perhaps among more.',
      example: 'CN=models, O=Example',
      fix: 'Write parts of the subject, for example CN=models.',
    }),
    file: key(text, {
      description: 'The signature; else `model.sig` beside the graph.',
      example: 'signatures/churn.sig',
      fix: 'Write the path of a signature.',
    }),
  }),
  { description: 'OpenSSF model signature of the artifact, verified when packaged.' },
);
