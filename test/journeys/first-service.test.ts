/** The README's first service: two lines of a model and open HTTP, in a folder of its own, manually. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { fixtures } from '../serving/endpoint.ts';
import { TRITON_CHECKS, tritonChecks } from '../serving/triton.ts';
import { runAlone } from '../warm-sls.ts';
import { type Deployment, deployService, everythingLeft, type Service } from './service.ts';

const SERVICE = `
service: shop
provider: {name: aws}
plugins: [serverless-models]
models:
  churn:
    artifact: churn.onnx
    http: {auth: none}
`;

let aws: LocalAws;
let service: Service & Deployment;
let before: string[];
beforeAll(async () => {
  aws = await startAws();
  before = await everythingLeft(aws);
  service = await deployService(
    { yaml: SERVICE, files: { 'churn.onnx': await readFile(join(fixtures, 'gbm.onnx')) } },
    aws,
    'dev',
    undefined,
    runAlone,
  );
});
afterAll(() => aws?.stop());

test('answers tritonclient', async () => {
  const { models } = JSON.parse(await readFile(join(fixtures, 'answers.json'), 'utf8'));
  expect(await tritonChecks(service.http(), 'churn', models['gbm.onnx'])).toHaveLength(TRITON_CHECKS);
});

test('is seen by the framework’s own commands', async () => {
  const info = await service.sls('info');
  expect(info.stdout).toMatch(/churn: shop-dev-churn/);
  const invoked = await service.sls('invoke', '--function', 'churn', '--data', '{"inputs":[]}');
  expect(JSON.parse(invoked.stdout)).toMatchObject({ code: expect.any(String), error: expect.any(String) });
  const printed = await service.sls('print');
  expect(printed.stdout).toMatch(/churn:/);
});

test('a deploy that changes nothing uploads nothing and keeps the version', async () => {
  const again = await service.deploy();
  expect(again.printed.stdout + again.printed.stderr).toMatch(/No changes to deploy/);
  expect((await service.invoke('churn', { inputs: [] })).version).toBe('1');
});

test('is measured where it is deployed, and its release shows what was found', async () => {
  const args = ['--qualifier', 'live', '--duration', '8', '--scenario', 'SingleStream', '--json'];
  const { stdout } = await service.sls('models', 'bench', ...args);
  const { scenarios, target, registered } = JSON.parse(stdout);
  expect(target).toMatchObject({ kind: 'function', name: 'shop-dev-churn:live', version: '1' });
  const [{ outcomes, requests, ceilings, duration }] = scenarios;
  expect(outcomes.ok).toBe(requests);
  // However slowly a busy machine answers.
  expect(requests).toBeGreaterThan(1);
  expect(duration).toBeGreaterThan(0);
  expect(ceilings.map(({ name }: { name: string }) => name)).toContain('memory');
  expect(registered).toMatch(/\/shop\/dev\/versions\/churn\/bench\/1-\d{8}T\d+Z\.json$/);
  const history = await service.sls('models', 'history');
  expect(history.stdout).toMatch(/^ {6}bench {5}\S+ \S+ UTC; SingleStream: (IN)?VALID, p99 /m);
  const report = await service.sls('models', 'report', '--json');
  expect(await readFile(JSON.parse(report.stdout).report, 'utf8')).toContain('<h3>Bench, MLPerf-like</h3>');
  // The advice counts with what was measured of the version, not with a guess.
  const advice = await service.sls('models', 'advise', '--traffic', '5/s', '--json');
  const [{ needs }] = JSON.parse(advice.stdout).models;
  expect(needs.service).toMatchObject({
    from: expect.stringMatching(/^bench of version 1, /),
    isGuess: false,
  });
  expect(needs.service.value).toBeCloseTo(duration / 1000, 6);
});

test('what it must keep is counted with what the bench measured, and with the account’s quota', async () => {
  await writeFile(join(service.dir, 'day.txt'), Array(24).fill(400).join('\n'));
  const args = ['--capacity', '--curve', 'day.txt', '--burst', '2000', '--json'];
  const { code, stdout, stderr } = await service.sls('models', 'plan', ...args);
  expect(code, stdout + stderr).toBe(0);
  const [{ crowd, duration, parts, proposal, quota }] = JSON.parse(stdout).models;
  expect(duration.from).toMatch(/^measured by the bench of version 1 of \d{4}-\d\d-\d\d$/);
  expect(duration.ms).toBeGreaterThan(0);
  const account = { all: 1000, unreserved: 1000, from: 'Lambda' };
  expect(quota).toEqual({ limit: 1000, of: 'account', account });
  expect(crowd).toMatchObject({ requests: 2000, served: 1000, throttled: 1000, meets: 'limit' });
  // Ten requests a second are what an instance takes at most.
  expect(parts[0].kept).toBeGreaterThanOrEqual(40);
  expect(proposal.line).toMatch(/^concurrency: \{ provisioned: \{ min: \d+, max: \d+, target: 0\.\d+ \} \}$/);
});

test('sls remove leaves nothing', async () => {
  await service.remove();
  expect(await everythingLeft(aws)).toEqual(before);
});
