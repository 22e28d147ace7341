/**
 * Memory sizes of a deployed model, found by somebody who has the documented policy: whatever ends the
 * command, nothing is left.
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { fixtures, repository } from '../serving/endpoint.ts';
import { type Between, standBetween } from './between.ts';
import { type Deployment, deployService, everythingLeft, type Ran, type Service } from './service.ts';
import { documented, makeUser, type User } from './user.ts';

const SERVICE = `
service: shop
provider: {name: aws}
plugins: [serverless-models]
models:
  churn:
    artifact: gbm.onnx
    memory: 640
    latency: {p95: 5000}
    http: {auth: none}
  greedy: {artifact: greedy}
`;
/** 200 MB more than the model itself. */
const GREEDY = `
type Rows = { readonly shape: readonly number[]; readonly data: Float32Array };
const held: Uint8Array[] = [];
export const inputs = [{ name: 'X', datatype: 'FP32', shape: [-1, 30] }] as const;
export const pre = ({ X }: { readonly X: Rows }) => {
  held[0] ??= new Uint8Array(200 * 2 ** 20).fill(1);
  return { X: { datatype: 'FP32', shape: X.shape, data: X.data } };
};
`;
const NAME = 'shop-dev-models-tune-churn';
const FEW = ['--model', 'churn', '--memory', '512,640', '--invocations', '50'];

let aws: LocalAws;
let between: Between;
let service: Service & Deployment;
let analyst: User;
let before: readonly string[];
const policy = documented('MeasureSizes', { SERVICE: 'shop' });
beforeAll(async () => {
  aws = await startAws();
  between = await standBetween(aws);
  const gbm = await readFile(join(fixtures, 'gbm.onnx'));
  const files = { 'gbm.onnx': gbm, 'greedy/model.onnx': gbm, 'greedy/transform.ts': GREEDY };
  service = await deployService({ yaml: SERVICE, files }, aws);
  analyst = await makeUser(aws, 'analyst');
  await analyst.may(policy);
  before = await everythingLeft(aws);
});
afterAll(async () => {
  between?.close();
  await aws?.stop();
});

const tune = (...args: readonly string[]): Promise<Ran> =>
  service.slsAs(analyst.env, 'models', 'tune', ...args);
const left = async (): Promise<readonly string[]> =>
  (await everythingLeft(aws)).filter((thing) => !before.includes(thing));

/**
 * In a process of its own, which is sent a signal at the first such call of it.
 * @param isRead without it whoever read what is written is gone with the signal: a terminal, or `tee`
 */
async function signalled(
  signal: NodeJS.Signals,
  at: RegExp,
  isRead = true,
): Promise<{ code: unknown; output: string }> {
  const args = [join(repository, 'node_modules', 'osls', 'bin', 'serverless.js')];
  const child = spawn(process.execPath, [...args, 'models', 'tune', ...FEW, '--stage', 'dev'], {
    cwd: service.dir,
    env: { ...process.env, ...between.aws.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  const over = new Promise((done) => child.once('close', (code, by) => done(code ?? by)));
  let isSent = false;
  between.before(async (call) => {
    if (isSent || !at.test(call)) return;
    if (!isRead) for (const stream of [child.stdout, child.stderr]) stream.destroy();
    isSent = child.kill(signal);
  });
  const code = await over;
  between.before(async () => {});
  expect(isSent, output).toBe(true);
  return { code, output };
}

test('a table and what to take; nothing is left, and the model stays as it is', async () => {
  const yaml = await readFile(join(service.dir, 'serverless.yml'), 'utf8');
  const { code, stdout, stderr } = await tune(...FEW);
  expect(code, stdout + stderr).toBe(0);
  expect(stderr).toMatch(
    new RegExp(`^Makes the CloudFormation stack ${NAME} with a function, its log group`, 'm'),
  );
  expect(stderr).toMatch(
    /about \$0\.\d+ and \d+ min if a request takes 50 ms, at most \$0\.\d+ and (\d+ min|[\d.]+ h)/,
  );
  expect(stdout).toMatch(
    /^ +memory +p50 +p95 +p95, 99 % sure +billed p50 +billed p95 +INIT +used +\$ a million$/m,
  );
  for (const size of [512, 640])
    expect(stdout).toMatch(
      new RegExp(
        `^ +${size} MB( +[\\d.]+ ms){2} +– +\\d+ ms +\\d+ ms +[\\d.]+ ms +\\d+ MB +0\\.\\d\\d$`,
        'm',
      ),
    );
  // The machine’s other work decides which is cheaper; the last lines follow from the table.
  const price = (size: number): number =>
    Number(new RegExp(`^ +${size} MB .* ([\\d.]+)$`, 'm').exec(stdout)?.[1]);
  const [taken, other] = stdout.includes('models:\n  churn:\n    memory: 512\n') ? [512, 640] : [640, 512];
  expect(price(taken), stdout).toBeLessThanOrEqual(price(other));
  expect(stdout).toMatch(
    taken === 512
      ? /^The cheapest that kept p95 within 5000 ms in what was seen: 512 MB; it has 640 MB\. To take it, write:$/m
      : /^The cheapest that kept p95 within 5000 ms in what was seen is what it has already: 640 MB\.$/m,
  );
  expect(stdout).toMatch(/^That is not sure: 130 warm requests are needed \(--invocations 130\)\.$/m);
  expect(await left()).toEqual([]);
  expect(await readFile(join(service.dir, 'serverless.yml'), 'utf8')).toBe(yaml);
  const { answer, log, version } = await service.invoke('churn', { inputs: [] });
  expect([version, log]).toEqual(['1', expect.stringContaining('Memory Size: 640 MB')]);
  expect(answer).toMatchObject({ code: expect.any(String) });
});

test('a size that does not run is a line with the reason; one that is too slow is told by how much', async () => {
  const { code, stdout, stderr } = await tune(
    ...['--model', 'greedy', '--memory', '128,512', '--invocations', '50', '--slo', 'p95=0.001', '--json'],
  );
  expect(code, stdout + stderr).toBe(1);
  const { sizes, choice, objective, function: name } = JSON.parse(stdout);
  expect([name, objective]).toEqual(['shop-dev-models-tune-greedy', { percentile: 0.95, ms: 0.001 }]);
  expect(sizes).toEqual([
    { memory: 128, invocations: 0, failed: 'Runtime exited with error: signal: killed' },
    {
      ...{ memory: 512, invocations: 50, keeps: false },
      ...{ used: expect.any(Number), init: expect.any(Number), million: expect.any(Number) },
      latency: [
        { percentile: 0.5, ms: expect.any(Number), bound: expect.any(Number) },
        { percentile: 0.95, ms: expect.any(Number), needs: 130 },
      ],
      billed: { p50: expect.any(Number), p95: expect.any(Number), mean: expect.any(Number) },
    },
  ]);
  expect(choice).toEqual({ kind: 'none', memory: 512, lacks: sizes[1].latency[1].ms - 0.001 });
  expect(await left()).toEqual([]);
});

test('a right that is missing is named, and what was made until then is gone', async () => {
  for (const [sid, action] of [
    ['Deployed', 'cloudformation:GetTemplate'],
    ['MeasureSizes', 'cloudformation:DescribeStacks'],
    ['Role', 'iam:CreateRole'],
    ['Log', 'logs:CreateLogGroup'],
    ['Package', 's3:GetObject'],
    ['Layer', 'lambda:GetLayerVersion'],
  ] as const) {
    const less = policy.filter(({ Sid }) => Sid !== sid);
    expect(less).toHaveLength(policy.length - 1);
    await analyst.may(less);
    const { code, stdout, stderr } = await tune(...FEW);
    expect([sid, code]).toEqual([sid, 1]);
    expect(stdout + stderr).toContain(`is not authorized to perform: ${action}`);
    expect([sid, await left()]).toEqual([sid, []]);
  }
  await analyst.may(policy);
});

test.each([
  ['SIGINT', 'while the stack is made', /^POST DescribeStacks$/],
  ['SIGINT', 'between two requests', /functions\/shop-dev-models-tune-churn\/invocations/],
  ['SIGTERM', 'while it gets another size', /PUT .*functions\/shop-dev-models-tune-churn\/configuration/],
] as const)('%s %s leaves nothing', async (signal, _, at) => {
  const { code, output } = await signalled(signal, at);
  expect(code, output).toBe(130);
  expect(output).toContain('Interrupted. What was made is removed now');
  expect(output).toContain('It was interrupted, so nothing is proposed.');
  expect(await left()).toEqual([]);
});

test.each(['SIGINT', 'SIGHUP'] as const)(
  '%s leaves nothing where nobody reads any more what is written',
  async (signal) => {
    const requests = /functions\/shop-dev-models-tune-churn\/invocations/;
    expect((await signalled(signal, requests, false)).code).toBe(130);
    expect(await left()).toEqual([]);
  },
);

test('what a killed run leaves is removed by the next one', async () => {
  const { code } = await signalled('SIGKILL', /functions\/shop-dev-models-tune-churn\/invocations/);
  expect(code).toBe('SIGKILL');
  const there = await left();
  for (const kind of ['stack', 'function', 'role', 'log group'])
    expect(there.filter((thing) => thing.startsWith(`${kind} `))).toHaveLength(1);
  const next = await tune(...FEW);
  expect(next.code, next.stdout + next.stderr).toBe(0);
  expect(next.stderr).toContain(`A tune that did not end left the stack ${NAME}. It is removed first.`);
  expect(await left()).toEqual([]);
});

test('bad input is refused before anything is made', async () => {
  const from = between.calls.length;
  for (const [args, said] of [
    [['--memory', '64'], '--memory: 64 is not a whole number of MB from 128 to 10,240.'],
    [['--slo', 'fast'], '--slo: fast is no percentile'],
    [['--invocations', '10'], '--invocations: 10 is not a whole number from 50 to 10,000.'],
  ] as const) {
    const { code, stdout, stderr } = await tune('--model', 'churn', ...args);
    expect([code, stdout + stderr]).toEqual([1, expect.stringContaining(said)]);
  }
  expect(between.calls.slice(from).filter((call) => call === 'POST CreateStack')).toEqual([]);
  const elsewhere = await service.slsAs(
    aws.env,
    'models',
    'tune',
    '--model',
    'churn',
    '--region',
    'eu-west-1',
  );
  expect(elsewhere.stdout + elsewhere.stderr).toMatch(
    /is not deployed by shop-dev in eu-west-1.*MODELS_NOT_DEPLOYED/,
  );
});
