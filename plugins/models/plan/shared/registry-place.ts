import { REGISTRY_PREFIX, WORKER_ENV } from '../../../../core/release/document/worker-contract.ts';
import type { Json, Statement } from '../../contracts/cloudformation.ts';
import type { Host } from '../../contracts/host.ts';
import type { ServiceOptions } from '../../declaration/model.ts';
import { keyStatements } from '../iam/s3-arns.ts';

export const bucketOf = (host: Host, options: ServiceOptions): unknown =>
  options.registry?.bucket ?? host.bucket;

/** Where this service and stage keep their documents in the bucket. */
export function scopeOf({ service, stage }: Host, below = ''): Json {
  return { 'Fn::Sub': `${REGISTRY_PREFIX}\${AWS::AccountId}/\${AWS::Region}/${service}/${stage}/${below}` };
}

/**
 * Where the layer's zip lies in the deployment bucket: by content, so that an unchanged layer is neither
 * uploaded nor published again, and below the framework's prefix, which is emptied on remove. (The
 * framework's own layers cannot be had without credentials: it asks AWS for the last one even to package.)
 */
export const layerPrefix = (host: Host): string => `${host.prefix}models/`;

/** Where files beyond the zip limit are in the registry's bucket, named by content. */
export const FILES_PREFIX = `${REGISTRY_PREFIX}files/`;
/** Which of them are the optimised form of an artifact. */
export const OPTIMISED_PREFIX = `${REGISTRY_PREFIX}optimised/`;

/** What `provider.deploymentBucket` says of objects, where the registry lies there. */
const encryptionOf = (host: Host, options: ServiceOptions): Host['encryption'] =>
  bucketOf(host, options) === host.bucket ? host.encryption : undefined;

/** Environment of a function that writes documents. */
export function encryptionEnvironment(host: Host, options: ServiceOptions): Json {
  const { ServerSideEncryption: algorithm, SSEKMSKeyId: key } = encryptionOf(host, options) ?? {};
  return {
    ...(algorithm !== undefined && { [WORKER_ENV.encryption]: algorithm }),
    ...(key !== undefined && { [WORKER_ENV.encryptionKey]: key }),
  };
}

/**
 * What the registry's objects need of KMS, where their key may be none of S3's own: in a bucket that has a
 * name, or by what the service says.
 *
 * @param actions `kms:Decrypt` to read, with `kms:GenerateDataKey` to write
 */
export function registryKeyStatements(
  host: Host,
  options: ServiceOptions,
  actions: readonly string[],
): readonly Statement[] {
  const bucket = bucketOf(host, options);
  const mayHaveKey = typeof bucket === 'string' || encryptionOf(host, options)?.SSEKMSKeyId !== undefined;
  return mayHaveKey ? keyStatements(bucket, actions) : [];
}
