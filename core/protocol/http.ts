/** How answers look before an event's shape is put on them. */

/** An answer before the event's source gives it its shape. */
export type Answer = {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** What a direct invocation gets instead of a body. */
  readonly value?: unknown;
};

/** `{"error", "code"}`: the protocol's error object, and the code that programs can rely on. */
export function errorAnswer({
  status,
  code,
  message,
  headers,
}: {
  status: number;
  code: string;
  message: string;
  headers?: Answer['headers'];
}): Answer {
  const value = { error: message, code };
  return { status, headers: { ...JSON_HEADERS, ...headers }, body: JSON.stringify(value), value };
}

/** The header of a 405 for a path that takes one method: a GET is answered for HEAD, too. */
export const allowHeader = (method: 'GET' | 'POST'): Answer['headers'] => ({
  allow: method === 'GET' ? 'GET, HEAD' : method,
});

export function jsonAnswer(status: number, value: unknown): Answer {
  return { status, headers: JSON_HEADERS, body: JSON.stringify(value), value };
}

export const JSON_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'application/json',
  'x-content-type-options': 'nosniff',
};
