/** Why nothing was sent over TLS, and what to do about it. A certificate is the same in a moment. */
type TlsFault = {
  /** The end of a sentence about a server: "has a certificate that …". */
  readonly message: string;
  readonly fix: string;
};

/** By codes of Node: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const FAULTS: readonly { readonly codes: RegExp; readonly is: string; readonly fix: string }[] = [
  {
    codes: /SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY_LEAF)|CERT_UNTRUSTED/,
    is: 'has a certificate that is not trusted here',
    fix: 'Name a file with the certificate of its authority in the environment variable NODE_EXTRA_CA_CERTS.',
  },
  {
    codes:
      /^(?:CERT_|CRL_|ERR_TLS_CERT_|ERROR_IN_C|HOSTNAME_MISMATCH|INVALID_(?:CA|PURPOSE)|PATH_LENGTH_|UNABLE_TO_(?:DEC|GET_CRL))/,
    is: 'has a certificate that is not valid',
    fix: 'Let it be renewed for this address, and check the clock of this machine.',
  },
  {
    codes: /^(?:EPROTO|ERR_SSL_)/,
    is: 'does not speak TLS there',
    fix: 'Write `http://` before the host where it is asked over HTTP.',
  },
];

/** @param code of an error without an answer @returns undefined where it is none of TLS */
export function tlsFault(code: string): TlsFault | undefined {
  const found = FAULTS.find(({ codes }) => codes.test(code));
  return found && { message: `${found.is}: ${code}`, fix: found.fix };
}
