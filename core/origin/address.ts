import type { ArtifactOrigin } from './contract.ts';

/** The address of a server of MLflow: two that are written differently are compared by this. */
export const addressOf = ({
  protocol,
  host,
  pathname,
}: Pick<URL, 'protocol' | 'host' | 'pathname'>): string =>
  `${protocol}//${host}${pathname.replace(/\/+$/, '')}`;

/** The same of a text; one that is no address stays as it is, for whoever says what is wrong with it. */
export const addressIn = (text: string): string => (URL.canParse(text) ? addressOf(new URL(text)) : text);

/** Does an artifact come from the server at this address? */
export const isAtAddress = ({ from, at }: Pick<ArtifactOrigin, 'from' | 'at'>, address: string): boolean =>
  from === 'mlflow' && at === address;

/** Who may use another protocol than https: what never leaves the machine. */
const OWN = /^(127(\.\d+){3}|localhost|\[::1\])$/;

/**
 * What is wrong with an address that a server of MLflow is written to at, in words that do not repeat it:
 * credentials may stand in it. Undefined: nothing.
 */
export function addressFault(text: string): string | undefined {
  if (!URL.canParse(text)) return 'is no URL';
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return 'has a name or a password in it';
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && OWN.test(url.hostname)))
    return `begins with ${url.protocol}//, and who is told sends credentials`;
  if (url.search !== '' || url.hash !== '') return 'has a query or a fragment';
  return undefined;
}
