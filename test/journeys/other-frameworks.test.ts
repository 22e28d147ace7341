/**
 * osls 3 and Serverless 3.40: a service from its first deploy to its removal, with a second version between.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { install, osls3, serverless3 } from '../golden/frameworks.ts';
import { fixtures } from '../serving/endpoint.ts';
import { deployService, everythingLeft } from './service.ts';

const yaml = (name: string, memory: number, provider: string): string => `
service: ${name}
provider: {name: aws, runtime: nodejs20.x${provider}}
plugins: [serverless-models]
package: {patterns: ['!**', own.mjs]}
functions:
  own: {handler: own.handler}
models:
  churn:
    artifact: churn.onnx
    memory: ${memory}
    http: {auth: none}
    release: {strategy: allAtOnce}
`;

let aws: LocalAws;
beforeAll(async () => {
  for (const framework of [osls3, serverless3]) await install(framework);
  aws = await startAws();
});
afterAll(() => aws?.stop());

const Bucket = 'old-deployments';
test.each([
  ['osls-3', osls3, ''],
  // Without change sets, and to a bucket of the user's own.
  ['serverless-3', serverless3, `, deploymentMethod: direct, deploymentBucket: ${Bucket}`],
])('%s deploys, changes and removes a service with a model', async (name, framework, provider) => {
  const s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  if (provider !== '') await s3.send(new CreateBucketCommand({ Bucket }));
  s3.destroy();
  const before = await everythingLeft(aws);
  const files = {
    'churn.onnx': await readFile(join(fixtures, 'add.onnx')),
    'own.mjs': 'export const handler = async () => ({ own: true });\n',
  };
  const service = await deployService({ yaml: yaml(name, 1769, provider), files }, aws, 'dev', framework.bin);
  const { models } = JSON.parse(await readFile(join(fixtures, 'answers.json'), 'utf8'));
  const { inputs, outputs } = models['add.onnx'];

  const asked = await fetch(`${service.http()}/v2/models/churn/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ inputs }),
  });
  expect(await asked.json()).toMatchObject({ model_version: '1', outputs });
  expect((await service.invoke('own', {}, '')).answer).toEqual({ own: true });
  expect(
    (await service.sls('invoke', '--function', 'churn', '--data', JSON.stringify({ inputs }))).stdout,
  ).toContain('"model_name": "churn"');

  const again = await service.deploy(yaml(name, 2048, provider));
  expect(await again.invoke('churn', { inputs })).toMatchObject({ version: '2', answer: { outputs } });
  const status = await service.sls('models', 'status', '--json');
  expect(JSON.parse(status.stdout)).toMatchObject([{ model: 'churn' }]);

  await service.remove();
  expect(await everythingLeft(aws)).toEqual(before);
});
