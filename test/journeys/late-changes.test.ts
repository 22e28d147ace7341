/**
 * What the framework, or another plugin, adds to a function after its version has a name: where its log goes,
 * for example. It is the version's own all the same, so another one is another version, once.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { fixtures } from '../serving/endpoint.ts';
import { type Deployment, deployService, type Service } from './service.ts';

const yamlOf = (logs: string, optimize = true, late = 'none'): string => `
service: shop
provider: {name: aws}
plugins: [serverless-models, ./late.cjs]
custom: {late: ${late}}
models:
  churn:
    artifact: logreg.onnx
    optimize: ${optimize}
    release: {strategy: allAtOnce}
    function: ${logs}
    batch: [{input: 's3://shop-rows/', output: 's3://shop-scored/', create: true}]
`;
const LATE = `module.exports = class {
  constructor({ service }) {
    this.hooks = {
      'after:package:compileFunctions': () => {
        const { ChurnLambdaFunction: made } = service.provider.compiledCloudFormationTemplate.Resources;
        if (service.custom.late !== 'none') made.Properties.Environment.Variables.LATE = service.custom.late;
      },
    };
  }
};`;
const MOVED = '{logs: {logGroup: /shop/churn}}';

let aws: LocalAws;
let lambda: LambdaClient;
let service: Service & Deployment;

beforeAll(async () => {
  aws = await startAws();
  lambda = new LambdaClient(client(aws.endpoint));
  const files = { 'logreg.onnx': await readFile(join(fixtures, 'logreg.onnx')), 'late.cjs': LATE };
  service = await deployService({ yaml: yamlOf('{}'), files }, aws);
});
afterAll(async () => {
  lambda?.destroy();
  await service?.remove();
  await aws?.stop();
});

/** What is live of the endpoint and of its batch function: version and log group. */
const live = () =>
  Promise.all(
    ['shop-dev-churn', 'shop-dev-churn-batch'].map(async (FunctionName) => {
      const { Version, LoggingConfig } = await lambda.send(
        new GetFunctionConfigurationCommand({ FunctionName, Qualifier: 'live' }),
      );
      return `${Version} ${LoggingConfig?.LogGroup ?? `/aws/lambda/${FunctionName}`}`;
    }),
  );

it('another log group reaches what is live, and is no change the next time', async () => {
  expect(await live()).toEqual(['1 /aws/lambda/shop-dev-churn', '1 /aws/lambda/shop-dev-churn-batch']);
  await service.deploy(yamlOf(MOVED));
  expect(await live()).toEqual(['2 /shop/churn', '2 /shop/churn']);
  const { printed } = await service.deploy(yamlOf(MOVED));
  expect(printed.stderr).toContain('No changes to deploy');
  await service.deploy(yamlOf(MOVED), '--force');
  expect(await live()).toEqual(['2 /shop/churn', '2 /shop/churn']);
});

it('another version then keeps the log group, and so does the way back', async () => {
  await service.deploy(yamlOf(MOVED, false));
  expect(await live()).toEqual(['3 /shop/churn', '3 /shop/churn']);
  await service.deploy(yamlOf('{}', false));
  expect(await live()).toEqual(['4 /aws/lambda/shop-dev-churn', '4 /aws/lambda/shop-dev-churn-batch']);
  await service.deploy(yamlOf('{}', true));
  expect(await live()).toEqual(['5 /aws/lambda/shop-dev-churn', '5 /aws/lambda/shop-dev-churn-batch']);
});

it('so does what another plugin changes late', async () => {
  const lateOf = async () => {
    const { Environment } = await lambda.send(
      new GetFunctionConfigurationCommand({ FunctionName: 'shop-dev-churn', Qualifier: 'live' }),
    );
    return Environment?.Variables?.LATE;
  };
  await service.deploy(yamlOf('{}', true, 'one'));
  expect(await lateOf()).toBe('one');
  await service.deploy(yamlOf('{}', true, 'two'));
  expect(await lateOf()).toBe('two');
});
