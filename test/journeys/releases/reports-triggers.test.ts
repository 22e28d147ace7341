/**
 * What users of other tools reported of what calls their functions, and of what makes a new version (#1 to #4
 * and #13 of the notes on release safety): a service deployed by the framework itself.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  GetAliasCommand,
  GetFunctionEventInvokeConfigCommand,
  InvokeCommand,
  LambdaClient,
  ListAliasesCommand,
  ListVersionsByFunctionCommand,
} from '@aws-sdk/client-lambda';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Release } from '../../../core/release/document/contract.ts';
import { client } from '../../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { fixtures } from '../../serving/endpoint.ts';
import { type Deployment, deployService, type Service } from '../service.ts';
import { half, until } from './shop.ts';

const yaml = (memory: number): string => `service: calls
plugins: [serverless-models]
provider: {name: aws}
layers:
  config: {path: config}
functions:
  mourner:
    runtime: nodejs24.x
    handler: mourner.handler
    package: {individually: true, patterns: ['!**', mourner.mjs]}
models:
  churn:
    artifact: model
    memory: ${memory}
    http: {auth: none}
    concurrency: {provisioned: 1}
    release: {strategy: canary, steps: [{weight: 50, bake: 1h}]}
    function:
      layers: [{Ref: ConfigLambdaLayer}]
      maximumRetryAttempts: 0
      destinations: {onFailure: mourner}
      events:
        - alb: {listenerArn: {Ref: Listener}, priority: 1, conditions: {path: /*}}
        - sns: calls-news
        - s3: {bucket: calls-incoming, event: 's3:ObjectCreated:*'}
        - schedule: rate(1 hour)
        - eventBridge: {pattern: {source: [calls]}}
resources:
  Resources:
    Balancer:
      Type: AWS::ElasticLoadBalancingV2::LoadBalancer
      Properties: {Name: calls, Subnets: [subnet-1, subnet-2]}
    Listener:
      Type: AWS::ElasticLoadBalancingV2::Listener
      Properties:
        LoadBalancerArn: {Ref: Balancer}
        Port: 80
        Protocol: HTTP
        DefaultActions: [{Type: fixed-response, FixedResponseConfig: {StatusCode: '404'}}]
`;

/** What no model survives: the process ends. */
const POISON = 666;
const TRANSFORM = `
export const pre = ({ a, b }) => {
  if (a.data[0] === ${POISON}) process.exit(1);
  return { a, b };
};
`;
const requestOf = (first: number) => ({
  inputs: [
    { name: 'a', datatype: 'FP32', shape: [1, 3], data: [first, 2, 3] },
    { name: 'b', datatype: 'FP32', shape: [1, 1], data: [1] },
  ],
});
const NAME = 'calls-dev-churn';
const PATH = 'v2/models/churn/infer';

let aws: LocalAws;
let service: Service & Deployment;
let lambda: LambdaClient;
let s3: S3Client;
beforeAll(async () => {
  aws = await startAws({ speed: 10 });
  lambda = new LambdaClient(client(aws.endpoint));
  s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  service = await deployService(
    {
      yaml: yaml(512),
      files: {
        'model/model.onnx': await readFile(join(fixtures, 'add.onnx')),
        'model/transform.ts': TRANSFORM,
        'mourner.mjs':
          "export const handler = async (event) => console.log('told ' + JSON.stringify(event));",
        'config/settings.json': '{"threshold": 1}',
      },
    },
    aws,
  );
});
afterAll(async () => {
  for (const one of [lambda, s3]) one?.destroy();
  await aws?.stop();
});

const alias = async () => {
  const found = await lambda.send(new GetAliasCommand({ FunctionName: NAME, Name: 'live' }));
  return {
    version: found.FunctionVersion ?? '',
    weights: found.RoutingConfig?.AdditionalVersionWeights ?? {},
  };
};
const versions = async (): Promise<readonly string[]> => {
  const { Versions = [] } = await lambda.send(new ListVersionsByFunctionCommand({ FunctionName: NAME }));
  return Versions.map(({ Version = '' }) => Version).filter((version) => version !== '$LATEST');
};
const document = async (): Promise<Release> => {
  const Bucket = service.resources.find(({ type }) => type === 'AWS::S3::Bucket')?.physical ?? '';
  const Key = 'models/000000000000/us-east-1/calls/dev/releases/churn/live.json';
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  return JSON.parse((await Body?.transformToString()) ?? '');
};

/** Requests by HTTP API and by load balancer. @returns versions that answered, and whatever was no answer */
async function answersOf(url: string, count: number): Promise<readonly string[]> {
  const answers: string[] = [];
  for (let asked = 0; asked < count; asked += 1) {
    const answer = await fetch(`${url}/${PATH}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(requestOf(1)),
    });
    const text = await answer.text();
    answers.push(answer.ok ? JSON.parse(text).model_version : `${answer.status}: ${text}`);
  }
  return [...new Set(answers)].sort();
}

/**
 * Asynchronous events that no version survives.
 *
 * @returns what reached the destination of those that failed
 */
async function failedOf(count: number): Promise<readonly string[]> {
  for (let sent = 0; sent < count; sent += 1)
    await lambda.send(
      new InvokeCommand({
        FunctionName: NAME,
        Qualifier: 'live',
        InvocationType: 'Event',
        Payload: JSON.stringify(requestOf(POISON)),
      }),
    );
  const told = async () =>
    (await service.logs('mourner')).flatMap((line) => /told (\{.*\})/.exec(line)?.[1] ?? []);
  return until(
    'the failures',
    async () => {
      const found = await told();
      return found.length >= count ? found : undefined;
    },
    undefined,
    told,
  );
}

const balancer = (): string => `${aws.endpoint}/_alb/calls`;
const both = () => [service.http(), balancer()];

describe('users saw', () => {
  // davidgf/serverless-plugin-canary-deployments#114, #127
  it('a deploy refused for its hook, its permissions and its alias, each of which waited for the other', async () => {
    const text = await readFile(
      join(service.dir, '.serverless', 'cloudformation-template-update-stack.json'),
      'utf8',
    );
    const { Resources } = JSON.parse(text) as { readonly Resources: Readonly<Record<string, unknown>> };
    expect(circleIn(Resources)).toBeUndefined();
    expect(await alias()).toEqual({ version: '1', weights: {} });
    for (const url of both()) expect(await answersOf(url, 3)).toEqual(['1']);
    expect(await document()).toMatchObject({ phase: 'DONE', stable: { version: '1' } });
  });

  // davidgf/serverless-plugin-canary-deployments#94, serverless/serverless#7209
  it('HTTP 500 from the API, whose alias for provisioned concurrency was not the one that releases moved', async () => {
    const { Aliases = [] } = await lambda.send(new ListAliasesCommand({ FunctionName: NAME }));
    expect(Aliases.map(({ Name }) => Name)).toEqual(['live']);
    for (const url of both()) expect(await answersOf(url, 3)).toEqual(['1']);
    expect(await document()).toMatchObject({ phase: 'DONE', scaled: { version: '1' } });
  });

  // serverless/serverless PR #4510, #8251, aws/aws-sam-cli#3465
  it('“a version for this function exists”, though nothing had changed; and nothing new, though the memory had', async () => {
    await service.deploy();
    expect((await service.sls('deploy', '--force')).code).toBe(0);
    expect(await versions()).toEqual(['1']);
    await service.deploy(yaml(640));
    expect(await versions()).toEqual(['1', '2']);
    expect(await alias()).toEqual(half('1', '2'));
    expect(await document()).toMatchObject({ phase: 'JUDGING', stable: { version: '1' } });
  });

  // davidgf/serverless-plugin-canary-deployments#77, #91
  it('an outage: the load balancer went on calling $LATEST, while its permission had moved to the alias', async () => {
    for (const url of both()) expect(await answersOf(url, 20)).toEqual(['1', '2']);
    expect(await document()).toMatchObject({ phase: 'JUDGING', stable: { version: '1' } });
  });

  // davidgf/serverless-plugin-canary-deployments PR #149
  it('failed events that reached no onFailure destination, which was set beside the alias', async () => {
    const config = (Qualifier?: string) =>
      lambda.send(new GetFunctionEventInvokeConfigCommand({ FunctionName: NAME, Qualifier }));
    expect(await config('live')).toMatchObject({
      FunctionArn: expect.stringMatching(/:live$/),
      MaximumRetryAttempts: 0,
      DestinationConfig: { OnFailure: { Destination: expect.stringMatching(/:calls-dev-mourner$/) } },
    });
    await expect(config()).rejects.toThrow(/ResourceNotFoundException|not found|doesn't have/i);
    expect(await failedOf(4)).toHaveLength(4);
    expect(await alias()).toEqual(half('1', '2'));
    expect(await document()).toMatchObject({ phase: 'JUDGING', stable: { version: '1' } });
  });

  // aws/aws-sam-cli#3465
  it('nothing new, though a layer had changed', async () => {
    await writeFile(join(service.dir, 'config', 'settings.json'), '{"threshold": 2}');
    await service.deploy();
    expect(await versions()).toEqual(['1', '2', '3']);
    // As any other release: what reads another layer may behave otherwise.
    expect(await alias()).toEqual(half('1', '3'));
    for (const url of both()) expect(await answersOf(url, 20)).toEqual(['1', '3']);
    expect(await document()).toMatchObject({ phase: 'JUDGING', stable: { version: '1' } });
  });
});

/** Resources that wait for each other, in order; nothing where CloudFormation can begin somewhere. */
function circleIn(resources: Readonly<Record<string, unknown>>): string | undefined {
  const names = new Set(Object.keys(resources));
  const needs = new Map([...names].map((name) => [name, referredIn(resources[name], names)]));
  const done = new Set<string>();
  const walk = (name: string, path: readonly string[]): string | undefined => {
    if (path.includes(name)) return [...path, name].join(' → ');
    if (done.has(name)) return undefined;
    for (const needed of needs.get(name) ?? []) {
      const circle = walk(needed, [...path, name]);
      if (circle !== undefined) return circle;
    }
    done.add(name);
    return undefined;
  };
  for (const name of names) {
    const circle = walk(name, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

/** Every resource that one names: Ref, Fn::GetAtt, Fn::Sub, DependsOn. */
function referredIn(value: unknown, names: ReadonlySet<string>): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const texts = JSON.stringify(inner) ?? '';
    const direct = key === 'Ref' || key === 'Fn::GetAtt' || key === 'Fn::Sub' || key === 'DependsOn';
    const named = direct ? (texts.match(/[A-Za-z0-9]+/g) ?? []).filter((word) => names.has(word)) : [];
    return [...named, ...referredIn(inner, names)];
  });
}
