/** Traffic that comes to differ from the reference data, as somebody meets it who declared `drift`. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CloudWatchClient, DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { DriftWindow } from '../../core/drift/contract.ts';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { type Deployment, deployService, type Service } from './service.ts';

const employment = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'examples', 'employment');
const SERVICE = `
service: shop
provider: {name: aws}
plugins: [serverless-models]
models:
  churn:
    artifact: employment.onnx
    traffic: 5/s
    drift: {baseline: reference.csv, window: 5m, budget: 2}
`;
/** Rows of a request, and the pause between two, in milliseconds of the real clock. */
const ROWS = 60;
const PAUSE = 400;

let aws: LocalAws;
let service: Service & Deployment;
let cloudWatch: CloudWatchClient;
let header: readonly string[];
let rows: readonly (readonly number[])[];
let sending: { stop(): Promise<void> } | undefined;
/** Requests that were answered. */
let asked = 0;

beforeAll(async () => {
  // Five minutes pass in fifteen seconds.
  aws = await startAws({ speed: 20 });
  const reference = await readFile(join(employment, 'reference.csv'), 'utf8');
  const [names = '', ...lines] = reference.trim().split('\n');
  header = names.split(',');
  rows = lines.map((line) => line.split(',').map(Number));
  cloudWatch = new CloudWatchClient(client(aws.endpoint));
  service = await deployService(
    {
      yaml: SERVICE,
      files: {
        'employment.onnx': await readFile(join(employment, 'employment.onnx')),
        'reference.csv': reference,
      },
    },
    aws,
  );
});
afterEach(async () => {
  await sending?.stop();
  sending = undefined;
});
afterAll(async () => {
  cloudWatch?.destroy();
  await service?.remove();
  await aws?.stop();
});

/**
 * Asks with rows of the reference that fit, one after another, in an order that has nothing to do with
 * theirs.
 */
function send(fits: (row: readonly number[]) => boolean): { stop(): Promise<void> } {
  const chosen = rows.filter(fits);
  let [next, isOver] = [0, false];
  const work = (async () => {
    while (!isOver) {
      const batch = Array.from({ length: ROWS }, () => chosen[(next++ * 1009) % chosen.length] ?? []);
      const inputs = header.map((name, column) => ({
        name,
        shape: [ROWS, 1],
        datatype: name === 'AGEP' ? 'FP32' : 'INT64',
        data: batch.map((row) => row[column]),
      }));
      const { answer, error } = await service.invoke('churn', { inputs });
      expect(error, JSON.stringify(answer)).toBeUndefined();
      asked += 1;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  })();
  return {
    stop: async () => {
      isOver = true;
      await work;
    },
  };
}

async function windows(): Promise<readonly DriftWindow[]> {
  const { code, stdout, stderr } = await service.sls('models', 'drift', '--since', '2h', '--json');
  expect(code, stderr).toBe(0);
  return (JSON.parse(stdout) as { readonly churn: readonly DriftWindow[] }).churn;
}

async function alarm(suffix: string): Promise<string | undefined> {
  const { MetricAlarms = [] } = await cloudWatch.send(
    new DescribeAlarmsCommand({ AlarmNames: [`shop-dev-churn-${suffix}`] }),
  );
  return MetricAlarms[0]?.StateValue;
}

const full = (found: readonly DriftWindow[]) => found.filter((window) => window.rows > 500);

it('traffic like the reference is told as such, and its rows are counted exactly', async () => {
  sending = send(() => true);
  await expect
    .poll(async () => full(await windows()).length, { timeout: 240_000, interval: 3000 })
    .toBeGreaterThan(1);
  await sending.stop();
  const found = full(await windows());
  for (const { rows: seen, requests, signals } of found) {
    expect(seen).toBe(requests * ROWS);
    expect(signals).toHaveLength(18);
    for (const { n, cells, nulls } of signals.filter((_, index) => index < 16))
      expect([n, cells.reduce((sum, cell) => sum + cell, 0), nulls]).toEqual([seen, seen, 0]);
  }
  expect(found.flatMap(({ signals }) => signals.filter(({ drifted }) => drifted))).toEqual([]);
  expect(await alarm('drift')).not.toBe('ALARM');
  const { stdout } = await service.sls('models', 'drift');
  expect(stdout).toMatch(/^churn: like the reference data/m);
});

it('a subgroup of ages is told by its column, alarms, and brings no version back', async () => {
  const age = header.indexOf('AGEP');
  sending = send((row) => (row[age] ?? 0) < 35);
  await expect.poll(() => alarm('drift'), { timeout: 240_000, interval: 1000 }).toBe('ALARM');
  const last = (await windows()).at(-1);
  const drifted = last?.signals.filter((signal) => signal.drifted).map(({ label }) => label);
  expect(drifted).toContain('AGEP');
  expect(last?.signals[age]?.shift).toBeLessThan(-0.5);
  const { stdout } = await service.sls('models', 'drift');
  expect(stdout).toMatch(/^churn: .*AGEP.* not as in the reference data\./m);
  expect(stdout).toMatch(/! "AGEP" +−[\d.]+ σ/);
  const report = await service.sls('models', 'report', '--json');
  expect(report.code, report.stderr).toBe(0);
  const path: string = JSON.parse(report.stdout).report;
  expect(path).toBe(join(service.dir, '.serverless', 'models-report.html'));
  const page = await readFile(path, 'utf8');
  expect(page).toContain('<th scope="row">AGEP <b>drifted</b></th>');
  expect(page).toMatch(/[\d.k]+ requests answered, 0 of them failed/);
  expect(page).toContain('>AGEP: drifted</figcaption>');
  const status = await service.sls('models', 'status');
  expect(status.stdout).toMatch(/shop-dev-churn-drift is on/);
  expect((await service.invoke('churn', { inputs: [] })).version).toBe('1');
});

it('what must be kept follows from the requests that CloudWatch has counted', async () => {
  const args = ['--capacity', '--arrivals', 'cloudwatch', '--since', '6h'];
  const [plain, json] = [
    await service.sls('models', 'plan', ...args),
    await service.sls('models', 'plan', ...args, '--json'),
  ];
  expect([plain.code, json.code], plain.stderr + json.stderr).toEqual([0, 0]);
  expect(plain.stdout).toMatch(
    /^ {2}replayed {3}[\d,]+ arrivals by minutes of CloudWatch; within a minute they are taken to know nothing of each other \(Poisson\)/m,
  );
  expect(plain.stdout).toMatch(
    /^ {2}write {6}concurrency: \{ provisioned: \{ min: \d+, max: \d+, target: 0\.\d+ \}/m,
  );
  const [{ duration, onDemand, parts, replayed, traffic }] = JSON.parse(json.stdout).models;
  expect(traffic.from).toBe('cloudwatch');
  expect(duration).toEqual({ ms: expect.any(Number), from: 'measured by CloudWatch' });
  expect(duration.ms).toBeGreaterThan(0);
  // Every request of these tests whose minute is over: all but those of the last few seconds.
  expect(replayed.requests).toBeGreaterThan(asked / 2);
  expect(
    parts.reduce((sum: number, part: { replayed: { requests: number } }) => sum + part.replayed.requests, 0),
  ).toBe(replayed.requests);
  expect(replayed.proposed.kept / replayed.requests).toBeGreaterThanOrEqual(0.999);
  expect(onDemand).toBeGreaterThan(0);
});
