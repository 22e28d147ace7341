import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { median } from '../../bench/median.ts';
import type { BenchDocument } from '../../core/capacity/contract.ts';
import { requestsFor } from '../../core/capacity/early-stopping.ts';
import { ascending, quantile } from '../../core/capacity/order-statistics.ts';
import { runPython } from '../python.ts';
import { removeFolder, serviceFolder, startSls } from '../serving/sls.ts';
import { root } from '../unit/docs/pages.ts';

/** Seconds of a run, and how often both have their turn. */
export type LoadgenSize = { readonly seconds: number; readonly rounds: number };
export const LOADGEN: LoadgenSize = { seconds: 30, rounds: 3 };
export const HUNDREDTH_OF_LOADGEN: LoadgenSize = { seconds: 1.5, rounds: 1 };

/** Requests a second of Server: few enough for the machine to be busy with little else. */
const RATE = 40;
/** The objective that LoadGen judges Server by: p99 where there are requests enough, else the median. */
const LIMIT = 1000;
const percentileOf = (seconds: number): number => (RATE * seconds >= requestsFor(1, 0.99) ? 0.99 : 0.5);
/**
 * The most that medians may be apart: Python’s own work is in LoadGen’s latencies, and the machine is busy.
 */
const APART = 4;
/** Rounds more where a machine that was held up in all of them had them too far apart, or INVALID. */
const MORE = 4;

const SERVICE = `
service: shop
provider: {name: aws, region: eu-central-1}
models:
  employment:
    artifact: employment.onnx
    gate: {cases: cases.jsonl}
`;
const SCENARIOS = ['SingleStream', 'Server'] as const;
type Seen = { readonly requests: number; readonly p50: number; readonly p90: number };

/**
 * MLPerf's LoadGen with Python's HTTP and `sls models bench --url` ask one running `sls models serve` the
 * same requests, in turn. Each answer has to be right, LoadGen's verdict VALID, and the least medians near
 * each other.
 *
 * @returns the medians of both, in milliseconds
 */
export async function loadgenAsClient({ seconds, rounds }: LoadgenSize): Promise<string> {
  const folder = await serviceFolder(SERVICE, []);
  const employment = join(root, 'examples', 'employment');
  for (const file of ['employment.onnx', 'cases.jsonl'])
    await copyFile(join(employment, file), join(folder, file));
  const serve = await startSls(folder, ['serve']);
  try {
    const figures: string[] = [];
    for (const scenario of SCENARIOS) {
      const [theirs, ours]: [Seen[], Seen[]] = [[], []];
      // A machine is busy now and then, and two clients are compared by what they see when it is not.
      const least = (all: readonly Seen[]): number => Math.min(...all.map(({ p50 }) => p50));
      const ratio = (): number => least(theirs) / least(ours);
      const isNear = (): boolean => ratio() < APART && ratio() > 1 / APART;
      let fault = '';
      for (let round = 0; round < rounds || (!isNear() && round < rounds + MORE); round += 1) {
        const found = await loadgen(scenario, serve.url, join(folder, 'cases.jsonl'), seconds);
        if (typeof found === 'string') fault = found;
        else theirs.push(found);
        ours.push(await bench(scenario, serve.url, folder, seconds));
      }
      if (theirs.length === 0) throw new Error(fault);
      const mid = (all: readonly Seen[], of: 'p50' | 'p90'): number => median(all.map((one) => one[of]));
      const words = (all: readonly Seen[]): string =>
        `p50 ${mid(all, 'p50').toFixed(2)} and p90 ${mid(all, 'p90').toFixed(2)} ms of ${all.reduce((sum, { requests }) => sum + requests, 0)} requests`;
      const said = `${scenario}: LoadGen ${words(theirs)}, bench ${words(ours)}`;
      if (!isNear()) throw new Error(`${said}: too far apart`);
      figures.push(said);
    }
    return `${figures.join('; ')}; no error, LoadGen finds both VALID`;
  } finally {
    await serve.interrupt();
    await removeFolder(folder);
  }
}

/** @returns in place of what it saw, in words, that it finds itself INVALID: it was too slow */
async function loadgen(
  scenario: string,
  url: string,
  cases: string,
  seconds: number,
): Promise<Seen | string> {
  const folder = await mkdtemp(join(tmpdir(), 'loadgen-'));
  try {
    const script = join(root, 'test', 'serving', 'loadgen_client.py');
    const path = `${url}/v2/models/employment/infer`;
    const args = [scenario, path, cases, folder, seconds, RATE, LIMIT, percentileOf(seconds)].map(String);
    const told = JSON.parse(await runPython(script, args, { timeout: 1000 * seconds + 300_000 })) as {
      readonly latencies: readonly number[];
      readonly verdict: string;
      readonly percentiles: Readonly<Record<string, string>>;
      readonly errors: number;
      readonly faults: readonly string[];
    };
    if (told.errors > 0)
      throw new Error(`${scenario}: ${told.errors} wrong answers: ${told.faults.join('; ')}`);
    if (told.verdict !== 'VALID') return `LoadGen finds ${scenario} ${told.verdict}`;
    const sorted = ascending(told.latencies.map((ns) => ns / 1e6));
    const at = (percent: string): number => Number(told.percentiles[percent]) / 1e6;
    const [p50, p90, p99] = [at('50.00'), at('90.00'), at('99.00')];
    if (!(p50 > 0 && p50 <= p90 && p90 <= p99) || p90 !== quantile(sorted, 0.9))
      throw new Error(`LoadGen’s percentiles of ${scenario} are ${JSON.stringify(told.percentiles)}`);
    return { requests: sorted.length, p50, p90 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function bench(scenario: string, url: string, folder: string, seconds: number): Promise<Seen> {
  const sls = join(root, 'node_modules', 'osls', 'bin', 'serverless.js');
  const args = ['--url', url, '--scenario', scenario, '--duration', String(seconds)];
  const rate = scenario === 'Server' ? ['--rate', String(RATE), '--runs', '1'] : [];
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'));
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [sls, 'models', 'bench', '--json', ...args, ...rate],
    { cwd: folder, env: { ...Object.fromEntries(own), AWS_EC2_METADATA_DISABLED: 'true' } },
    // A busy machine makes the generator late: its verdict is not what is asked here.
  ).catch((error: { readonly stdout: string }) => error);
  const { scenarios } = JSON.parse(stdout) as BenchDocument;
  const [{ outcomes, percentiles, requests } = NONE] = scenarios;
  if (requests === 0 || outcomes.ok !== requests)
    throw new Error(`bench of ${scenario}: ${JSON.stringify(outcomes)} of ${requests}`);
  const at = (p: number): number => percentiles.find(({ percentile }) => percentile === p)?.ms ?? 0;
  return { requests, p50: at(0.5), p90: at(0.9) };
}

const NONE: Pick<BenchDocument['scenarios'][number], 'outcomes' | 'percentiles' | 'requests'> = {
  outcomes: { ok: 0, wrong: 0, refused: 0, failed: 0, late: 0, unsent: 0 },
  percentiles: [],
  requests: 0,
};
