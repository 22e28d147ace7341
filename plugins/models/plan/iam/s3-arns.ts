import { allow, arn, type Json, type Statement } from '../../contracts/cloudformation.ts';

export const bucketArn = (bucket: unknown): Json => ({
  'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':s3:::', bucket]],
});

export const objects = (bucket: unknown, prefix: unknown): Json => ({
  'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':s3:::', bucket, '/', prefix, '*']],
});

/** Objects by keys that a person wrote: `between` is a pattern of IAM's, prefix and suffix are not. */
export const objectsIn = (bucket: string, prefix: string, between = '*', suffix = ''): Json => ({
  'Fn::Join': [
    '',
    ['arn:', { Ref: 'AWS::Partition' }, `:s3:::${bucket}/${literal(prefix)}${between}${literal(suffix)}`],
  ],
});

/**
 * What the objects of a bucket need that may be encrypted with a key that we do not know (SSE-KMS): S3 asks
 * KMS in the role's name, with the object's ARN as context, or the bucket's with a bucket key, so this is
 * good for nothing but this bucket.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#encryption-context
 */
export function keyStatements(bucket: unknown, actions: readonly string[]): readonly Statement[] {
  const condition = {
    StringEquals: { 'kms:ViaService': { 'Fn::Sub': `s3.\${AWS::Region}.\${AWS::URLSuffix}` } },
    StringLike: { 'kms:EncryptionContext:aws:s3:arn': [bucketArn(bucket), objects(bucket, '')] },
  };
  return [Object.assign(allow(actions, [arn('kms', 'key/*')]), { Condition: condition })];
}

/** Several entries may share a place. */
export function unique(arns: readonly Json[]): readonly Json[] {
  const texts = arns.map((one) => JSON.stringify(one));
  return arns.filter((_, index) => texts.indexOf(texts[index] as string) === index);
}

/**
 * What IAM would take for a pattern or a variable of its own:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
 * Letters beyond ASCII are any: beyond U+00FF IAM refuses the policy, and CloudFormation gives the others
 * back as question marks, which here are patterns.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
 */
const literal = (key: string): string =>
  key.replace(/[*?$]/g, (sign) => `\${${sign}}`).replace(/[^ -~]+/g, '*');
