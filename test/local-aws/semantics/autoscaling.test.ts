import {
  DeleteScalingPolicyCommand,
  DeleteScheduledActionCommand,
  DeregisterScalableTargetCommand,
  DescribeScalableTargetsCommand,
  DescribeScalingPoliciesCommand,
  DescribeScheduledActionsCommand,
  PutScalingPolicyCommand,
  PutScheduledActionCommand,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { type LocalAws, REGION, startAws } from '../../../local-aws/start.ts';
import { everythingLeft } from '../../journeys/service.ts';
import { ACCOUNT, errorName, invoke, makeFunction, type Statement } from '../lambda.ts';
import { type Scalable, scalable, target, tracking } from './scalable.ts';

/** Makes calls of Application Auto Scaling, and gives how each of them ended. */
const CALLS = `import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const { ApplicationAutoScalingClient, ...commands } = require('@aws-sdk/client-application-auto-scaling');
export const handler = async ({ calls }) => {
  const outcomes = [];
  for (const [name, input] of calls)
    outcomes.push(await new ApplicationAutoScalingClient({}).send(new commands[name + 'Command'](input)).then(() => 'done', (error) => error.name + ': ' + error.message));
  return outcomes;
};`;

describe('Application Auto Scaling', () => {
  let aws: LocalAws;
  let to: Scalable;
  beforeAll(async () => {
    aws = await startAws();
    to = scalable(aws);
  });
  afterAll(async () => {
    to?.close();
    await aws?.stop();
  });
  const register = (name: string, MinCapacity: number, MaxCapacity: number, more: object = {}) =>
    to.scaling.send(
      new RegisterScalableTargetCommand({ ...target(name), MinCapacity, MaxCapacity, ...more }),
    );

  // https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
  it('registers a version, brings its provisioned concurrency between the bounds, and changes only what is named', async () => {
    await to.make('bounds', 1);
    const { ScalableTargetARN } = await register('bounds', 3, 10);
    expect(ScalableTargetARN).toMatch(
      /^arn:aws:application-autoscaling:us-east-1:0{12}:scalable-target\/\w+$/,
    );
    expect(await to.held('bounds')).toBe(3);
    await to.scaling.send(
      new RegisterScalableTargetCommand({ ...target('bounds'), MaxCapacity: 2, MinCapacity: 1 }),
    );
    expect(await to.held('bounds')).toBe(2);
    await to.scaling.send(new RegisterScalableTargetCommand({ ...target('bounds'), MaxCapacity: 5 }));
    const { ScalableTargets } = await to.scaling.send(
      new DescribeScalableTargetsCommand({
        ServiceNamespace: 'lambda',
        ResourceIds: [target('bounds').ResourceId],
      }),
    );
    expect(ScalableTargets).toEqual([
      expect.objectContaining({
        ...target('bounds'),
        MinCapacity: 1,
        MaxCapacity: 5,
        ScalableTargetARN,
        CreationTime: expect.any(Date),
        RoleARN: expect.stringContaining('AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency'),
      }),
    ]);
    // "If the specified resource is not active in the target service, this operation does not change [its]
    // capacity."
    await to.make('none', 0);
    await register('none', 3, 10);
    expect(await to.held('none')).toBe(0);
  });

  it('refuses what AWS refuses', async () => {
    await to.make('refusals', 1);
    const scale = (command: RegisterScalableTargetCommand) => errorName(to.scaling.send(command));
    const limits = { MinCapacity: 1, MaxCapacity: 2 };
    for (const [what, input] of Object.entries({
      'no such function': { ...target('absent'), ...limits },
      'no such version': { ...target('refusals', '7'), ...limits },
      'the unpublished version': { ...target('refusals', '$LATEST'), ...limits },
      'no qualifier': { ...target('refusals'), ResourceId: 'function:refusals', ...limits },
      'another service': { ...target('refusals'), ServiceNamespace: 'ecs' as const, ...limits },
      'no maximum at first': { ...target('refusals'), MinCapacity: 1 },
      'bounds the wrong way round': { ...target('refusals'), MinCapacity: 3, MaxCapacity: 2 },
      'a negative minimum': { ...target('refusals'), MinCapacity: -1, MaxCapacity: 2 },
    }))
      expect(await scale(new RegisterScalableTargetCommand(input)), what).toBe('ValidationException');

    // https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html
    const action = { ...target('refusals'), ScheduledActionName: 'up' };
    const good = { Schedule: 'cron(0 8 ? * MON-FRI *)', ScalableTargetAction: { MinCapacity: 2 } };
    const schedule = (input: object) =>
      errorName(to.scaling.send(new PutScheduledActionCommand({ ...action, ...input })));
    const track = (input: object) =>
      errorName(
        to.scaling.send(
          new PutScalingPolicyCommand({ ...target('refusals'), PolicyName: 'track', ...input }),
        ),
      );
    expect(await schedule(good)).toBe('ObjectNotFoundException');
    expect(await track(tracking(0.7))).toBe('ObjectNotFoundException');
    expect(await errorName(to.scaling.send(new DeregisterScalableTargetCommand(target('refusals'))))).toBe(
      'ObjectNotFoundException',
    );
    await register('refusals', 1, 5);
    for (const [what, input] of Object.entries({
      'no schedule': { ...good, Schedule: undefined },
      'five fields': { ...good, Schedule: 'cron(0 8 * * *)' },
      'not a schedule': { ...good, Schedule: 'every morning' },
      'a zone that is none': { ...good, Timezone: 'Mars/Olympus' },
      'nothing to set': { ...good, ScalableTargetAction: {} },
      'bounds the wrong way round': { ...good, ScalableTargetAction: { MinCapacity: 3, MaxCapacity: 2 } },
    }))
      expect(await schedule(input), what).toBe('ValidationException');
    // https://docs.aws.amazon.com/autoscaling/application/userguide/services-that-can-integrate-lambda.html
    expect(await track({ ...tracking(0.7), PolicyType: 'StepScaling' })).toBe('ValidationException');
    expect(await track(tracking(0))).toBe('ValidationException');
    expect(
      await track({
        PolicyType: 'TargetTrackingScaling',
        TargetTrackingScalingPolicyConfiguration: {
          TargetValue: 0.7,
          PredefinedMetricSpecification: { PredefinedMetricType: 'ECSServiceAverageCPUUtilization' },
        },
      }),
    ).toBe('ValidationException');
    expect(
      await errorName(
        to.scaling.send(new DeleteScalingPolicyCommand({ ...target('refusals'), PolicyName: 'track' })),
      ),
    ).toBe('ObjectNotFoundException');
    expect(await errorName(to.scaling.send(new DeleteScheduledActionCommand(action)))).toBe(
      'ObjectNotFoundException',
    );
  });

  // https://docs.aws.amazon.com/autoscaling/application/APIReference/API_DeregisterScalableTarget.html
  it('deregistration takes policies, their alarms and scheduled actions with it, and leaves the concurrency', async () => {
    await to.make('whole', 2);
    await register('whole', 2, 4);
    const policy = await to.scaling.send(
      new PutScalingPolicyCommand({ ...target('whole'), PolicyName: 'track', ...tracking(0.7) }),
    );
    const action = {
      ...target('whole'),
      ScheduledActionName: 'up',
      Schedule: 'cron(0 8 ? * MON-FRI *)',
      Timezone: 'Europe/Berlin',
      ScalableTargetAction: { MinCapacity: 3, MaxCapacity: 9 },
    };
    await to.scaling.send(new PutScheduledActionCommand(action));
    const one = { ServiceNamespace: 'lambda' as const, ResourceId: target('whole').ResourceId };
    const all = async () => [
      (await to.scaling.send(new DescribeScalingPoliciesCommand(one))).ScalingPolicies,
      (await to.scaling.send(new DescribeScheduledActionsCommand(one))).ScheduledActions,
    ];
    expect(await all()).toEqual([
      [expect.objectContaining({ PolicyName: 'track', PolicyARN: policy.PolicyARN, Alarms: policy.Alarms })],
      [expect.objectContaining(action)],
    ]);
    const cloudWatch = new CloudWatchClient(client(aws.endpoint));
    const alarms = async () => {
      const found = await cloudWatch.send(
        new DescribeAlarmsCommand({ AlarmNamePrefix: 'TargetTracking-function:whole:1-Alarm' }),
      );
      return (found.MetricAlarms ?? []).map(({ AlarmActions, ComparisonOperator, Threshold }) => [
        AlarmActions?.[0],
        ComparisonOperator,
        Threshold,
      ]);
    };
    expect(await alarms()).toEqual([
      [policy.PolicyARN, 'GreaterThanThreshold', 0.7],
      [policy.PolicyARN, 'LessThanThreshold', expect.closeTo(0.63)],
    ]);
    expect(await everythingLeft(aws)).toContain('scalable target function:whole:1');
    await to.scaling.send(new DeregisterScalableTargetCommand(target('whole')));
    expect(await all()).toEqual([[], []]);
    expect(await alarms()).toEqual([]);
    expect(await to.held('whole')).toBe(2);
    cloudWatch.destroy();
    expect((await everythingLeft(aws)).filter((thing) => /whole|ServiceRole/.test(thing))).toEqual([
      'function whole',
      'role whole-role',
    ]);
  });

  // https://docs.aws.amazon.com/autoscaling/application/userguide/security_iam_permission_validation.html
  it('asks of its caller what it will do to function and alarms', async () => {
    await to.make('mine', 1);
    const calls = [
      ['RegisterScalableTarget', { ...target('mine'), MinCapacity: 1, MaxCapacity: 2 }],
      ['PutScalingPolicy', { ...target('mine'), PolicyName: 'track', ...tracking(0.7) }],
      ['DescribeScalableTargets', { ServiceNamespace: 'lambda' }],
      ['DeregisterScalableTarget', target('mine')],
    ];
    const allow = (Action: string[], Resource: string): Statement => ({ Effect: 'Allow', Action, Resource });
    const scaling = (...names: string[]): Statement => ({
      ...allow(
        names.map((name) => `application-autoscaling:${name}`),
        `arn:aws:application-autoscaling:${REGION}:${ACCOUNT}:scalable-target/*`,
      ),
      // https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsapplicationautoscaling.html
      Condition: {
        StringEquals: {
          'application-autoscaling:service-namespace': 'lambda',
          'application-autoscaling:scalable-dimension': target('mine').ScalableDimension,
        },
      },
    });
    const all = [
      scaling('RegisterScalableTarget', 'PutScalingPolicy', 'DeregisterScalableTarget'),
      allow(['application-autoscaling:DescribeScalableTargets'], '*'),
    ];
    const concurrency = ['Put', 'Get', 'Delete'].map((verb) => `lambda:${verb}ProvisionedConcurrencyConfig`);
    const toFunction = allow(concurrency, `arn:aws:lambda:${REGION}:${ACCOUNT}:function:mine:*`);
    const toAlarms = allow(
      ['PutMetricAlarm', 'DescribeAlarms', 'DeleteAlarms'].map((name) => `cloudwatch:${name}`),
      `arn:aws:cloudwatch:${REGION}:${ACCOUNT}:alarm:TargetTracking-function:mine:*`,
    );
    const tried = async (name: string, may: Statement[]) => {
      await makeFunction(aws, { name, code: CALLS, may });
      return (await invoke(aws, name, { calls })).body as string[];
    };
    const missing = (...actions: string[]) =>
      `ValidationException: User is missing the following permissions: ${actions.join(', ')}`;
    expect(await tried('asks-without', [])).toEqual(
      Array(4).fill(expect.stringContaining('AccessDeniedException')),
    );
    expect(await tried('asks-for-less', all)).toEqual([
      missing(...concurrency),
      expect.stringContaining('ObjectNotFoundException'),
      'done',
      expect.stringContaining('ObjectNotFoundException'),
    ]);
    expect(await tried('asks-without-alarms', [...all, toFunction])).toEqual([
      'done',
      missing('cloudwatch:PutMetricAlarm', 'cloudwatch:DescribeAlarms', 'cloudwatch:DeleteAlarms'),
      'done',
      'done',
    ]);
    expect(await tried('asks-for-all', [...all, toFunction, toAlarms])).toEqual(Array(4).fill('done'));
  });
});

// https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-service-linked-roles.html
it('the first target of an account takes the right to make the service-linked role', async () => {
  const aws = await startAws();
  const to = scalable(aws);
  try {
    await to.make('first', 1);
    const calls = [['RegisterScalableTarget', { ...target('first'), MinCapacity: 1, MaxCapacity: 2 }]];
    const may: Statement[] = ['application-autoscaling:*', 'lambda:*'].map((Action) => ({
      Effect: 'Allow',
      Action,
      Resource: '*',
    }));
    const linked = 'lambda.application-autoscaling.amazonaws.com';
    const first: Statement = {
      Effect: 'Allow',
      Action: 'iam:CreateServiceLinkedRole',
      Resource: `arn:aws:iam::${ACCOUNT}:role/aws-service-role/${linked}/*`,
      Condition: { StringEquals: { 'iam:AWSServiceName': linked } },
    };
    const tried = async (name: string, more: Statement[]) => {
      await makeFunction(aws, { name, code: CALLS, may: [...may, ...more] });
      return (await invoke(aws, name, { calls })).body;
    };
    expect(await tried('may-not', [])).toEqual([expect.stringContaining('iam:CreateServiceLinkedRole')]);
    expect(await tried('may', [first])).toEqual(['done']);
    expect((await invoke(aws, 'may-not', { calls })).body).toEqual(['done']);
  } finally {
    to.close();
    await aws.stop();
  }
});
