/** Who deploys, invokes, gates and removes needs what docs/deploy-policy.md says, and no more. */
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalAws, REGION, startAws } from '../../local-aws/start.ts';
import { ACCOUNT, makeRole } from '../local-aws/lambda.ts';
import { fixtures } from '../serving/endpoint.ts';
import { everythingLeft, PLUGIN, prepareService, type Ran, type Service } from './service.ts';
import { documented, makeUser, type Statement, type User } from './user.ts';

const yaml = (memory: number, role = ''): string => `service: least
plugins: [serverless-models]
provider: {name: aws${role && `, iam: {deploymentRole: "${role}"}`}}
models:
  churn:
    artifact: add.onnx
    memory: ${memory}
    http: {auth: none}
    gate: {cases: cases.jsonl, reference: "sagemaker:churn-prod"}
    release: {strategy: canary}
`;
const inputs = [
  { name: 'a', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] },
  { name: 'b', datatype: 'FP32', shape: [1, 1], data: [1] },
];
const REQUEST = JSON.stringify({ inputs });
const outputs = [{ name: 'sum', datatype: 'FP32', shape: [1, 3], data: [2, 3, 4] }];
const names = { SERVICE: 'least', MODEL: 'churn', ENDPOINT: 'churn-prod' };
const policy = documented('Deployment', names);
/** Statements that the role of CloudFormation does not need. */
const OF_DEPLOYER = ['Deployment', 'Validation'];

let aws: LocalAws;
let container: Server;
let before: string[];
let service: Service;
let [ci, deployer, caller, tester]: User[] = [];
let role: string;
beforeAll(async () => {
  // What runs on SageMaker takes the protocol and nothing else.
  container = createServer(async (asked, answer) => {
    let text = '';
    for await (const chunk of asked) text += chunk;
    answer.statusCode = text.includes('"datatype"') ? 200 : 400;
    answer.setHeader('content-type', 'application/json');
    answer.end(JSON.stringify({ outputs }));
  });
  await new Promise<void>((done) => container.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(container.address() as AddressInfo).port}`;
  aws = await startAws({ endpoints: { 'churn-prod': url } });
  // What CloudFormation needs, where it takes a role.
  const rest = policy.filter(({ Sid }) => !OF_DEPLOYER.includes(Sid));
  role = await makeRole(aws, 'least-dev-deployment', rest, 'cloudformation');
  before = await everythingLeft(aws);
  [ci, deployer, caller, tester] = await Promise.all(
    ['ci', 'deployer', 'caller', 'tester'].map((name) => makeUser(aws, name)),
  );
  const files = {
    'add.onnx': await readFile(join(fixtures, 'add.onnx')),
    'cases.jsonl': `${REQUEST}\n`,
  };
  service = await prepareService({ yaml: yaml(1024), files }, { ...aws, env: ci?.env ?? {} });
});
afterAll(async () => {
  container?.closeAllConnections();
  container?.close();
  await aws?.stop();
});

/** The same service in another's hands. */
const as = (user: User | undefined, ...args: string[]): Promise<Ran> =>
  service.slsAs(user?.env ?? {}, ...args);
/** By the deployer; CloudFormation takes the role. */
async function deploy(memory: number): Promise<Ran> {
  const file = join(service.dir, 'serverless.yml');
  await writeFile(file, yaml(memory, role).replace('serverless-models', PLUGIN));
  return as(deployer, 'deploy');
}

test('the policy deploys a service with http', async () => {
  await ci?.may(policy);
  const { http } = await service.deploy();
  const answer = await fetch(`${http()}/v2/models/churn/infer`, { method: 'POST', body: REQUEST });
  expect(await answer.json()).toMatchObject({ outputs });
});

test('what a deployer needs beside a deploymentRole deploys the next version, and reads its traffic', async () => {
  const only = (sid: string, Action: string[]): Statement[] =>
    policy.filter(({ Sid }) => Sid === sid).map((statement) => ({ ...statement, Action }));
  const passes = { Sid: 'Pass', Effect: 'Allow', Action: 'iam:PassRole', Resource: role };
  const sids = [...OF_DEPLOYER, 'Bucket', 'ReadTraffic'];
  const own = [...policy.filter(({ Sid }) => sids.includes(Sid)), passes];
  const ticks = only('Functions', [
    'lambda:InvokeFunction',
    'lambda:GetAlias',
    'lambda:ListProvisionedConcurrencyConfigs',
    'lambda:GetFunctionConfiguration',
  ]);
  expect([...own, ...ticks]).toHaveLength(6);
  await deployer?.may([...own, ...ticks]);
  const { code, stdout, stderr } = await deploy(1088);
  expect(code, stdout + stderr).toBe(0);
  expect(stderr).toContain('version 2 has 5 % (step 1 of 3)');
  expect(stderr).toMatch(/churn: what the canary can see/);
  expect(stderr).not.toContain('cannot be read');
  await deployer?.may([...own.filter(({ Sid }) => Sid !== 'ReadTraffic'), ...ticks]);
  const blind = await deploy(1152);
  expect(blind.code, blind.stdout + blind.stderr).toBe(0);
  expect(blind.stderr).toMatch(/its traffic cannot be read/);
});

test('invoke takes the alias, and gate what its policy says: each statement of it', async () => {
  const Resource = `arn:aws:lambda:${REGION}:${ACCOUNT}:function:least-dev-churn:live`;
  await caller?.may([{ Sid: 'Invoke', Effect: 'Allow', Action: 'lambda:InvokeFunction', Resource }]);
  const invoked = await as(caller, 'models', 'invoke', '--data', REQUEST, '--json');
  expect(JSON.parse(invoked.stdout)).toMatchObject({ outputs });

  const statements = documented('Reference', names);
  await tester?.may(statements);
  const gate = await as(tester, 'models', 'gate', '--json');
  expect(gate.code, gate.stdout + gate.stderr).toBe(0);
  expect(JSON.parse(gate.stdout)).toMatchObject({ version: '3', gate: { verdict: 'pass', done: 1 } });
  expect(statements.map(({ Sid }) => Sid)).toEqual(['Alias', 'Version', 'Reference']);
  for (const { Sid } of statements) {
    await tester?.may(statements.filter((one) => one.Sid !== Sid));
    const { code, stdout } = await as(tester, 'models', 'gate', '--json');
    expect(code, Sid).toBe(1);
    expect(stdout, Sid).toMatch(/AccessDenied|not authorized/);
  }
});

test('the policy removes it in mid-release, and nothing is left', async () => {
  await service.remove();
  expect((await everythingLeft(aws)).filter((thing) => !before.includes(thing))).toEqual([]);
});
