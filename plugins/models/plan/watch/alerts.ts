import { ALARMS } from '../../../../core/release/document/worker-contract.ts';
import type { AlarmKind } from '../../contracts/alarm.ts';
import { allow, arn, getAtt, type Resource, type Statement } from '../../contracts/cloudformation.ts';
import type { Claim, Feature, Fold, Resources } from '../../contracts/feature.ts';
import type { Host } from '../../contracts/host.ts';
import { nameOf } from '../../contracts/host.ts';
import type { PlanInput } from '../../contracts/input.ts';
import type { Model, ServiceOptions } from '../../declaration/model.ts';
import { ALERTS, alertsTopic, functionLogicalId, RELEASE } from '../../declaration/naming.ts';
import type { Problem } from '../../problems/errors.ts';
import { PRICES } from '../shared/prices.ts';

/**
 * Alarms, and where they go. The service's own topic is always there, because the release worker listens to
 * it; a topic of the user's gets the alarms and the notices beside it, an e-mail address is subscribed to it.
 */
export function alertResources({ models, options, host }: PlanInput, fold: Fold): Resources {
  const { alerts } = options;
  const topics = [{ Ref: ALERTS }, ...(alerts?.kind === 'topic' ? [alerts.to] : [])];
  return {
    [ALERTS]: {
      Type: 'AWS::SNS::Topic',
      // Not encrypted by a key: CloudWatch cannot use alias/aws/sns, and a key of one's own costs more than
      // all else here.
      // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
      Properties: { TopicName: alertsTopic(host.service, host.stage) },
    },
    [`${ALERTS}Policy`]: topicPolicy(models, host),
    ...(alerts?.kind === 'email' && {
      [`${ALERTS}Email`]: {
        Type: 'AWS::SNS::Subscription',
        Properties: { TopicArn: { Ref: ALERTS }, Protocol: 'email', Endpoint: alerts.to },
      },
    }),
    ...(mayRollBack(models) && hook(fold.alarmKinds)),
    ...Object.fromEntries(
      models.flatMap((model) =>
        fold.alarms(model, topics).map(({ logicalId, resource }) => [logicalId, resource]),
      ),
    ),
  };
}

/** Is there any model that an alarm may bring back? Else nobody listens to them but people. */
const mayRollBack = (models: readonly Model[]): boolean =>
  models.some(({ release }) => release.rollbackWindow > 0);

/** ARN of the topic that the worker publishes to. */
export function noticesTopic({ alerts }: ServiceOptions, host: Host): unknown {
  return alerts?.kind === 'topic' ? alerts.to : arn('sns', alertsTopic(host.service, host.stage));
}

/**
 * What whoever publishes there needs. The user's own topic may be encrypted with a key that we do not know:
 * SNS asks KMS in the role's name, with the topic as context, so this is good for nothing but that topic.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
 */
export function noticeStatements(options: ServiceOptions, host: Host): readonly Statement[] {
  const publish = allow(['sns:Publish'], [noticesTopic(options, host)]);
  if (options.alerts?.kind !== 'topic') return [publish];
  const { to } = options.alerts;
  const [, partition, , region, account] = to.split(':');
  const key = allow(
    ['kms:Decrypt', 'kms:GenerateDataKey'],
    [['arn', partition, 'kms', region, account, 'key/*'].join(':')],
  );
  const Condition = {
    StringEquals: {
      'kms:ViaService': { 'Fn::Sub': `sns.\${AWS::Region}.\${AWS::URLSuffix}` },
      'kms:EncryptionContext:aws:sns:topicArn': to,
    },
  };
  return [publish, Object.assign(key, { Condition })];
}

/**
 * Nobody but CloudWatch, for alarms of these models, and the roles of this account whose own policies allow
 * it.
 */
function topicPolicy(models: readonly Model[], host: Host): Resource {
  return {
    Type: 'AWS::SNS::TopicPolicy',
    Properties: {
      Topics: [{ Ref: ALERTS }],
      PolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: 'cloudwatch.amazonaws.com' },
            Action: ['sns:Publish'],
            Resource: [{ Ref: ALERTS }],
            // https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
            Condition: {
              StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
              ArnLike: {
                'aws:SourceArn': models.map((model) => arn('cloudwatch', `alarm:${nameOf(model, host)}-*`)),
              },
            },
          },
        ],
      },
    },
  };
}

/**
 * The worker hears of the alarms that may roll back, once they go off; its own notices are no JSON, and pass
 * by.
 */
function hook(kinds: readonly AlarmKind[]): Resources {
  const worker = getAtt(functionLogicalId(RELEASE), 'Arn');
  return {
    [`${ALERTS}Hook`]: {
      Type: 'AWS::SNS::Subscription',
      DependsOn: `${ALERTS}HookPermission`,
      Properties: {
        TopicArn: { Ref: ALERTS },
        Protocol: 'lambda',
        Endpoint: worker,
        // https://docs.aws.amazon.com/sns/latest/dg/string-value-matching.html
        FilterPolicyScope: 'MessageBody',
        FilterPolicy: {
          AlarmName: kinds
            .filter(({ rollsBack }) => rollsBack)
            .map(({ suffix }) => ({
              suffix: `-${ALARMS[suffix]}`,
            })),
          NewStateValue: ['ALARM'],
        },
      },
    },
    [`${ALERTS}HookPermission`]: {
      Type: 'AWS::Lambda::Permission',
      Properties: {
        FunctionName: worker,
        Action: 'lambda:InvokeFunction',
        Principal: 'sns.amazonaws.com',
        SourceArn: { Ref: ALERTS },
      },
    },
  };
}

/**
 * An alarm notifies topics of its own region only; else CloudWatch says “Invalid region …”:
 * https://github.com/hashicorp/terraform/issues/7371
 */
export function alertProblems({ alerts }: ServiceOptions, { region }: Host): readonly Problem[] {
  const [, , , there] = alerts?.kind === 'topic' ? alerts.to.split(':') : [];
  if (there === undefined || there === region) return [];
  return [
    {
      code: 'MODELS_INVALID_VALUE',
      key: 'custom.models.alerts',
      value: alerts?.to,
      message: `is a topic in ${there}, but the alarms are in ${region}, and reach topics of their own region only.`,
      fix: `Name a topic in ${region}.`,
    },
  ];
}

const claims = ({ models, host, options }: PlanInput, fold: Fold): readonly Claim[] => [
  ...models.flatMap((model) =>
    fold.alarms(model).map(({ name, logicalId }) => ({ what: 'alarm', name, resources: [logicalId] })),
  ),
  {
    what: 'topic',
    name: alertsTopic(host.service, host.stage),
    // Its policy, and how the worker hears of alarms.
    resources: [ALERTS, `${ALERTS}Policy`, `${ALERTS}Hook`, `${ALERTS}HookPermission`],
  },
  ...(options.alerts?.kind === 'email'
    ? [{ what: 'mail', name: `to ${options.alerts.to}`, resources: [`${ALERTS}Email`] }]
    : []),
];

/** Alarms of all features, and whom they reach. */
export const alertsFeature: Feature = {
  name: 'alerts',
  resources: (input, _, fold) => alertResources(input, fold),
  problems: (_, host, options) => alertProblems(options, host),
  claims,
  standing: (model, _, fold) => ({
    alarms: fold.alarms(model).reduce((sum, alarm) => sum + alarm.metrics, 0) * PRICES.alarmMetric,
  }),
};
