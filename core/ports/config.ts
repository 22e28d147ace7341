/** What a SDK v3 client takes; `AWS_ENDPOINT_URL` is honoured by the SDK itself. */
export type AwsConfig = {
  readonly region: string;
  readonly credentials?: () => Promise<Credentials>;
  /** The same where nobody shall be asked for a code or a login; absent: `credentials`. */
  readonly unprompted?: () => Promise<Credentials>;
  /** Absent: the SDK's own, which wait for ever. */
  readonly requestHandler?: Bounds & Agents;
  /** Absent: objects are encrypted as their bucket says. */
  readonly encryption?: Encryption;
};

export type Credentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
};

/**
 * What S3 is asked to encrypt objects with; both may be absent, a key's id goes with `aws:kms`.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
 */
export type EncryptionHeaders = {
  readonly ServerSideEncryption?: 'AES256' | 'aws:kms';
  readonly SSEKMSKeyId?: string;
};

/** The headers of a bucket; undefined for one that has its own setting. */
export type Encryption = (bucket: string) => Promise<EncryptionHeaders | undefined>;

/**
 * Milliseconds after which a call fails: `connectionTimeout` without a connection, `socketTimeout` without
 * anything read or written. (The SDK's `requestTimeout` only warns by default.) Over TLS Node.js counts what
 * is written only once all of a buffer is, however large: see `plugins/models/ship/upload.ts`.
 * https://docs.aws.amazon.com/AWSJavaScriptSDK/v3/latest/Package/-smithy-node-http-handler/Interface/NodeHttpHandlerOptions
 */
type Bounds = { readonly connectionTimeout?: number; readonly socketTimeout: number };

/** Node's agents where requests go by a proxy. */
type Agents = { readonly httpAgent?: object; readonly httpsAgent?: object };

/**
 * For calls whose answer may take longer than that of AWS's own services: a function's, which says nothing
 * until it is done.
 */
export const waitingFor = (aws: AwsConfig, milliseconds: number): AwsConfig => ({
  ...aws,
  requestHandler: { ...aws.requestHandler, socketTimeout: milliseconds },
});
