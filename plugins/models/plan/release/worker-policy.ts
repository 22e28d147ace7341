import { allow, arn, type Json } from '../../contracts/cloudformation.ts';
import type { Host } from '../../contracts/host.ts';
import { nameOf } from '../../contracts/host.ts';
import type { ReleaseInput } from '../../contracts/input.ts';
import type { Model } from '../../declaration/model.ts';
import { lambdaName } from '../../declaration/naming.ts';
import { targetOf } from '../../targets/targets.ts';
import { batching, batchName } from '../batch/functions.ts';
import { watchedBuckets } from '../batch/resources.ts';
import { bucketArn, objects } from '../iam/s3-arns.ts';
import { LIMITS } from '../shared/limits.ts';
import { FILES_PREFIX, registryKeyStatements } from '../shared/registry-place.ts';
import { noticeStatements } from '../watch/alerts.ts';
import { mlflowStatements } from './mlflow.ts';

/**
 * What the release worker itself calls. Which actions take a resource:
 * https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
 *
 * What `gate` asks for is always there: the last good version may have been released by a gate that the
 * declaration has no more.
 *
 * @param at what the plan made for it elsewhere
 */
export function workerStatements(
  { models, host, options }: ReleaseInput,
  at: {
    readonly bucket: unknown;
    readonly scope: Json;
    readonly scheduleGroup: string;
    readonly scheduleRole: unknown;
  },
): readonly Json[] {
  const { own, all, machines } = functionNames(models, host);
  const isProvisioned = models.some(({ concurrency }) => concurrency?.provisioned !== undefined);
  const watched = watchedBuckets(models);
  const repositories = [
    ...new Set(models.flatMap((model) => targetOf(model).repository?.(model, host) ?? [])),
  ];
  const references = [...new Set(models.flatMap(({ gate }) => gate?.reference ?? []))];
  return [
    // An alias is a part of its function here.
    allow(
      [
        'lambda:CreateAlias',
        'lambda:UpdateAlias',
        'lambda:ListVersionsByFunction',
        ...(isProvisioned ? ['lambda:GetFunctionConcurrency'] : []),
      ],
      functionArns(own),
    ),
    allow(
      [
        'lambda:InvokeFunction',
        'lambda:GetProvisionedConcurrencyConfig',
        // Versions only: without a qualifier it is the function itself that goes.
        'lambda:DeleteFunction',
        ...(isProvisioned ? ['lambda:PutProvisionedConcurrencyConfig'] : []),
      ],
      functionArns(own, ':*'),
    ),
    // What a removed model's Delete asks for, which comes when this policy does not name its function any
    // more.
    allow(REMOVING, functionArns(all)),
    allow(REMOVING_OF_VERSIONS, functionArns(all, ':*')),
    // Its `function.name` may have been any.
    ofThisStack(allow([...REMOVING, ...REMOVING_OF_VERSIONS], functionArns(['*']))),
    scaling(['application-autoscaling:DeregisterScalableTarget']),
    allow(['s3:GetObject', 's3:PutObject'], [objects(at.bucket, at.scope)]),
    allow(['s3:GetObject'], [objects(at.bucket, FILES_PREFIX)]),
    ...registryKeyStatements(host, options, ['kms:Decrypt', 'kms:GenerateDataKey']),
    // Only with it S3 tells a missing document from a forbidden one; a condition on the prefix would not hold
    // there.
    allow(['s3:ListBucket'], [bucketArn(at.bucket)]),
    allow(
      ['scheduler:CreateSchedule', 'scheduler:UpdateSchedule', 'scheduler:DeleteSchedule'],
      [
        {
          'Fn::Sub': `arn:\${AWS::Partition}:scheduler:\${AWS::Region}:\${AWS::AccountId}:schedule/\${${at.scheduleGroup}}/*`,
        },
      ],
    ),
    {
      ...allow(['iam:PassRole'], [at.scheduleRole]),
      Condition: { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } },
    },
    allow(['cloudformation:DescribeStacks'], [{ Ref: 'AWS::StackId' }]),
    // Metrics have no ARN.
    allow(['cloudwatch:GetMetricData'], ['*']),
    // A call for some alarms by name is authorised as one for all:
    // https://github.com/mattclay/aws-terminator/pull/63. Refused, it would leave a bad version live without
    // a word.
    allow(['cloudwatch:DescribeAlarms'], [arn('cloudwatch', 'alarm:*')]),
    ...noticeStatements(options, host),
    ...(watched.length === 0
      ? []
      : [allow(['s3:GetBucketNotification', 's3:PutBucketNotification'], watched.map(bucketArn))]),
    // Does a job run from a version that nobody needs any more?
    ...(machines.length === 0
      ? []
      : [
          allow(
            ['states:ListExecutions'],
            machines.map((name) => arn('states', `stateMachine:${name}`)),
          ),
        ]),
    ...(repositories.length === 0
      ? []
      : [
          allow(
            ['ecr:BatchDeleteImage'],
            repositories.map((name) => arn('ecr', `repository/${name}`)),
          ),
        ]),
    ...(references.length === 0
      ? []
      : [
          allow(
            ['sagemaker:InvokeEndpoint'],
            // SageMaker writes its ARNs in small letters, whatever the name.
            [...new Set(references.flatMap((name) => [name, name.toLowerCase()]))].map((name) =>
              arn('sagemaker', `endpoint/${name}`),
            ),
          ),
        ]),
    ...mlflowStatements(options),
    ...(isProvisioned ? provisioning(all) : []),
  ];
}

const REMOVING = ['lambda:GetAlias', 'lambda:DeleteAlias', 'lambda:ListProvisionedConcurrencyConfigs'];
const REMOVING_OF_VERSIONS = ['lambda:DeleteProvisionedConcurrencyConfig'];

/**
 * Only functions that carry the tag which CloudFormation gives to what it makes, and nobody else can give.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html
 * https://docs.aws.amazon.com/lambda/latest/dg/attribute-based-access-control.html
 */
const ofThisStack = (statement: Json): Json => ({
  ...statement,
  Condition: { StringEquals: { 'aws:ResourceTag/aws:cloudformation:stack-id': { Ref: 'AWS::StackId' } } },
});

function provisioning(names: readonly string[]): readonly Json[] {
  return [
    allow(['lambda:GetAccountSettings'], ['*']),
    scaling([
      'application-autoscaling:RegisterScalableTarget',
      'application-autoscaling:PutScalingPolicy',
      'application-autoscaling:PutScheduledAction',
      'application-autoscaling:DeleteScheduledAction',
    ]),
    allow(['application-autoscaling:DescribeScheduledActions'], ['*']),
    // Whoever sets a policy must be allowed its alarms, too, although the service makes them:
    // https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_id-based-policy-examples.html
    allow(
      ['cloudwatch:PutMetricAlarm', 'cloudwatch:DeleteAlarms', 'cloudwatch:DescribeAlarms'],
      names.map((name) => arn('cloudwatch', `alarm:TargetTracking-function:${name}:*`)),
    ),
    // The first target of an account brings its role:
    // https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-service-linked-roles.html
    {
      ...allow(
        ['iam:CreateServiceLinkedRole'],
        [
          {
            'Fn::Sub': `arn:\${AWS::Partition}:iam::\${AWS::AccountId}:role/aws-service-role/${SCALING_SERVICE}/AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency`,
          },
        ],
      ),
      Condition: { StringLike: { 'iam:AWSServiceName': SCALING_SERVICE } },
    },
  ];
}

const SCALING_SERVICE = 'lambda.application-autoscaling.amazonaws.com';

/** A target's ARN has an id that the service makes up. */
const scaling = (actions: readonly string[]): Json => ({
  ...allow(actions, [arn('application-autoscaling', 'scalable-target/*')]),
  Condition: { StringEquals: { 'application-autoscaling:service-namespace': 'lambda' } },
});

const functionArns = (names: readonly string[], qualifier = ''): readonly Json[] =>
  names.map((name) => arn('lambda', `function:${name}${qualifier}`));

/**
 * The functions of these models (`own`), and in the form of a pattern (`all`) those of models that were
 * removed or renamed, too. `own` is that pattern where the names take too much of what IAM allows in a role.
 * `machines`: the state machines of batch, likewise.
 */
function functionNames(
  models: readonly Model[],
  host: Host,
): Readonly<Record<'own' | 'all' | 'machines', readonly string[]>> {
  const pattern = lambdaName(host.service, host.stage, '*');
  const batches = batching(models).map((model) => batchName(model, host));
  const own = [...models.map((model) => nameOf(model, host)), ...batches];
  const all = [pattern, ...own.filter((name) => !name.startsWith(pattern.slice(0, -1)))];
  const characters = JSON.stringify([functionArns(own), functionArns(own, ':*')]).length;
  return characters > LIMITS.policies / 2
    ? { own: all, all, machines: batches.length > 0 ? all : [] }
    : { own, all, machines: batches };
}
