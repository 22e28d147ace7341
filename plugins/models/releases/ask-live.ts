import { callerOf } from '../../../aws/caller.ts';
import { s3Client } from '../../../aws/clients/s3.ts';
import { bucketObjects } from '../../../aws/s3/objects.ts';
import { errorStatus } from '../../../core/errors/aws-errors.ts';
import type { AwsConfig } from '../../../core/ports/config.ts';
import { registry } from '../../../core/registry/registry.ts';
import type { Context } from '../context/context.ts';
import { type Comparison, compareSignature, type OfferedSignature } from './live-signature.ts';
import { registryScope } from './open.ts';
import { aliasesOf } from './removed-models.ts';

/** The live versions' signatures for a command that must work without AWS: in a short time, or not at all. */

/** Milliseconds. */
type Limits = {
  /** For looking for credentials, which asks an instance's metadata service where there may be none. */
  readonly credentials: number;
  /** For all of it. */
  readonly all: number;
};
const LIMITS: Limits = { credentials: 1500, all: 3000 };

const LATE = 'late';

/**
 * Compares what is offered with what is live. Never throws, and takes no longer than its limits, three
 * seconds.
 *
 * @returns by model
 */
export async function compareWithLive(
  context: Pick<Context, 'aws' | 'bucket' | 'service'>,
  offered: readonly OfferedSignature[],
  limits = LIMITS,
): Promise<ReadonlyMap<string, Comparison>> {
  if (offered.length === 0) return new Map();
  try {
    return await within(limits.all, ask(context, offered, limits));
  } catch (error) {
    const reason = reasonOf(error, context.service, limits);
    return new Map(offered.map(({ model }) => [model, { compared: false, reason }]));
  }
}

async function ask(
  { aws, bucket, service }: Pick<Context, 'aws' | 'bucket' | 'service'>,
  offered: readonly OfferedSignature[],
  limits: Limits,
): Promise<ReadonlyMap<string, Comparison>> {
  const bounded = await impatient(aws, limits);
  // Before the framework is asked for the bucket, which waits without a bound where AWS is out of reach.
  const { account } = await callerOf(bounded);
  const name = await bucket();
  const s3 = s3Client(bounded);
  try {
    const { name: of, stage, region, stack } = service;
    const documents = registry(bucketObjects(s3, name), registryScope(account, region, of, stage));
    const aliases = aliasesOf(bounded, stack);
    return new Map(
      await Promise.all(
        offered.map(async (one) => [one.model, await compareSignature(documents, aliases, one)] as const),
      ),
    );
  } finally {
    s3.destroy();
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
      connectionTimeout: limits.all,
      socketTimeout: limits.all,
      requestTimeout: limits.all,
      throwOnRequestTimeout: true,
    },
  };
  return { ...aws, ...once, ...(credentials !== undefined && { credentials: async () => credentials }) };
}

async function credentialsOf({ credentials }: AwsConfig, limit: number) {
  if (credentials === undefined) return undefined;
  return within(limit, credentials()).catch((error: unknown) => {
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
