/** Somebody moved the alias by hand: an unchanged deploy says so and touches nothing, `--force` releases the template's version. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LambdaClient, UpdateAliasCommand } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { client } from '../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../local-aws/start.ts';
import { fixtures } from '../serving/endpoint.ts';
import { type Deployment, deployService, everythingLeft, type Service } from './service.ts';

const yaml = (memory: number): string => `service: moved
plugins: [serverless-models]
provider: {name: aws}
models:
  churn: {artifact: logreg.onnx, memory: ${memory}}
`;

let aws: LocalAws;
let before: string[];
let service: Service & Deployment;
beforeAll(async () => {
  aws = await startAws();
  before = await everythingLeft(aws);
  const files = { 'logreg.onnx': await readFile(join(fixtures, 'logreg.onnx')) };
  service = await deployService({ yaml: yaml(1024), files }, aws);
  await service.deploy(yaml(2048));
  const lambda = new LambdaClient(client(aws.endpoint));
  await lambda.send(
    new UpdateAliasCommand({ FunctionName: 'moved-dev-churn', Name: 'live', FunctionVersion: '1' }),
  );
  lambda.destroy();
});
afterAll(() => aws?.stop());

const live = async (): Promise<string> => (await service.invoke('churn', { inputs: [] })).version;

test('an unchanged deploy leaves it', async () => {
  const ran = await service.sls('deploy');
  expect(`${ran.stdout}${ran.stderr}`).toMatch(/No changes to deploy/);
  expect(await live()).toBe('1');
});

test('sls deploy --force releases what the template says', async () => {
  const ran = await service.sls('deploy', '--force');
  expect(ran.code, `${ran.stdout}${ran.stderr}`).toBe(0);
  expect(await live()).toBe('2');
});

test('the next deploy has nothing to do, and nothing is left in the end', async () => {
  await service.deploy(yaml(2048));
  expect(await live()).toBe('2');
  await service.remove();
  expect(await everythingLeft(aws)).toEqual(before);
});
