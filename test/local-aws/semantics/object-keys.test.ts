import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { REGION } from '../../../local-aws/start.ts';
import { makeUser } from '../../journeys/user.ts';
import { encryptWith, makeKey } from '../kms-key.ts';
import { errorName, withAndWithout } from '../lambda.ts';

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
it('an object under a key takes kms:Decrypt to read and kms:GenerateDataKey to write, of that key and for that bucket', async () => {
  const { on, off } = await withAndWithout('object_keys', async (aws) => {
    const key = await makeKey(aws, 'key');
    const s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true, maxAttempts: 1 });
    for (const Bucket of ['sealed', 'keyed', 'open']) await s3.send(new CreateBucketCommand({ Bucket }));
    for (const [Bucket, BucketKeyEnabled] of [
      ['sealed', false],
      ['keyed', true],
    ] as const) {
      await encryptWith(s3, Bucket, key, BucketKeyEnabled);
      // The account's root needs nobody's leave.
      await s3.send(new PutObjectCommand({ Bucket, Key: 'there', Body: 'a' }));
    }
    await s3.send(new PutObjectCommand({ Bucket: 'open', Key: 'there', Body: 'a' }));

    const user = await makeUser(aws, 'reader');
    const theirs = new S3Client({
      ...client(aws.endpoint),
      credentials: user.credentials,
      forcePathStyle: true,
      maxAttempts: 1,
    });
    const objects = { Sid: 'Objects', Effect: 'Allow', Action: 's3:*', Resource: '*' };
    const keyed = (Action: string[], Resource: string, arns?: string[]) => ({
      Sid: 'Key',
      Effect: 'Allow',
      Action,
      Resource,
      ...(arns && {
        Condition: {
          StringEquals: { 'kms:ViaService': `s3.${REGION}.amazonaws.com` },
          StringLike: { 'kms:EncryptionContext:aws:s3:arn': arns },
        },
      }),
    });
    /** Reads, writes, and begins an upload in parts. */
    const tries = async (Bucket: string): Promise<(string | undefined)[]> => {
      const parts = theirs.send(new CreateMultipartUploadCommand({ Bucket, Key: 'large' }));
      const begun = await errorName(parts);
      if (begun === undefined)
        await s3.send(
          new AbortMultipartUploadCommand({ Bucket, Key: 'large', UploadId: (await parts).UploadId }),
        );
      return [
        await errorName(theirs.send(new GetObjectCommand({ Bucket, Key: 'there' }))),
        await errorName(theirs.send(new PutObjectCommand({ Bucket, Key: 'new', Body: 'b' }))),
        begun,
      ];
    };
    const found: Record<string, unknown> = {};
    const may = async (name: string, statements: Parameters<typeof user.may>[0], buckets: string[]) => {
      await user.may(statements);
      found[name] = await Promise.all(buckets.map(tries));
    };
    const both = ['kms:Decrypt', 'kms:GenerateDataKey'];
    await may('without the key', [objects], ['sealed', 'open']);
    await may('to read', [objects, keyed(['kms:Decrypt'], key)], ['sealed']);
    await may('to write', [objects, keyed(['kms:GenerateDataKey'], key)], ['sealed']);
    await may('both', [objects, keyed(both, key)], ['sealed', 'keyed']);
    await may('of another key', [objects, keyed(both, `${key}0`)], ['sealed']);
    // With a bucket key the context is the bucket, else the object.
    const [objectsOnly, bucketOnly] = [['arn:aws:s3:::sealed/*'], ['arn:aws:s3:::keyed']];
    await may('for objects', [objects, keyed(both, key, objectsOnly)], ['sealed', 'keyed']);
    await may('for the bucket', [objects, keyed(both, key, bucketOnly)], ['sealed', 'keyed']);
    const named = { Bucket: 'open', Key: 'named', Body: 'c' };
    const sealing = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: `${key}0` } as const;
    found['a key that is not there'] = await errorName(
      s3.send(new PutObjectCommand({ ...named, ...sealing })),
    );
    for (const one of [s3, theirs]) one.destroy();
    return found;
  });
  const no = 'AccessDenied';
  const [none, all] = [
    [no, no, no],
    [undefined, undefined, undefined],
  ];
  expect(on).toEqual({
    'without the key': [none, all],
    'to read': [[undefined, no, no]],
    'to write': [[no, undefined, no]],
    both: [all, all],
    'of another key': [none],
    'for objects': [all, none],
    'for the bucket': [none, all],
    'a key that is not there': 'KMS.NotFoundException',
  });
  expect(off['without the key']).toEqual([all, all]);
});
