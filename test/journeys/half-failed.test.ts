/**
 * Deploys that fail half-way: the live version goes on, the next deploy works, and `sls remove` leaves
 * nothing.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { fixtures } from '../serving/endpoint.ts';
import { deployService, everythingLeft, prepareService } from './service.ts';

/**
 * Something of the service's own that AWS refuses, created after the model's alias: settings of a route that
 * is not there.
 */
const BROKEN = `resources:
  Resources:
    Broken:
      Type: AWS::ApiGatewayV2::Stage
      DependsOn: ChurnLiveAlias
      Properties:
        ApiId: {Ref: HttpApi}
        StageName: broken
        RouteSettings: {"GET /nowhere": {ThrottlingRateLimit: 1, ThrottlingBurstLimit: 1}}
`;
const yaml = (artifact: string, more = ''): string => `service: half
plugins: [serverless-models]
provider: {name: aws}
models:
  churn: {artifact: ${artifact}, http: {auth: none}}
${more}`;

let aws: LocalAws;
let before: string[];
let files: Record<string, Uint8Array>;
beforeAll(async () => {
  files = {
    'logreg.onnx': await readFile(join(fixtures, 'logreg.onnx')),
    'gbm.onnx': await readFile(join(fixtures, 'gbm.onnx')),
  };
  aws = await startAws();
  before = await everythingLeft(aws);
});
afterAll(() => aws?.stop());

test('a first deploy that fails, then sls remove', async () => {
  const service = await prepareService({ yaml: yaml('logreg.onnx', BROKEN), files }, aws);
  const failed = await service.sls('deploy');
  expect(failed.code).not.toBe(0);
  await service.remove();
  expect(await everythingLeft(aws)).toEqual(before);
});

test('an update that fails leaves the live version, and the same change can be deployed after the cure', async () => {
  const service = await deployService({ yaml: yaml('logreg.onnx'), files }, aws);
  const { models } = JSON.parse(await readFile(join(fixtures, 'answers.json'), 'utf8'));
  const request = { inputs: models['logreg.onnx'].inputs };
  await expect(service.deploy(yaml('gbm.onnx', BROKEN))).rejects.toThrow(/failed/);
  expect((await service.invoke('churn', request)).answer).toMatchObject({ model_version: '1' });
  const cured = await service.deploy(yaml('gbm.onnx'));
  const live = await cured.invoke('churn', { inputs: models['gbm.onnx'].inputs });
  expect(live.answer).toMatchObject({ outputs: expect.any(Array) });
  expect(Number(live.version)).toBeGreaterThan(1);
  await service.remove();
  expect(await everythingLeft(aws)).toEqual(before);
});

// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-failure-options.html
test('an update that fails and is not rolled back: the next one makes the function that never was', async () => {
  const service = await deployService(
    { yaml: yaml('logreg.onnx').replace(', http: {auth: none}', ''), files },
    aws,
  );
  const stays = (more: string): string =>
    yaml('logreg.onnx', more).replace('{name: aws}', '{name: aws, disableRollback: true}');
  const first = `  extensions:
    ModelsDashcatalogLambdaFunction: {DependsOn: [ModelsDashcatalogLogGroup, Broken]}
`;
  const broken = BROKEN.replace('      DependsOn: ChurnLiveAlias\n', '').replace(
    'resources:\n',
    (at) => at + first,
  );
  await expect(service.deploy(stays(broken))).rejects.toThrow(/failed/);
  const cured = await service.deploy(stays(''));
  expect((await fetch(`${cured.http()}/openapi.json`)).status).toBe(200);
  await service.remove();
  expect(await everythingLeft(aws)).toEqual(before);
});

test('an artifact that is refused changes nothing', async () => {
  const service = await deployService({ yaml: yaml('logreg.onnx'), files }, aws);
  await expect(service.deploy(yaml('no-such.onnx'))).rejects.toThrow(
    /models\.churn\.artifact.*no-such\.onnx/,
  );
  expect((await service.invoke('churn', { inputs: [] })).version).toBe('1');
  await service.remove();
  expect(await everythingLeft(aws)).toEqual(before);
});
