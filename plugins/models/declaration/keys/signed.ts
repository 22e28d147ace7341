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
      description: 'What the signer’s certificate must say, perhaps among more; `\\,` is a comma in a value.',
      example: 'CN=models, O=Example',
      fix: 'Write parts of the subject, for example CN=models.',
    }),
    identity: key(text, {
      description:
        'Who must have signed by Sigstore: the e-mail address, or the address of the workflow, as it is in the certificate. Needs `issuer`, and the package `sigstore`.',
      example: 'https://github.com/org/repo/.github/workflows/train.yml@refs/heads/main',
      fix: 'Write the whole identity.',
    }),
    issuer: key(text, {
      description: 'Who must have known that identity.',
      example: 'https://token.actions.githubusercontent.com',
      fix: 'Write the address of the identity provider.',
    }),
    root: key(text, {
      description:
        'A `trusted_root.json` of the instance of Sigstore; else that of its public one, which is fetched and kept.',
      example: 'keys/trusted_root.json',
      fix: 'Write the path of a trusted root.',
    }),
    file: key(text, {
      description: 'The signature; else `model.sig` beside the graph.',
      example: 'signatures/churn.sig',
      fix: 'Write the path of a signature.',
    }),
  }),
  {
    description: 'OpenSSF model signature of the artifact, verified when packaged.',
    fix: 'Write {key: keys/ml.pub}, {ca: keys/ca.pem, subject: CN=models}, or {identity: ann@example.com, issuer: https://accounts.google.com}.',
  },
);
