/** A place of images: `host[:port]/repository`, and which one of them. */
export type ImageReference = {
  /** With its port. Docker's own has the name under which people know it. */
  readonly host: string;
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:<hex>` */
  readonly digest?: string;
  /** Address of the registry's API, without a path. */
  readonly url: string;
};

const DOCKER_HUB = 'docker.io';
const DOCKER_HUB_API = 'https://registry-1.docker.io';

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests */
const REPOSITORY = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const HOST = /^(\[[0-9a-fA-F:]+\]|[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?)(:\d{1,5})?$/;
/** `name:password@` before a host, as addresses may have it. */
const LOGIN = /^.*@(?=.*\/)/s;
/** Together with the host, what registries take at most. */
const LONGEST = 255;

/**
 * Reads `host/repository:tag@sha256:…` as Docker does: a first part without dot, port or `localhost` is no
 * host, and then it is Docker's. A registry of this machine is asked over HTTP, all others over HTTPS; who
 * writes `http://` before a host wants HTTP there.
 *
 * @returns the end of a sentence about the text, where it is no reference
 */
export function readReference(text: string): ImageReference | { readonly wrong: string } {
  if (LOGIN.test(text)) return { wrong: 'has somebody’s name before an @, which is told by `docker login`' };
  const scheme = /^(https?):\/\//.exec(text)?.[1];
  const [place = '', digest, ...more] = text.slice(scheme === undefined ? 0 : scheme.length + 3).split('@');
  if (more.length > 0) return { wrong: 'has more than one @' };
  if (digest !== undefined && !DIGEST.test(digest))
    return { wrong: 'has a digest that is not sha256: and 64 digits of hex in lower case' };
  const [, named = place, tag] = /^(.*):([^/:]*)$/.exec(place) ?? [];
  if (tag !== undefined && !TAG.test(tag))
    return { wrong: `has the tag ${JSON.stringify(tag)}, which is none` };
  const slash = named.indexOf('/');
  const first = slash < 0 ? '' : named.slice(0, slash);
  const isHost = scheme !== undefined || first === 'localhost' || /[.:]/.test(first);
  const host = isHost ? first : DOCKER_HUB;
  const url =
    host === DOCKER_HUB
      ? DOCKER_HUB_API
      : `${scheme ?? (isOfThisMachine(host) ? 'http' : 'https')}://${host}`;
  // A port above 65535 or 300.1.1.1 looks like a host, and is none.
  if (!HOST.test(host) || !URL.canParse(url))
    return { wrong: `has the host ${JSON.stringify(host)}, which is none` };
  const rest = isHost ? named.slice(slash + 1) : named;
  const repository = host === DOCKER_HUB && !rest.includes('/') ? `library/${rest}` : rest;
  if (!REPOSITORY.test(repository) || repository.length > LONGEST)
    return {
      wrong: `has the repository ${JSON.stringify(rest)}; parts of lower case letters and digits are one`,
    };
  return {
    host,
    repository,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
    url,
  };
}

const isOfThisMachine = (host: string): boolean =>
  /^(localhost|[\w.-]+\.localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/.test(host);

/** As people read it. */
export const referenceText = ({ host, repository, tag, digest }: Omit<ImageReference, 'url'>): string =>
  `${host}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;

/**
 * Where an image is to be pushed: its digest follows from it.
 *
 * @returns or the end of a sentence about the text
 */
export function readPlace(text: string): ImageReference | { readonly wrong: string } {
  const read = readReference(text);
  if ('wrong' in read || read.digest === undefined) return read;
  return { wrong: 'names a digest, which follows from the image' };
}
