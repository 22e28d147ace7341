import { expect, it } from 'vitest';
import { tlsFault } from '../../../../core/errors/tls-errors.ts';

it.each([
  ['DEPTH_ZERO_SELF_SIGNED_CERT', /is not trusted here: DEPTH/, /NODE_EXTRA_CA_CERTS/],
  ['SELF_SIGNED_CERT_IN_CHAIN', /is not trusted here/, /NODE_EXTRA_CA_CERTS/],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', /is not trusted here/, /NODE_EXTRA_CA_CERTS/],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /is not trusted here/, /NODE_EXTRA_CA_CERTS/],
  ['CERT_UNTRUSTED', /is not trusted here/, /NODE_EXTRA_CA_CERTS/],
  ['CERT_HAS_EXPIRED', /is not valid: CERT_HAS_EXPIRED/, /renewed.*clock/],
  ['CERT_NOT_YET_VALID', /is not valid/, /clock/],
  ['ERR_TLS_CERT_ALTNAME_INVALID', /is not valid/, /for this address/],
  ['HOSTNAME_MISMATCH', /is not valid/, /for this address/],
  ['UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY', /is not valid/, /renewed/],
  ['ERR_SSL_WRONG_VERSION_NUMBER', /does not speak TLS there/, /`http:\/\/`/],
  ['EPROTO', /does not speak TLS there/, /`http:\/\/`/],
])('%s is one of TLS, with what to do', (code, message, fix) => {
  const found = tlsFault(code);
  expect(found?.message).toMatch(message);
  expect(found?.fix).toMatch(fix);
});

it.each(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'ETIMEDOUT', 'EAI_AGAIN', 'HPE_INVALID_CONSTANT'])(
  '%s is none of TLS: it may be gone in a moment',
  (code) => {
    expect(tlsFault(code)).toBeUndefined();
  },
);
