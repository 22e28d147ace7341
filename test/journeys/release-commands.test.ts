/** A canary seen and steered from the command line, by people who look at nothing else. */
import { execFile, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { fixtures, repository } from '../serving/endpoint.ts';
import { firstAlone } from '../warm-sls.ts';
import { type Deployment, deployService, PLUGIN, type Ran, type Service } from './service.ts';

const yaml = (memory: number, gate = ''): string => `service: steered
plugins: [serverless-models]
provider: {name: aws}
models:
  churn:
    artifact: add.onnx
    memory: ${memory}
    traffic: 5/s
    ${gate}
    release:
      strategy: canary
      minRequests: 5
      increase: 50%
      steps: [{weight: 20, bake: 1m}, {weight: 50, bake: 1m}]
`;

const SLS = join(repository, 'node_modules', 'osls', 'bin', 'serverless.js');

/** a is [n, 3] and b [n, 1]; what is expected for the second row is wrong. */
const CASES = `{"inputs":[{"name":"a","datatype":"FP32","shape":[1,3],"data":[1,2,3]},{"name":"b","datatype":"FP32","shape":[1,1],"data":[1]}],"outputs":[{"name":"sum","datatype":"FP32","shape":[1,3],"data":[2,3,4]}]}
{"inputs":[{"name":"a","datatype":"FP32","shape":[1,3],"data":[1,2,3]},{"name":"b","datatype":"FP32","shape":[1,1],"data":[1]}],"outputs":[{"name":"sum","datatype":"FP32","shape":[1,3],"data":[2,5,4]}]}
`;
const REQUEST = {
  inputs: [
    { name: 'a', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] },
    { name: 'b', datatype: 'FP32', shape: [1, 1], data: [1] },
  ],
};

let aws: LocalAws;
let service: Service & Deployment;
beforeAll(async () => {
  aws = await startAws({ speed: 10 });
  const files = { 'add.onnx': await readFile(join(fixtures, 'add.onnx')), 'cases.jsonl': CASES };
  service = await deployService({ yaml: yaml(1024), files }, aws, 'dev', undefined, firstAlone);
});
afterAll(() => aws?.stop());

/** Deploys another serverless.yml, which may fail. */
async function deploy(yml: string, ...options: string[]): Promise<Ran> {
  await writeFile(join(service.dir, 'serverless.yml'), yml.replace('serverless-models', PLUGIN));
  return service.sls('deploy', ...options);
}
const models = (...args: string[]): Promise<Ran> => service.sls('models', ...args);

test('a deploy returns with the first step in force, and says what the canary can see', async () => {
  const { printed } = await service.deploy(yaml(1088));
  expect(printed.stderr).toContain(
    'churn: version 1 is stable; version 2 has 20 % (step 1 of 2) and goes on by itself',
  );
  expect(printed.stderr).toMatch(
    /churn: what the canary can see at the declared traffic:\n {2}at 5 req\/s a 20 % canary needs \d+ min to see errors rise from 1 % to 3 %/,
  );
  expect(printed.stderr).toContain('churn: latency is not judged, since no objective');
  const { stdout } = await models('status');
  expect(stdout).toMatch(/^churn: OK, nothing to do\. Version 2 has 20 %, step 1 of 2\.$/m);
  expect(stdout).toMatch(
    /version 1 {2}█{16}░{4} {4}80 % {2}stable\n.*version 2 {2}█{4}░{16} {4}20 % {2}candidate/,
  );
  const json = await models('status', '--json');
  expect(JSON.parse(json.stdout)).toMatchObject([
    { model: 'churn', level: 'ok', phase: 'JUDGING', step: { number: 1, of: 2, weight: 20 } },
  ]);
});

test('--watch writes a line a change into a log, until it is interrupted', async () => {
  const args = ['models', 'status', '--watch', '--stage', 'dev'];
  const child = spawn(process.execPath, [SLS, ...args], {
    cwd: service.dir,
    env: { ...process.env, ...aws.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const out = text(child.stdout);
  await new Promise((done) => child.stdout.once('data', done));
  child.kill('SIGINT');
  const code = await new Promise((done) => child.once('close', done));
  expect(code).toBe(0);
  expect(await out).toMatch(
    /^churn: JUDGING: Version 2 has 20 %, step 1 of 2\. no verdict: no regression so far/,
  );
});

test('a stage that is not deployed is called so', async () => {
  const ran = await runModels('status', '--stage', 'elsewhere');
  expect(ran.code).toBe(1);
  expect(ran.output).toMatch(/There is no steered-elsewhere in us-east-1 .*\[MODELS_NOT_DEPLOYED\]/);
});

/** In any stage. */
const runModels = (...args: string[]): Promise<{ readonly code: number; readonly output: string }> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      [SLS, 'models', ...args],
      { cwd: service.dir, env: { ...process.env, ...aws.env, NO_COLOR: '1' } },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : 1, output: stdout + stderr }),
    );
  });

test('it is held, and goes on', async () => {
  const held = await models('hold', '--reason', 'lunch');
  expect(held.stdout).toMatch(/^churn: version 2 keeps its weight\.\n\nchurn: LOOK, not urgent\./);
  expect(held.stdout).toContain('held by arn:aws:iam::000000000000:root: lunch');
  const again = await models('hold');
  expect(again.code).toBe(1);
  expect(again.stdout + again.stderr).toMatch(
    /hold was refused, and nothing was changed.*MODELS_RELEASE_REFUSED/,
  );
  expect((await models('resume')).stdout).toMatch(/^churn: the release goes on in JUDGING\./);
});

test('--no-supersede does not take its place; another deploy does, and says so', async () => {
  const refused = await deploy(yaml(1152), '--no-supersede');
  expect(refused.code).toBe(1);
  expect(refused.stdout + refused.stderr).toMatch(
    /models\.churn: .*the release of version 2 \(JUDGING, step 1 of 2, 20 %\)/,
  );
  const { code, stderr } = await deploy(yaml(1152));
  expect(code, stderr).toBe(0);
  expect(stderr).toContain(
    'churn: the release of version 2 (JUDGING, step 1 of 2, 20 %) is superseded; version 1 gets all traffic back',
  );
});

test('promote skips the steps, rollback goes back, and what was rolled back is refused', async () => {
  expect((await models('promote', '--reason', 'enough')).stdout).toMatch(
    /^churn: version 3 is promoted\.\n\nchurn: OK, nothing to do\. Version 3 has all traffic\./,
  );
  const { stdout } = await models('rollback', '--to', '1', '--json');
  expect(JSON.parse(stdout).status).toMatchObject({
    phase: 'ROLLED_BACK',
    traffic: [{ version: '1', share: 100 }],
    refused: [{ version: '3' }],
  });
});

test('--wait follows a release to its end', async () => {
  let over = false;
  const traffic = (async () => {
    while (!over) await service.invoke('churn', REQUEST);
  })();
  const { code, stderr } = await deploy(yaml(1216), '--wait');
  over = true;
  await traffic;
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/churn: version 4 judging, step 1 of 2 \(20 %\)/);
  expect(stderr).toMatch(/churn: version 4 judging, step 2 of 2 \(50 %\)/);
  expect(stderr).toMatch(/^churn: version 4 is live/m);
});

test('a gate that fails shows its cases and what to do, and the record of the deploy says so', async () => {
  const { code, stdout, stderr } = await deploy(yaml(1280, 'gate: {cases: cases.jsonl}'));
  expect(code).toBe(1);
  expect(stderr).toMatch(/models\.churn\.gate: version \d did not pass\./);
  expect(stderr).toMatch(/case +where +expected +got +difference\n2 +sum\[0, 1\] +5 +3 +-2/);
  expect(stderr).toContain('Version 4 keeps all traffic.');
  expect(stdout + stderr).toContain('the gate failed');
  const [last] = await deployments();
  expect(last).toMatchObject({
    schema: 1,
    by: 'arn:aws:iam::000000000000:root',
    models: [{ model: 'churn', source: expect.stringMatching(/^[0-9a-f]{64}$/) }],
    failed: { reason: expect.stringContaining('gate') },
    releases: { churn: { gate: { verdict: 'fail', failed: [2] } } },
  });
});

test('history tells who did what, and how it ended', async () => {
  const { stdout } = await models('history');
  const outcomes = [...stdout.matchAll(/UTC {2}(.*)$/gm)].map(([, what]) =>
    what?.replaceAll(/ after [^,]*/g, ''),
  );
  expect(outcomes).toEqual([
    'version 4 → 5  given up',
    'version 1 → 4  promoted',
    'version 1 → 3  promoted, then rolled back',
    'version 1 → 2  superseded',
    'first version 1  promoted',
  ]);
  expect(stdout).not.toContain('not known');
  expect((await models('history', '--limit', '2', '--json')).stdout).not.toContain('superseded');
});

test('the framework’s own rollback is followed, too', async () => {
  const list = await service.sls('deploy', 'list');
  const timestamps = [...(list.stdout + list.stderr).matchAll(/Timestamp: (\d+)/g)].map(
    ([, time = '']) => time,
  );
  const ran = await service.sls('rollback', '--timestamp', timestamps.at(-2) ?? '');
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  expect(ran.stderr).toMatch(/^churn: version \d/m);
});

/** Records of deploys, newest first. */
async function deployments(): Promise<readonly unknown[]> {
  const s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  const { resources } = service;
  const Bucket = resources.find(({ type }) => type === 'AWS::S3::Bucket')?.physical ?? '';
  const Prefix = 'models/000000000000/us-east-1/steered/dev/deployments/';
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
  const texts = await Promise.all(
    Contents.map(async ({ Key }) =>
      (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString(),
    ),
  );
  s3.destroy();
  return texts.reverse().map((found) => JSON.parse(found ?? ''));
}
