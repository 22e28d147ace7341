/**
 * Ways back stay open: undone rollbacks, registries that would move, models that come and go in mid-release.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { fixtures } from '../serving/endpoint.ts';
import { deployService, everythingLeft, PLUGIN, type Ran, type Service } from './service.ts';

const Bucket = 'ways-models';
const CANARY = '{strategy: canary, minRequests: 5, increase: 50%, steps: [{weight: 20, bake: 30m}]}';
const AT_ONCE = '{strategy: allAtOnce, rollbackWindow: 1h}';
const NONE = '{strategy: allAtOnce, rollbackWindow: 0}';

/** Versions differ by their memory. */
const yaml = (memory: number, release = AT_ONCE, more = '', custom = ''): string => `service: ways
plugins: [serverless-models]
provider: {name: aws}
${custom}
models:
  churn: {artifact: add.onnx, memory: ${memory}, release: ${release}${more}}
  other: {artifact: add.onnx}
`;
const NAMED = `custom: {models: {registry: {bucket: ${Bucket}}}}`;

let aws: LocalAws;
let empty: string[];
let service: Service;
beforeAll(async () => {
  aws = await startAws({ speed: 10 });
  const s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket }));
  s3.destroy();
  empty = await everythingLeft(aws);
  const files = { 'add.onnx': await readFile(join(fixtures, 'add.onnx')) };
  service = await deployService({ yaml: yaml(1024), files }, aws);
});
afterAll(() => aws?.stop());

async function deploy(yml: string, ...options: string[]): Promise<Ran> {
  await writeFile(join(service.dir, 'serverless.yml'), yml.replace('serverless-models', PLUGIN));
  return service.sls('deploy', ...options);
}
const outputOf = ({ stdout, stderr }: Ran): string => stdout + stderr;
const models = (...args: string[]): Promise<Ran> => service.sls('models', ...args, '--model', 'churn');
type Stands = {
  readonly level: string;
  readonly phase: string;
  readonly lastGood?: string;
  readonly refused: readonly unknown[];
  readonly traffic: readonly { readonly version: string; readonly share: number }[];
};
async function status(): Promise<Stands> {
  const [only] = JSON.parse((await models('status', '--json')).stdout) as Stands[];
  if (only === undefined) throw new Error('no status');
  return only;
}
const fine = async (running: Promise<Ran>): Promise<string> => {
  const ran = await running;
  expect(ran.code, outputOf(ran)).toBe(0);
  return outputOf(ran);
};

test('3: a rollback that is undone leaves a way back, and refuses nothing', async () => {
  await fine(deploy(yaml(1088)));
  await fine(models('rollback'));
  await fine(models('rollback', '--to', '2', '--reason', 'it was right'));
  expect(await status()).toMatchObject({ level: 'ok', refused: [], traffic: [{ version: '2', share: 100 }] });
  await fine(deploy(yaml(1088)));
  await fine(deploy(yaml(1152)));
  expect(await status()).toMatchObject({ lastGood: '2' });
  // The version from months before is no refused one.
  await fine(deploy(yaml(1024)));
  expect(await fine(models('rollback'))).toContain('gives way');
});

test('4: a registry is not named while a release runs or is watched, and the ways out are the ones that are told', async () => {
  await fine(deploy(yaml(1216, CANARY)));
  expect((await status()).traffic).toHaveLength(2);
  const refused = await deploy(yaml(1216, CANARY, '', NAMED));
  expect(refused.code, outputOf(refused)).toBe(1);
  expect(outputOf(refused)).toMatch(/custom\.models\.registry\.bucket: .*JUDGING.*MODELS_RELEASE_REFUSED/s);
  expect(outputOf(refused)).not.toContain('Uploading');
  expect((await status()).traffic, 'the canary goes on').toHaveLength(2);
  await fine(models('promote'));
  await expect.poll(async () => (await status()).phase, { timeout: 120_000 }).toBe('BAKING');
  const watched = await deploy(yaml(1216, CANARY, '', NAMED));
  expect(outputOf(watched)).toMatch(/is watched until .*rollbackWindow: 0/s);
  expect(watched.code).toBe(1);
  await fine(deploy(yaml(1216, NONE)));
  expect((await status()).phase).toBe('DONE');
  expect(await fine(deploy(yaml(1216, NONE, '', NAMED)))).toContain(`to ${Bucket}`);
  expect(await status()).toMatchObject({ level: 'ok', phase: 'DONE' });
  await fine(deploy(yaml(1280, CANARY, '', NAMED)));
  expect((await status()).traffic, 'a canary beside what was live').toHaveLength(2);
});

test('11: --no-supersede waits for no release of a model that is gone, and a renamed function is announced', async () => {
  const [without = ''] = yaml(1280, CANARY, '', NAMED)
    .split(/\n {2}churn:.*/)
    .slice(0, 1);
  await fine(deploy(`${without}\n  other: {artifact: add.onnx}\n`));
  await fine(deploy(yaml(1344, CANARY, '', NAMED), '--no-supersede'));
  const renamed = await fine(deploy(yaml(1344, CANARY, ', function: {name: ways-churn}', NAMED)));
  expect(renamed).toMatch(
    /churn: its function ways-dev-churn becomes ways-churn, which is a delete and a create/,
  );
});

test('nothing is left in the end', async () => {
  await service.remove();
  const left = await everythingLeft(aws);
  expect(left.filter((one) => !empty.includes(one))).toEqual([]);
});
