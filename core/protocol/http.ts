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
}: {
  status: number;
  code: string;
  message: string;
}): Answer {
  const value = { error: message, code };
  return { status, headers: JSON_HEADERS, body: JSON.stringify(value), value };
}

export function jsonAnswer(status: number, value: unknown): Answer {
  return { status, headers: JSON_HEADERS, body: JSON.stringify(value), value };
}

export const JSON_HEADERS: Readonly<Record<string, string>> = {
  'content-type': 'application/json',
  'x-content-type-options': 'nosniff',
};
