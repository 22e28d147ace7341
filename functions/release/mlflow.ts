import { errorName } from '../../core/errors/aws-errors.ts';
import { textIn } from '../../core/json/fields.ts';
import { authorizationIn } from '../../core/origin/authorization.ts';
import { repeatsSecret } from '../../core/origin/repeats-secret.ts';
import type { SecretPort } from '../../core/ports/aws.ts';
import type { MlflowFailure, MlflowPort, MlflowWrite } from '../../core/ports/mlflow.ts';
import { plainText } from '../../core/text/plain.ts';

/**
 * MLflow's REST API, as far as it is written to:
 * https://mlflow.org/docs/latest/api_reference/rest-api.html
 */

/** Milliseconds: of one call, and of all together; no release waits longer for MLflow. */
const CALL_MS = 2000;
const ALL_MS = 6000;

/** The most that is read of an answer; MLflow's are short. */
const BYTES = 64 * 1024;

/** What Secrets Manager says of a secret that trying again does not give. */
const DENIED: ReadonlySet<string | undefined> = new Set([
  'AccessDeniedException',
  'ResourceNotFoundException',
  'InvalidRequestException',
  'DecryptionFailure',
]);

type Access = {
  readonly at: string;
  readonly alias: string;
  /** Headers that say who asks. @param again those given before were refused */
  readonly headers: (again: boolean) => Promise<Readonly<Record<string, string>>>;
};

/** One invocation's: what it knows of who asks is forgotten with it. */
export function mlflowRegistry({ at, alias, headers }: Access): MlflowPort {
  return {
    at,
    alias,
    write: async (writes) => {
      const end = AbortSignal.timeout(ALL_MS);
      try {
        let known = await headers(false);
        for (const write of writes) {
          let failure = await send(at, write, known, end);
          if (failure?.status === 401) {
            // It may have been rotated a moment ago.
            known = await headers(true);
            failure = await send(at, write, known, end);
          }
          if (failure !== undefined && !(write.set === 'tag' && write.mayBeGone && failure.status === 404))
            return { failed: failure.failed, refuses: failure.refuses };
        }
        return 'ok';
      } catch (error) {
        return isFailure(error) ? error : { failed: `cannot be asked: ${errorName(error)}`, refuses: true };
      }
    },
  };
}

/**
 * Headers by a secret, which is read when it is first needed, and again where it was refused.
 *
 * @param arn undefined: the server asks nobody who they are
 */
export function headersBy(arn: string | undefined, read: SecretPort): Access['headers'] {
  let known: Readonly<Record<string, string>> | undefined;
  return async (again) => {
    if (arn === undefined) return {};
    if (known !== undefined && !again) return known;
    const secret = await read(arn).catch((error: unknown) => {
      // AWS's words may hold who asked for what; its error's name says enough.
      const refuses = DENIED.has(errorName(error));
      throw { failed: `is not asked, since its secret cannot be read (${errorName(error)})`, refuses };
    });
    const authorization = authorizationIn(secret);
    if (authorization === undefined)
      throw {
        failed: 'is not asked, since its secret is neither {"username", "password"}, {"token"} nor a token',
        refuses: true,
      };
    known = { authorization };
    return known;
  };
}

const isFailure = (error: unknown): error is MlflowFailure =>
  typeof error === 'object' && error !== null && 'failed' in error && 'refuses' in error;

type Refused = MlflowFailure & { readonly status?: number };

async function send(
  at: string,
  write: MlflowWrite,
  headers: Readonly<Record<string, string>>,
  end: AbortSignal,
): Promise<Refused | undefined> {
  const { path, body } = callOf(write);
  const signal = AbortSignal.any([end, AbortSignal.timeout(CALL_MS)]);
  let status: number | undefined;
  let text: string;
  try {
    const answer = await fetch(`${at}/api/2.0/mlflow/${path}`, {
      method: 'POST',
      // Who asks is told to this server and no other.
      redirect: 'manual',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal,
    });
    status = answer.status;
    text = await textOf(answer);
  } catch (error) {
    const why = signal.aborted
      ? `does not answer within ${CALL_MS / 1000} s`
      : `cannot be reached: ${reasonOf(error)}`;
    return { failed: why, refuses: false };
  }
  return refusalIn(status, text, headers);
}

const callOf = (write: MlflowWrite): { readonly path: string; readonly body: object } => {
  const { name, version } = write;
  return write.set === 'alias'
    ? { path: 'registered-models/alias', body: { name, alias: write.alias, version } }
    : { path: 'model-versions/set-tag', body: { name, version, key: write.key, value: write.value } };
};

/** @param headers what was sent: what is secret of it is not repeated */
function refusalIn(
  status: number,
  text: string,
  headers: Readonly<Record<string, string>>,
): Refused | undefined {
  const json = jsonIn(text);
  if (status >= 200 && status < 300 && json !== undefined) return undefined;
  const refuses = status < 500 && status !== 429;
  if (status >= 200 && status < 300)
    return { failed: 'answers with something that is no JSON, as a login page or a proxy would', refuses };
  if (status >= 300 && status < 400)
    return { failed: `leads elsewhere (${status}), and is not followed`, refuses, status };
  // MLflow says 401 and 403 in plain text; of a page nothing is repeated.
  const told = json === undefined ? (/^\s*</.test(text) ? '' : text) : (textIn(json, 'message') ?? '');
  const line = plainText(told).replace(/\s+/g, ' ').trim().slice(0, 200).replace(/\.$/, '');
  const words = line === '' || repeatsSecret(told, headers) ? '' : `: ${line}`;
  return { failed: `${refuses ? 'refuses' : 'answers'} ${status}${words}`, refuses, status };
}

/** The first bytes of an answer: a whole page is not needed to tell that it is one. */
async function textOf(answer: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** undici says "fetch failed", and why below. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (!(cause instanceof Error)) return 'unknown';
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
}
