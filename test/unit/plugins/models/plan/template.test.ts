import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  completed,
  isRacedOutput,
  isRacedResource,
  steadyOrder,
} from '../../../../../plugins/models/plan/template.ts';
import { setOrder } from '../../../../../plugins/models/serverless.ts';
import { declaredModels, FACTS, HOST, LAYER } from '../../../../fixtures/service.ts';

const bucket = { ServerlessDeploymentBucket: { Type: 'AWS::S3::Bucket' } };
const functions = {
  ChurnLambdaFunction: { Type: 'AWS::Lambda::Function' },
  ChurnDashbatchLambdaFunction: { Type: 'AWS::Lambda::Function' },
  ChurnLambdaVersionQ1: { Type: 'AWS::Lambda::Version' },
  ChurnDashbatchLambdaVersionX2: { Type: 'AWS::Lambda::Version' },
  OwnLambdaVersionA3: { Type: 'AWS::Lambda::Version' },
  OwnProvConcLambdaAlias: { Type: 'AWS::Lambda::Alias' },
};
const others = { HttpApi: { Type: 'AWS::ApiGatewayV2::Api' }, ChurnLogs: { Type: 'AWS::Logs::LogGroup' } };

it('the template has one order, in whatever order the framework has read the zips', () => {
  const orders = fc.shuffledSubarray(Object.entries(functions), { minLength: Object.keys(functions).length });
  fc.assert(
    fc.property(orders, fc.nat(), (entries, at) => {
      // Whatever else is added comes in between, and keeps its own order.
      const cut = at % (entries.length + 1);
      const resources: Record<string, { Type: string }> = {
        ...bucket,
        ...Object.fromEntries(entries.slice(0, cut)),
        ...others,
        ...Object.fromEntries(entries.slice(cut)),
      };
      const before = structuredClone(resources);
      setOrder(resources, steadyOrder(resources, isRacedResource));
      expect(resources).toEqual(before);
      expect(Object.keys(resources)).toEqual([
        'ServerlessDeploymentBucket',
        'HttpApi',
        'ChurnLogs',
        ...Object.keys(functions).sort(),
      ]);
    }),
  );
});

it('so have the outputs', () => {
  const outputs = {
    ServerlessDeploymentBucketName: 1,
    TreesLambdaFunctionQualifiedArn: 2,
    HttpApiUrl: 3,
    ChurnLambdaFunctionUrl: 4,
    ChurnLambdaFunctionQualifiedArn: 5,
  };
  setOrder(outputs, steadyOrder(outputs, isRacedOutput));
  expect(Object.keys(outputs)).toEqual([
    'ServerlessDeploymentBucketName',
    'HttpApiUrl',
    'ChurnLambdaFunctionQualifiedArn',
    'ChurnLambdaFunctionUrl',
    'TreesLambdaFunctionQualifiedArn',
  ]);
});

it('resources of the service’s own count, which the framework adds later; what they only change counts once', () => {
  const compiled = Object.fromEntries(
    Array.from({ length: 400 }, (_, index) => [`Topic${index}`, { Type: 'AWS::SNS::Topic' }]),
  );
  const messages = (declared: readonly string[]): readonly string[] =>
    completed(
      { models: [], options: {}, host: { ...HOST, declared }, built: new Map(), zips: new Map() },
      compiled,
      {},
      new Map(),
      String,
    ).problems.map(({ code, message }) => `${code} ${message}`);
  const own = Array.from({ length: 101 }, (_, index) => `Own${index}`);
  expect(messages(own)).toEqual([
    'MODELS_LIMIT make a stack of 501 resources together with the service’s own; CloudFormation takes 500.',
  ]);
  expect(messages([...own.slice(1), ...Object.keys(compiled)])).toEqual([]);
});

it('versions of the service’s own functions stay as the framework makes them, those with an alias, too', () => {
  const version = (name: string) => ({
    Type: 'AWS::Lambda::Version',
    DeletionPolicy: 'Retain',
    Properties: { FunctionName: { Ref: name } },
  });
  const { resources } = completed(
    {
      models: declaredModels({ churn: {} }),
      options: {},
      host: HOST,
      built: new Map([['churn', { facts: FACTS, layer: LAYER, zip: 'churn.zip' }]]),
      zips: new Map(),
    },
    { ChurnVersion: version('ChurnLambdaFunction'), WarmVersion: version('WarmLambdaFunction') },
    {},
    new Map([
      ['churn', 'ChurnVersion'],
      ['warm', 'WarmVersion'],
    ]),
    String,
  );
  expect(resources.ChurnVersion?.DeletionPolicy).toBe('RetainExceptOnCreate');
  expect(resources.WarmVersion).toBeUndefined();
});

// https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
it('a function URL that is open has both permissions that Lambda asks for, also where the framework writes one', () => {
  const models = declaredModels({ churn: { function: { url: true } } });
  const added = (resources: Readonly<Record<string, { Type: string }>>) =>
    completed(
      { models, options: {}, host: HOST, built: new Map(), zips: new Map() },
      resources,
      {},
      new Map(),
      String,
    ).resources.ChurnLambdaPermissionFn;
  const permission = (Properties: object) => ({
    Type: 'AWS::Lambda::Permission',
    Properties: { FunctionName: 'churn:live', Principal: '*', ...Properties },
    DependsOn: 'ChurnLiveAlias',
  });
  const own = permission({ Action: 'lambda:InvokeFunctionUrl', FunctionUrlAuthType: 'NONE' });
  const second = permission({ Action: 'lambda:InvokeFunction', InvokedViaFunctionUrl: true });
  expect(added({ ChurnLambdaPermissionFnUrl: own })).toEqual(second);
  expect(added({ ChurnLambdaPermissionFnUrl: own, ChurnLambdaPermissionFn: second })).toBeUndefined();
  expect(added({ OtherLambdaPermissionFnUrl: own })).toBeUndefined();
});
