import { REFUSALS, type RefusalCode } from '../errors/refusals.ts';
import type { Auth } from './contract.ts';
import { ref, type Schema } from './schemas.ts';

/**
 * The errors of an operation, as OpenAPI's responses by status: those of our own table, and the gateway's
 * beside them.
 */

type Kind = {
  /** Runs a model; else it is about one, or about all of them. */
  readonly infers?: boolean;
  /** Goes to one version by way of the catalog. */
  readonly versioned?: boolean;
  /** Says whether a model can be asked. */
  readonly ready?: boolean;
};

/** What only a version that is asked by its number may answer, of what the catalog says in its stead. */
const OF_VERSIONS: readonly RefusalCode[] = ['THROTTLED', 'ENDPOINT_FAILED'];
/** What only a host says: on Lambda the gateway does, and it has its own words. */
const OF_HOSTS: readonly RefusalCode[] = ['SLOW_REQUEST', 'HEADERS_TOO_LARGE', 'OVERLOADED', 'TIMED_OUT'];
const OF_ANY: readonly RefusalCode[] = ['NOT_FOUND', 'METHOD_NOT_ALLOWED', 'INTERNAL'];

function codesOf({ infers = false, versioned = false, ready = false }: Kind): readonly RefusalCode[] {
  return (Object.keys(REFUSALS) as RefusalCode[]).filter((code) => {
    if (code === 'NOT_READY') return ready;
    if (OF_HOSTS.includes(code)) return false;
    if (OF_VERSIONS.includes(code)) return versioned;
    return infers || OF_ANY.includes(code);
  });
}

/**
 * Answers of an HTTP API itself, which have their own shape:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html
 */
const GATEWAY: Readonly<Record<number, string>> = {
  403: 'Not allowed to call this.',
  429: 'The gateway throttles.',
  500: 'The function ended without an answer.',
  503: 'The gateway got no answer in time.',
};
const BODY_AT_GATEWAY = { 413: 'The body is beyond what the gateway takes.' };
const AUTHORIZER = { 401: 'The authorizer does not know who asks.' };

export function errorsOf(kind: Kind, auth: Auth): Record<string, Schema> {
  const ours = new Map<number, string[]>();
  for (const code of codesOf(kind)) {
    const { status, meaning } = REFUSALS[code];
    ours.set(status, [...(ours.get(status) ?? []), `\`${code}\`: ${meaning}`]);
  }
  const gateway: Readonly<Record<number, string>> = {
    ...GATEWAY,
    ...(kind.infers === true && BODY_AT_GATEWAY),
    ...(typeof auth === 'object' && AUTHORIZER),
  };
  const statuses = [...new Set([...ours.keys(), ...Object.keys(gateway).map(Number)])];
  return Object.fromEntries(
    statuses
      .toSorted((one, other) => one - other)
      .map((status) => {
        const own = ours.get(status) ?? [];
        const theirs = gateway[status];
        const schemas = [
          ...(own.length > 0 ? [ref('Error')] : []),
          ...(theirs === undefined ? [] : [ref('GatewayError')]),
        ];
        const [only, ...others] = schemas;
        const description = [...own, ...(theirs === undefined ? [] : [theirs])].join(' ');
        const schema = others.length === 0 ? only : { anyOf: schemas };
        return [String(status), { description, content: { 'application/json': { schema } } }];
      }),
  );
}
