/**
 * Adding, renaming, changing and removing a model, with throttling on: each deploy succeeds, the others keep
 * answering.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { fixtures } from '../serving/endpoint.ts';
import { type Deployment, deployService, everythingLeft, type Service } from './service.ts';

const yaml = (models: Readonly<Record<string, string>>): string =>
  `service: many
plugins: [serverless-models]
provider: {name: aws}
models:
${Object.entries(models)
  .map(
    ([name, artifact]) =>
      `  ${name}: {artifact: ${artifact}, http: {auth: none, throttle: {rate: 50, burst: 100}}}\n`,
  )
  .join('')}`;

/** It fails after the alias of `late` was made. */
const BROKEN = `resources:
  Resources:
    Broken:
      Type: AWS::ApiGatewayV2::Stage
      DependsOn: LateLiveAlias
      Properties:
        ApiId: {Ref: HttpApi}
        StageName: broken
        RouteSettings: {"GET /nowhere": {ThrottlingRateLimit: 1, ThrottlingBurstLimit: 1}}
`;

let aws: LocalAws;
let before: string[];
let service: Service & Deployment;
let base: string;
let asking = true;
const faults: string[] = [];
let answered = 0;

/** Asks the model that stays, all the time, and keeps what was not an answer. */
async function ask(): Promise<void> {
  while (asking) {
    const answer = await fetch(`${base}/v2/models/stays/infer`, {
      method: 'POST',
      body: JSON.stringify(request),
    }).catch((error: Error) => error);
    if (answer instanceof Error) faults.push(answer.message);
    else if (answer.status !== 200) faults.push(`${answer.status} ${await answer.text()}`);
    else answered++;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

let request: object;
let running: Promise<void>;
beforeAll(async () => {
  const { models } = JSON.parse(await readFile(join(fixtures, 'answers.json'), 'utf8'));
  request = { inputs: models['logreg.onnx'].inputs };
  aws = await startAws();
  before = await everythingLeft(aws);
  service = await deployService(
    {
      yaml: yaml({ stays: 'logreg.onnx' }),
      files: {
        'logreg.onnx': await readFile(join(fixtures, 'logreg.onnx')),
        'gbm.onnx': await readFile(join(fixtures, 'gbm.onnx')),
      },
    },
    aws,
  );
  base = service.http();
  running = ask();
});
afterAll(() => aws?.stop());

const statusOf = async (model: string): Promise<number> =>
  (await fetch(`${base}/v2/models/${model}/ready`)).status;

test('a model is added', async () => {
  await service.deploy(yaml({ stays: 'logreg.onnx', second: 'gbm.onnx' }));
  expect(await statusOf('second')).toBe(200);
});

test('a model gets another artifact', async () => {
  const { invoke } = await service.deploy(yaml({ stays: 'logreg.onnx', second: 'logreg.onnx' }));
  expect((await invoke('second', request)).answer).toMatchObject({ model_version: '2' });
});

test('a model is renamed', async () => {
  const { printed } = await service.deploy(yaml({ stays: 'logreg.onnx', renamed: 'logreg.onnx' }));
  const warning =
    'second: is no longer declared, and this deploy deletes it with its endpoint many-dev-second. If renamed is its new name: a rename is a delete and a create, without a canary.';
  expect(printed.stderr.split('\n').filter((line) => line.includes('no longer declared'))).toEqual([warning]);
  expect(printed.stderr.indexOf(warning)).toBeLessThan(printed.stderr.indexOf('Uploading'));
  expect(await statusOf('renamed')).toBe(200);
  expect(await statusOf('second')).toBe(404);
});

test('a model is removed', async () => {
  const { printed } = await service.deploy(yaml({ stays: 'logreg.onnx' }));
  // What an earlier deploy deleted is in the registry still, and nothing to warn of.
  expect(printed.stderr.split('\n').filter((line) => line.includes('no longer declared'))).toEqual([
    'renamed: is no longer declared, and this deploy deletes it with its endpoint many-dev-renamed.',
  ]);
  expect(await statusOf('renamed')).toBe(404);
});

test('a model whose function has a name of its own is removed with all that is of it', async () => {
  const both = { stays: 'logreg.onnx', named: 'gbm.onnx, function: {name: score-by-name}' };
  await service.deploy(yaml(both));
  expect(await statusOf('named')).toBe(200);
  const there = (lines: readonly string[]) => lines.filter((line) => line.includes('score-by-name'));
  expect(there(await everythingLeft(aws))).not.toEqual([]);
  const { printed } = await service.deploy(yaml({ stays: 'logreg.onnx' }));
  expect(printed.stdout + printed.stderr).not.toMatch(/DELETE_FAILED|AccessDenied/);
  expect(there(await everythingLeft(aws))).toEqual([]);
});

test('and one that goes with a stack that rolls back: the role is already what it was before', async () => {
  const late = 'logreg.onnx, function: {name: never-by-name}';
  const failed = await service.deploy(yaml({ stays: 'logreg.onnx', late }) + BROKEN).catch(String);
  expect(failed).toContain('Unable to find Route by key GET /nowhere');
  expect(failed).not.toMatch(/DELETE_FAILED|AccessDenied/);
  expect((await everythingLeft(aws)).filter((line) => line.includes('never-by-name'))).toEqual([]);
});

test('the model that stayed answered all along', async () => {
  asking = false;
  await running;
  expect(faults).toEqual([]);
  expect(answered).toBeGreaterThan(50);
});

test('the last model is removed', async () => {
  const { printed } = await service.deploy(yaml({}));
  expect(printed.stderr.split('\n').filter((line) => line.includes('no longer declared'))).toEqual([
    'stays: is no longer declared, and this deploy deletes it with its endpoint many-dev-stays.',
  ]);
  // Who still declares it is told that it is gone, and not how its last release stood.
  const file = join(service.dir, 'serverless.yml');
  const written = await readFile(file, 'utf8');
  await writeFile(file, `${written}  stays: {artifact: logreg.onnx}\n`);
  const { stdout } = await service.sls('models', 'status', '--json');
  await writeFile(file, written);
  expect(JSON.parse(stdout)).toMatchObject([
    { phase: 'NONE', summary: 'It is not deployed any more: its function is gone.' },
  ]);
});

test('and nothing is left after sls remove', async () => {
  await service.remove();
  expect(await everythingLeft(aws)).toEqual(before);
});
