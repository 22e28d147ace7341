import { textIn } from '../../../../core/json/fields.ts';
import { isObject } from '../../../../core/json/is-object.ts';
import { repeatsSecret } from '../../../../core/origin/repeats-secret.ts';
import { askedWait } from '../../../../core/units/asked-wait.ts';
import { type RegistryFault, type Reply, registryFault, wholeBody } from './exchange.ts';

/** @returns what an answer that is an error means. Reads it. */
export async function registryFaultOf(reply: Reply): Promise<RegistryFault> {
  const { status, headers, told, secrets } = reply;
  const text = saidIn(await wholeBody(reply, 64 * 1024).catch(() => Buffer.alloc(0)));
  // Looked at before it is cut: the beginning of a secret is no text, either.
  const said = repeatsSecret(text, told, secrets) ? '' : shortened(text);
  if (status === 401 || status === 403)
    return registryFault('refused', `refuses (${status})${said}`, { status });
  if (status === 404) return registryFault('absent', `knows no such thing (404)${said}`, { status });
  if (status === 429 || status >= 500) {
    const after = askedWait(headers, Date.now());
    return registryFault('unreachable', `answers ${status}${said}`, {
      status,
      ...(after !== undefined && { after }),
    });
  }
  const fix = status === 413 ? TOO_LARGE : isTaken(said) ? TAKEN : isPlain(reply, said) ? PLAIN : undefined;
  return registryFault('wrong', `answers ${status}${said}`, { status, ...(fix !== undefined && { fix }) });
}

/** Registries have no such limit, but servers before them do. */
const TOO_LARGE =
  'Raise the limit of the server before the registry (nginx: `client_max_body_size 0`), or push past it.';

const TAKEN =
  'Push under another tag, or without one: tags of this repository are written once, and this one is another image.';

/**
 * The specification has no code for it; ECR says TAG_INVALID, Harbor PRECONDITION:
 * https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
 */
const isTaken = (said: string): boolean => /immutable/i.test(said);

const PLAIN = 'Write `https://` before the host where it is asked over HTTPS.';

/** Servers of HTTPS answer so what comes over HTTP; those of HEAD say nothing. */
const isPlain = ({ status, url }: Reply, said: string): boolean =>
  status === 400 && url.protocol === 'http:' && (said === '' || /https/i.test(said));

/** `errors: [{code, message}]`, as the specification has it; never a whole page. */
function saidIn(bytes: Buffer): string {
  const text = bytes.toString();
  try {
    const answer: unknown = JSON.parse(text);
    const errors: unknown = isObject(answer) ? answer.errors : undefined;
    const first: unknown = Array.isArray(errors) ? errors[0] : answer;
    return [textIn(first, 'code'), textIn(first, 'message')].filter(Boolean).join(': ');
  } catch {
    return /^\s*</.test(text) ? '' : text;
  }
}

/** @returns the end of a sentence, or nothing */
function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim().slice(0, 200).replace(/\.$/, '');
  return line === '' ? '' : `: ${line}`;
}
