import { describe, expect, it } from 'vitest';
import type { Json } from '../../../../../../plugins/models/contracts/cloudformation.ts';
import {
  type Carried,
  carriedBy,
  missingOf,
} from '../../../../../../plugins/models/releases/alias/permissions.ts';
import { goldenStack, stackOf } from '../stack-of-template.ts';

const LIVE = { functionName: 'shop-dev-churn', alias: 'live' };
const lines = (carried: readonly Carried[]): string[] =>
  carried.map((one) => ('command' in one ? one.command : `${one.logicalId}: ${one.unresolved}`));
const FUNCTION = { ChurnLambdaFunction: { Type: 'AWS::Lambda::Function' } };
const ARN = { 'Fn::GetAtt': ['ChurnLambdaFunction', 'Arn'] };
const ON_ALIAS = { 'Fn::Join': [':', [ARN, 'live']] };

/** The lines for one permission on the alias. */
function linesOf(properties: Json, more: Parameters<typeof stackOf>[0] = {}): string[] {
  const Properties = {
    FunctionName: ON_ALIAS,
    Action: 'lambda:InvokeFunction',
    Principal: 's3.amazonaws.com',
    ...properties,
  };
  return lines(
    carriedBy(
      stackOf({ ...FUNCTION, ...more, Allowed: { Type: 'AWS::Lambda::Permission', Properties } }),
      LIVE,
    ),
  );
}
const allows = (rest: string): string =>
  `aws lambda add-permission --function-name shop-dev-churn --qualifier live --statement-id shop-dev-Allowed-ABC --action lambda:InvokeFunction ${rest} --region us-east-1`;

describe('every kind of trigger', () => {
  it('has its command: the template is the same of all frameworks', () => {
    const carried = carriedBy(goldenStack('every-kind-of-trigger-reaches-the-alias/template.json'), LIVE);
    expect(lines(carried)).toMatchInlineSnapshot(`
      [
        "aws lambda add-permission --function-name shop-dev-churn --qualifier live --statement-id shop-dev-ChurnEventBridgeLambdaPermission11-ABC --action lambda:InvokeFunction --principal events.amazonaws.com --source-arn arn:aws:events:us-east-1:123456789012:rule/shop-dev-churn-rule-11 --region us-east-1",
        "aws lambda put-function-event-invoke-config --function-name shop-dev-churn --qualifier live --maximum-retry-attempts 0 --region us-east-1",
        "aws lambda create-function-url-config --function-name shop-dev-churn --qualifier live --auth-type NONE --region us-east-1",
        "aws lambda add-permission --function-name shop-dev-churn --qualifier live --statement-id shop-dev-ChurnLambdaPermissionAlb-ABC --action lambda:InvokeFunction --principal elasticloadbalancing.amazonaws.com --source-arn arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/ChurnAlbTargetGroup50dc6c495c0c9188/1 --region us-east-1",
        "aws lambda add-permission --function-name shop-dev-churn --qualifier live --statement-id shop-dev-ChurnLambdaPermissionAlexaSkill1-ABC --action lambda:InvokeFunction --principal alexa-appkit.amazon.com --event-source-token amzn1.ask.skill.11111111-2222-3333-4444-555555555555 --region us-east-1",
        "aws lambda add-permission --function-name shop-dev-churn --qualifier live --statement-id shop-dev-ChurnLambdaPermissionApiGateway-ABC --action lambda:InvokeFunction --principal apigateway.amazonaws.com --source-arn 'arn:aws:execute-api:us-east-1:123456789012:shop-dev-ApiGatewayRestApi-ABC/*/*' --region us-east-1",
        "aws lambda add-permission --function-name shop-dev-churn --qualifier live --statement-id shop-dev-ChurnLambdaPermissionCognitoUserPoolUsersTriggerSourcePreSignUp-ABC --action lambda:InvokeFunction --principal cognito-idp.amazonaws.com --source-arn arn:aws:cognito-idp:us-east-1:123456789012:userpool/shop-dev-CognitoUserPoolUsers-ABC --region us-east-1",
        "aws lambda add-permission --function-name shop-dev-churn --qualifier live --statement-id shop-dev-ChurnLambdaPermissionEventsRuleCloudWatchEvent1-ABC --action lambda:InvokeFunction --principal events.amazonaws.com --source-arn arn:aws:events:us-east-1:123456789012:rule/shop-dev-ChurnEventsRuleCloudWatchEvent1-ABC --region us-east-1",
        "aws lambda add-permission --function-name shop-dev-churn --qualifier live --statement-id shop-dev-ChurnLambdaPermissionEventsRuleSchedule1-ABC --action lambda:InvokeFunction --principal events.amazonaws.com --source-arn arn:aws:events:us-east-1:123456789012:rule/shop-dev-ChurnEventsRuleSchedule1-ABC --region us-east-1",
        "aws lambda add-permission --function-name shop-dev-churn --qualifier live --statement-id shop-dev-ChurnLambdaPermissionFn-ABC --action lambda:InvokeFunction --principal '*' --invoked-via-function-url --region us-east-1",
        "aws lambda add-permission --function-name shop-dev-churn --qualifier live --statement-id shop-dev-ChurnLambdaPermissionFnUrl-ABC --action lambda:InvokeFunctionUrl --principal '*' --function-url-auth-type NONE --region us-east-1",
        "aws lambda add-permission --function-name shop-dev-churn --qualifier live --statement-id shop-dev-ChurnLambdaPermissionHttpApi-ABC --action lambda:InvokeFunction --principal apigateway.amazonaws.com --source-arn 'arn:aws:execute-api:us-east-1:123456789012:shop-dev-HttpApi-ABC/*' --region us-east-1",
        "aws lambda add-permission --function-name shop-dev-churn --qualifier live --statement-id shop-dev-ChurnLambdaPermissionIotTopicRule1-ABC --action lambda:InvokeFunction --principal iot.amazonaws.com --source-arn arn:aws:iot:us-east-1:123456789012:rule/shop-dev-ChurnIotTopicRule1-ABC --region us-east-1",
        "aws lambda add-permission --function-name shop-dev-churn --qualifier live --statement-id shop-dev-ChurnLambdaPermissionLogsSubscriptionFilterCloudWatchLog-ABC --action lambda:InvokeFunction --principal logs.us-east-1.amazonaws.com --source-arn 'arn:aws:logs:us-east-1:123456789012:log-group:/shop/log:*' --region us-east-1",
        "aws lambda add-permission --function-name shop-dev-churn --qualifier live --statement-id shop-dev-ChurnLambdaPermissionNewsSNS-ABC --action lambda:InvokeFunction --principal sns.amazonaws.com --source-arn arn:aws:sns:us-east-1:123456789012:news --region us-east-1",
        "aws lambda add-permission --function-name shop-dev-churn --qualifier live --statement-id shop-dev-ChurnLambdaPermissionRegisterTarget-ABC --action lambda:InvokeFunction --principal elasticloadbalancing.amazonaws.com --region us-east-1",
        "aws lambda add-permission --function-name shop-dev-churn --qualifier live --statement-id shop-dev-ChurnLambdaPermissionShopincomingS3-ABC --action lambda:InvokeFunction --principal s3.amazonaws.com --source-arn arn:aws:s3:::shop-incoming --source-account 123456789012 --region us-east-1",
        "aws lambda add-permission --function-name shop-dev-churn --qualifier live --statement-id shop-dev-ChurnLambdaPermissionWebsockets-ABC --action lambda:InvokeFunction --principal apigateway.amazonaws.com --region us-east-1",
      ]
    `);
  });

  it('is missing where its statement, URL or settings are not there', () => {
    const carried = carriedBy(goldenStack('every-kind-of-trigger-reaches-the-alias/template.json'), LIVE);
    const [first, ...others] = carried.flatMap(({ statement }) => statement ?? []);
    const all = new Set([first ?? '', ...others]);
    expect(missingOf(carried, { statements: all, url: true, invoke: true })).toEqual([]);
    expect(
      missingOf(carried, { statements: new Set(others), url: true, invoke: true }).map(
        (one) => one.statement,
      ),
    ).toEqual([first]);
    expect(
      missingOf(carried, { statements: all, url: false, invoke: false }).map(({ kind }) => kind),
    ).toEqual(['invoke', 'url']);
  });
});

describe('a permission', () => {
  it.each([
    ['joined', ON_ALIAS],
    ['the alias itself', { Ref: 'ChurnLiveAlias' }],
    ['substituted', { 'Fn::Sub': `\${ChurnLambdaFunction.Arn}:live` }],
    ['substituted by a name of its own', { 'Fn::Sub': [`\${arn}:live`, { arn: ARN }] }],
    ['a literal', 'arn:aws:lambda:us-east-1:123456789012:function:shop-dev-churn:live'],
    ['part of an ARN', '123456789012:function:shop-dev-churn:live'],
    ['the name', 'shop-dev-churn:live'],
  ])('is of the alias where its function is %s', (_, FunctionName) => {
    const more = { ChurnLiveAlias: { Type: 'Custom::ModelAlias' } };
    expect(linesOf({ FunctionName }, more)).toEqual([allows('--principal s3.amazonaws.com')]);
  });

  it.each([
    ['function', ARN],
    ['version', { 'Fn::Join': [':', [ARN, '3']] }],
    ['other function', 'shop-dev-churn-batch:live'],
    ['function that another stack exports', { 'Fn::ImportValue': 'other' }],
  ])('of the %s is none of it', (_, FunctionName) => {
    expect(linesOf({ FunctionName })).toEqual([]);
  });

  it('gets no command where it names the function and its alias is not known', () => {
    const FunctionName = { 'Fn::Join': [':', [ARN, { Ref: 'Parameter' }]] };
    expect(linesOf({ FunctionName })).toEqual([
      'Allowed: whether it is of this alias depends on {"Ref":"Parameter"}',
    ]);
  });

  it('of a resource that CloudFormation did not make is not missing', () => {
    const stack = stackOf({ ...FUNCTION });
    expect(carriedBy(stack, LIVE)).toEqual([]);
  });

  it('keeps each of its conditions', () => {
    expect(
      linesOf(
        {
          Principal: '*',
          PrincipalOrgID: 'o-1234567890',
          SourceAccount: { Ref: 'AWS::AccountId' },
          SourceArn: { 'Fn::Sub': `arn:\${AWS::Partition}:s3:::\${Bucket}` },
          FunctionUrlAuthType: 'AWS_IAM',
          InvokedViaFunctionUrl: false,
          EventSourceToken: "it's",
        },
        { Bucket: { Type: 'AWS::S3::Bucket' } },
      ),
    ).toEqual([
      allows(
        "--principal '*' --source-arn arn:aws:s3:::shop-dev-Bucket-ABC --source-account 123456789012 --event-source-token 'it'\\''s' --principal-org-id o-1234567890 --function-url-auth-type AWS_IAM --no-invoked-via-function-url",
      ),
    ]);
  });

  it('with a condition that is not known here gets no command, which would let in more', () => {
    expect(linesOf({ SomeNewCondition: 'x' })).toEqual([
      'Allowed: SomeNewCondition has no option that is known here',
    ]);
  });

  it.each([
    [{ 'Fn::ImportValue': 'x' }, '{"Fn::ImportValue":"x"}'],
    [{ 'Fn::If': ['A', 'x', 'y'] }, '{"Fn::If":["A","x","y"]}'],
    [{ Ref: 'Parameter' }, '{"Ref":"Parameter"}'],
    [{ 'Fn::GetAtt': ['Rule', 'Arn'] }, '{"Fn::GetAtt":["Rule","Arn"]}'],
    [{ Ref: 'Compound' }, '{"Ref":"Compound"}'],
    [{ 'Fn::Join': ['', ['a', { Ref: 'Parameter' }]] }, '{"Ref":"Parameter"}'],
    [{ 'Fn::Sub': `a\${Parameter}` }, '{"Ref":"Parameter"}'],
  ])('that needs %j gets no command', (SourceArn, part) => {
    // A rule whose bus is not in its physical id: its ARN cannot be told.
    const Rule = { Type: 'AWS::Events::Rule', Properties: { EventBusName: { Ref: 'Bus' } } };
    const Compound = { Type: 'AWS::ApiGateway::Deployment' };
    expect(linesOf({ SourceArn }, { Rule, Compound })).toEqual([`Allowed: SourceArn needs ${part}`]);
  });

  it.each([
    [{ 'Fn::Select': [1, { 'Fn::Split': ['|', 'a|b'] }] }, 'b'],
    [{ 'Fn::Select': ['0', ['a', 'b']] }, 'a'],
    [{ 'Fn::Sub': `\${!Literal}/\${AWS::StackName}` }, `'\${Literal}/shop-dev'`],
    [{ 'Fn::Sub': `logs.\${AWS::URLSuffix}` }, 'logs.amazonaws.com'],
    [{ 'Fn::GetAtt': 'Topic.TopicArn' }, 'arn:aws:sns:us-east-1:123456789012:Topic'],
    [{ 'Fn::GetAtt': ['Queue', 'Arn'] }, 'arn:aws:sqs:us-east-1:123456789012:Queue'],
    [{ 'Fn::GetAtt': ['Rule', 'Arn'] }, 'arn:aws:events:us-east-1:123456789012:rule/shop-dev-Rule-ABC'],
    [
      { 'Fn::GetAtt': ['Logs', 'Arn'] },
      "'arn:aws:logs:us-east-1:123456789012:log-group:shop-dev-Logs-ABC:*'",
    ],
  ])('that needs %j gets it', (SourceArn, value) => {
    const more = {
      Topic: { Type: 'AWS::SNS::Topic' },
      Queue: { Type: 'AWS::SQS::Queue' },
      Rule: { Type: 'AWS::Events::Rule' },
      Logs: { Type: 'AWS::Logs::LogGroup' },
    };
    expect(linesOf({ SourceArn }, more)).toEqual([
      allows(`--principal s3.amazonaws.com --source-arn ${value}`),
    ]);
  });

  it('leaves out what the template has no value for', () => {
    expect(linesOf({ SourceAccount: { Ref: 'AWS::NoValue' } })).toEqual([
      allows('--principal s3.amazonaws.com'),
    ]);
  });
});

describe('a function URL and settings of asynchronous calls', () => {
  it('keep their settings', () => {
    const stack = stackOf({
      ...FUNCTION,
      Failed: { Type: 'AWS::SQS::Queue' },
      Url: {
        Type: 'AWS::Lambda::Url',
        Properties: {
          TargetFunctionArn: { Ref: 'ChurnLambdaFunction' },
          Qualifier: 'live',
          AuthType: 'AWS_IAM',
          InvokeMode: 'RESPONSE_STREAM',
          Cors: { AllowOrigins: ["https://it's.example"], MaxAge: 300, AllowCredentials: true },
        },
      },
      Settings: {
        Type: 'AWS::Lambda::EventInvokeConfig',
        Properties: {
          FunctionName: { Ref: 'ChurnLambdaFunction' },
          Qualifier: 'live',
          MaximumEventAgeInSeconds: 60,
          DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': ['Failed', 'Arn'] } } },
        },
      },
    });
    expect(lines(carriedBy(stack, LIVE))).toEqual([
      `aws lambda create-function-url-config --function-name shop-dev-churn --qualifier live --auth-type AWS_IAM --cors '{"AllowOrigins":["https://it'\\''s.example"],"MaxAge":300,"AllowCredentials":true}' --invoke-mode RESPONSE_STREAM --region us-east-1`,
      `aws lambda put-function-event-invoke-config --function-name shop-dev-churn --qualifier live --maximum-event-age-in-seconds 60 --destination-config '{"OnFailure":{"Destination":"arn:aws:sqs:us-east-1:123456789012:Failed"}}' --region us-east-1`,
    ]);
  });
});
