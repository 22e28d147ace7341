/**
 * What record.mjs and the local AWS write down, and what is made of it: requests that AWS would not take, and
 * answers that it would not give.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { awsPython } from '../../local-aws/aws-python.ts';
import { callReport, faultsOf } from '../../local-aws/calls.ts';
import { type LocalAws, localAws, startAws } from '../../local-aws/start.ts';
import { root } from '../unit/docs/pages.ts';
import { breakLambda, errorName, invoke, makeFunction } from './lambda.ts';

let folder: string;
let aws: LocalAws;
let python: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'models-calls-'));
  vi.stubEnv('MODELS_AWS_CALLS', join(folder, 'calls'));
  python = await awsPython(console.error);
  aws = await startAws();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await aws?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A program of somebody's, with this repository's SDK. */
async function run(program: string, calls = join(folder, 'calls')): Promise<void> {
  const file = join(folder, 'program.cjs');
  await writeFile(
    file,
    `const use = require('node:module').createRequire(${JSON.stringify(join(root, 'package.json'))});\n(async () => {${program}})();`,
  );
  const env = { ...process.env, ...aws.env, MODELS_AWS_CALLS: calls };
  const child = spawn(process.execPath, [file], { env, stdio: 'inherit' });
  expect(await new Promise((done) => child.on('close', done))).toBe(0);
}

test('requests that AWS would not take are found: each kind, once, and no other', async () => {
  await run(`
    const { LambdaClient, GetAliasCommand, PutProvisionedConcurrencyConfigCommand } = use('@aws-sdk/client-lambda');
    const { CloudWatchClient, PutMetricDataCommand } = use('@aws-sdk/client-cloudwatch');
    const { SchedulerClient, ListSchedulesCommand } = use('@aws-sdk/client-scheduler');
    const { S3Client, ListObjectsV2Command } = use('@aws-sdk/client-s3');
    const send = (client, command) => client.send(command).catch(() => {});
    const lambda = new LambdaClient({});
    await send(lambda, new GetAliasCommand({ FunctionName: 'churn', Name: 'live', Madeup: 1 }));
    await send(lambda, new GetAliasCommand({ FunctionName: 'churn' }));
    await send(lambda, new GetAliasCommand({ FunctionName: 'churn', Name: 'live now' }));
    await send(lambda, new GetAliasCommand({ FunctionName: 'churn', Name: 'live' }));
    await send(lambda, new GetAliasCommand({ FunctionName: 'churn', Name: 'live' }));
    const provided = { FunctionName: 'churn', Qualifier: '1', ProvisionedConcurrentExecutions: 0 };
    await send(lambda, new PutProvisionedConcurrencyConfigCommand(provided));
    await send(lambda, new PutProvisionedConcurrencyConfigCommand({ ...provided, ProvisionedConcurrentExecutions: '2' }));
    const metric = { MetricName: 'm', Value: 1, Timestamp: new Date(), Unit: 'Count' };
    const cloudwatch = new CloudWatchClient({});
    await send(cloudwatch, new PutMetricDataCommand({ Namespace: 'N', MetricData: [metric, { ...metric, Unit: 'Pieces' }] }));
    await send(cloudwatch, new PutMetricDataCommand({ Namespace: 'N'.repeat(256), MetricData: [metric] }));
    await send(new SchedulerClient({}), new ListSchedulesCommand({ MaxResults: 101 }));
    await send(new S3Client({ forcePathStyle: true }), new ListObjectsV2Command({ Bucket: 'b', Prefix: undefined }));
  `);
  const report = await callReport(join(folder, 'calls'));
  const asked = report.violations.map(({ text }) => text).filter((text) => text.startsWith('command: '));
  expect(asked).toEqual([
    expect.stringMatching(
      /^command: CloudWatch PutMetricData: MetricData\[1\]\.Unit is 'Pieces', one of Sec/,
    ),
    'command: CloudWatch PutMetricData: Namespace has 256 characters, at most 255 are expected',
    'command: Lambda GetAlias: Madeup is no member of GetAliasRequest',
    expect.stringMatching(/^command: Lambda GetAlias: Name is 'live now', which does not match /),
    'command: Lambda GetAlias: Name is missing',
    'command: Lambda PutProvisionedConcurrencyConfig: ProvisionedConcurrentExecutions is 0, at least 1 is expected',
    'command: Lambda PutProvisionedConcurrencyConfig: ProvisionedConcurrentExecutions is str, integer is expected',
    'command: Scheduler ListSchedules: MaxResults is 101, at most 100 is expected',
  ]);
  expect(report.operations).toContainEqual({
    service: 'S3',
    operation: 'ListObjectsV2',
    by: ['command'],
    members: { Bucket: ['command'] },
  });
  expect(report.answers).toContainEqual({
    service: 'Lambda',
    operation: 'GetAlias',
    kinds: expect.arrayContaining(['ResourceNotFoundException']),
  });
});

test('a function’s requests are recorded by its process', async () => {
  await makeFunction(aws, {
    name: 'asker',
    may: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
    code: `import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
      export const handler = async () => {
        await new LambdaClient({}).send(new InvokeCommand({ FunctionName: 'none', Payload: '"private"' })).catch(() => {});
      };`,
  });
  await invoke(aws, 'asker', {});
  const { operations, violations } = await callReport(join(folder, 'calls'));
  expect(operations).toContainEqual({
    service: 'Lambda',
    operation: 'Invoke',
    by: ['function'],
    members: { FunctionName: ['function'], Payload: ['function'] },
  });
  expect(violations.filter(({ text }) => text.startsWith('function'))).toEqual([]);
  const texts = await Promise.all(
    (await readdir(join(folder, 'calls'))).map((name) => readFile(join(folder, 'calls', name), 'utf8')),
  );
  expect(texts.join('')).not.toContain('private');
});

test('requests by version 2 of the SDK, as of older frameworks, are read from the wire', async () => {
  const ask = (service: string, path: string, init: RequestInit = {}): Promise<Response> => {
    const scope = `Credential=test/20261127/us-east-1/${service}/aws4_request`;
    const authorization = `AWS4-HMAC-SHA256 ${scope}, SignedHeaders=host, Signature=0`;
    const headers = { authorization, 'user-agent': 'aws-sdk-nodejs/2.1692.0 linux/v24', ...init.headers };
    return fetch(`${aws.endpoint}${path}`, { ...init, headers });
  };
  const form = (fields: Record<string, string>): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  });
  const template = { StackName: 'old', 'Tags.member.1.Key': 'a', 'Parameters.member.1.ParameterKey': 'p' };
  await ask('cloudformation', '/', form({ Action: 'CreateChangeSet', ...template, Madeup: '1' }));
  await ask('lambda', '/2015-03-31/functions/old%20one/aliases?MaxItems=x');
  await ask('s3', '/old?list-type=2&prefix=a/&max-keys=5');
  await ask('logs', '/', {
    method: 'POST',
    headers: { 'x-amz-target': 'Logs_20140328.FilterLogEvents' },
    body: JSON.stringify({ logGroupName: '/old', limit: 20_000, startTime: 'now' }),
  });
  await ask('s3', '/old?delete', {
    method: 'POST',
    body: '<Delete><Object><Key>a</Key><Made>1</Made></Object></Delete>',
  });
  const { operations, violations } = await callReport(join(folder, 'calls'));
  const wrong = violations.map(({ text }) => text).filter((text) => text.startsWith('framework: '));
  expect(wrong).toEqual([
    'framework: CloudFormation CreateChangeSet: ChangeSetName is missing',
    'framework: CloudFormation CreateChangeSet: Madeup is no member of CreateChangeSetInput',
    'framework: CloudFormation CreateChangeSet: Tags[0].Value is missing',
    'framework: CloudWatch Logs FilterLogEvents: limit is 20000, at most 10000 is expected',
    'framework: CloudWatch Logs FilterLogEvents: startTime is str, long is expected',
    expect.stringMatching(/^framework: Lambda ListAliases: FunctionName is 'old one', which does not match/),
    'framework: Lambda ListAliases: MaxItems is str, integer is expected',
    'framework: S3 DeleteObjects: Delete.Objects[0].Made is no member of ObjectIdentifier',
  ]);
  expect(operations).toContainEqual({
    service: 'S3',
    operation: 'ListObjectsV2',
    by: ['command', 'framework'],
    members: { Bucket: ['command', 'framework'], Prefix: ['framework'], MaxKeys: ['framework'] },
  });
});

type Answer = readonly [
  service: string,
  operation: string,
  protocol: string,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
];

/** What is wrong with answers, as the local AWS finds it when one leaves. */
function wrongWith(answers: readonly Answer[]): readonly unknown[] {
  const program = `import json, sys
from semantics.calls import wire
print(json.dumps([wire.problems(*case[:5], case[5].encode())[1] for case in json.load(sys.stdin)]))`;
  const ran = spawnSync(python, ['-c', program], {
    cwd: localAws,
    input: JSON.stringify(answers),
    encoding: 'utf8',
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  });
  expect(ran.stderr).toBe('');
  return JSON.parse(ran.stdout) as readonly unknown[];
}

const alias = (more: object): string =>
  JSON.stringify({
    AliasArn: 'arn:aws:lambda:us-east-1:000000000000:function:a:live',
    Name: 'live',
    ...more,
  });
const queried = (body: string): string =>
  `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks>${body}</Stacks></DescribeStacksResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></DescribeStacksResponse>`;
const member = (body: string): string =>
  `<member><StackName>s</StackName><CreationTime>2026-11-27T10:00:00.000Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus>${body}</member>`;

const ANSWERS: readonly (readonly [what: string, answer: Answer, wrong: readonly string[]])[] = [
  ['a good one', ['Lambda', 'GetAlias', 'rest-json', 200, {}, alias({ Description: null })], []],
  [
    'an unknown member',
    ['Lambda', 'GetAlias', 'rest-json', 200, {}, alias({ Weight: 1 })],
    ['Weight is no member of AliasConfiguration'],
  ],
  [
    'a mistyped member',
    ['Lambda', 'GetAlias', 'rest-json', 200, {}, alias({ FunctionVersion: 1 })],
    ["FunctionVersion is int ('1'), string is expected"],
  ],
  [
    'an unknown value of an enum',
    ['Lambda', 'GetProvisionedConcurrencyConfig', 'rest-json', 200, {}, '{"Status": "SOON"}'],
    ["Status is 'SOON', one of IN_PROGRESS, READY, FAILED is expected"],
  ],
  [
    'a status that is not the operation’s',
    ['Lambda', 'CreateAlias', 'rest-json', 200, {}, alias({})],
    ['HTTP 200, 201 is expected'],
  ],
  [
    'an error that the operation does not have',
    ['SFN', 'StartExecution', 'json', 400, {}, '{"__type": "ExecutionDoesNotExist"}'],
    ['the error ExecutionDoesNotExist (HTTP 400), which StartExecution does not declare'],
  ],
  [
    'an error that it has',
    ['SFN', 'StartExecution', 'json', 400, {}, '{"__type": "a#ExecutionAlreadyExists"}'],
    [],
  ],
  [
    'an error with the status of another one',
    ['Lambda', 'UpdateAlias', 'rest-json', 400, { 'x-amzn-errortype': 'PreconditionFailedException' }, '{}'],
    ['the error PreconditionFailedException with HTTP 400, 412 is expected'],
  ],
  [
    'an error with its own',
    ['Lambda', 'UpdateAlias', 'rest-json', 412, { 'x-amzn-errortype': 'PreconditionFailedException' }, '{}'],
    [],
  ],
  ['a good one in XML', ['CloudFormation', 'DescribeStacks', 'query', 200, {}, queried(member(''))], []],
  [
    'an unknown element',
    ['CloudFormation', 'DescribeStacks', 'query', 200, {}, queried(member('<Made>1</Made>'))],
    ['Stacks[].Made is no member of Stack'],
  ],
  [
    'a mistyped element',
    [
      'CloudFormation',
      'DescribeStacks',
      'query',
      200,
      {},
      queried(member('<DisableRollback>no</DisableRollback>')),
    ],
    ["Stacks[].DisableRollback is 'no', boolean is expected"],
  ],
  [
    'a missing element',
    [
      'CloudFormation',
      'DescribeStacks',
      'query',
      200,
      {},
      queried('<member><StackName>s</StackName></member>'),
    ],
    ['Stacks[].CreationTime is missing', 'Stacks[].StackStatus is missing'],
  ],
  [
    'an unknown element of S3',
    [
      'S3',
      'ListObjectsV2',
      'rest-xml',
      200,
      {},
      '<ListBucketResult><Contents><Key>a</Key><Colour>red</Colour></Contents></ListBucketResult>',
    ],
    ['Contents[].Colour is no member of Object'],
  ],
  [
    'an operation that AWS does not have',
    ['Lambda', 'MakeCoffee', 'rest-json', 200, {}, '{}'],
    ['is no operation of AWS, and is answered'],
  ],
];

test('answers that AWS would not give are found, and no others', () => {
  const wrong = wrongWith(ANSWERS.map(([, answer]) => answer));
  expect(ANSWERS.map(([what], index) => [what, wrong[index]])).toEqual(
    ANSWERS.map(([what, , expected]) => [what, expected]),
  );
});

/** A server behind the recorder of answers, which answers an error. */
const REFUSES = (code: string): string => `import asyncio, sys
from semantics.calls import wire
async def inner(scope, receive, send):
    await send({"type": "http.response.start", "status": 404, "headers": [(b"x-amzn-errortype", b"${code}")]})
    await send({"type": "http.response.body", "body": b"{}"})
async def nothing(*_):
    return {"body": b""}
scope = {"type": "http", "method": "GET", "path": "/2015-03-31/functions/churn/aliases/live", "query_string": b"", "headers": [
    (b"authorization", b"AWS4-HMAC-SHA256 Credential=test/20261127/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0")]}
asyncio.run(wire.Wire(inner, sys.argv[1])(scope, nothing, nothing))`;
/** A server behind it that crashes. */
const CRASHES = `import asyncio, sys
from semantics.calls import wire
async def inner(scope, receive, send):
    raise KeyError("3")
scope = {"type": "http", "method": "GET", "path": "/2015-03-31/functions/churn/aliases/live", "query_string": b"", "headers": []}
try:
    asyncio.run(wire.Wire(inner, sys.argv[1])(scope, None, None))
except KeyError:
    pass`;
const asks = (input: string) => (calls: string) =>
  run(
    `const { LambdaClient, GetAliasCommand } = use('@aws-sdk/client-lambda');
    await new LambdaClient({}).send(new GetAliasCommand(${input})).catch(() => {});`,
    calls,
  );
const serves = (program: string) => async (calls: string) => {
  const ran = spawnSync(python, ['-c', program, calls], { cwd: localAws, encoding: 'utf8' });
  expect(ran.stderr).toBe('');
};

test.each<readonly [what: string, cause: (calls: string) => Promise<void>, wrong: string]>([
  ['nothing', asks(`{ FunctionName: 'churn', Name: 'live' }`), ''],
  ['nothing that is answered', serves(REFUSES('ResourceNotFoundException')), ''],
  [
    'a made-up member',
    asks(`{ FunctionName: 'churn', Name: 'live', Made: 1 }`),
    'command: Lambda GetAlias: Made is no member of GetAliasRequest',
  ],
  ['a missing one', asks(`{ FunctionName: 'churn' }`), 'command: Lambda GetAlias: Name is missing'],
  [
    'a pattern',
    asks(`{ FunctionName: 'churn', Name: 'live now' }`),
    "command: Lambda GetAlias: Name is 'live now', which does not match ",
  ],
  [
    'an undeclared error code',
    serves(REFUSES('AliasNotFoundException')),
    'wire: Lambda GetAlias: answer: the error AliasNotFoundException (HTTP 404), which GetAlias does not declare',
  ],
  [
    'an exception in the local AWS',
    serves(CRASHES),
    "internal error of local AWS: GET /2015-03-31/functions/churn/aliases/live: KeyError: '3', at <string>:4 inner < ",
  ],
])('what the end of `npm test` fails for: %s', async (what, cause, wrong) => {
  const calls = join(folder, what.replaceAll(' ', '-'));
  await cause(calls);
  const ended = spawnSync(process.execPath, [join(root, 'test', 'aws-calls.ts')], {
    encoding: 'utf8',
    env: { ...process.env, MODELS_AWS_CALLS: calls },
  });
  const isCrash = wrong.startsWith('internal');
  expect(ended.stdout).toContain(
    `internal errors of local AWS ${isCrash ? 1 : 0}, violations ${wrong === '' || isCrash ? 0 : 1} (botocore`,
  );
  expect(ended.stderr).toContain(wrong);
  expect(ended.status, ended.stderr).toBe(wrong === '' ? 0 : 1);
});

test('what goes wrong within the local AWS is told with where it did, and is no claim about AWS', async () => {
  vi.stubEnv('MODELS_AWS_CALLS', join(folder, 'broken'));
  const broken = await startAws();
  try {
    await breakLambda(broken);
    expect(await errorName(invoke(broken, 'broken', 'private'))).toBe('ServiceException');
    // A call is written down after it is answered.
    const faults = async () => faultsOf(await callReport(join(folder, 'broken')));
    await expect.poll(faults).toHaveLength(1);
  } finally {
    await broken.stop();
    vi.stubEnv('MODELS_AWS_CALLS', join(folder, 'calls'));
  }
  const report = await callReport(join(folder, 'broken'));
  expect(report.violations).toEqual([]);
  expect(faultsOf(report)).toEqual([
    expect.stringMatching(
      /^internal error of local AWS: Lambda Invoke: \w+Error: .*, at .*semantics\/functions\/\w+\.py:\d+ \w+/,
    ),
  ]);
  expect(faultsOf(report).join()).not.toContain('private');
});

test('nothing recorded is no report of calls', async () => {
  expect(await callReport(join(folder, 'none'))).toMatchObject({ calls: 0, operations: [], violations: [] });
  expect((await readdir(join(folder, 'calls'))).length).toBeGreaterThan(1);
});
