/** What models say may stand in the Parameter Store, as anything of a service may. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CloudFormationClient,
  CreateStackCommand,
  waitUntilStackCreateComplete,
} from '@aws-sdk/client-cloudformation';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { fixtures } from '../serving/endpoint.ts';
import { prepareService } from './service.ts';

const YAML = `service: shop
plugins: [serverless-models]
provider: {name: aws}
models:
  churn:
    artifact: models/\${ssm:/shop/artifact}.onnx
    memory: \${ssm:/shop/memory}
    function:
      environment: {TABLE: "\${ssm:/shop/table}"}
`;
const PARAMETERS = { artifact: 'add', memory: '2048', table: 'customers' };

let aws: LocalAws;
/** The folder of a service that is not deployed, and so not removed. */
let folder: string | undefined;
beforeAll(async () => {
  aws = await startAws();
  const cloudFormation = new CloudFormationClient(client(aws.endpoint));
  const Resources = Object.fromEntries(
    Object.entries(PARAMETERS).map(([name, Value]) => [
      name,
      { Type: 'AWS::SSM::Parameter', Properties: { Name: `/shop/${name}`, Type: 'String', Value } },
    ]),
  );
  const stack = { StackName: 'parameters', TemplateBody: JSON.stringify({ Resources }) };
  await cloudFormation.send(new CreateStackCommand(stack));
  await waitUntilStackCreateComplete(
    { client: cloudFormation, maxWaitTime: 120, minDelay: 0.2, maxDelay: 0.5 },
    stack,
  );
  cloudFormation.destroy();
});
afterAll(async () => {
  await aws?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

test('variables of the Parameter Store work inside models', async () => {
  const files = { 'models/add.onnx': await readFile(join(fixtures, 'add.onnx')) };
  const service = await prepareService({ yaml: YAML, files }, aws);
  folder = service.dir;
  const { code, stdout, stderr } = await service.sls('package');
  expect(code, stdout + stderr).toBe(0);
  const { Resources } = JSON.parse(
    await readFile(join(service.dir, '.serverless', 'cloudformation-template-update-stack.json'), 'utf8'),
  );
  expect(Resources.ChurnLambdaFunction.Properties).toMatchObject({
    MemorySize: 2048,
    Environment: { Variables: { TABLE: 'customers' } },
  });
  const listed = await service.sls('models', 'list', '--json');
  expect(JSON.parse(listed.stdout)).toMatchObject([{ name: 'churn', artifact: 'models/add.onnx' }]);
});
