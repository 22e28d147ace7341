import { describe, expect, it } from 'vitest';
import { BATCH_ENV, KEYS } from '../../../../../../core/batch/contract.ts';
import type { Resource } from '../../../../../../plugins/models/contracts/cloudformation.ts';
import type { Host } from '../../../../../../plugins/models/contracts/host.ts';
import type { PlanInput } from '../../../../../../plugins/models/contracts/input.ts';
import type { Facts } from '../../../../../../plugins/models/declaration/model.ts';
import { batching, batchStatements } from '../../../../../../plugins/models/plan/batch/functions.ts';
import {
  batchResources,
  eventPattern,
  watchedBuckets,
} from '../../../../../../plugins/models/plan/batch/resources.ts';
import { standingCost } from '../../../../../../plugins/models/plan/cost.ts';
import {
  endpointOf,
  neededPolicy,
  planFunctions,
  planProblems,
  planResources,
} from '../../../../../../plugins/models/plan/plan.ts';
import { capacityLine, capacityOf } from '../../../../../../plugins/models/plan/release/capacity.ts';
import { releaseStatements } from '../../../../../../plugins/models/plan/release/functions.ts';
import { endpointLines } from '../../../../../../plugins/models/plan/report.ts';
import { declaredModels, FACTS, HOST as host, LAYER as layer } from '../../../../../fixtures/service.ts';

const facts: Facts = {
  ...FACTS,
  signature: { inputs: [], outputs: [], omitted: [] },
  remote: [{ path: 'model/model.onnx', sha256: 'f'.repeat(64), bytes: 600 * 1024 ** 2 }],
};

const ENTRY = { input: 's3://incoming/churn/*.csv', output: 's3://scored/churn/' };
const input = (declared: Record<string, object>, provider: Host['provider'] = {}): PlanInput => {
  const found = declaredModels(declared);
  const built = new Map(found.map(({ name }) => [name, { facts, layer, zip: `/out/${name}.zip` }]));
  return { models: found, options: {}, host: { ...host, provider }, built, zips: new Map() };
};
const resources = (declared: Record<string, object>, more: Partial<Host> = {}) =>
  batchResources(declaredModels(declared), { ...host, ...more });
const of = (all: Readonly<Record<string, Resource>>, type: string): readonly Resource[] =>
  Object.values(all).filter(({ Type }) => Type === type);

it('a bucket that the service’s own resources make, too, is refused: S3 takes a name once', () => {
  const problems = (create: unknown, buckets: Record<string, string>) =>
    planProblems(declaredModels({ churn: { batch: [{ ...ENTRY, create }] } }), { ...host, buckets });
  expect(problems(true, { scored: 'Answers', other: 'Other' })).toEqual([
    {
      code: 'MODELS_BATCH',
      key: 'models.churn.batch',
      value: 'scored',
      message: 'makes the bucket scored (`create`), and so does Answers in the service’s own resources.',
      fix: 'Leave one of them out: a bucket of the service’s own needs no `create`.',
    },
  ]);
  expect(problems('input', { scored: 'Answers' })).toEqual([]);
  expect(problems(undefined, { scored: 'Answers', incoming: 'Rows' })).toEqual([]);
});

describe('the batch function', () => {
  const functions = planFunctions(
    input({
      churn: {
        memory: 512,
        function: {
          environment: { LOCALE: 'de' },
          vpc: { subnetIds: ['subnet-1'] },
          events: [{ schedule: 'rate(1 day)' }],
          url: true,
          onError: 'arn:aws:sns:us-east-1:1:t',
          reservedConcurrency: 9,
        },
        concurrency: { batch: 7 },
        batch: [ENTRY],
      },
    }),
  );

  it('has the endpoint’s zip, layers, settings and room in /tmp, and who calls it is its own', () => {
    const { churn, 'churn-batch': batch } = functions;
    expect(batch).toMatchObject({
      name: 'shop-dev-churn-batch',
      handler: 'batch.handler',
      timeout: 900,
      memorySize: 1024,
      versionFunction: true,
      role: 'ChurnDashbatchModelsRole',
      vpc: { subnetIds: ['subnet-1'] },
      environment: { LOCALE: 'de', MODELS_LAYER: layer.sha256 },
    });
    for (const key of ['package', 'layers', 'ephemeralStorageSize', 'runtime', 'architecture'])
      expect(batch?.[key], key).toEqual(churn?.[key]);
    for (const key of ['url', 'onError', 'reservedConcurrency']) expect(batch).not.toHaveProperty(key);
    expect(batch?.events).toEqual([
      {
        sqs: {
          arn: { 'Fn::GetAtt': ['ChurnDashbatchQueue', 'Arn'] },
          batchSize: 1,
          maximumConcurrency: 7,
          functionResponseType: 'ReportBatchItemFailures',
        },
      },
    ]);
    expect(Object.keys(batch?.environment as object)).toEqual(
      expect.arrayContaining([BATCH_ENV.queue, BATCH_ENV.failed, BATCH_ENV.machine, BATCH_ENV.owner]),
    );
  });

  it('changes nothing of the endpoint beside it', () => {
    const [without, beside] = [{}, { batch: [ENTRY] }].map((more) => planFunctions(input({ churn: more })));
    expect(beside?.churn).toEqual(without?.churn);
    expect(without).not.toHaveProperty('churn-batch');
  });

  it('has at least a gigabyte, and the model’s memory where that is more', () => {
    const memory = (given: number) =>
      planFunctions(input({ churn: { memory: given, batch: [ENTRY] } }))['churn-batch']?.memorySize;
    expect([memory(128), memory(1024), memory(3008)]).toEqual([1024, 1024, 3008]);
  });

  it('may not have a name beyond Lambda’s 64 characters', () => {
    const named = (length: number, more: object = {}) =>
      planProblems(declaredModels({ churn: { function: { name: 'f'.repeat(length) }, ...more } }), host).map(
        ({ code, message }) => `${code} ${message}`,
      );
    expect(named(64)).toEqual([]);
    expect(named(58, { batch: [ENTRY] })).toEqual([]);
    expect(named(59, { batch: [ENTRY] })).toEqual([
      `MODELS_INVALID_NAME makes a function called ${'f'.repeat(59)}-batch, 65 characters; Lambda takes 64.`,
    ]);
  });

  it('goes with the endpoint’s version in its alias', () => {
    const planned = input({ churn: { batch: [ENTRY] }, fraud: {} });
    const endpoints = planned.models.map((model) =>
      endpointOf(
        model,
        host,
        { facts, layer, zip: '' },
        { endpoint: 'V1', batch: model.batch === undefined ? undefined : 'V2' },
        'f',
      ),
    );
    const all = planResources(planned, endpoints);
    expect(all.ChurnLiveAlias?.Properties.Batch).toEqual({
      FunctionName: { Ref: 'ChurnDashbatchLambdaFunction' },
      Version: { 'Fn::GetAtt': ['V2', 'Version'] },
    });
    expect(all.FraudLiveAlias?.Properties).not.toHaveProperty('Batch');
    expect(all).toHaveProperty('ChurnDashbatchModelsRole');
    expect(all).not.toHaveProperty('FraudDashbatchModelsRole');
  });
});

describe('events of objects', () => {
  it.each([
    ['', '', undefined],
    ['churn/', '', { prefix: 'churn/' }],
    ['churn/', '.csv', { wildcard: 'churn/*.csv' }],
    ['', '.csv', { wildcard: '*.csv' }],
    ['a\\b/', '.c*v', { wildcard: 'a\\\\b/*.c\\*v' }],
  ])('of the prefix %j and the suffix %j are matched by %j', (prefix, suffix, key) => {
    expect(eventPattern({ bucket: 'incoming', prefix, suffix })).toEqual({
      source: ['aws.s3'],
      'detail-type': ['Object Created'],
      detail: { bucket: { name: ['incoming'] }, ...(key && { object: { key: [key] } }) },
    });
  });

  it('come by one rule an entry, to the model’s own queue, which takes them of this account’s rules only', () => {
    const all = resources({
      churn: { batch: [ENTRY, { input: 's3://other/', output: 's3://scored/other/' }] },
      fraud: { batch: [ENTRY] },
    });
    expect(of(all, 'AWS::Events::Rule')).toHaveLength(3);
    expect(of(all, 'AWS::SQS::Queue')).toHaveLength(4);
    expect(JSON.stringify(all.ChurnDashbatchQueuePolicy)).toContain(
      JSON.stringify({
        ArnLike: {
          'aws:SourceArn': {
            'Fn::Sub': `arn:\${AWS::Partition}:events:\${AWS::Region}:\${AWS::AccountId}:rule/*`,
          },
        },
      }),
    );
  });

  // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
  it('find a queue that takes them: each rule waits for its policy, and that for no rule', () => {
    const all = resources({ churn: { batch: [ENTRY, { input: 's3://other/', output: 's3://scored/' }] } });
    expect(JSON.stringify(all.ChurnDashbatchQueuePolicy)).not.toContain('DashbatchRule');
    const rules = of(all, 'AWS::Events::Rule');
    expect(rules.map(({ DependsOn }) => DependsOn)).toEqual(rules.map(() => 'ChurnDashbatchQueuePolicy'));
  });

  const rulesOf = (batch: readonly object[]): Readonly<Record<string, Resource>> =>
    Object.fromEntries(
      Object.entries(resources({ churn: { batch } })).filter(([, { Type }]) => Type === 'AWS::Events::Rule'),
    );

  it('come once where one entry’s objects are a part of another one’s, by the wider rule', () => {
    const urgent = { input: 's3://incoming/churn/urgent/*.csv', output: 's3://scored/urgent/' };
    const wide = { input: 's3://incoming/churn/', output: 's3://scored/churn/' };
    expect(rulesOf([urgent, wide])).toEqual(rulesOf([wide]));
    expect(rulesOf([urgent, ENTRY, wide])).toEqual(rulesOf([wide]));
    // Neither has all of the other.
    expect(Object.keys(rulesOf([ENTRY, { ...wide, input: 's3://incoming/churn/new/' }]))).toHaveLength(2);
    expect(Object.keys(rulesOf([urgent, { ...wide, input: 's3://other/churn/' }]))).toHaveLength(2);
  });

  it('come by the same rule, whatever entries are written before', () => {
    const other = { input: 's3://incoming/fraud/*.csv', output: 's3://scored/urgent/' };
    const before = rulesOf([ENTRY]);
    const after = rulesOf([other, ENTRY]);
    expect(Object.keys(before)).toHaveLength(1);
    expect(Object.keys(after)).toHaveLength(2);
    expect(after).toMatchObject(before);
  });

  it('are switched on once a bucket, also where models share it, and not for outputs', () => {
    const declared = {
      churn: { batch: [ENTRY, { input: 's3://incoming/b/', output: 's3://scored/b/' }] },
      fraud: { batch: [{ input: 's3://incoming/churn/', output: 's3://scored/fraud/' }] },
    };
    expect(watchedBuckets(declaredModels(declared))).toEqual(['incoming']);
    const all = resources(declared);
    expect(of(all, 'Custom::ModelBucketEvents').map(({ Properties }) => Properties.Bucket)).toEqual([
      'incoming',
    ]);
    expect(of(all, 'AWS::S3::Bucket')).toEqual([]);
  });

  it('of a bucket that the stack makes need no switch, whichever entry says so', () => {
    const all = resources({
      churn: { batch: [{ ...ENTRY, create: true }] },
      fraud: { batch: [{ input: 's3://incoming/fraud/', output: 's3://scored/fraud/' }] },
    });
    expect(of(all, 'Custom::ModelBucketEvents')).toEqual([]);
    const [incoming, scored] = of(all, 'AWS::S3::Bucket');
    expect(incoming?.Properties).toHaveProperty('NotificationConfiguration');
    expect(scored?.Properties).not.toHaveProperty('NotificationConfiguration');
    for (const bucket of [incoming, scored]) expect(bucket?.DeletionPolicy).toBe('RetainExceptOnCreate');
  });

  it('wait for a bucket that the service itself makes', () => {
    const all = resources({ churn: { batch: [ENTRY] } }, { buckets: { incoming: 'Own' } });
    expect(all.ModelsIncomingEvents?.DependsOn).toBe('Own');
    expect(resources({ churn: { batch: [ENTRY] } }).ModelsIncomingEvents).not.toHaveProperty('DependsOn');
  });
});

describe('the state machine', () => {
  const all = resources({ churn: { concurrency: { batch: 3 }, batch: [ENTRY] } });
  const definition = all.ChurnDashbatchMachine?.Properties.DefinitionString as Record<string, string>;
  const text = definition['Fn::Sub'] ?? '';
  const { States: states } = JSON.parse(text);

  it('asks the version that the job names, so many parts at a time, then how it ends', () => {
    expect(states.Parts).toMatchObject({
      MaxConcurrency: 3,
      ToleratedFailurePercentage: 100,
      ItemProcessor: { ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' } },
      Catch: [{ Next: 'Finish' }],
      Next: 'Finish',
    });
    const { Part } = states.Parts.ItemProcessor.States;
    for (const task of [Part, states.Finish]) {
      expect(task.Parameters['Qualifier.$']).toBe('$.version');
      expect(task.Parameters.FunctionName).toContain(':function:shop-dev-churn-batch');
      expect(task.TimeoutSeconds).toBeGreaterThan(900);
      expect(task.Retry.at(-1).ErrorEquals).toEqual(['States.ALL']);
    }
    expect(Part.Parameters.Payload).toEqual({ 'job.$': '$.job', 'part.$': '$.part' });
    expect(states.Finish.Parameters.Payload).toEqual({ 'finish.$': '$.job' });
  });

  it('has a part go on for as long as there is more of it', () => {
    const { Part, Scored, Whole } = states.Parts.ItemProcessor.States;
    expect(Part).toMatchObject({
      ResultSelector: { 'more.$': '$.Payload.more' },
      ResultPath: '$.scored',
      Next: 'Scored',
    });
    expect(Scored.Choices).toEqual([{ Variable: '$.scored.more', BooleanEquals: true, Next: 'Part' }]);
    expect([Scored.Default, Whole.Type]).toEqual(['Whole', 'Succeed']);
  });

  it('puts a job whose end fails for an hour where people look for what failed', () => {
    expect(states.Finish.Catch).toEqual([
      { ErrorEquals: ['States.ALL'], ResultPath: '$.fault', Next: 'GiveUp' },
    ]);
    expect(states.GiveUp).toMatchObject({
      Parameters: {
        QueueUrl: `\${ChurnDashbatchFailedQueue}`,
        'MessageBody.$': '$.job.message',
        MessageAttributes: { Code: { StringValue: 'GAVE_UP' } },
      },
      Next: 'Unended',
    });
    expect(JSON.stringify(all.ChurnDashbatchMachineRole)).toContain(':shop-dev-churn-batch-failed');
  });

  it('has nothing in its text that Fn::Sub would take for a resource that there is not', () => {
    const names = [...text.matchAll(/\$\{([^}]*)\}/g)].map(([, name]) => name);
    const known = ['AWS::Partition', 'AWS::Region', 'AWS::AccountId', 'ChurnDashbatchFailedQueue'];
    expect(new Set(names)).toEqual(new Set(known));
    expect(Object.keys(all)).toContain('ChurnDashbatchFailedQueue');
  });

  it('may use keys that the model’s own statements name, and nothing else of them', () => {
    const statements = [
      { Effect: 'Allow', Action: ['kms:Decrypt', 'dynamodb:GetItem'], Resource: 'arn:aws:kms:eu:1:key/k' },
      { Effect: 'Allow', Action: 's3:GetObject', Resource: 'arn:aws:s3:::lookup/*' },
      {
        Effect: 'Allow',
        Action: ['KMS:GenerateDataKey', { Ref: 'Other' }],
        Resource: 'arn:aws:kms:eu:1:key/l',
      },
      { Effect: 'Allow', Action: { 'Fn::If': ['Yes', 'kms:Encrypt', 'kms:Decrypt'] }, Resource: '*' },
    ];
    const managedPolicies = ['arn:aws:iam::aws:policy/AmazonS3FullAccess'];
    const own = resources({ churn: { batch: [ENTRY], iam: { statements, managedPolicies } } });
    const role = JSON.stringify(own.ChurnDashbatchMachineRole);
    expect(role).toContain('"Action":["kms:Decrypt"],"Resource":"arn:aws:kms:eu:1:key/k"');
    expect(role).toContain('"Action":["KMS:GenerateDataKey"],"Resource":"arn:aws:kms:eu:1:key/l"');
    expect(role).not.toMatch(/dynamodb|lookup|Fn::If|ManagedPolicy|S3FullAccess/);
  });

  // https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
  it('has a role that it takes for itself, and for its map, whose ARN goes on behind its own', () => {
    const role = JSON.stringify(resources({ churn: { batch: [ENTRY] } }).ChurnDashbatchMachineRole);
    const machine = `arn:\${AWS::Partition}:states:\${AWS::Region}:\${AWS::AccountId}:stateMachine:shop-dev-churn-batch`;
    expect(role).toContain(
      JSON.stringify({ 'aws:SourceArn': [{ 'Fn::Sub': machine }, { 'Fn::Sub': `${machine}/*` }] }),
    );
  });

  it('reads plans and writes below jobs, and asks its function only', () => {
    const role = JSON.stringify(all.ChurnDashbatchMachineRole);
    expect(role).toContain(`:s3:::scored/churn/churn@*/${KEYS.plan}`);
    expect(role).toContain(`:s3:::scored/churn/churn@*/${KEYS.map}/*`);
    expect(role).not.toMatch(/s3:::scored\/churn\/\*/);
    expect(role).toContain('stateMachine:shop-dev-churn-batch');
  });
});

describe('what batch may do', () => {
  type Statement = { readonly Action: readonly string[]; readonly Resource: readonly unknown[] };
  const statements = (declared: Record<string, object>): readonly Statement[] =>
    batching(declaredModels(declared)).flatMap((model) => batchStatements(model, host, {}, facts));
  const allowed = (action: string, declared: Record<string, object>): readonly string[] =>
    statements(declared)
      .filter(({ Action }) => Action.includes(action))
      .flatMap(({ Resource }) => Resource.map((one) => JSON.stringify(one)));

  it('is reading inputs, and writing where its jobs and their newest are', () => {
    const declared = { churn: { batch: [ENTRY] } };
    expect(allowed('s3:GetObject', declared).join()).toContain(':s3:::incoming/churn/*.csv');
    expect(allowed('s3:PutObject', declared)).toHaveLength(3);
    expect(allowed('s3:PutObject', declared).join()).toContain(':s3:::scored/churn/churn/_OWNER.json');
    expect(allowed('s3:PutObject', declared).join()).toContain(':s3:::scored/churn/churn@*');
    expect(allowed('s3:PutObject', declared).join()).toContain(':s3:::scored/churn/churn/latest/*');
    expect(allowed('s3:DeleteObject', declared)).toHaveLength(1);
    expect(statements(declared).every(({ Resource }) => !Resource.includes('*'))).toBe(true);
  });

  it('takes signs of a prefix as they are, where IAM would see a pattern or a variable', () => {
    const declared = { churn: { batch: [{ ...ENTRY, input: `s3://incoming/a?b/\${x}/*$.csv` }] } };
    expect(allowed('s3:GetObjectVersion', declared).join()).toContain(
      `:s3:::incoming/a\${?}b/\${$}{x}/*\${$}.csv`,
    );
  });

  // https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
  it('is written in letters that IAM and CloudFormation take, whatever a prefix has', () => {
    const declared = {
      churn: { batch: [{ input: 's3://incoming/données/日本 😀/*.csv', output: 's3://scored/ação' }] },
    };
    const text = JSON.stringify(statements(declared));
    expect(text).toMatch(/^[ -~]+$/);
    expect(text).toContain(':s3:::incoming/donn*es/* */*.csv');
    expect(text).toContain(':s3:::scored/a*o/churn@*');
  });

  it('is told to a person where the service names a role, and the state machine takes that role', () => {
    const named = 'arn:aws:iam::123456789012:role/ours';
    const provider = { iam: { role: named } };
    const policy = JSON.stringify(neededPolicy(input({ churn: { batch: [ENTRY] } }, provider)));
    for (const action of ['states:StartExecution', 'sqs:ReceiveMessage', 's3:PutBucketNotification'])
      expect(policy).toContain(action);
    const all = resources({ churn: { batch: [ENTRY] } }, { provider });
    expect(all.ChurnDashbatchMachine?.Properties.RoleArn).toBe(named);
    expect(all).not.toHaveProperty('ChurnDashbatchMachineRole');
    const functions = planFunctions(input({ churn: { batch: [ENTRY] } }, provider));
    expect(functions['churn-batch']).not.toHaveProperty('role');
  });

  it('is moved by the worker, whose policy names a batch function with a name of its own', () => {
    const planned = input({ churn: { function: { name: 'scoring' }, batch: [ENTRY] } });
    const moves = releaseStatements(planned).filter((one) =>
      (one.Action as readonly string[]).includes('lambda:UpdateAlias'),
    );
    expect(JSON.stringify(moves)).toContain(':function:scoring-batch');
  });
});

it('people see where objects go, how many at once, and what the empty queue costs', () => {
  const [churn, fraud] = declaredModels({ churn: { batch: [ENTRY] }, fraud: {} });
  if (churn === undefined || fraud === undefined) throw new Error('no models');
  expect(endpointLines([churn], host, undefined)).toContain(
    'churn: s3://incoming/churn/*.csv → s3://scored/churn/',
  );
  const capacity = capacityOf(churn);
  expect(capacity && capacityLine(capacity)).toBe('batch: 5 objects at once, and 5 parts of a large one');
  // Five pollers, three requests a minute each.
  expect(standingCost(churn, host).queue).toBeCloseTo((5 * 3 * 60 * 24 * 30 * 0.4) / 1e6, 6);
  expect(standingCost(fraud, host).queue).toBe(0);
});
