import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';

export const s3Client = (config: S3ClientConfig = {}): S3Client => new S3Client(config);
