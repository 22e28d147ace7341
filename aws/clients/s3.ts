import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { Encryption } from '../../core/ports/config.ts';

/** Calls that make an object. The parts of an upload follow what began it. */
const WRITES: readonly unknown[] = ['PutObjectCommand', 'CreateMultipartUploadCommand'];

/** @param encryption of what it writes */
export function s3Client({
  encryption,
  ...config
}: S3ClientConfig & { readonly encryption?: Encryption } = {}): S3Client {
  const client = new S3Client(config);
  if (encryption !== undefined)
    client.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          const { input } = args;
          if (!WRITES.includes(commandName) || !('Bucket' in input) || input.Bucket === undefined)
            return next(args);
          return next({ ...args, input: { ...input, ...(await encryption(input.Bucket)) } });
        },
      { step: 'initialize', name: 'objectEncryption' },
    );
  return client;
}
