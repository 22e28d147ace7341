import { spawnSync } from 'node:child_process';
import { InvokeCommand, LambdaClient, type LambdaServiceException } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { awsPython } from '../../../local-aws/aws-python.ts';
import { client } from '../../../local-aws/deployed.ts';
import { localAws } from '../../../local-aws/start.ts';
import { breakLambda, withAndWithout } from '../lambda.ts';

// What fails here is meant to: it is no error of the whole run, whose calls are counted at its end.
beforeAll(() => {
  vi.stubEnv('MODELS_AWS_CALLS', undefined);
});
afterAll(() => {
  vi.unstubAllEnvs();
});

/** https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors */
it('answers a failure of its own as Lambda does, and says what it is', async () => {
  const { on, off } = await withAndWithout('internal_errors', async (aws) => {
    await breakLambda(aws);
    const lambda = new LambdaClient({ ...client(aws.endpoint), maxAttempts: 1 });
    const asked = lambda.send(new InvokeCommand({ FunctionName: 'broken' }));
    const error = await asked.then(
      () => undefined,
      (thrown: LambdaServiceException) => thrown,
    );
    lambda.destroy();
    return [error?.name, error?.$metadata.httpStatusCode, error?.message];
  });
  expect(on).toEqual([
    'ServiceException',
    500,
    expect.stringMatching(/^The local AWS failed: \w+Error: .*, at .+:\d+ \w+ < .+:\d+ \w+ < /),
  ]);
  expect(off.slice(0, 2)).toEqual(['InternalError', 500]);
});

/** What an operation is answered with, and what is wrong with it as AWS's answer. */
const PROGRAM = `import json, sys
from semantics import internal_errors
from semantics.calls import identify, wire
for signed, method, path, query, headers in json.load(sys.stdin):
    headers = {"authorization": f"AWS4-HMAC-SHA256 Credential=test/20261127/us-east-1/{signed}/aws4_request, Signature=0", **headers}
    status, answered, body = internal_errors.answer(KeyError("<3>"), method, path, headers, query, b"")
    service, name, protocol = identify.operation(method, path, headers, query, b"")
    answered = {key.lower(): value for key, value in answered.items()}
    print(json.dumps([name, status, *wire.problems(service, name, protocol, status, answered, body)]))`;

type Asked = readonly [
  signed: string,
  method: string,
  path: string,
  query: Readonly<Record<string, readonly string[]>>,
  headers: Readonly<Record<string, string>>,
];
const form = (Action: string): Asked[3] => ({ Action: [Action] });
const ASKED: readonly (readonly [operation: string, code: string, asked: Asked])[] = [
  ['Invoke', 'ServiceException', ['lambda', 'POST', '/2015-03-31/functions/f/invocations', {}, {}]],
  ['UpdateSchedule', 'InternalServerException', ['scheduler', 'PUT', '/schedules/s', {}, {}]],
  ['PutRolePolicy', 'ServiceFailure', ['iam', 'GET', '/', form('PutRolePolicy'), {}]],
  ['DescribeStacks', 'InternalFailure', ['cloudformation', 'GET', '/', form('DescribeStacks'), {}]],
  ['GetObject', 'InternalError', ['s3', 'GET', '/bucket/key', {}, {}]],
  [
    'StartExecution',
    'InternalFailure',
    ['states', 'POST', '/', {}, { 'x-amz-target': 'AWSStepFunctions.StartExecution' }],
  ],
];

/**
 * https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
it('has the code of each service for it, in the service’s protocol', async () => {
  const ran = spawnSync(await awsPython(console.error), ['-c', PROGRAM], {
    cwd: localAws,
    input: JSON.stringify(ASKED.map(([, , asked]) => asked)),
    encoding: 'utf8',
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  });
  const answers = ran.stdout.trim().split('\n');
  expect(
    answers.map((line): unknown => JSON.parse(line)),
    ran.stderr,
  ).toEqual(ASKED.map(([operation, code]) => [operation, 500, code, []]));
});
