/**
 * `sls models bench` as a person starts it, on this machine and at a running serve; its page in a browser.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BenchDocument, ScenarioResult } from '../../core/capacity/contract.ts';
import { benchHtml } from '../../plugins/models/measure/bench-html.ts';
import { readableInBrowser } from '../written-page.ts';
import { repository } from './endpoint.ts';
import { removeFolder, serviceFolder, startSls } from './sls.ts';

const SERVICE = `
service: shop
provider: {name: aws, region: eu-central-1}
models:
  churn:
    artifact: gbm.onnx
    latency: {p95: 2000}
    traffic: 20/s
`;

let folder = '';
beforeAll(async () => {
  folder = await serviceFolder(SERVICE, ['gbm.onnx']);
});
afterAll(() => removeFolder(folder));

/** Exit codes tell verdicts, and a busy machine has others. */
async function bench(...args: readonly string[]): Promise<BenchDocument> {
  const sls = join(repository, 'node_modules', 'osls', 'bin', 'serverless.js');
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'));
  const env = { ...Object.fromEntries(own), AWS_EC2_METADATA_DISABLED: 'true' };
  const given = [sls, 'models', 'bench', '--json', ...args];
  const ran = await promisify(execFile)(process.execPath, given, { cwd: folder, env }).catch(
    (error: { readonly stdout: string }) => error,
  );
  const printed = JSON.parse(ran.stdout);
  expect(printed.problems).toBeUndefined();
  return printed;
}

describe('sls models bench', () => {
  it('measures the handler that a deploy would ship, and what its process uses', async () => {
    const { target, scenarios, first, asked, million } = await bench('--duration', '3');
    expect(target).toMatchObject({ kind: 'here', identity: expect.any(String), memory: 1769 });
    expect(asked.from).toBe('made of the signature');
    expect(first?.start).toBeGreaterThan(first?.answer ?? 0);
    expect(million?.total).toBeGreaterThan(0.1);
    const [single, server, offline] = scenarios;
    expect(scenarios.map(({ outcomes, requests }) => outcomes.ok / requests)).toEqual([1, 1, 1]);
    expect(server).toMatchObject({ rate: 20, objective: { percentile: 0.95, ms: 2000 } });
    // More rows in a request are more rows a second.
    expect(offline?.samples).toBeGreaterThan(single?.samples ?? 0);
    if (process.platform !== 'linux') return;
    const ceilings = new Map(single?.ceilings.map((one) => [one.name, one]));
    expect(ceilings.get('memory')?.used).toBeGreaterThan(40);
    expect(ceilings.get('memory')?.used).toBeLessThan(1000);
    expect(ceilings.get('cpu')?.used).toBeGreaterThan(0);
  });

  it('measures a running serve by its address', async () => {
    const serve = await startSls(folder, ['serve']);
    try {
      const { target, scenarios } = await bench(
        '--url',
        serve.url,
        '--duration',
        '2',
        '--scenario',
        'SingleStream',
      );
      expect(target).toEqual({ kind: 'url', name: serve.url });
      expect(scenarios[0]?.outcomes.ok).toBe(scenarios[0]?.requests);
      expect(scenarios[0]?.ceilings.map(({ name }) => name)).toEqual(['request', 'answer']);
    } finally {
      await serve.interrupt();
    }
  });
});

const HOSTILE = '</svg><script>alert(1)</script>"\'&';
const result = (scenario: ScenarioResult['scenario'], more: Partial<ScenarioResult>): ScenarioResult => ({
  ...{
    scenario,
    verdict: 'VALID',
    faults: [],
    seconds: 60,
    requests: 1200,
    samples: 20,
    mean: 12,
    bytes: 900,
  },
  outcomes: { ok: 1200, wrong: 0, refused: 0, failed: 0, late: 0, unsent: 0 },
  ...{ cold: { count: 2, median: 900, max: 1400 }, outstanding: 4, sustained: { rate: 20, ratio: 1.01 } },
  percentiles: [0.5, 0.9, 0.95, 0.99, 0.999].map((percentile) => ({
    ...{ percentile, ms: 10 / (1 - percentile) },
    ...(percentile < 0.99 ? { bound: 12 / (1 - percentile) } : { needs: 6636 }),
  })),
  distribution: Array.from({ length: 100 }, (_, i) => [i / 100, 10 / (1 - i / 100)] as const),
  lateness: { p50: 0.01, p99: 0.2, max: 0.4 },
  ceilings: [
    { name: 'cpu', used: 1.4, limit: 1, unit: 'vCPU' },
    { name: 'memory', used: 412, limit: 1769, unit: 'MB' },
    { name: 'concurrency', used: 40, limit: 1000, unit: 'instances' },
  ],
  ...more,
});
const document: BenchDocument = {
  ...({
    schema: 1,
    kind: 'MLPerf-like',
    model: `churn ${HOSTILE}`,
    strict: false,
    interrupted: true,
  } as const),
  ...{ at: '2026-11-27T15:00:00.000Z', plugin: '0.1.0' },
  target: {
    kind: 'function',
    name: `shop-dev-churn:live ${HOSTILE}`,
    version: '4',
    memory: 1769,
    architecture: 'arm64',
  },
  machine: { processor: 'Some processor with a name that is long, 2 cores', system: 'Linux 6', node: 'v24' },
  asked: {
    from: 'of tests/a-long-name-of-a-file-of-cases-that-somebody-wrote.jsonl',
    requests: 40,
    bytes: 40_000,
  },
  first: { answer: 38, start: 1440 },
  scenarios: [
    result('SingleStream', {}),
    result('Server', {
      verdict: 'INVALID',
      faults: [{ kind: 'backlog', words: `The target does not keep up ${HOSTILE}` }],
      rate: 20,
      objective: { percentile: 0.99, ms: 50 },
      promised: {
        percentile: 0.99,
        seeds: [1, 2, 3, 4, 5],
        runs: [31, 32, 33, 34, 35],
        upper: 41,
        lower: 29,
      },
    }),
    result('Offline', { samples: 51_460 }),
  ],
  curve: {
    objective: { percentile: 0.99, ms: 50 },
    points: [5, 10, 20, 28, 40].map((rate) => ({
      ...{ rate, answered: Math.min(rate, 33), mean: 400 / (35 - Math.min(rate, 34)), keptUp: rate < 34 },
      ...{ latency: 900 / (35 - Math.min(rate, 34)), upper: 1100 / (35 - Math.min(rate, 34)) },
    })),
    knee: 20,
    capacity: 10,
    atCapacity: {
      samples: 10,
      sustained: { rate: 10, ratio: 0.99 },
      ceilings: [{ name: 'cpu', used: 0.4, limit: 1, unit: 'vCPU' }],
    },
  },
  million: { total: 0.816, rate: 20, duration: 1.55, from: 'Lambda’s own duration' },
};

readableInBrowser(
  'bench',
  () => benchHtml(document),
  3,
  async (page) => {
    expect(await page.getByText('nobody submitted or reviewed it').isVisible()).toBe(true);
    expect(await page.locator('.faults li').allTextContents()).toEqual([
      `The target does not keep up ${HOSTILE}`,
    ]);
    expect(await page.locator('li.over').count()).toBe(3);
    expect(await page.getByText('How near to its limits at 10/s').isVisible()).toBe(true);
  },
);

it('the page is written for every document that a bench can end with', async () => {
  const nothing = { ...document, scenarios: [], curve: { points: [] } };
  for (const one of [
    nothing,
    {
      ...document,
      scenarios: [result('Server', { percentiles: [], distribution: [], cold: { count: 0 } })],
    },
  ])
    expect(benchHtml(one)).not.toMatch(/NaN|Infinity|undefined/);
  expect(benchHtml(document)).not.toMatch(/https?:\/\//);
});
