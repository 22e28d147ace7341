/**
 * Who looks at releases and steers them needs the policy that docs/deploy-policy.md gives, and each statement
 * of it.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { ACCOUNT } from '../local-aws/lambda.ts';
import { fixtures } from '../serving/endpoint.ts';
import { type Deployment, deployService, type Service } from './service.ts';
import { documented, makeUser, type User } from './user.ts';

const yaml = (memory: number): string => `service: rights
plugins: [serverless-models]
provider: {name: aws}
models:
  churn:
    artifact: add.onnx
    memory: ${memory}
    concurrency: {provisioned: 1}
    release: {strategy: canary}
`;

const statements = documented('Steer', { SERVICE: 'rights' });

let aws: LocalAws;
let service: Service & Deployment;
let oncall: User;
beforeAll(async () => {
  // Provisioned concurrency takes a minute.
  aws = await startAws({ speed: 10 });
  service = await deployService(
    { yaml: yaml(1024), files: { 'add.onnx': await readFile(join(fixtures, 'add.onnx')) } },
    aws,
  );
  await service.deploy(yaml(1088));
  oncall = await makeUser(aws, 'oncall');
});
afterAll(() => aws?.stop());

async function asOncall(...args: string[]): Promise<{ readonly code: number; readonly output: string }> {
  const { code, stdout, stderr } = await service.slsAs(oncall.env, 'models', ...args);
  return { code: code === 0 ? 0 : 1, output: stdout + stderr };
}

test('with the policy each command works, in the name of who asked', async () => {
  await oncall.may(statements);
  const { code, output } = await asOncall('status');
  expect(code, output).toBe(0);
  expect(output).toContain('Version 2 has 5 %, step 1 of 3.');
  expect(output).toMatch(/capacity +version 1: 1 of 1 instances ready/);
  expect(output).not.toContain('cannot be read');
  const held = await asOncall('hold', '--reason', 'look');
  expect(held.output).toContain(`held by arn:aws:iam::${ACCOUNT}:user/oncall: look`);
  expect((await asOncall('resume')).code).toBe(0);
  expect((await asOncall('promote')).code).toBe(0);
  expect((await asOncall('rollback')).code).toBe(0);
  const history = await asOncall('history');
  expect(history.code, history.output).toBe(0);
  expect(history.output).toMatch(/promoted after [^,]+, then rolled back/);
});

test('the log that status sends to is read with the statement for it, and not without', async () => {
  const readLog = async (): Promise<{ readonly code: number; readonly output: string }> => {
    const { code, stdout, stderr } = await service.slsAs(oncall.env, 'logs', '-f', 'models-release');
    return { code, output: stdout + stderr };
  };
  await oncall.may(statements);
  expect((await readLog()).output).toContain('logs:DescribeLogStreams');
  await oncall.may([...statements, ...documented('ReadLogs', { SERVICE: 'rights' })]);
  const { code, output } = await readLog();
  expect(code, output).toBe(0);
  expect(output).toContain('START');
});

test.each(['Bucket', 'Worker'])('the registry is found without %s', async (sid) => {
  await oncall.may(statements.filter(({ Sid }) => Sid !== sid));
  const { code, output } = await asOncall('status');
  expect(code, output).toBe(0);
});

test('without either it is not', async () => {
  await oncall.may(statements.filter(({ Sid }) => Sid !== 'Bucket' && Sid !== 'Worker'));
  const { code, output } = await asOncall('status');
  expect(code).toBe(1);
  expect(output).toMatch(/not authorized.*MODELS_AWS/s);
});

test.each(['Registry', 'Traffic', 'Alarms', 'Steer'])('without %s it does not', async (sid) => {
  const less = statements.filter(({ Sid }) => Sid !== sid);
  expect(less).toHaveLength(statements.length - 1);
  await oncall.may(less);
  const { code, output } = await asOncall(...(sid === 'Steer' ? ['hold'] : ['status']));
  if (sid === 'Alarms') {
    expect(output).toContain('alarms     cannot be read');
    expect(output).not.toContain('OK, nothing to do');
  } else {
    expect(code).toBe(1);
    expect(output).toMatch(/AccessDenied|not authorized/);
    expect(output).toMatch(/MODELS_(AWS|NOT_DEPLOYED)/);
  }
});
