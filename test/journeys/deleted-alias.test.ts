/**
 * Somebody deleted the alias: it comes back, and status says what went with it, with the commands that
 * restore it.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateFunctionCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  DeleteFunctionEventInvokeConfigCommand,
  DeleteFunctionUrlConfigCommand,
  GetAliasCommand,
  GetFunctionCommand,
  GetFunctionEventInvokeConfigCommand,
  GetFunctionUrlConfigCommand,
  GetPolicyCommand,
  LambdaClient,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, REGION, startAws } from '../../local-aws/start.ts';
import { missingOfAlias } from '../../plugins/models/releases/lacks-look.ts';
import type { Status } from '../../plugins/models/releases/status.ts';
import { ACCOUNT } from '../local-aws/lambda.ts';
import { fixtures } from '../serving/endpoint.ts';
import { commandsIn, runAws } from './aws-cli.ts';
import { type Deployment, deployService, everythingLeft, type Service } from './service.ts';
import { documented, makeUser, type User } from './user.ts';

const YAML = `service: gone
plugins: [serverless-models]
provider: {name: aws}
models:
  churn:
    artifact: logreg.onnx
    http: {auth: none}
    release: {strategy: allAtOnce}
    function:
      url: {cors: {allowedOrigins: ["https://it's.example"], maxAge: 300}}
      maximumRetryAttempts: 1
      events: [{sns: news}]
`;
const NAME = { FunctionName: 'gone-dev-churn', Qualifier: 'live' };

let aws: LocalAws;
let before: string[];
let service: Service & Deployment;
let lambda: LambdaClient;
let inputs: unknown;
let policy: Policy;
beforeAll(async () => {
  aws = await startAws();
  before = await everythingLeft(aws);
  lambda = new LambdaClient(client(aws.endpoint));
  service = await deployService(
    { yaml: YAML, files: { 'logreg.onnx': await readFile(join(fixtures, 'logreg.onnx')) } },
    aws,
  );
  const { models } = JSON.parse(await readFile(join(fixtures, 'answers.json'), 'utf8'));
  inputs = models['logreg.onnx'].inputs;
  policy = await policyOf();
});
afterAll(async () => {
  lambda?.destroy();
  await aws?.stop();
});

type Policy = readonly { readonly Sid: string }[];
async function policyOf(): Promise<Policy> {
  const { Policy = '{}' } = await lambda.send(new GetPolicyCommand(NAME));
  return (JSON.parse(Policy) as { readonly Statement: Policy }).Statement.toSorted((a, b) =>
    a.Sid.localeCompare(b.Sid),
  );
}

async function infer(): Promise<number> {
  const answer = await fetch(`${service.http()}/v2/models/churn/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ inputs }),
  });
  await answer.text();
  return answer.status;
}

async function status(...options: string[]): Promise<string> {
  const ran = await service.sls('models', 'status', ...options);
  expect(ran.code, `${ran.stdout}${ran.stderr}`).toBe(0);
  return ran.stdout;
}

const answers = async (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'there',
    (error: Error) => error.name,
  );

test('before, requests are answered, and nothing is to do', async () => {
  expect(await infer()).toBe(200);
  expect(policy).toHaveLength(4);
  expect(await status()).toMatch(/^churn: OK, nothing to do\./);
});

test('once it is gone, status says how it comes back and what will be missing', async () => {
  // AWS’s pages do not say whether these two stay without their alias: here they do not.
  await lambda.send(new DeleteFunctionUrlConfigCommand(NAME));
  await lambda.send(new DeleteFunctionEventInvokeConfigCommand(NAME));
  await lambda.send(new DeleteAliasCommand({ FunctionName: NAME.FunctionName, Name: 'live' }));
  expect(await infer()).toBeGreaterThanOrEqual(500);
  const text = await status();
  expect(text).toMatch(/^churn: ACT NOW\. The alias is gone, and callers get errors; version 1 was live\./);
  expect(text).toMatch(/to do +`sls deploy --stage dev` makes it again\./);
  expect(text).toMatch(
    /Then 4 permissions, the function URL and the settings of asynchronous calls will be missing/,
  );
  expect(commandsIn(text)).toEqual([]);
});

test('a deploy makes it again, and status lists what is missing', async () => {
  const ran = await service.sls('deploy');
  expect(ran.code, `${ran.stdout}${ran.stderr}`).toBe(1);
  expect(`${ran.stdout}${ran.stderr}`).toContain('MODELS_ALIAS_PERMISSIONS');
  expect(
    await lambda.send(new GetAliasCommand({ FunctionName: NAME.FunctionName, Name: 'live' })),
    `${ran.stdout}${ran.stderr}`,
  ).toMatchObject({ FunctionVersion: '1' });
  expect(await infer()).toBe(500);
  const [one] = JSON.parse(await status('--json')) as [Status];
  expect(one).toMatchObject({
    level: 'act',
    summary: expect.stringMatching(
      /^Callers get errors: 4 permissions, the function URL and the settings of asynchronous calls of the alias are missing, since it was deleted and made again /,
    ),
  });
  expect(commandsIn(one.todo.join('\n'))).toHaveLength(6);
});

test('without its permissions status says that it cannot be checked, and how to', async () => {
  const user: User = await makeUser(aws, 'oncall');
  await user.may(documented('Steer', { SERVICE: 'gone' }).filter(({ Sid }) => Sid !== 'DeletedAlias'));
  const ran = await service.slsAs(user.env, 'models', 'status');
  expect(ran.code, `${ran.stdout}${ran.stderr}`).toBe(0);
  expect(ran.stdout).toMatch(/^churn: LOOK, not urgent\. .* cannot be checked: .*cloudformation:GetTemplate/);
  expect(ran.stdout).toContain('aws lambda get-policy --function-name gone-dev-churn --qualifier live');
  await user.may(documented('Steer', { SERVICE: 'gone' }));
  const all = await service.slsAs(user.env, 'models', 'status');
  expect(all.stdout).toMatch(/^churn: ACT NOW\. Callers get errors: 4 permissions/);
});

test('the commands that it lists restore all of it', async () => {
  const commands = commandsIn(await status());
  expect(commands).toHaveLength(6);
  for (const command of commands) await runAws(aws, command);
  expect(await infer()).toBe(200);
  expect(await policyOf()).toEqual(policy);
  expect(await answers(lambda.send(new GetFunctionEventInvokeConfigCommand(NAME)))).toBe('there');
  expect(await lambda.send(new GetFunctionUrlConfigCommand(NAME))).toMatchObject({
    AuthType: 'NONE',
    Cors: { AllowOrigins: ["https://it's.example"], MaxAge: 300 },
  });
  expect(await status()).toMatch(/^churn: OK, nothing to do\. Version 1 has all traffic\./);
});

test('the end of a deploy names what is missing, and nothing once it is there', async () => {
  const config = { ...client(aws.endpoint), credentials: async () => client(aws.endpoint).credentials };
  const place = { stack: service.stack, region: REGION, by: `arn:aws:iam::${ACCOUNT}:user/me`, stage: 'dev' };
  const release = { model: 'churn', functionName: NAME.FunctionName, alias: 'live' };
  const remade = { at: new Date().toISOString() };
  const missing = () => missingOfAlias(config, place, [{ ...release, remade }]);
  expect(await missing()).toEqual({ problems: [], lines: [] });
  await lambda.send(new DeleteFunctionUrlConfigCommand(NAME));
  expect(await missing()).toMatchObject({
    problems: [{ code: 'MODELS_ALIAS_PERMISSIONS', key: 'models.churn' }],
    lines: [],
  });
});

test('without the release worker nothing is uploaded, and the deploy says how it is made again', async () => {
  const name = { FunctionName: 'gone-dev-models-release' };
  const { Code, Configuration } = await lambda.send(new GetFunctionCommand(name));
  const ZipFile = new Uint8Array(await (await fetch(Code?.Location ?? '')).arrayBuffer());
  await lambda.send(new DeleteFunctionCommand(name));
  const ran = await service.sls('deploy');
  expect(ran.code).toBe(1);
  expect(`${ran.stdout}${ran.stderr}`).toContain(
    'models: Somebody deleted the function gone-dev-models-release, and the stack still has it. No deploy makes it again,',
  );
  expect(ran.stderr).not.toContain('Uploading');
  const back = await service.sls('models', 'rollback', '--model', 'churn');
  expect(`${back.stdout}${back.stderr}`).toContain(
    'there is no release worker gone-dev-models-release in us-east-1.',
  );
  // As a drift-aware change set does, which the local CloudFormation does not know.
  const { Role, Handler, Runtime, Timeout, MemorySize, Environment, Architectures } = Configuration ?? {};
  const kept = { Role, Handler, Runtime, Timeout, MemorySize, Environment, Architectures };
  await lambda.send(new CreateFunctionCommand({ ...name, ...kept, Code: { ZipFile } }));
  expect((await service.sls('deploy')).stderr).toContain('churn: version 1 is live');
  expect(await infer()).toBe(200);
});

test('CloudFormation finds what it made, and nothing is left in the end', async () => {
  await service.remove();
  expect(await everythingLeft(aws)).toEqual(before);
});
