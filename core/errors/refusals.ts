/** What clients are told when something is refused. */

/**
 * Stable code → status and meaning; the table in docs is made from this. 4xx is the request's fault, `fault:
 * 'model'` the model's: those count as its errors, the others only as rejected requests. 5xx is ours, and no
 * request body reaches it.
 */
export const REFUSALS = {
  INVALID_JSON: { status: 400, meaning: 'The body, or the JSON part of it, is not JSON.' },
  INVALID_ENCODING: { status: 400, meaning: 'Broken gzip, deflate, base64 or UTF-8.' },
  TOO_DEEP: { status: 400, meaning: 'Arrays and objects are nested deeper than 32.' },
  FORBIDDEN_KEY: { status: 400, meaning: 'A key named `__proto__`.' },
  INVALID_REQUEST: { status: 400, meaning: 'The request is not built as the protocol says.' },
  UNKNOWN_INPUT: { status: 400, meaning: 'The model has no input of this name.' },
  MISSING_INPUT: { status: 400, meaning: 'An input of the model is not there.' },
  DUPLICATE_NAME: { status: 400, meaning: 'The same input or output is named twice.' },
  WRONG_DATATYPE: { status: 400, meaning: 'The input’s datatype differs from the signature’s.' },
  WRONG_SHAPE: { status: 400, meaning: 'The shape’s rank or a dimension differs from the signature’s.' },
  WRONG_LENGTH: {
    status: 400,
    meaning: 'The data have more or fewer elements than the shape, or other nesting.',
  },
  WRONG_VALUE: { status: 400, meaning: 'An element is of the wrong kind, or outside its datatype’s range.' },
  UNKNOWN_OUTPUT: {
    status: 400,
    meaning: 'The model has no such output, or the protocol cannot express it.',
  },
  NOT_FOUND: { status: 404, meaning: 'Nothing is at this path, or no such model or version.' },
  METHOD_NOT_ALLOWED: { status: 405, meaning: 'The path takes another method.' },
  SLOW_REQUEST: { status: 408, meaning: 'The request did not come whole in time; from the host alone.' },
  BODY_TOO_LARGE: { status: 413, meaning: 'The body, sent or unpacked, is beyond the limit.' },
  TENSOR_TOO_LARGE: { status: 413, meaning: 'The shape asks for more memory than a request may take.' },
  ANSWER_TOO_LARGE: {
    status: 413,
    meaning: 'The answer is beyond what Lambda or the load balancer carries.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    meaning: 'The content type, or the content encoding, is none that this path takes.',
  },
  HEADERS_TOO_LARGE: {
    status: 431,
    meaning: 'The headers are beyond 16 KB, or more than 100; from the host alone.',
  },
  MODEL_FAILED: { status: 422, fault: 'model', meaning: 'The model could not compute these inputs.' },
  NON_FINITE_OUTPUT: {
    status: 422,
    fault: 'model',
    meaning: 'An output is NaN or infinite, which JSON cannot say; ask for binary.',
  },
  TRANSFORM_FAILED: { status: 500, fault: 'model', meaning: 'The model’s own transform failed.' },
  THROTTLED: { status: 429, meaning: 'The version asked for is at its concurrency limit.' },
  INTERNAL: { status: 500, meaning: 'A fault of the endpoint itself; its log has the cause.' },
  ENDPOINT_FAILED: { status: 502, meaning: 'The version asked for failed, or ran out of its time.' },
  NOT_READY: { status: 503, meaning: 'The model cannot be asked now.' },
  OVERLOADED: {
    status: 503,
    meaning:
      'All processes are busy and the queue is full; try again after `Retry-After`. From the host alone.',
  },
  TIMED_OUT: {
    status: 504,
    meaning: 'The model outlasted its `timeout` and was ended; from the host alone.',
  },
} as const satisfies Record<
  string,
  { readonly status: number; readonly meaning: string; readonly fault?: 'model' }
>;

export type RefusalCode = keyof typeof REFUSALS;

/**
 * An Error whose message may be shown to the client: it names places (JSON paths) and limits, never values.
 */
export type Refusal = Error & {
  readonly status: number;
  readonly code: string;
  /** What HTTP has it tell beside; names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
};

/** @param message one sentence for the client; a JSON path where there is one, no value of the request */
export function refusal(code: RefusalCode, message: string, headers?: Refusal['headers']): Refusal {
  const { status } = REFUSALS[code];
  return Object.assign(new Error(message), { code, status, ...(headers && { headers }) });
}

export function isRefusal(error: unknown): error is Refusal {
  return (
    error instanceof Error &&
    'status' in error &&
    typeof error.status === 'number' &&
    'code' in error &&
    typeof error.code === 'string'
  );
}

/**
 * What a model's own transform refuses with a status of 400 to 499: its words, and its code, unless that is a
 * sentence.
 * @returns undefined for anything else that it threw
 */
export function ownRefusal(error: unknown): Refusal | undefined {
  if (!(error instanceof Error && 'status' in error)) return undefined;
  const { status } = error;
  if (typeof status !== 'number' || !(status >= 400 && status < 500)) return undefined;
  const given = 'code' in error ? error.code : undefined;
  const code = typeof given === 'string' && /^\w{1,64}$/.test(given) ? given : 'TRANSFORM_REFUSED';
  return Object.assign(new Error(error.message), { status, code });
}

/** Does it count as an error of the model or the endpoint? Else it is a rejected request. */
export function isModelFault({ status, code }: Refusal): boolean {
  if (status >= 500) return true;
  const entries: Readonly<Record<string, { readonly fault?: string; readonly status: number }>> = REFUSALS;
  return Object.hasOwn(entries, code) && entries[code]?.fault === 'model';
}
