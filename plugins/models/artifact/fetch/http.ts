import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { type IncomingMessage, request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';
import { dirname } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { textIn } from '../../../../core/json/fields.ts';
import { repeatsSecret } from '../../../../core/origin/repeats-secret.ts';
import { plainText } from '../../../../core/text/plain.ts';
import { askedWait } from '../../../../core/units/asked-wait.ts';
import { isProxyFault, PROXY_FIX, proxied } from '../../network/proxied.ts';
import { type HttpFault, httpFault, isHttpFault, unansweredFault } from './http-fault.ts';

/**
 * What registries of models are asked over HTTP: JSON, and files. Not by `fetch`: Node's ends the whole
 * process where a server closes the connection before everything that it sent is read.
 * https://github.com/nodejs/undici/issues/5360
 */

type Headers = Readonly<Record<string, string>>;

export type HttpQuestion = {
  readonly url: string;
  /** Or what makes those of an address of this server, for each time that one is asked: a signature ages. */
  readonly headers?: Headers | ((url: string) => Promise<Headers>);
  /** Sent as JSON, with POST. */
  readonly body?: unknown;
  /** A running line, where it wants to be asked again after a while. */
  readonly progress?: (text: string | undefined) => void;
};

/** Milliseconds, bytes, counts. */
export const HTTP_LIMITS = {
  /** Until a whole answer in JSON is there, and between two pieces of a file. */
  patience: 30_000,
  attempts: 3,
  /** Before the second attempt; the third waits four times as long. */
  pause: 500,
  /** The longest wait that a server may ask for: beyond it nobody would wait. It is Hugging Face’s window. */
  longest: 300_000,
  json: 32 * 1024 * 1024,
};
export type HttpLimits = typeof HTTP_LIMITS;

/**
 * @returns the JSON of an answer
 * @throws HttpFault
 */
export const askJson = (question: HttpQuestion, limits: HttpLimits = HTTP_LIMITS): Promise<unknown> =>
  attempted(question, limits, async () => {
    const signal = AbortSignal.timeout(limits.patience);
    const answer = await answered(question, signal, limits);
    const bytes = await bodyOf(answer, limits.json, limits, signal);
    return parsed(bytes, answer.headers['content-type']);
  });

/** Bytes that are written at once. */
const PIECE = 1024 * 1024;

/**
 * Writes a file of exactly so many bytes.
 *
 * @returns its sha256 in hex
 * @throws HttpFault, also where it is cut off or longer
 */
export const askFile = (
  question: HttpQuestion,
  to: string,
  bytes: number,
  limits: HttpLimits = HTTP_LIMITS,
): Promise<string> =>
  attempted(question, limits, async () => {
    const ending = new AbortController();
    const end = (): void => ending.abort();
    let timer = setTimeout(end, limits.patience);
    const again = (): void => {
      clearTimeout(timer);
      timer = setTimeout(end, limits.patience);
    };
    try {
      await mkdir(dirname(to), { recursive: true });
      const answer = await answered(question, ending.signal, limits);
      const hash = createHash('sha256');
      let got = 0;
      const counted = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          again();
          got += chunk.length;
          hash.update(chunk);
          done(
            got > bytes ? httpFault('wrong', `sends more than the ${bytes} bytes that it told`) : null,
            chunk,
          );
        },
      });
      const file = createWriteStream(to, { highWaterMark: PIECE });
      await pipeline(answer, counted, file).catch((error: unknown) => {
        throw isHttpFault(error) || isOfDisk(error) ? error : cutOff(got, bytes, ending.signal, limits);
      });
      if (got < bytes) throw cutOff(got, bytes, ending.signal, limits);
      return hash.digest('hex');
    } finally {
      clearTimeout(timer);
    }
  });

const isOfDisk = (error: unknown): boolean =>
  error instanceof Error && 'syscall' in error && ['open', 'write'].includes(String(error.syscall));

const cutOff = (got: number, bytes: number, signal: AbortSignal, { patience }: HttpLimits): HttpFault =>
  httpFault(
    'unreachable',
    signal.aborted
      ? `sends nothing for ${patience / 1000} s after ${got} of ${bytes} bytes`
      : `ends after ${got} of ${bytes} bytes`,
  );

/**
 * What is not there now may be there in a second, or when its server says: asked again; what refuses is not.
 */
async function attempted<T>(
  { url, progress }: HttpQuestion,
  { attempts, longest, pause }: HttpLimits,
  work: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isHttpFault(error) || error.kind !== 'unreachable' || attempt >= attempts) throw error;
      const { after = 0 } = error;
      // Asked sooner, it would refuse once more.
      if (after > longest) throw error;
      if (after > 0) progress?.(`Waiting ${Math.ceil(after / 1000)} s, as ${new URL(url).host} asks for`);
      await sleep(Math.max(pause * 4 ** (attempt - 1), after));
      if (after > 0) progress?.(undefined);
    }
  }
}

async function answered(
  question: HttpQuestion,
  signal: AbortSignal,
  limits: HttpLimits,
): Promise<IncomingMessage> {
  const { answer, headers } = await followed(question, signal).catch((error: unknown) => {
    if (isHttpFault(error)) throw error;
    if (signal.aborted) throw httpFault('unreachable', late(limits));
    if (isProxyFault(error))
      throw httpFault('wrong', `cannot be reached: ${reasonOf(error)}`, undefined, PROXY_FIX);
    throw unansweredFault(reasonOf(error));
  });
  const { statusCode: status = 0 } = answer;
  if (status >= 200 && status < 300) return answer;
  const { said, isJson } = saidIn(
    await bodyOf(answer, 64 * 1024, limits, signal).catch(() => Buffer.alloc(0)),
    headers,
  );
  if (status === 401 || status === 403) throw httpFault('refused', `refuses (${status})${said}`, status);
  // MLflow says of an alias that is not there that the request is not valid.
  if (status === 404 || (status === 400 && isJson))
    throw httpFault('absent', `knows no such thing (${status})${said}`, status);
  if (status !== 429 && status < 500) throw httpFault('wrong', `answers ${status}${said}`, status);
  const after = askedWait(answer.headers, Date.now());
  const again = after === undefined ? '' : `, to be asked again in ${Math.ceil(after / 1000)} s`;
  const fault = httpFault('unreachable', `answers ${status}${again}${said}`, status);
  throw after === undefined ? fault : Object.assign(fault, { after });
}

/** An answer, and what was told of who asks. */
type Answered = { readonly answer: IncomingMessage; readonly headers: Headers };

/** As many as browsers follow are too many for a file. */
const REDIRECTS = 5;

async function followed(question: HttpQuestion, signal: AbortSignal, left = REDIRECTS): Promise<Answered> {
  const asked = await ask(question, signal);
  const { statusCode = 0, headers } = asked.answer;
  if (![301, 302, 303, 307, 308].includes(statusCode) || headers.location === undefined) return asked;
  asked.answer.resume();
  const from = new URL(question.url);
  if (left === 0 || !URL.canParse(headers.location, from.href))
    throw httpFault('wrong', `sends on from one address to the next (${statusCode})`, statusCode);
  const to = new URL(headers.location, from);
  if (!/^https?:$/.test(to.protocol))
    throw httpFault('wrong', `sends on to ${to.protocol.slice(0, -1)}`, statusCode);
  // What comes over HTTP may be anybody’s, and not each registry tells digests.
  if (from.protocol === 'https:' && to.protocol !== 'https:')
    throw httpFault('wrong', 'sends on from HTTPS to HTTP', statusCode);
  // Who asks is told to nobody else.
  const isSame = to.origin === from.origin;
  // A repository that was renamed sends on what is asked of it by POST: that is asked again as it was.
  const isKept = statusCode === 307 || statusCode === 308;
  return followed(
    {
      url: to.href,
      ...(isSame && question.headers && { headers: question.headers }),
      ...(isKept && { body: question.body }),
    },
    signal,
    left - 1,
  );
}

async function ask({ url, headers: given, body }: HttpQuestion, signal: AbortSignal): Promise<Answered> {
  const headers = (typeof given === 'function' ? await given(url) : given) ?? {};
  const text = body === undefined ? undefined : JSON.stringify(body);
  const request = url.startsWith('https:') ? overHttps : overHttp;
  const agent = proxied();
  return new Promise((resolve, reject) => {
    const asked = request(url, {
      signal,
      ...(agent && { agent }),
      method: text === undefined ? 'GET' : 'POST',
      headers: {
        ...headers,
        ...(text !== undefined && {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
        }),
      },
    });
    asked
      .on('response', (answer) => resolve({ answer, headers }))
      .on('error', reject)
      .end(text);
  });
}

const late = ({ patience }: HttpLimits): string => `does not answer within ${patience / 1000} s`;

async function bodyOf(
  answer: IncomingMessage,
  most: number,
  limits: HttpLimits,
  signal: AbortSignal,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer) {
      bytes += chunk.length;
      if (bytes > most) throw httpFault('wrong', `answers with more than ${most} bytes of JSON`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (isHttpFault(error)) throw error;
    throw httpFault('unreachable', signal.aborted ? late(limits) : `breaks off: ${reasonOf(error)}`);
  }
  return Buffer.concat(chunks);
}

function parsed(bytes: Buffer, type: string | undefined): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    const what = type?.startsWith('text/html') ? 'a page' : 'something';
    throw httpFault('wrong', `answers with ${what} that is no JSON`);
  }
}

/** What a refusal says, in JSON or as plain text (MLflow: 401 and 403); never a whole page, nor who asked. */
function saidIn(bytes: Buffer, headers: Headers): { readonly said: string; readonly isJson: boolean } {
  const text = bytes.toString();
  let [said, isJson] = [text, false];
  try {
    const answer: unknown = JSON.parse(text);
    said = textIn(answer, 'message') ?? textIn(answer, 'error') ?? '';
    isJson = true;
  } catch {
    if (/^\s*</.test(text)) said = '';
  }
  const line = plainText(said).replace(/\s+/g, ' ').trim().slice(0, 200).replace(/\.$/, '');
  return { said: line === '' || repeatsSecret(said, headers) ? '' : `: ${line}`, isJson };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return code ?? error.message;
}
