import type { Row } from './page.ts';

/**
 * How IAM names a service whose operations it authorizes, where that is no plain form of the service’s own
 * name.
 */
const PREFIX: Readonly<Record<string, string>> = {
  'Application Auto Scaling': 'application-autoscaling',
  CloudFormation: 'cloudformation',
  CloudWatch: 'cloudwatch',
  'CloudWatch Logs': 'logs',
  ECR: 'ecr',
  EventBridge: 'events',
  Lambda: 'lambda',
  S3: 's3',
  SFN: 'states',
  SNS: 'sns',
  SQS: 'sqs',
  STS: 'sts',
  'SageMaker Runtime': 'sagemaker',
  Scheduler: 'scheduler',
};
/**
 * Operations that IAM knows by other names.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
 */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  'Lambda Invoke': ['lambda:InvokeFunction'],
  'S3 HeadBucket': ['s3:ListBucket'],
  'S3 ListObjectsV2': ['s3:ListBucket'],
  'S3 ListObjectVersions': ['s3:ListBucketVersions'],
  'S3 HeadObject': ['s3:GetObject'],
  'S3 CreateMultipartUpload': ['s3:PutObject'],
  'S3 UploadPart': ['s3:PutObject'],
  'S3 CompleteMultipartUpload': ['s3:PutObject'],
  'S3 ListParts': ['s3:ListMultipartUploadParts'],
  'S3 GetBucketNotificationConfiguration': ['s3:GetBucketNotification'],
  'S3 PutBucketNotificationConfiguration': ['s3:PutBucketNotification'],
  'S3 GetBucketEncryption': ['s3:GetEncryptionConfiguration'],
  'SQS SendMessageBatch': ['sqs:SendMessage'],
  'SQS DeleteMessageBatch': ['sqs:DeleteMessage'],
  'SQS ChangeMessageVisibilityBatch': ['sqs:ChangeMessageVisibility'],
};

/** The actions that an operation asked with these members takes. */
export function actionsOf({ service, operation, members }: Row): readonly string[] {
  const plain = NAMED[`${service} ${operation}`] ?? [`${PREFIX[service] ?? service}:${operation}`];
  if (service !== 'S3') return plain;
  // Objects of a version have actions of their own.
  if (operation === 'DeleteObjects') return ['s3:DeleteObject', 's3:DeleteObjectVersion'];
  return members.includes('VersionId') ? [...plain, ...plain.map((action) => `${action}Version`)] : plain;
}
