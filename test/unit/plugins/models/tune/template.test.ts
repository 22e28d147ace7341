import { describe, expect, it } from 'vitest';
import type { Host } from '../../../../../plugins/models/contracts/host.ts';
import type { Facts } from '../../../../../plugins/models/declaration/model.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import type { DeployedStack } from '../../../../../plugins/models/releases/alias/intrinsics.ts';
import { tunedSourceOf } from '../../../../../plugins/models/tune/source.ts';
import { tuneName, tuneTemplate } from '../../../../../plugins/models/tune/template.ts';

const host: Host = {
  ...{
    service: 'shop',
    stage: 'dev',
    region: 'eu-central-1',
    stack: 'shop-dev',
    provider: {},
    functions: {},
  },
  ...{ bucket: { Ref: 'ServerlessDeploymentBucket' }, prefix: 'serverless/shop/dev/' },
};
const stackWith = (properties: object): DeployedStack => ({
  ...{ name: 'shop-dev', partition: 'aws', region: 'eu-central-1', account: '123456789012' },
  resources: new Map([
    ['ServerlessDeploymentBucket', { type: 'AWS::S3::Bucket', physical: 'shop-dev-bucket', properties: {} }],
    [
      'ModelsOnnxruntimeX8664LambdaLayer',
      {
        type: 'AWS::Lambda::LayerVersion',
        physical: 'arn:aws:lambda:eu-central-1:123456789012:layer:ort:3',
        properties: {},
      },
    ],
    [
      'ChurnLambdaFunction',
      {
        type: 'AWS::Lambda::Function',
        physical: 'shop-dev-churn',
        properties: { ...DEPLOYED, ...properties },
      },
    ],
  ]),
});
const DEPLOYED = {
  Code: { S3Bucket: { Ref: 'ServerlessDeploymentBucket' }, S3Key: 'serverless/shop/dev/1/churn.zip' },
  ...{ Handler: 'handler.handler', Runtime: 'nodejs24.x', FunctionName: 'shop-dev-churn', MemorySize: 1769 },
  ...{ Timeout: 10, Architectures: ['x86_64'], Role: { 'Fn::GetAtt': ['ChurnModelsRole', 'Arn'] } },
  Layers: [{ Ref: 'ModelsOnnxruntimeX8664LambdaLayer' }],
  VpcConfig: { SubnetIds: ['s-1'], SecurityGroupIds: ['sg-1'] },
  Environment: { Variables: { MODELS_LAYER: 'abc', FROM: { Ref: 'ServerlessDeploymentBucket' } } },
};
const { models } = parseModels({ churn: { artifact: 'churn.onnx' } });
const [churn] = models;
if (churn === undefined) throw new Error('no model');
const FILE = { path: 'weights.bin', sha256: 'f'.repeat(64), bytes: 300e6 };

const template = (given: {
  remote?: readonly (typeof FILE)[];
  properties?: object;
  provider?: Host['provider'];
}) => {
  const source = tunedSourceOf('churn', stackWith(given.properties ?? {}));
  if (source === undefined) throw new Error('no function');
  const facts = { remote: given.remote ?? [] } as unknown as Facts;
  const made = tuneTemplate(churn, facts, { ...host, provider: given.provider ?? {} }, {}, source, 512);
  return { ...source, resources: made.Resources as Record<string, { Properties: Record<string, unknown> }> };
};
const arnOf = (resource: string): string => `arn:aws:logs:eu-central-1:123456789012:${resource}`;
const policyOf = (given: Parameters<typeof template>[0]): unknown => {
  const { Policies } = template(given).resources.Role?.Properties ?? {};
  const [policy] = Policies as { PolicyDocument: { Statement: unknown } }[];
  return policy?.PolicyDocument.Statement;
};

describe('the temporary stack', () => {
  it('has the deployed package and layer, and nothing of networks and roles', () => {
    const { resources, leftOut } = template({});
    expect(resources.Function?.Properties).toEqual({
      Code: { S3Bucket: 'shop-dev-bucket', S3Key: 'serverless/shop/dev/1/churn.zip' },
      ...{ Handler: 'handler.handler', Runtime: 'nodejs24.x', FunctionName: 'shop-dev-models-tune-churn' },
      ...{ MemorySize: 512, Timeout: 10, Architectures: ['x86_64'] },
      Layers: ['arn:aws:lambda:eu-central-1:123456789012:layer:ort:3'],
      Environment: { Variables: { MODELS_LAYER: 'abc', FROM: 'shop-dev-bucket' } },
      Role: { 'Fn::GetAtt': ['Role', 'Arn'] },
    });
    expect(leftOut).toEqual([]);
    expect(resources.Log?.Properties).toEqual({
      LogGroupName: '/aws/lambda/shop-dev-models-tune-churn',
      RetentionInDays: 1,
    });
  });

  it('has a role that may write its own log, read what the model reads at its start, and nothing else', () => {
    const logs = {
      Effect: 'Allow',
      Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
      Resource: [arnOf('log-group:/aws/lambda/shop-dev-models-tune-churn:*')],
    };
    expect(policyOf({})).toEqual([logs]);
    const named = { logs: { lambda: { logGroup: '/shared' } } };
    expect(policyOf({ provider: named })).toEqual([logs]);
    expect(policyOf({ remote: [FILE] })).toEqual([
      logs,
      {
        Effect: 'Allow',
        Action: ['s3:GetObject'],
        Resource: [`arn:aws:s3:::shop-dev-bucket/models/files/*`],
      },
    ]);
  });

  it('keeps to the boundary and the path that the provider asks for', () => {
    const provider = {
      iam: { role: { permissionsBoundary: 'arn:aws:iam::123456789012:policy/b', path: '/ml/' } },
    };
    expect(template({ provider }).resources.Role?.Properties).toMatchObject({
      ...{ PermissionsBoundary: 'arn:aws:iam::123456789012:policy/b', Path: '/ml/' },
    });
  });

  it('has no value that would put a secret into a template', () => {
    const Environment = {
      Variables: {
        ...{
          MODELS_LAYER: 'abc',
          TOKEN: '{{resolve:secretsmanager:token}}',
          KEY: { Ref: 'NoEchoParameter' },
        },
        CODE: { 'Fn::ImportValue': 'x' },
      },
    };
    const { resources, leftOut } = template({ properties: { Environment } });
    expect(resources.Function?.Properties.Environment).toEqual({ Variables: { MODELS_LAYER: 'abc' } });
    expect(leftOut).toEqual(['TOKEN', 'KEY', 'CODE']);
  });

  it('is what is deployed, whatever is declared by now', () => {
    expect(template({}).deployed).toEqual({ architecture: 'x86_64', timeout: 10 });
    const properties = { Architectures: ['arm64'], Timeout: 25 };
    expect(template({ properties }).deployed).toEqual({ architecture: 'arm64', timeout: 25 });
    // https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
    const silent = { Architectures: undefined, Timeout: undefined };
    expect(template({ properties: silent }).deployed).toEqual({ architecture: 'x86_64', timeout: 3 });
  });

  it('is not made of parts that nobody knows, nor of a function that is not deployed', () => {
    expect(() => tunedSourceOf('churn', stackWith({ Layers: [{ 'Fn::ImportValue': 'layer' }] }))).toThrow(
      /^models\.churn: cannot be made again: Layers of its function is \{"Fn::ImportValue":"layer"\}, .* \[MODELS_TUNE\]$/,
    );
    expect(tunedSourceOf('other', stackWith({}))).toBeUndefined();
  });
});

it('the name is one that stacks, functions and roles take, the same each time, and no other model’s', () => {
  const at = (service: string, model: string): string => tuneName({ service, stage: 'dev' }, model);
  expect(at('shop', 'churn')).toBe('shop-dev-models-tune-churn');
  const long = 'a-service-with-a-name-that-is-rather-long-for-one';
  const names = [
    at(long, 'churn'),
    at(long, 'churn2'),
    at('shop', 'a_b'),
    at('shop', 'a-b'),
    at('shop', 'a_c'),
  ];
  expect(new Set(names).size).toBe(names.length);
  // https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
  for (const name of names) expect(name).toMatch(/^[a-zA-Z][-a-zA-Z0-9]{0,63}$/);
});
