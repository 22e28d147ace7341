/**
 * What checkov finds and we leave so, each with the reason. One that nothing needs any more fails the test.
 */
export type Exception = {
  readonly check: string;
  /** Matches the type and the logical id: `AWS::SNS::Topic.ModelsAlerts`. */
  readonly resource: RegExp;
  readonly reason: string;
};

const FRAMEWORK =
  'The framework or the service itself makes it, and a service’s own settings are left as they are.';

const ASKED =
  'The golden service asks for an open trigger of its own; a model’s `http` is guarded unless it says otherwise.';

export const EXCEPTIONS: readonly Exception[] = [
  {
    check: 'CKV_AWS_26',
    resource: /^AWS::SNS::Topic\.ModelsAlerts$/,
    reason:
      'CloudWatch cannot publish to a topic under alias/aws/sns; a key of one’s own costs more than all else here. Messages hold counts and names, no data of requests.',
  },
  {
    check: 'CKV_AWS_115',
    resource: /^AWS::Lambda::Function\./,
    reason:
      'A reservation takes instances from all other functions of the account: `concurrency.reserved` is for the user to say.',
  },
  {
    check: 'CKV_AWS_116',
    resource: /^AWS::Lambda::Function\./,
    reason:
      'Endpoint and catalog are asked synchronously, `function.onError` is for those that are not; what the worker misses the next tick makes good.',
  },
  {
    check: 'CKV_AWS_117',
    resource: /^AWS::Lambda::Function\./,
    reason:
      'Nothing here needs a VPC, where it would need a way out to AWS’s APIs; `function.vpc` is for a model that does.',
  },
  {
    check: 'CKV_AWS_173',
    resource: /^AWS::Lambda::Function\./,
    reason:
      'The environment holds names and digests, and Lambda encrypts it with its own key; `function.kmsKeyArn` is for others.',
  },
  {
    check: 'CKV_AWS_66',
    resource: /^AWS::Logs::LogGroup\./,
    reason:
      'How long logs are kept is `provider.logRetentionInDays`, `function.logRetentionInDays` or `audit.retention`.',
  },
  {
    check: 'CKV_AWS_158',
    resource: /^AWS::Logs::LogGroup\./,
    reason:
      'CloudWatch encrypts logs with its own key. The log groups are the framework’s, and it has no key for them; an endpoint’s gets the one that `audit.kmsKey` names.',
  },
  {
    check: 'CKV_AWS_111',
    resource: /^AWS::IAM::Role\.(Churn|Fraud)(Dashbatch)?ModelsRole$/,
    reason:
      'With `vpc`, `tracing` or brokers in `function`: network interfaces and traces take no resource in IAM. Without these no role writes to all of anything.',
  },
  {
    check: 'CKV_AWS_95',
    resource: /^AWS::ApiGatewayV2::Stage\./,
    reason: 'Access logs of the framework’s API are `provider.logs.httpApi` and `provider.logs.websocket`.',
  },
  {
    check: 'CKV_AWS_364',
    resource: /^AWS::Lambda::Permission\..*(RegisterTarget|Websockets)$/,
    reason: FRAMEWORK,
  },
  { check: 'CKV_AWS_59', resource: /\.ApiGatewayMethodRestPost$/, reason: ASKED },
  { check: 'CKV_AWS_258', resource: /\.ChurnLambdaFunctionUrl$/, reason: ASKED },
  {
    check: 'CKV_AWS_27',
    resource: /^AWS::SQS::Queue\.(Churn|Fraud)Dashbatch(Failed)?Queue$/,
    reason:
      'SQS encrypts them with its own key. EventBridge cannot send to a queue under alias/aws/sqs, and messages hold names of objects, no rows.',
  },
  {
    check: 'CKV_AWS_18',
    resource: /^AWS::S3::Bucket\.ModelsShopDashdrop(Dashscored)?Bucket$/,
    reason:
      'A log of access needs a bucket to go to, which is for the user to choose: `create` is for a start, a bucket with settings of one’s own exists already.',
  },
  {
    check: 'CKV_AWS_21',
    resource: /^AWS::S3::Bucket\.ModelsShopDashdrop(Dashscored)?Bucket$/,
    reason:
      'A content is known by its ETag, and what is scored is never written twice: versions would only keep what people delete.',
  },
  ...['18', '21', '53', '54', '55', '56'].map((check) => ({
    check: `CKV_AWS_${check}`,
    resource: /^AWS::S3::Bucket\.(ServerlessDeploymentBucket|S3BucketShopincoming|Own)$/,
    reason: FRAMEWORK,
  })),
];
