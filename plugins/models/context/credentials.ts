import type { AwsConfig, Credentials } from '../../../core/ports/config.ts';

/** What of the framework's provider knows credentials. */
export type CredentialSource = {
  readonly getStage: () => string;
  /** What osls 3 and 4 have. */
  readonly getAwsSdkV3Config?: () => Promise<{ readonly credentials: () => Promise<Credentials> }>;
  /**
   * What serverless has: 4 the keys; 3 an object of SDK v2, which looks further by itself if there is none.
   * https://github.com/serverless/serverless/blob/main/packages/serverless/lib/plugins/aws/provider.js
   */
  readonly getCredentials?: () => Promise<Partial<Credentials>> | { readonly credentials?: OfSdk2 };
};

type OfSdk2 = Credentials & {
  readonly getPromise: () => Promise<void>;
  readonly expireTime?: Date | null;
};

/**
 * Serverless 4 does not say until when its keys are good, and renews them by itself: it is asked again after
 * this time (milliseconds). The SDK asks five minutes before the end.
 */
const RENEWED_MS = 15 * 60_000;

/** What names a profile, before the environment and after it: `--aws-profile`, `provider.profile`. */
type Named = { readonly option: unknown; readonly provider: unknown };

const ofStage = (source: Pick<CredentialSource, 'getStage'>): string =>
  `AWS_${source.getStage().toUpperCase()}`;

/** The keys of a stage (`AWS_PROD`), or of all (`AWS`), in the environment. */
function keysIn(prefix: string): Credentials | undefined {
  const {
    [`${prefix}_ACCESS_KEY_ID`]: accessKeyId,
    [`${prefix}_SECRET_ACCESS_KEY`]: secretAccessKey,
    [`${prefix}_SESSION_TOKEN`]: sessionToken,
  } = process.env;
  if (!accessKeyId || !secretAccessKey) return undefined;
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}

/**
 * The profile that the framework asks AWS by, in its order; undefined where the environment has keys, or
 * `AWS_PROFILE`. https://github.com/oss-serverless/osls/blob/4.x/docs/guides/credentials.md
 */
export function frameworkProfile(
  source: Pick<CredentialSource, 'getStage'>,
  named: Named,
): string | undefined {
  const stage = ofStage(source);
  const { AWS_PROFILE: all, AWS_DEFAULT_PROFILE: last, [`${stage}_PROFILE`]: own } = process.env;
  const isElsewhere = [keysIn(stage), all, keysIn('AWS')].some(Boolean);
  const found = named.option || own || (isElsewhere ? undefined : named.provider || last);
  return typeof found === 'string' ? found : undefined;
}

/**
 * Credentials as the framework takes them: half of a deploy is its own, and would be in another account. Its
 * provider asks once for a code of MFA or for a login; `unprompted` asks nobody.
 */
export function credentialsFrom(
  source: CredentialSource,
  named: Named,
  client: Omit<AwsConfig, 'credentials'>,
): Required<Pick<AwsConfig, 'credentials' | 'unprompted'>> {
  const unprompted = async (): Promise<Credentials> => {
    const profile = frameworkProfile(source, named);
    const keys = profile === undefined ? keysIn(ofStage(source)) : undefined;
    // Loaded when first needed: most commands ask nothing of AWS.
    const { credentialsOf } = await import('../../../aws/credentials.ts');
    return keys ?? credentialsOf(profile, client);
  };
  const credentials = async (): Promise<Credentials> => {
    if (source.getAwsSdkV3Config) return (await source.getAwsSdkV3Config()).credentials();
    const given = (await source.getCredentials?.()) ?? {};
    if ('credentials' in given && given.credentials !== undefined) return fromSdk2(given.credentials);
    const { accessKeyId, secretAccessKey, sessionToken } = given as Partial<Credentials>;
    if (!accessKeyId || !secretAccessKey) return unprompted();
    const expiration = new Date(Date.now() + RENEWED_MS);
    return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }), expiration };
  };
  return { credentials, unprompted };
}

async function fromSdk2(own: OfSdk2): Promise<Credentials> {
  await own.getPromise();
  const { accessKeyId, secretAccessKey, sessionToken, expireTime } = own;
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken && { sessionToken }),
    ...(expireTime && { expiration: expireTime }),
  };
}
