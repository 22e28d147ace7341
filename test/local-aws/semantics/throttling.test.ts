import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
} from '@aws-sdk/client-cloudformation';
import { CloudWatchClient, GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import {
  CreateAliasCommand,
  GetFunctionConcurrencyCommand,
  InvokeCommand,
  LambdaClient,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
} from '@aws-sdk/client-lambda';
import { expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { closedGate } from '../closed-gate.ts';
import { errorName, makeFunction, makeRole, withAndWithout } from '../lambda.ts';

/** Runs until the gate that its event names is open. */
const CODE = `export const handler = async ({ gate }) => {
  if (gate) await fetch(gate);
};`;

// https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
it('what is above the reserved concurrency is turned away, through an alias too, and counted once', async () => {
  const { on, off } = await withAndWithout('throttling', async (aws) => {
    const FunctionName = 'narrow';
    await makeFunction(aws, { name: FunctionName, code: CODE, timeout: 60 });
    const lambda = new LambdaClient({ ...client(aws.endpoint), maxAttempts: 1 });
    const cloudWatch = new CloudWatchClient(client(aws.endpoint));
    const throttles = async (Resource?: string): Promise<number | undefined> => {
      const { Datapoints } = await cloudWatch.send(
        new GetMetricStatisticsCommand({
          Namespace: 'AWS/Lambda',
          MetricName: 'Throttles',
          Dimensions: [
            { Name: 'FunctionName', Value: FunctionName },
            ...(Resource === undefined ? [] : [{ Name: 'Resource', Value: Resource }]),
          ],
          StartTime: new Date(Date.now() - 3_600_000),
          EndTime: new Date(Date.now() + 3_600_000),
          Period: 86_400,
          Statistics: ['Sum'],
        }),
      );
      return Datapoints?.[0]?.Sum;
    };
    const ask = (Qualifier: string, gate?: string): Promise<string | undefined> =>
      errorName(
        lambda.send(new InvokeCommand({ FunctionName, Qualifier, Payload: JSON.stringify({ gate }) })),
      );
    try {
      const { Version } = await lambda.send(new PublishVersionCommand({ FunctionName }));
      await lambda.send(new CreateAliasCommand({ FunctionName, Name: 'live', FunctionVersion: Version }));
      // Reserved after it was published: the reservation is the function's, not the version's.
      await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions: 1 }));
      const gate = await closedGate();
      const running = ask('live', gate.url);
      await gate.asked;
      const refused = [await ask('live'), await ask('live'), await ask('1')];
      gate.open();
      return {
        refused,
        answered: [await running, await ask('live')],
        throttles: [await throttles(), await throttles('narrow:live'), await throttles('narrow:1')],
      };
    } finally {
      lambda.destroy();
      cloudWatch.destroy();
    }
  });
  const refused = Array(3).fill('TooManyRequestsException');
  expect(on).toEqual({ refused, answered: [undefined, undefined], throttles: [3, 2, 1] });
  expect(off.refused).not.toEqual(refused);
  expect(off.throttles).not.toEqual(on.throttles);
});

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html
it('a template reserves concurrency, and gives it back', async () => {
  const { on, off } = await withAndWithout('throttling', async (aws) => {
    const cloudFormation = new CloudFormationClient(client(aws.endpoint));
    const lambda = new LambdaClient(client(aws.endpoint));
    const Role = await makeRole(aws, 'role', []);
    const template = (reserved?: number) => {
      const Properties = {
        FunctionName: 'templated',
        Handler: 'index.handler',
        Runtime: 'nodejs24.x',
        Role,
        Code: { ZipFile: 'exports.handler = async () => {};' },
        ReservedConcurrentExecutions: reserved,
      };
      const TemplateBody = JSON.stringify({
        Resources: { F: { Type: 'AWS::Lambda::Function', Properties } },
      });
      return { StackName: 'stack', TemplateBody };
    };
    const reserved = async (): Promise<number | undefined> => {
      await expect
        .poll(async () => {
          const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName: 'stack' }));
          return Stacks?.[0]?.StackStatus;
        })
        .toMatch(/^(CREATE|UPDATE)_COMPLETE$/);
      const FunctionName = 'templated';
      const found = await lambda.send(new GetFunctionConcurrencyCommand({ FunctionName }));
      return found.ReservedConcurrentExecutions;
    };
    try {
      await cloudFormation.send(new CreateStackCommand(template(3)));
      const created = await reserved();
      await cloudFormation.send(new UpdateStackCommand(template(2)));
      const updated = await reserved();
      await cloudFormation.send(new UpdateStackCommand(template()));
      return [created, updated, await reserved()];
    } finally {
      cloudFormation.destroy();
      lambda.destroy();
    }
  });
  expect(on).toEqual([3, 2, undefined]);
  expect(off).toEqual([undefined, undefined, undefined]);
});

// https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html
it('what a function has reserved, the others cannot use, and no more than the account has', async () => {
  const { on, off } = await withAndWithout(
    'throttling',
    async (aws) => {
      const lambda = new LambdaClient({ ...client(aws.endpoint), maxAttempts: 1 });
      for (const name of ['reserving', 'one', 'two'])
        await makeFunction(aws, { name, code: CODE, timeout: 60 });
      await lambda.send(
        new PutFunctionConcurrencyCommand({ FunctionName: 'reserving', ReservedConcurrentExecutions: 2 }),
      );
      const ask = (FunctionName: string, gate?: string): Promise<string | undefined> =>
        errorName(lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify({ gate }) })));
      try {
        const gate = await closedGate();
        const running = ask('one', gate.url);
        await gate.asked;
        const beside = [await ask('two'), await ask('reserving')];
        gate.open();
        return [...beside, await running, await ask('two')];
      } finally {
        lambda.destroy();
      }
    },
    { concurrency: 3 },
  );
  expect(on).toEqual(['TooManyRequestsException', undefined, undefined, undefined]);
  expect(off).toEqual([undefined, undefined, undefined, undefined]);
});
