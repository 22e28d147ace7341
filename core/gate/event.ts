import { isObject } from '../json/is-object.ts';
import { hasLostDigits, parseGateJson } from './json.ts';

/**
 * What the gate invokes a version with. Lambda's runtime reads an event's numbers as doubles, and the
 * endpoint refuses what may have lost digits so. Hence a request that has such numbers goes as a text, in the
 * body of an HTTP event, as it does from a client. The request itself stays beside it: where the gate asks
 * over HTTP this is a body, whose other keys nobody reads.
 */
export function eventOf(request: string): string {
  const object = request.trimStart();
  // Anything else is no request, and is refused as it is.
  if (!object.startsWith('{') || !hasLostDigits(object)) return request;
  const http = { method: 'POST', path: '/' };
  const event = {
    version: '2.0',
    rawPath: '/',
    requestContext: { http },
    headers: { 'content-type': 'application/json' },
    body: request,
    isBase64Encoded: false,
  };
  return `${JSON.stringify(event).slice(0, -1)},${object.slice(1)}`;
}

/** The endpoint's answer, out of that to an HTTP event where it is one. @throws SyntaxError */
export function answerIn(payload: string): unknown {
  const answer = parseGateJson(payload);
  return isObject(answer) && typeof answer.statusCode === 'number' && typeof answer.body === 'string'
    ? parseGateJson(answer.body)
    : answer;
}
