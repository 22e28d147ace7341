/** https://grpc.io/docs/guides/status-codes/ */
export const GRPC = {
  ok: 0,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** What a call ends with. */
export type GrpcStatus = {
  readonly status: (typeof GRPC)[keyof typeof GRPC];
  /** `CODE: sentence`. */
  readonly message: string;
  readonly code: string;
  /** Milliseconds after which a client may try again: it is none of its faults. */
  readonly again?: number;
};

/**
 * By statuses of HTTP; a transform may refuse with any of 400 to 499. One that is not here is the request’s
 * fault below 500, else ours. A process that ended is ours, too: were it told as unavailable, clients would
 * send by themselves again what ended it.
 */
const OF_STATUS: Readonly<Record<number, GrpcStatus['status']>> = {
  401: GRPC.unauthenticated,
  403: GRPC.permissionDenied,
  404: GRPC.notFound,
  413: GRPC.resourceExhausted,
  429: GRPC.resourceExhausted,
  503: GRPC.unavailable,
  504: GRPC.deadlineExceeded,
};

/**
 * An error’s answer over HTTP as a status of gRPC.
 * @param body `{"error", "code"}`
 */
export function grpcStatusOf(
  status: number,
  headers: Readonly<Record<string, string | readonly string[]>>,
  body: string,
): GrpcStatus {
  const { error, code } = readError(body);
  const seconds = Number(headers['retry-after']);
  return {
    status: OF_STATUS[status] ?? (status < 500 ? GRPC.invalidArgument : GRPC.internal),
    message: `${code}: ${error}`,
    code,
    ...(seconds > 0 && { again: seconds * 1000 }),
  };
}

function readError(body: string): { readonly error: string; readonly code: string } {
  try {
    const { error, code } = JSON.parse(body);
    if (typeof error === 'string' && typeof code === 'string') return { error, code };
  } catch {
    // A model’s own code may have answered anything.
  }
  return { error: 'The endpoint failed; its log says where.', code: 'INTERNAL' };
}

/**
 * Bytes of a message as it is sent. gRPC’s own clients give up answers whose headers have more than 8 KB, and
 * tell neither status nor code then: https://grpc.io/docs/guides/metadata/
 */
const MESSAGE_BYTES = 4096;
const CUT = '…';

/**
 * `grpc-message`: percent-encoded UTF-8, where all beyond printable ASCII and the percent sign itself is
 * encoded. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses
 * @param text of any length, which may be that of a model’s own code; a long one is cut
 */
export function encodedMessage(text: string): string {
  if (text.length <= MESSAGE_BYTES) {
    const whole = encoded(text);
    if (whole.length <= MESSAGE_BYTES) return whole;
  }
  const end = encoded(CUT);
  let message = '';
  for (const character of text.slice(0, MESSAGE_BYTES)) {
    const next = encoded(character);
    if (message.length + next.length + end.length > MESSAGE_BYTES) break;
    message += next;
  }
  return message + end;
}

const encoded = (text: string): string =>
  text.replace(/\p{Surrogate}/gu, '�').replace(/[^ -~]|%/gu, encodeURIComponent);

const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** `grpc-timeout` in milliseconds; undefined where it is absent, NaN where it is none. */
export function timeoutOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const [, digits, unit = ''] = /^(\d{1,8})([HMSmun])$/.exec(header) ?? [];
  return Number(digits) * (UNITS[unit] ?? Number.NaN);
}
