/** What a message of the queue asks for. */
export type AskedObject = {
  readonly bucket: string;
  readonly key: string;
  /** As the event had them; absent where a person asked for the object as it is now. */
  readonly etag?: string;
  readonly versionId?: string;
  /** Orders the writes of one key. */
  readonly sequencer?: string;
};

/** A message as the queue has it. */
export type Message = {
  readonly body: string;
  /** It was dealt with before, or a person asks again. */
  readonly again: boolean;
  /** ISO 8601: it goes on with an attempt that began then. */
  readonly since?: string;
  /** ISO 8601: a person asked then, and no attempt has begun, since no entry took the object. */
  readonly askedAt?: string;
};

const ASKED = 'asked ';

/** What a message that comes again says of that. @param since when it began; absent where a person asks */
export const againText = (since: string | undefined, isAsked = false): string =>
  since === undefined ? 'true' : `${isAsked ? ASKED : ''}${since}`;

/**
 * @param attribute as `againText` writes it
 * @param code of a message that was put aside: SQS itself has moved it back, as a person asked it to
 */
export function readAgain(attribute: string | undefined, code?: string): Omit<Message, 'body'> {
  if (attribute === undefined && code !== undefined) return { again: true };
  const isAsked = attribute?.startsWith(ASKED) === true;
  const time = isAsked ? attribute.slice(ASKED.length) : attribute;
  if (time === undefined || Number.isNaN(Date.parse(time))) return { again: attribute !== undefined };
  return { again: true, ...(isAsked ? { askedAt: time } : { since: time }) };
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * EventBridge's "Object Created" (https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html; its
 * keys are as they are, not URL-encoded like those of S3's own notifications), or what `sls models batch`
 * sends: `{object: {bucket, key}}`.
 *
 * @returns undefined for anything else
 */
export function readMessage(body: string): AskedObject | undefined {
  const message = fieldsOf(parsed(body));
  const order = fieldsOf(message.object);
  if (typeof order.bucket === 'string' && typeof order.key === 'string' && order.key !== '')
    return { bucket: order.bucket, key: order.key };
  const detail = fieldsOf(message.detail);
  const { name } = fieldsOf(detail.bucket);
  const { key, etag, sequencer, 'version-id': versionId } = fieldsOf(detail.object);
  if (message.source !== 'aws.s3' || typeof name !== 'string' || typeof key !== 'string' || key === '')
    return undefined;
  return {
    bucket: name,
    key,
    ...(typeof etag === 'string' && { etag: bare(etag) }),
    ...(typeof versionId === 'string' && { versionId }),
    ...(typeof sequencer === 'string' && { sequencer }),
  };
}

/** ETags come with quotes in headers and without in events. */
export const bare = (etag: string): string => etag.replace(/^"|"$/g, '');

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};
