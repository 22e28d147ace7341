import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { mergeCard } from '../../../../../../core/card/merge.ts';
import type { ArtifactOrigin } from '../../../../../../core/origin/contract.ts';
import { WORKER_ENV } from '../../../../../../core/release/document/worker-contract.ts';
import { readWorkerEvent } from '../../../../../../core/release/events/events.ts';
import type { Host } from '../../../../../../plugins/models/contracts/host.ts';
import type { ReleaseInput } from '../../../../../../plugins/models/contracts/input.ts';
import type {
  Facts,
  LayerFacts,
  Model,
  ServiceOptions,
} from '../../../../../../plugins/models/declaration/model.ts';
import { RELEASE } from '../../../../../../plugins/models/declaration/naming.ts';
import {
  releaseFunctions,
  releaseResources,
  releaseStatements,
} from '../../../../../../plugins/models/plan/release/functions.ts';
import { settingsOf } from '../../../../../../plugins/models/plan/release/settings.ts';
import { LIMITS } from '../../../../../../plugins/models/plan/shared/limits.ts';
import { CARDS } from '../../../../../cards.ts';
import { modelNamed } from '../../../../../fixtures/service.ts';

const model = modelNamed('churn');
const host = (provider: Host['provider'] = {}): Host => ({
  service: 'shop',
  stage: 'dev',
  region: 'eu-central-1',
  stack: 'shop-dev',
  provider,
  functions: {},
  bucket: { Ref: 'ServerlessDeploymentBucket' },
  prefix: 'serverless/shop/dev/',
});
const input = (provider?: Host['provider'], registry?: { bucket: string }) => ({
  models: [model],
  host: host(provider),
  options: registry === undefined ? {} : { registry },
  zips: new Map([[RELEASE, 'worker.zip']]),
});
const endpoint = {
  model,
  facts: {
    identity: 'i',
    source: 's',
    signature: { inputs: [], outputs: [], omitted: [] },
  } as unknown as Facts,
  layer: { sha256: 'l' } as LayerFacts,
  functionName: 'shop-dev-churn',
  functionLogicalId: 'ChurnLambdaFunction',
  versionLogicalId: 'ChurnLambdaVersionXyz',
  aliasLogicalId: 'ChurnLiveAlias',
  fingerprint: 'f',
};

type Statement = { readonly Action: readonly string[]; readonly Resource: readonly unknown[] };
const statements = (of: ReleaseInput = input()): readonly Statement[] =>
  releaseStatements(of) as unknown as readonly Statement[];

/** A model that asks for everything the worker can do. */
const demanding: Model = {
  ...model,
  package: 'image',
  gate: { cases: 'cases.jsonl', reference: 'Churn-Prod', tolerance: 1e-4 },
  concurrency: { provisioned: { min: 1, max: 2, target: 0.7 }, schedule: [] },
  batch: {
    entries: [
      {
        input: { bucket: 'incoming', prefix: '', suffix: '' },
        output: { bucket: 'scored', prefix: '' },
        format: 'csv',
        outputFormat: 'csv',
        tolerate: 0.01,
        ids: [],
        join: false,
        emit: [],
      },
    ],
    create: [],
    concurrency: 5,
  },
};

describe('the worker’s policy', () => {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..', '..', '..');
  const namespaces: Readonly<Record<string, string>> = {
    'application-auto-scaling': 'application-autoscaling',
    cloudformation: 'cloudformation',
    cloudwatch: 'cloudwatch',
    ecr: 'ecr',
    lambda: 'lambda',
    s3: 's3',
    'sagemaker-runtime': 'sagemaker',
    scheduler: 'scheduler',
    'secrets-manager': 'secretsmanager',
    sns: 'sns',
    sfn: 'states',
  };
  /** The SDK's name of an operation where IAM has another. */
  const actions: Readonly<Record<string, string>> = {
    'lambda:Invoke': 'lambda:InvokeFunction',
    's3:ListObjectsV2': 's3:ListBucket',
    's3:GetBucketNotificationConfiguration': 's3:GetBucketNotification',
    's3:PutBucketNotificationConfiguration': 's3:PutBucketNotification',
  };
  /** What goes with an action although no line of code names it. */
  const implied = [
    // A missing object is a 404 only for who may list.
    's3:ListBucket',
    // Naming a role for a schedule.
    'iam:PassRole',
    // Lambda's own writing of the log.
    'logs:CreateLogStream',
    'logs:PutLogEvents',
    // RegisterScalableTarget and PutScalingPolicy do these in the caller's name.
    'iam:CreateServiceLinkedRole',
    'cloudwatch:PutMetricAlarm',
    'cloudwatch:DeleteAlarms',
  ];
  /**
   * Those that take no resource:
   * https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
   */
  const everywhere = [
    'application-autoscaling:DescribeScheduledActions',
    'cloudwatch:GetMetricData',
    'lambda:GetAccountSettings',
  ];

  /** Our files that the worker's bundle has. */
  const reached = (file: string, found = new Set<string>()): ReadonlySet<string> => {
    if (found.has(file)) return found;
    found.add(file);
    const text = readFileSync(file, 'utf8');
    for (const [, path = ''] of text.matchAll(/^import (?!type )[^;]*?from '(\.[^']+)'/gm))
      reached(join(dirname(file), path), found);
    return found;
  };

  /** `<namespace>:<action>` of each command sent, or paged through, by one of them. */
  const called = (): readonly string[] =>
    [...reached(join(root, 'functions/release/handler.ts'))]
      .flatMap((file) => {
        const text = readFileSync(file, 'utf8');
        return [...text.matchAll(/import \{([^}]*)\} from '@aws-sdk\/client-([\w-]+)'/g)].flatMap(
          ([, names = '', client = '']) =>
            [...names.matchAll(/(?<!type )\b(?:(\w+)Command|paginate(\w+))\b/g)].map(
              ([, sent, paged]) => `${namespaces[client]}:${sent ?? paged}`,
            ),
        );
      })
      .map((action) => actions[action] ?? action);

  it('has each action that the code calls, and nothing more', () => {
    const secret = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:mlflow-AbCdEf';
    const mlflow = { uri: 'https://mlflow.example.com', alias: 'production' };
    const told = { ...input(), models: [demanding], options: { mlflow: { ...mlflow, secret } } };
    const granted = statements(told);
    expect(granted.filter(({ Action }) => Action.includes('secretsmanager:GetSecretValue'))).toEqual([
      { Effect: 'Allow', Action: ['secretsmanager:GetSecretValue'], Resource: [secret] },
    ]);
    const withoutSecret = statements({ ...told, options: { mlflow } });
    expect(JSON.stringify(withoutSecret)).not.toContain('secretsmanager');
    const allowed = new Set(granted.flatMap(({ Action }) => Action));
    expect([...allowed].sort()).toEqual([...new Set([...called(), ...implied])].sort());
    const pairs = granted.flatMap(({ Action, Resource }) =>
      Action.flatMap((action) => Resource.map((resource) => `${action} ${JSON.stringify(resource)}`)),
    );
    expect(pairs).toEqual([...new Set(pairs)]);
  });

  it('reads the code, not a list', () => {
    expect(called()).toContain('lambda:UpdateAlias');
    expect(called()).toContain('application-autoscaling:DescribeScheduledActions');
    expect([...reached(join(root, 'functions/release/handler.ts'))].length).toBeGreaterThan(50);
  });

  it('leaves out what no model asks for', () => {
    const without = statements().flatMap(({ Action }) => Action);
    for (const action of without)
      expect(action).not.toMatch(
        /ecr|sagemaker|states|BucketNotification|Put(Provisioned|Scaling|Scheduled)|Register|CreateService|AccountSettings/,
      );
  });

  it('deletes images in the repositories of its models, and nowhere else', () => {
    const images = (...models: Model[]): unknown =>
      statements({ ...input(), models })
        .filter(({ Action }) => Action.some((action) => action.startsWith('ecr:')))
        .map(({ Resource }) => JSON.stringify(Resource).match(/repository\/[^"]+/g));
    const other: Model = { ...demanding, name: 'fraud', image: { repository: 'team/fraud' } };
    expect(images(model)).toEqual([]);
    expect(images(model, demanding, { ...demanding, name: 'same' }, other)).toEqual([
      ['repository/shop-dev-models', 'repository/team/fraud'],
    ]);
  });

  it('names resources, and all of them only where AWS takes nothing else', () => {
    for (const { Action, Resource } of statements({ ...input(), models: [demanding] })) {
      if (Resource.every((resource) => resource !== '*')) continue;
      for (const action of Action) expect(everywhere).toContain(action);
    }
    const named = statements({ ...input(), models: [demanding] }).find(({ Action }) =>
      Action.includes('sagemaker:InvokeEndpoint'),
    );
    expect(JSON.stringify(named?.Resource)).toMatch(/:endpoint\/churn-prod"/);
  });

  it('publishes to the topic that notices go to', () => {
    const topic = 'arn:aws:sns:eu-central-1:123456789012:ops';
    const publish = (options: ServiceOptions): unknown =>
      statements({ ...input(), options }).find(({ Action }) => Action.includes('sns:Publish'))?.Resource;
    expect(publish({ alerts: { kind: 'topic', to: topic } })).toEqual([topic]);
    expect(JSON.stringify(publish({ alerts: { kind: 'email', to: 'ops@example.com' } }))).toContain(
      ':shop-dev-models-alerts',
    );
  });

  // https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
  it('may use the key of a topic that is the user’s, through SNS and for that topic', () => {
    const topic = 'arn:aws-cn:sns:cn-north-1:123456789012:ops';
    const keys = (options: ServiceOptions): readonly unknown[] =>
      statements({ ...input(), options }).filter(({ Action }) => Action.includes('kms:GenerateDataKey'));
    expect(keys({})).toEqual([]);
    expect(keys({ alerts: { kind: 'email', to: 'ops@example.com' } })).toEqual([]);
    expect(keys({ alerts: { kind: 'topic', to: topic } })).toEqual([
      {
        Effect: 'Allow',
        Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
        Resource: ['arn:aws-cn:kms:cn-north-1:123456789012:key/*'],
        Condition: {
          StringEquals: {
            'kms:ViaService': { 'Fn::Sub': `sns.\${AWS::Region}.\${AWS::URLSuffix}` },
            'kms:EncryptionContext:aws:sns:topicArn': topic,
          },
        },
      },
    ]);
  });

  it('may use the key of a bucket that has a name, through S3 and for that bucket', () => {
    const keys = (of: ReturnType<typeof input>): readonly unknown[] =>
      statements(of).filter(({ Action }) => Action.includes('kms:Decrypt'));
    expect(keys(input())).toEqual([]);
    const [statement, ...others] = keys(input({}, { bucket: 'mine' }));
    expect(others).toEqual([]);
    expect(statement).toMatchObject({
      Action: ['kms:Decrypt', 'kms:GenerateDataKey'],
      Condition: {
        StringEquals: { 'kms:ViaService': { 'Fn::Sub': `s3.\${AWS::Region}.\${AWS::URLSuffix}` } },
      },
    });
    expect(JSON.stringify(statement)).toMatch(
      /"kms:EncryptionContext:aws:s3:arn":.*:::","mine"\]\]\}.*"mine","\/","","\*"\]/,
    );
  });

  it('writes as the service says of its deployment bucket, with that key; a named registry has its own say', () => {
    const encryption = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'alias/mine' } as const;
    const of = (given: Host['encryption'], registry?: { bucket: string }) => {
      const all = input({}, registry);
      const told = { ...all, host: { ...all.host, encryption: given } };
      const { environment } = releaseFunctions(told)[RELEASE] as { readonly environment: object };
      const keyed = statements(told).filter(({ Action }) => Action.includes('kms:GenerateDataKey'));
      return { environment, keyed: JSON.stringify(keyed) };
    };
    const ours = of(encryption);
    expect(ours.environment).toMatchObject({
      [WORKER_ENV.encryption]: 'aws:kms',
      [WORKER_ENV.encryptionKey]: 'alias/mine',
    });
    // For objects of the bucket that the framework makes, too.
    expect(ours.keyed).toMatch(/encryptioncontext:aws:s3:arn.*ServerlessDeploymentBucket/i);
    for (const { environment } of [of(undefined), of(encryption, { bucket: 'mine' })])
      expect(Object.keys(environment)).not.toContain(WORKER_ENV.encryption);
    const plain = of({ ServerSideEncryption: 'AES256' });
    expect(plain.environment).toMatchObject({ [WORKER_ENV.encryption]: 'AES256' });
    expect(plain.environment).not.toHaveProperty(WORKER_ENV.encryptionKey);
    expect(plain.keyed).toBe('[]');
  });

  describe('names the functions of the models', () => {
    const allowed = (action: string, named: readonly (string | undefined)[]): readonly string[] => {
      const models = named.map((name, at) => ({
        ...model,
        name: `m${at}`,
        function: name === undefined ? {} : { name },
      }));
      const found = statements({ ...input(), models }).find(({ Action }) => Action.includes(action));
      return (found?.Resource ?? []).map((resource) =>
        JSON.stringify(resource).replace(/.*:function:|"\}$/g, ''),
      );
    };

    it('and no other of the service, or of a service whose name begins with its name', () => {
      expect(allowed('lambda:UpdateAlias', [undefined, 'scoring'])).toEqual(['shop-dev-m0', 'scoring']);
      expect(allowed('lambda:CreateAlias', [undefined])).toEqual(['shop-dev-m0']);
      expect(allowed('lambda:InvokeFunction', [undefined, 'scoring'])).toEqual([
        'shop-dev-m0:*',
        'scoring:*',
      ]);
      expect(allowed('lambda:DeleteFunction', [undefined])).toEqual(['shop-dev-m0:*']);
    });

    it('and takes the alias of a removed one away, which no policy can name when its Delete comes', () => {
      expect(allowed('lambda:DeleteAlias', [undefined, 'scoring'])).toEqual(['shop-dev-*', 'scoring']);
      expect(allowed('lambda:DeleteProvisionedConcurrencyConfig', [undefined])).toEqual(['shop-dev-*:*']);
    });

    it('also where that had another name: by the tag of the stack, and for nothing else', () => {
      const any = statements().filter(({ Resource }) => JSON.stringify(Resource).includes(':function:*'));
      expect(any).toMatchObject([
        {
          Action: [
            'lambda:GetAlias',
            'lambda:DeleteAlias',
            'lambda:ListProvisionedConcurrencyConfigs',
            'lambda:DeleteProvisionedConcurrencyConfig',
          ],
          Condition: {
            StringEquals: { 'aws:ResourceTag/aws:cloudformation:stack-id': { Ref: 'AWS::StackId' } },
          },
        },
      ]);
    });

    it('and their pattern where so many names take more than half of what a role may have', () => {
      const count = (models: number): readonly string[] =>
        allowed('lambda:UpdateAlias', Array(models).fill(undefined));
      expect(count(20)).toHaveLength(20);
      expect(count(30)).toEqual(['shop-dev-*']);
      const most = statements({ ...input(), models: Array(20).fill(demanding) });
      expect(JSON.stringify(most).length).toBeLessThan(LIMITS.policies);
    });
  });

  it('has no policy or log group outside of the role', () => {
    const resources = releaseResources(input(), [endpoint]);
    const types = Object.values(resources).map(({ Type }) => Type);
    expect(types.filter((type) => /IAM|Logs/.test(type))).toEqual(['AWS::IAM::Role', 'AWS::IAM::Role']);
    for (const role of Object.values(resources).filter(({ Type }) => Type === 'AWS::IAM::Role')) {
      expect(role.Properties.Policies).toHaveLength(1);
    }
    expect(JSON.stringify(resources)).not.toContain('CreateLogGroup');
  });
});

describe('the worker', () => {
  it('is one unversioned function, outside of VPC and other people’s layers', () => {
    const worker = releaseFunctions(
      input({ vpc: { subnetIds: ['s'], securityGroupIds: ['g'] }, layers: ['arn'] }),
    )[RELEASE];
    expect(worker).toMatchObject({
      name: 'shop-dev-models-release',
      versionFunction: false,
      vpc: false,
      layers: [],
      package: { artifact: 'worker.zip' },
    });
  });

  it('has the registry in the deployment bucket, or in the one that is named', () => {
    const environmentOf = (of: ReturnType<typeof input>) => releaseFunctions(of)[RELEASE]?.environment;
    expect(environmentOf(input())).toMatchObject({
      [WORKER_ENV.bucket]: { Ref: 'ServerlessDeploymentBucket' },
    });
    expect(environmentOf(input({}, { bucket: 'mine' }))).toMatchObject({ [WORKER_ENV.bucket]: 'mine' });
    expect(JSON.stringify(releaseStatements(input({}, { bucket: 'mine' })))).not.toContain(
      'ServerlessDeploymentBucket',
    );
  });

  it('uses the role that the service names, and makes none then', () => {
    const named = input({ iam: { role: 'arn:aws:iam::1:role/all' } });
    const worker = releaseFunctions(named)[RELEASE];
    expect(worker?.role).toBeUndefined();
    expect(worker?.environment).toMatchObject({ [WORKER_ENV.scheduleRole]: 'arn:aws:iam::1:role/all' });
    const types = Object.values(releaseResources(named, [endpoint])).map(({ Type }) => Type);
    expect(types).not.toContain('AWS::IAM::Role');
  });

  it('is not there without models', () => {
    const none = { ...input(), models: [] };
    expect(releaseFunctions(none)).toEqual({});
    expect(releaseResources(none, [])).toEqual({});
  });
});

describe('Custom::ModelAlias', () => {
  it('has literals, but for the function, its version and the unqualified worker', () => {
    expect(releaseResources(input(), [endpoint]).ChurnLiveAlias).toEqual({
      Type: 'Custom::ModelAlias',
      Properties: {
        ServiceToken: { 'Fn::GetAtt': ['ModelsDashreleaseLambdaFunction', 'Arn'] },
        ServiceTimeout: 600,
        FunctionName: { Ref: 'ChurnLambdaFunction' },
        Alias: 'live',
        Model: 'churn',
        Version: { 'Fn::GetAtt': ['ChurnLambdaVersionXyz', 'Version'] },
        Fingerprint: 'f',
        Identity: 'i',
        Layer: 'l',
        Source: 's',
        Settings: JSON.stringify(settingsOf(model, endpoint.facts)),
      },
    });
  });
});

it('the alias tells the worker what a registry of models said, and its record keeps it', () => {
  const origin: ArtifactOrigin = { from: 'mlflow', at: 'https://m', name: 'churn', version: '3', run: 'r' };
  const propertiesOf = (facts: Facts) =>
    releaseResources(input(), [{ ...endpoint, facts }]).ChurnLiveAlias?.Properties as Record<string, unknown>;
  const before = propertiesOf(endpoint.facts);
  expect(before).not.toHaveProperty('Origin');
  const after = propertiesOf({ ...endpoint.facts, origin });
  // The fingerprint does not have it: an alias that moves to the same bytes is no release.
  expect(after).toEqual({ ...before, Origin: JSON.stringify(origin) });
  const event = {
    RequestType: 'Create',
    ...{ ResponseURL: 'https://answer', RequestId: 'q', StackId: 's', LogicalResourceId: 'ChurnLiveAlias' },
    ResourceProperties: { ...after, FunctionName: 'shop-dev-churn', Version: '7' },
  };
  const asked = readWorkerEvent(event, 'group', 0);
  expect(asked).toMatchObject({ kind: 'ask', record: { version: '7', origin } });
});

it('the alias tells the worker what is told of the model, and its record keeps it; only where a card is declared', () => {
  const { card: known } = mergeCard({ owner: 'ann' }, {});
  const card = { ...CARDS.bare, card: known };
  const propertiesOf = (changed: Partial<Model>) =>
    releaseResources(input(), [
      { ...endpoint, model: { ...endpoint.model, ...changed }, facts: { ...endpoint.facts, card } },
    ]).ChurnLiveAlias?.Properties as Record<string, unknown>;
  const before = propertiesOf({});
  expect(before).not.toHaveProperty('Card');
  const after = propertiesOf({ card: { owner: 'ann' } });
  // The fingerprint does not have it: what is told of a version is no other version.
  expect(after).toEqual({ ...before, Card: JSON.stringify(known) });
  const read = (text: unknown) =>
    readWorkerEvent(
      {
        RequestType: 'Create',
        ...{
          ResponseURL: 'https://answer',
          RequestId: 'q',
          StackId: 's',
          LogicalResourceId: 'ChurnLiveAlias',
        },
        ResourceProperties: { ...after, Card: text, FunctionName: 'shop-dev-churn', Version: '7' },
      },
      'group',
      0,
    );
  expect(read(after.Card)).toMatchObject({ kind: 'ask', record: { version: '7', card: known } });
  // Beyond ASCII CloudFormation gives question marks back.
  const named = { ...card, card: mergeCard({ owner: 'José 株 𝕏' }, {}).card };
  const alias = releaseResources(input(), [
    { ...endpoint, model: { ...endpoint.model, card: {} }, facts: { ...endpoint.facts, card: named } },
  ]).ChurnLiveAlias;
  const text = alias?.Properties.Card;
  expect(text).toMatch(/^[ -~]*$/);
  expect(read(text)).toMatchObject({ record: { card: named.card } });
  // Whoever else writes there stops no release.
  for (const text of ['no JSON', '[]', '{"datasets":[],"metrics":[{"name":1}]}', '{"datasets":[]}'])
    expect(read(text)).not.toHaveProperty('record.card');
});
