/** Who looks at releases and steers them needs the policy that docs/deploy-policy.md gives, and each statement of it. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  IAMClient,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { client } from '../local-aws/deployed.ts';
import { ACCOUNT } from '../local-aws/lambda.ts';
import { type LocalAws, REGION, startAws } from '../local-aws/start.ts';
import { fixtures, repository } from '../serving/endpoint.ts';
import { blocks } from '../unit/docs-pages.ts';
import { type Deployment, deployService, type Service } from './service.ts';

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

type Statement = { readonly Sid: string };
const statements = (): readonly Statement[] => {
  const found = blocks('json').find(
    ({ page, text }) => page === 'docs/deploy-policy.md' && text.includes('"Steer"'),
  );
  const text = (found?.text ?? '')
    .replaceAll('ACCOUNT', ACCOUNT)
    .replaceAll('REGION', REGION)
    .replaceAll('SERVICE', 'rights')
    .replaceAll('STAGE', 'dev');
  return (JSON.parse(text) as { readonly Statement: readonly Statement[] }).Statement;
};

let aws: LocalAws;
let service: Service & Deployment;
let iam: IAMClient;
let credentials: Readonly<Record<string, string>>;
beforeAll(async () => {
  aws = await startAws();
  service = await deployService(
    { yaml: yaml(1024), files: { 'add.onnx': await readFile(join(fixtures, 'add.onnx')) } },
    aws,
  );
  await service.deploy(yaml(1088));
  iam = new IAMClient(client(aws.endpoint));
  await iam.send(new CreateUserCommand({ UserName: 'oncall' }));
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'oncall' }));
  credentials = {
    AWS_ACCESS_KEY_ID: AccessKey?.AccessKeyId ?? '',
    AWS_SECRET_ACCESS_KEY: AccessKey?.SecretAccessKey ?? '',
  };
});
afterAll(async () => {
  iam?.destroy();
  await aws?.stop();
});

const may = (allowed: readonly Statement[]) =>
  iam.send(
    new PutUserPolicyCommand({
      UserName: 'oncall',
      PolicyName: 'releases',
      PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement: allowed }),
    }),
  );

const asOncall = (...args: string[]): Promise<{ readonly code: number; readonly output: string }> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(repository, 'node_modules', 'osls', 'bin', 'serverless.js'), 'models', ...args],
      { cwd: service.dir, env: { ...process.env, ...aws.env, ...credentials, NO_COLOR: '1' } },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : 1, output: stdout + stderr }),
    );
  });

test('with the policy each command works, in the name of who asked', async () => {
  await may(statements());
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
  expect(history.output).toContain('promoted, then rolled back');
});

test.each(['Bucket', 'Registry', 'Traffic', 'Alarms', 'Steer'])('without %s it does not', async (sid) => {
  const less = statements().filter(({ Sid }) => Sid !== sid);
  expect(less).toHaveLength(statements().length - 1);
  await may(less);
  const { code, output } = await asOncall(...(sid === 'Steer' ? ['hold'] : ['status']));
  if (sid === 'Alarms') expect(output).toContain('alarms     cannot be read');
  else {
    expect(code).toBe(1);
    expect(output).toMatch(/AccessDenied|not authorized/);
    expect(output).toMatch(/MODELS_(AWS|NOT_DEPLOYED)/);
  }
});
