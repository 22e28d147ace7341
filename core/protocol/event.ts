import { refusal } from '../errors/refusals.ts';
import type { Base64 } from '../ports/base64.ts';
import { FRESH_MEMORY, type Memory } from '../tensor/memory.ts';
import { decodedUtf8 } from '../text/utf8.ts';
import type { Answer } from './http.ts';
import { routedPath } from './routed-path.ts';

/**
 * One request and one answer for the five ways an endpoint is called: HTTP API (payload 2.0, or 1.0), REST
 * API, function URL, Application Load Balancer (single or multi-value headers), and a direct invocation,
 * whose event is the request itself. Payloads:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html,
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html,
 * https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html,
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
 */
export type EndpointRequest = {
  readonly source: 'http' | 'rest' | 'alb' | 'direct';
  /** Upper case; `POST` for a direct invocation. */
  readonly method: string;
  /**
   * Percent-decoded, without query, with `http.path`; where the source does not say which route it is, with
   * the stage that stands before it, too. Empty for a direct invocation.
   */
  readonly path: string;
  /** The client's `x-request-id` if it is usable, else so the source's id of the request, else Lambda's. */
  readonly id: string;
  readonly headers: Readonly<Record<string, string>>;
  /** As it came: text, or base64 where `base64` says so. Undefined for a direct invocation. */
  readonly body: string | undefined;
  readonly base64: boolean;
  /** The event, whole. */
  readonly event: unknown;
  /** Must the answer have `multiValueHeaders`: an ALB target group that is set so reads no others. */
  readonly multi: boolean;
};

type Fields = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Never throws: what cannot be read is a direct invocation with a bad request in it. */
export function readEvent(event: unknown, context?: { readonly awsRequestId?: string }): EndpointRequest {
  const fallbackId = context?.awsRequestId ?? '';
  if (!isObject(event) || !isObject(event.requestContext)) return direct(event, fallbackId);
  const { requestContext } = event;

  if (event.version === '2.0' && isObject(requestContext.http)) {
    const { method, path } = requestContext.http;
    const own = text(event.rawPath) ?? text(path);
    // `POST /v2/models/churn/infer`, or `$default`.
    const key = text(event.routeKey) ?? '';
    const routed = routedPath(key.slice(key.indexOf(' ') + 1), event.pathParameters, own);
    return read('http', event, text(method), routed ?? own, requestContext, fallbackId);
  }
  if (typeof event.httpMethod !== 'string') return direct(event, fallbackId);
  const source = isObject(requestContext.elb) ? 'alb' : 'rest';
  const own = text(event.path);
  const path = routedPath(text(event.resource) ?? '', event.pathParameters, own) ?? own;
  return read(source, event, event.httpMethod, path, requestContext, fallbackId);
}

function direct(event: unknown, id: string): EndpointRequest {
  return {
    source: 'direct',
    method: 'POST',
    path: '',
    id,
    headers: {},
    body: undefined,
    base64: false,
    event,
    multi: false,
  };
}

function read(
  source: 'http' | 'rest' | 'alb',
  event: Fields,
  method: string | undefined,
  path: string | undefined,
  context: Fields,
  fallbackId: string,
): EndpointRequest {
  const multi = isObject(event.multiValueHeaders) ? event.multiValueHeaders : undefined;
  const single = isObject(event.headers) ? event.headers : undefined;
  // REST API sends both forms, ALB one of them.
  const headers = headersOf(single ?? multi ?? {});
  return {
    source,
    method: (method ?? '').toUpperCase(),
    path: decodePath(path ?? ''),
    id: usableId(headers['x-request-id']) ?? usableId(text(context.requestId)) ?? fallbackId,
    headers,
    body: text(event.body),
    base64: event.isBase64Encoded === true,
    event,
    multi: source === 'alb' && single === undefined && multi !== undefined,
  };
}

/**
 * Names in lower case, on an object without a prototype, so that no header's name can meet a property of
 * Object.
 */
function headersOf(headers: Fields): Record<string, string> {
  const found: Record<string, string> = Object.create(null);
  for (const name in headers) {
    const value = headers[name];
    if (typeof value === 'string') found[name.toLowerCase()] = value;
    else if (Array.isArray(value)) {
      const texts = value.filter((one) => typeof one === 'string');
      if (texts.length > 0) found[name.toLowerCase()] = texts.join(', ');
    }
  }
  return found;
}

/**
 * An id goes into headers, logs and the audit as it is, so it must be short and printable. The source's, too:
 * who invokes the function directly may write any event.
 */
function usableId(id: string | undefined): string | undefined {
  return id !== undefined && /^[\x21-\x7e]{1,128}$/.test(id) ? id : undefined;
}

/** Sources differ in what they decode: decoding twice does no harm, since no route has a percent sign. */
function decodePath(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

const encoder = new TextEncoder();

/**
 * The body's bytes.
 * @param take where they shall lie
 * @throws Refusal `INVALID_ENCODING` for broken base64, of which a decoder would skip what it cannot read
 */
export function bodyBytes(
  { body, base64: isBase64 }: EndpointRequest,
  base64: Base64,
  take: Memory['take'] = FRESH_MEMORY.take,
): Uint8Array<ArrayBuffer> {
  if (body === undefined) return new Uint8Array(0);
  if (!isBase64) return encoder.encode(body);
  const padding = body.endsWith('==') ? 2 : body.endsWith('=') ? 1 : 0;
  const size = Math.floor(((body.length - padding) * 3) / 4);
  const isWhole = (body.length - padding) % 4 !== 1;
  const bytes = isWhole ? base64.read(body, take(size), size) : undefined;
  if (bytes !== undefined) return bytes;
  throw refusal('INVALID_ENCODING', 'The body is not base64, though the event says so.');
}

/**
 * @throws Refusal `INVALID_ENCODING`: a decoder would put U+FFFD in the place of what it cannot read,
 * silently
 */
export function utf8(bytes: Uint8Array): string {
  const text = decodedUtf8(bytes);
  if (text === undefined) throw refusal('INVALID_ENCODING', 'The body’s text is not UTF-8.');
  return text;
}

/** Lambda's synchronous answer: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const LAMBDA_BYTES = 6 * 1024 * 1024;
/** https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html */
const ALB_BYTES = 1024 * 1024;
/** Status, flags and headers around the body, generously. */
const ENVELOPE_BYTES = 4096;

/**
 * The value that the handler returns.
 * @throws Refusal `ANSWER_TOO_LARGE` where the source would refuse it: then the client would see a 502
 * without a reason
 */
export function writeAnswer(request: EndpointRequest, answer: Answer, base64: Base64): unknown {
  if (request.source === 'direct') return answer.value ?? { error: 'No answer for a direct invocation.' };
  const { status, body } = answer;
  const isText = typeof body === 'string';
  const sent = isText ? body : base64.write(body);
  checkSize(sent, isText, request.source === 'alb' ? ALB_BYTES : LAMBDA_BYTES);

  const headers: Record<string, string> = { ...answer.headers };
  if (request.id !== '') headers['x-request-id'] = request.id;
  if (!request.multi) return { statusCode: status, headers, body: sent, isBase64Encoded: !isText };
  const multiValueHeaders: Record<string, string[]> = {};
  for (const name in headers) multiValueHeaders[name] = [headers[name] ?? ''];
  return { statusCode: status, multiValueHeaders, body: sent, isBase64Encoded: !isText };
}

/** A text travels as a JSON string, where a quote takes two bytes and a control character six. */
function checkSize(sent: string, isText: boolean, limit: number): void {
  const room = limit - ENVELOPE_BYTES;
  if (sent.length * 6 <= room || (!isText && sent.length <= room)) return;
  if (isText && sent.length <= room && fits(sent, room)) return;
  throw answerTooLarge(limit, isText ? OR_BINARY : ' or fewer outputs');
}

/**
 * For a direct invocation: the value travels as JSON.
 * @param atMost no fewer bytes than its JSON takes, cheaply reckoned; the exact number is only looked for
 * beyond the limit
 */
export function checkValueSize(value: unknown, atMost: number): void {
  const room = LAMBDA_BYTES - ENVELOPE_BYTES;
  if (atMost <= room || fits(value, room)) return;
  throw answerTooLarge(LAMBDA_BYTES, ' or fewer outputs');
}

/**
 * The same before there is a value or a text: an element takes a digit and a comma at least, and many times
 * that in memory, where no text can have the length of all of them.
 * @param raw bytes beside them, which travel as base64
 * @param hint what else to ask for
 */
export function checkElements(count: number, raw = 0, hint = ' or fewer outputs'): void {
  if (count * 2 + (raw / 3) * 4 > LAMBDA_BYTES) throw answerTooLarge(LAMBDA_BYTES, hint);
}

/** What else to ask for in place of a text. */
export const OR_BINARY = ', fewer outputs or binary answers';

/** Does a value's JSON take at most `room` bytes? A character is one to three of them. */
function fits(value: unknown, room: number): boolean {
  const json = JSON.stringify(value);
  return json.length * 3 <= room || (json.length <= room && encoder.encode(json).length <= room);
}

const answerTooLarge = (limit: number, hint: string): Error =>
  refusal(
    'ANSWER_TOO_LARGE',
    `The answer is beyond the ${limit / 1024 / 1024} MB that can be sent back; ask for fewer rows${hint}.`,
  );
