import {
  CloudFormationClient,
  CreateStackCommand,
  waitUntilStackCreateComplete,
} from '@aws-sdk/client-cloudformation';
import { PutBucketEncryptionCommand, type S3Client } from '@aws-sdk/client-s3';
import { client } from '../../local-aws/deployed.ts';
import type { LocalAws } from '../../local-aws/start.ts';

/** ARN of a new KMS key of the account's own, in a stack of this name. */
export async function makeKey(aws: LocalAws, StackName: string): Promise<string> {
  const cloudFormation = new CloudFormationClient(client(aws.endpoint));
  const Key = { Type: 'AWS::KMS::Key', Properties: {} };
  const Outputs = { Arn: { Value: { 'Fn::GetAtt': ['Key', 'Arn'] } } };
  const TemplateBody = JSON.stringify({ Resources: { Key }, Outputs });
  try {
    await cloudFormation.send(new CreateStackCommand({ StackName, TemplateBody }));
    const { reason } = await waitUntilStackCreateComplete(
      { client: cloudFormation, maxWaitTime: 30, minDelay: 0.2, maxDelay: 0.5 },
      { StackName },
    );
    const [arn] = /arn:aws:kms:[^"]+/.exec(JSON.stringify(reason)) ?? [];
    if (arn === undefined) throw new Error(`The stack ${StackName} gives no ARN of a key.`);
    return arn;
  } finally {
    cloudFormation.destroy();
  }
}

/** New objects of the bucket are under this key, whoever writes them. */
export async function encryptWith(
  s3: S3Client,
  Bucket: string,
  KMSMasterKeyID: string,
  BucketKeyEnabled: boolean,
): Promise<void> {
  const ApplyServerSideEncryptionByDefault = { SSEAlgorithm: 'aws:kms' as const, KMSMasterKeyID };
  const Rules = [{ ApplyServerSideEncryptionByDefault, BucketKeyEnabled }];
  await s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules } }));
}
