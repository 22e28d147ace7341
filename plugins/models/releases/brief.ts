import { errorStatus } from '../../../core/errors/aws-errors.ts';
import type { AwsConfig } from '../../../core/ports/config.ts';
import type { Context } from '../context/context.ts';

/** Questions to AWS of a command that must work without it: in a short time, or not at all. */

/** Milliseconds. */
export type Limits = {
  /** For looking for credentials, which asks an instance's metadata service where there may be none. */
  readonly credentials: number;
  /** For all of it. */
  readonly all: number;
};
const LIMITS: Limits = { credentials: 1500, all: 3000 };

const LATE = 'late';

/**
 * Never throws, and takes no longer than its limits, three seconds.
 *
 * @param work by clients that end their waiting themselves
 * @returns what the work does, or why it is not known
 */
export async function askBriefly<T>(
  { aws, service }: Pick<Context, 'aws' | 'service'>,
  work: (aws: AwsConfig) => Promise<T>,
  limits = LIMITS,
): Promise<{ readonly answer: T } | { readonly unknown: string }> {
  try {
    return { answer: await within(limits.all, impatient(aws, limits).then(work)) };
  } catch (error) {
    return { unknown: reasonOf(error, service, limits) };
  }
}

/**
 * Clients of this end their waiting themselves: what we no longer wait for must not keep the process alive.
 */
async function impatient(aws: AwsConfig, limits: Limits): Promise<AwsConfig> {
  const credentials = await credentialsOf(aws, limits.credentials);
  const once = {
    maxAttempts: 1,
    requestHandler: {
      ...aws.requestHandler,
      connectionTimeout: limits.all,
      socketTimeout: limits.all,
      requestTimeout: limits.all,
      throwOnRequestTimeout: true,
    },
  };
  return { ...aws, ...once, ...(credentials !== undefined && { credentials: async () => credentials }) };
}

async function credentialsOf({ credentials, unprompted = credentials }: AwsConfig, limit: number) {
  if (unprompted === undefined) return undefined;
  return within(limit, unprompted()).catch((error: unknown) => {
    const why = isLate(error) ? `none were found within ${limit / 1000} s` : firstLine(error);
    throw Object.assign(new Error(`there are no credentials of AWS: ${why}`), { name: 'NoCredentials' });
  });
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error(LATE), { name: LATE })), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

const isLate = (error: unknown): boolean => error instanceof Error && error.name === LATE;

function reasonOf(error: unknown, { stack, region }: Context['service'], limits: Limits): string {
  if (isLate(error)) return `AWS did not answer within ${limits.all / 1000} s`;
  if (error instanceof Error && error.name === 'NoCredentials') return error.message;
  const text = firstLine(error);
  return /does not exist/.test(text)
    ? `${stack} is not deployed in ${region}`
    : `AWS cannot be asked: ${text}`;
}

const TEXT = 200;

/** Errors of connections to several addresses have no text but a code; those of a proxy a status alone. */
function firstLine(error: unknown): string {
  const { message, code } = error as { readonly message?: string; readonly code?: string };
  const status = errorStatus(error);
  const isUnknown = /^Unknown(Error)?$/.test(message ?? '') && status !== undefined;
  const [line = ''] = (isUnknown ? `status ${status}` : message || code || String(error)).split('\n');
  return line.slice(0, TEXT).replace(/\.$/, '');
}
