import { addressOf } from '../../../../core/origin/address.ts';

/** A server that a variable of the environment names. */
type NamedServer = {
  /** Without credentials, and no slash at its end. */
  readonly at: string;
  /** What it is told of who asks: what is given here, else what stands in its address. */
  readonly authorization: (given: Credentials) => string | undefined;
};

type Credentials = { readonly [name in 'user' | 'password' | 'token']?: string | undefined };

/**
 * An address, taken apart: credentials may stand in it, and no message, no record and no cache repeats them.
 *
 * @param refuse makes the error from a message, and what to do
 * @param elsewhere where credentials may be written, too: ", or set …"
 * @throws where it is no address over HTTP, by `refuse`
 */
export function namedServer(
  variable: string,
  given: string,
  refuse: (message: string, fix?: string) => Error,
  elsewhere = '',
): NamedServer {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw refuse(`${variable} is ${shownOf(given)}no address of a server over http or https.`);
  const decoded = (text: string): string => {
    try {
      return decodeURIComponent(text);
    } catch {
      throw refuse(
        `the name or the password in ${variable} has a % that stands for no character.`,
        `Write %25 for a %${elsewhere}.`,
      );
    }
  };
  return {
    at: addressOf(url),
    authorization: ({ user = decoded(url.username), password = decoded(url.password), token = '' }) => {
      if (user !== '') return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
      // A token from a file has its line’s end, which no header may have.
      return token.trim() === '' ? undefined : `Bearer ${token.trim()}`;
    },
  };
}

/** Its scheme alone: credentials may stand anywhere behind it. */
const shownOf = (uri: string): string => {
  const [scheme] = /^[a-z][a-z\d+.-]*:\/\//i.exec(uri) ?? [];
  return scheme === undefined ? '' : `${scheme}…, which is `;
};
