import { Buffer, isUtf8 } from 'node:buffer';

/**
 * HTTP API's and Lambda's payloads:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
 */
export const GATEWAY_BYTES = 10 * 1024 * 1024;

export type HttpRequest = {
  readonly method: string;
  /** Path and query as they stand in the request line. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
};

/**
 * What a request line names, without scheme and host: whoever thinks that it speaks to a proxy sends these,
 * too. https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2
 */
export function originForm(target = '/'): string {
  const below = target.replace(/^https?:\/\/[^/?]*/i, '');
  return below.startsWith('/') || below === target ? below : `/${below}`;
}

export type HttpAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Buffer;
};

/** The event of an HTTP API, payload format 2.0, as far as anything reads it. */
export type GatewayEvent = {
  readonly version: '2.0';
  readonly routeKey: string;
  readonly rawPath: string;
  readonly rawQueryString: string;
  readonly cookies?: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly queryStringParameters?: Readonly<Record<string, string>>;
  readonly requestContext: {
    readonly http: { readonly method: string; readonly path: string };
    readonly requestId: string;
    readonly stage: string;
  };
  readonly body?: string;
  readonly isBase64Encoded: boolean;
};

const TEXT = /^(text\/|application\/(json|javascript|xml)\b)/i;

/** A body reaches a function as text only where its type says so and nothing is packed; else in base64. */
function bodyOf({ headers, body }: HttpRequest): Pick<GatewayEvent, 'body' | 'isBase64Encoded'> {
  if (body.length === 0) return { isBase64Encoded: false };
  // What is no UTF-8 would come out changed.
  if (
    TEXT.test(String(headers['content-type'] ?? '')) &&
    headers['content-encoding'] === undefined &&
    isUtf8(body)
  ) {
    return { body: body.toString('utf8'), isBase64Encoded: false };
  }
  return { body: body.toString('base64'), isBase64Encoded: true };
}

function decoded(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/**
 * @param id of the request, by whom it came
 * @returns the event that an HTTP API makes of this request.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 */
export function toEvent(request: HttpRequest, id = 'local'): GatewayEvent {
  const { method, target } = request;
  const cut = target.indexOf('?');
  const path = decoded((cut < 0 ? target : target.slice(0, cut)) || '/');
  const query = cut < 0 ? '' : target.slice(cut + 1);
  const headers: Record<string, string> = {};
  let cookies: readonly string[] | undefined;
  for (const name in request.headers) {
    const value = request.headers[name];
    if (value === undefined) continue;
    if (name === 'cookie') cookies = (typeof value === 'string' ? value : value.join('; ')).split('; ');
    else headers[name] = typeof value === 'string' ? value : value.join(',');
  }
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: query,
    ...(cookies !== undefined && { cookies }),
    headers,
    ...(query !== '' && { queryStringParameters: parametersOf(query) }),
    requestContext: { http: { method, path }, requestId: id, stage: '$default' },
    ...bodyOf(request),
  };
}

function parametersOf(query: string): Readonly<Record<string, string>> {
  const parameters: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(query))
    parameters[name] = Object.hasOwn(parameters, name) ? `${parameters[name]},${value}` : value;
  return parameters;
}

/** The gateway's own answers: they say `message`, where the service says `error`. */
export function gatewayAnswer(status: number, message: string): HttpAnswer {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify({ message })),
  };
}

/**
 * @returns the HTTP answer that an HTTP API makes of a function's; what has no statusCode is a body of JSON
 * by itself.
 */
export function fromAnswer(answer: unknown): HttpAnswer {
  if (typeof answer !== 'object' || answer === null || !('statusCode' in answer)) {
    return {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(JSON.stringify(answer ?? null)),
    };
  }
  const { statusCode, headers, cookies, body, isBase64Encoded } = answer as {
    readonly statusCode: unknown;
    readonly headers?: Readonly<Record<string, string | number | boolean>>;
    readonly cookies?: readonly string[];
    readonly body?: string;
    readonly isBase64Encoded?: boolean;
  };
  if (typeof statusCode !== 'number') return gatewayAnswer(500, 'Internal Server Error');
  const named: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries(headers ?? {})) named[name.toLowerCase()] = String(value);
  if (cookies !== undefined) named['set-cookie'] = cookies;
  return {
    status: statusCode,
    headers: named,
    body: Buffer.from(body ?? '', isBase64Encoded === true ? 'base64' : 'utf8'),
  };
}
