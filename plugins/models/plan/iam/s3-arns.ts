import type { Json } from '../cloudformation.ts';

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

/** Several entries may share a place. */
export function unique(arns: readonly Json[]): readonly Json[] {
  const texts = arns.map((one) => JSON.stringify(one));
  return arns.filter((_, index) => texts.indexOf(texts[index] as string) === index);
}

/** What IAM would take for a pattern or a variable of its own: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html */
const literal = (key: string): string => key.replace(/[*?$]/g, (sign) => `\${${sign}}`);
