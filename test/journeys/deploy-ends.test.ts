/** Every end of a deploy tells the truth: what was offered is live, on its way, or the command fails. */
import { readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeleteObjectCommand, ListBucketsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { fixtures } from '../serving/endpoint.ts';
import { deployService, everythingLeft, PLUGIN, prepareService, type Ran, type Service } from './service.ts';

/** a is [n, 3] and b [n, 1]; what is expected is wrong. */
const WRONG = `{"inputs":[{"name":"a","datatype":"FP32","shape":[1,3],"data":[1,2,3]},{"name":"b","datatype":"FP32","shape":[1,1],"data":[1]}],"outputs":[{"name":"sum","datatype":"FP32","shape":[1,3],"data":[2,5,4]}]}
`;
const RIGHT = WRONG.replace('[2,5,4]', '[2,3,4]');
const CANARY = '{strategy: canary, minRequests: 5, increase: 50%, steps: [{weight: 20, bake: 30m}]}';
const AT_ONCE = '{strategy: allAtOnce}';

/** Versions differ by their memory. */
const yaml = (memory: number, release = AT_ONCE, more = ''): string => `service: ends
plugins: [serverless-models]
provider: {name: aws}
models:
  churn: {artifact: add.onnx, memory: ${memory}, release: ${release}, gate: {cases: cases.jsonl}, http: {auth: none}}
${more}`;
/**
 * Something of the service's own that AWS refuses, created after the alias: settings of a route that is not
 * there.
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

let aws: LocalAws;
let empty: string[];
let service: Service;
beforeAll(async () => {
  aws = await startAws({ speed: 10 });
  empty = await everythingLeft(aws);
  const files = { 'add.onnx': await readFile(join(fixtures, 'add.onnx')), 'cases.jsonl': RIGHT };
  service = await deployService({ yaml: yaml(1024), files }, aws);
});
afterAll(() => aws?.stop());

/** Changes the folder, then `sls deploy`, once the stack rests. */
async function deploy(yml: string, ...options: string[]): Promise<Ran> {
  await service.rests();
  await writeFile(join(service.dir, 'serverless.yml'), yml.replace('serverless-models', PLUGIN));
  return service.sls('deploy', ...options);
}
const cases = (text: string): Promise<void> => writeFile(join(service.dir, 'cases.jsonl'), text);
const outputOf = ({ stdout, stderr }: Ran): string => stdout + stderr;
const models = (...args: string[]): Promise<Ran> => service.sls('models', ...args);
type Stands = {
  readonly phase: string;
  readonly reason?: string;
  readonly candidate?: string;
  readonly traffic: readonly { readonly version: string; readonly share: number }[];
  readonly refused: readonly { readonly version: string }[];
};
async function status(): Promise<Stands> {
  const [only] = JSON.parse((await models('status', '--json')).stdout) as Stands[];
  if (only === undefined) throw new Error('no status');
  return only;
}
/** As if the package had been made in another folder, where it is no more. */
async function madeElsewhere(packed: string): Promise<void> {
  const path = join(service.dir, packed, 'serverless-state.json');
  const state = await readFile(path, 'utf8');
  const folder = join(await realpath(service.dir), '.serverless');
  expect(state).toContain(`"${folder}/churn.zip"`);
  await writeFile(path, state.replaceAll(folder, '/elsewhere/.serverless'));
}
const live = async (): Promise<readonly string[]> =>
  (await status()).traffic.map(({ version, share }) => `${version}: ${share} %`);

test('a deploy that the framework skips puts back what was deleted of the models’ files', async () => {
  const s3 = new S3Client({ ...client(aws.endpoint), forcePathStyle: true });
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  const Bucket = Buckets.find(({ Name }) => Name?.startsWith('ends-dev-'))?.Name;
  const files = async (): Promise<readonly string[]> => {
    const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'models/files/' }));
    return Contents.flatMap(({ Key }) => Key ?? []);
  };
  const before = await files();
  expect(before).toHaveLength(1);
  await s3.send(new DeleteObjectCommand({ Bucket, Key: before[0] }));
  const again = await deploy(yaml(1024));
  expect(again.code, outputOf(again)).toBe(0);
  expect(outputOf(again)).toContain('No changes to deploy');
  expect(outputOf(again)).toContain(`A file of the models was gone from s3://${Bucket}/models/files/`);
  expect(await files()).toEqual(before);
  const third = await deploy(yaml(1024));
  expect(outputOf(third)).not.toContain('was gone');
  s3.destroy();
});

test('a deploy of what is live that failed for something else is no success when it is run again', async () => {
  // Each function is written and written back, so the framework finds all of them younger than its upload.
  const tagged = (more = ''): string =>
    yaml(1024, AT_ONCE, more).replace('{name: aws}', '{name: aws, tags: {team: ends}}');
  const failed = await deploy(tagged(BROKEN));
  expect(failed.code, outputOf(failed)).toBe(1);
  const again = await deploy(tagged(BROKEN));
  expect(again.code, outputOf(again)).toBe(1);
  expect(outputOf(again)).toContain(
    'the stack was rolled back when it was deployed. So it is deployed again.',
  );
});

test('1: a failed deploy, run again, fails again, and is deployed once its cause is gone', async () => {
  await cases(WRONG);
  const failed = await deploy(yaml(1088));
  expect(failed.code, outputOf(failed)).toBe(1);
  const again = await deploy(yaml(1088));
  expect(again.code, outputOf(again)).toBe(1);
  expect(outputOf(again)).toContain('the gate failed');
  expect(outputOf(again)).not.toContain('No changes to deploy');
  await cases(RIGHT);
  const broken = await deploy(yaml(1152, AT_ONCE, BROKEN));
  expect(broken.code).toBe(1);
  const other = await deploy(yaml(1152, AT_ONCE, BROKEN));
  expect(other.code, 'the cause is still there').toBe(1);
  const cured = await deploy(yaml(1152));
  expect(cured.code, outputOf(cured)).toBe(0);
  expect(outputOf(cured)).not.toContain('No changes to deploy');
  expect(await live()).toHaveLength(1);
  const unchanged = await deploy(yaml(1152));
  expect(unchanged.code, outputOf(unchanged)).toBe(0);
});

test('2: after sls rollback the newest code is deployed again, not skipped', async () => {
  expect((await deploy(yaml(1160))).code).toBe(0);
  const [now] = await live();
  const list = outputOf(await service.sls('deploy', 'list'));
  const timestamps = [...list.matchAll(/Timestamp: (\d+)/g)].map(([, time = '']) => time);
  const back = await service.sls('rollback', '--timestamp', timestamps.at(-2) ?? '');
  expect(back.code, outputOf(back)).toBe(0);
  expect(await live()).not.toEqual([now]);
  const ran = await deploy(yaml(1160));
  expect(ran.code, outputOf(ran)).toBe(0);
  const { phase, reason } = await status();
  expect([phase, reason], 'the memory of the newest one').toEqual(['BAKING', undefined]);
  const history = (await models('history', '--limit', '2')).stdout;
  expect(history.match(/promoted/g), history).toHaveLength(2);
});

test('10: a forced deploy that fails does not forget the refusal', async () => {
  expect((await models('rollback', '--reason', 'odd answers')).code).toBe(0);
  const refused = await deploy(yaml(1160));
  expect(refused.code, outputOf(refused)).toBe(1);
  expect(outputOf(refused)).toMatch(
    /What was deployed is not live: .*odd answers.*sls deploy --force --stage dev/s,
  );
  const forced = await deploy(yaml(1160, AT_ONCE, BROKEN), '--force');
  expect(forced.code).toBe(1);
  expect((await status()).refused).toHaveLength(1);
  const still = await deploy(yaml(1160));
  expect(still.code, outputOf(still)).toBe(1);
});

test('--force releases a package of another folder, too, and only in the deploy that says so', async () => {
  expect((await service.sls('package', '--package', 'packed')).code).toBe(0);
  await madeElsewhere('packed');
  const refused = await service.sls('deploy', '--package', 'packed');
  expect(refused.code, outputOf(refused)).toBe(1);
  const forced = await service.sls('deploy', '--package', 'packed', '--force');
  expect(forced.code, outputOf(forced)).toBe(0);
  expect(await status()).toMatchObject({ phase: 'BAKING', refused: [] });
  // Not a word of that deploy is left in the folder.
  expect((await models('rollback', '--reason', 'odd answers')).code).toBe(0);
  const later = await service.sls('deploy', '--package', 'packed');
  expect(later.code, outputOf(later)).toBe(1);
  expect(outputOf(later)).toContain('odd answers');
});

test('9: --force on an unchanged template releases, also after a gate that failed', async () => {
  await cases(WRONG);
  expect((await deploy(yaml(1216))).code).toBe(1);
  await cases(RIGHT);
  const forced = await deploy(yaml(1160), '--force');
  expect(forced.code, outputOf(forced)).toBe(0);
  expect(await status()).toMatchObject({ phase: 'BAKING', refused: [] });
});

test('9: a canary that a failing deploy superseded begins anew, and deploying it again says that it is on its way', async () => {
  const [stable] = await live();
  const canary = await deploy(yaml(1280, CANARY));
  expect(canary.code, outputOf(canary)).toBe(0);
  const [, candidate] = await live();
  expect(candidate).toMatch(/: 20 %$/);
  await cases(WRONG);
  const failed = await deploy(yaml(1344, CANARY));
  expect(failed.code).toBe(1);
  expect(outputOf(failed)).toMatch(/models\.churn\.gate: version \d+ did not pass/);
  await cases(RIGHT);
  const again = await deploy(yaml(1280, CANARY));
  expect(again.code, outputOf(again)).toBe(0);
  expect(outputOf(again)).toMatch(/has 20 % \(step 1 of 1\) and goes on by itself/);
  expect(await live()).toEqual([stable?.replace('100', '80'), candidate]);
});

test('6: a follow ends with failure when another release takes its place, which is booked to its own deploy', async () => {
  const { candidate: before } = await status();
  const first = deploy(yaml(1408, CANARY), '--wait');
  const running = async () => {
    const { candidate, traffic } = await status();
    return candidate !== before && traffic.length === 2;
  };
  await expect.poll(running, { timeout: 150_000, interval: 500 }).toBe(true);
  // From a folder of its own, as another person has it: the framework reads what lies in that of the first.
  const files = { 'add.onnx': await readFile(join(fixtures, 'add.onnx')), 'cases.jsonl': RIGHT };
  const other = await prepareService({ yaml: yaml(1472, CANARY), files }, aws);
  await other.rests();
  const second = await other.sls('deploy');
  await rm(other.dir, { recursive: true, force: true });
  expect(second.code, outputOf(second)).toBe(0);
  const { code, stdout, stderr } = await first;
  expect(code, stdout + stderr).toBe(1);
  expect(stdout + stderr).toMatch(/What was deployed is not live: .*took its place/);
});

test('nothing is left in the end', async () => {
  await service.remove();
  expect(await everythingLeft(aws)).toEqual(empty);
});
