import type { Encryption, EncryptionHeaders } from '../../core/ports/config.ts';
import { WORKER_ENV } from '../../core/release/document/worker-contract.ts';

/**
 * What a function encrypts its documents in the registry with: what the service says of its deployment
 * bucket, else as the bucket says.
 */
export function registryEncryption(): Encryption {
  const {
    [WORKER_ENV.bucket]: registry,
    [WORKER_ENV.encryption]: algorithm,
    [WORKER_ENV.encryptionKey]: key,
  } = process.env;
  const headers: EncryptionHeaders = {
    ...((algorithm === 'AES256' || algorithm === 'aws:kms') && { ServerSideEncryption: algorithm }),
    ...(key !== undefined && { SSEKMSKeyId: key }),
  };
  return async (bucket) => (bucket === registry ? headers : undefined);
}
