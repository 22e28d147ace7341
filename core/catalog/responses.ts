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

/**
 * Who takes the requests: an HTTP API before Lambda, a host, or a host that only its own machine may call.
 */
export type Server = 'gateway' | 'host' | 'local';

/** What only a version that is asked by its number may answer, of what the catalog says in its stead. */
const OF_VERSIONS: readonly RefusalCode[] = ['THROTTLED', 'ENDPOINT_FAILED'];
/** What only a host says: on Lambda the gateway does, and it has its own words. */
const OF_HOSTS: readonly RefusalCode[] = ['SLOW_REQUEST', 'HEADERS_TOO_LARGE', 'OVERLOADED', 'TIMED_OUT'];
/** What it says of a connection, whatever is asked on it. */
const OF_CONNECTIONS: readonly RefusalCode[] = ['SLOW_REQUEST', 'HEADERS_TOO_LARGE'];
const OF_ANY: readonly RefusalCode[] = ['NOT_FOUND', 'METHOD_NOT_ALLOWED', 'INTERNAL'];

function codesOf(kind: Kind, server: Server): readonly RefusalCode[] {
  const says = server === 'gateway' ? lambdaSays : hostSays;
  return (Object.keys(REFUSALS) as RefusalCode[]).filter((code) => says(code, kind));
}

function lambdaSays(code: RefusalCode, { infers = false, versioned = false, ready = false }: Kind): boolean {
  if (code === 'NOT_READY') return ready || versioned;
  if (OF_HOSTS.includes(code)) return false;
  if (OF_VERSIONS.includes(code)) return versioned;
  return infers || OF_ANY.includes(code);
}

/** A host has the processes of the one version that it has, and throttles nobody. */
function hostSays(code: RefusalCode, { infers = false, ready = false }: Kind): boolean {
  if (code === 'THROTTLED') return false;
  if (code === 'NOT_READY') return infers || ready;
  return infers || OF_CONNECTIONS.includes(code) || OF_ANY.includes(code);
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

/** What refuses a request before it reaches anything of ours, or in the same shape. */
function gatewayOf({ infers = false }: Kind, auth: Auth, server: Server): Readonly<Record<number, string>> {
  if (server === 'local')
    return { 403: 'Only this machine’s programs and this server’s own pages may call.' };
  if (server === 'host') return {};
  return { ...GATEWAY, ...(infers && BODY_AT_GATEWAY), ...(typeof auth === 'object' && AUTHORIZER) };
}

const RETRY_AFTER: Schema = {
  'Retry-After': { description: 'Seconds.', schema: { type: 'integer' } },
};

export function errorsOf(kind: Kind, auth: Auth, server: Server): Record<string, Schema> {
  const ours = new Map<number, string[]>();
  for (const code of codesOf(kind, server)) {
    const { status, meaning } = REFUSALS[code];
    ours.set(status, [...(ours.get(status) ?? []), `\`${code}\`: ${meaning}`]);
  }
  const gateway = gatewayOf(kind, auth, server);
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
        const again = server !== 'gateway' && status === 503 && { headers: RETRY_AFTER };
        return [String(status), { description, ...again, content: { 'application/json': { schema } } }];
      }),
  );
}
