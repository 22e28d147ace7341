/** Models that come from a registry: what it takes to have one, and what is left of that in an endpoint. */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { mlflowPython, startMlflow } from '../../test/soak/mlflow/server.ts';
import { inTurns, run } from '../children.ts';
import { type Claim, type Effort, FULL, type Measured } from '../claims.ts';
import { median } from '../median.ts';
import { progress } from '../stage.ts';
import { filesThatDiffer } from './deployed.ts';
import { readOnce } from './reading.ts';

const MEGABYTES = 100;
const REFERENCE = 'models:/big@champion';

export const SOURCES: readonly Claim[] = [
  {
    name: 'sources-mlflow',
    group: 'sources',
    about: `a model of ${MEGABYTES} MB from an MLflow server that gives its artifacts, commands from start to end`,
    ours: 'resolved, fetched, hashed, flushed to disk',
    other: '`mlflow artifacts download`',
    unit: 's',
    compare: 'ratio',
    limit: 1,
    measure: withMlflow,
  },
  {
    name: 'sources-added-files',
    group: 'sources',
    about: 'files of an endpoint’s zip that are others where its model comes from MLflow than from a file',
    ours: 'files',
    unit: '',
    compare: 'value',
    limit: 0,
    measure: async () => ({ ours: [await filesThatDiffer()], other: [] }),
  },
];

async function withMlflow({ repeats }: Effort): Promise<Measured> {
  if (repeats < FULL.repeats) return { unmeasured: 'the short form installs no MLflow' };
  const python = await mlflowPython('The bench of sources');
  const folder = await mkdtemp(join(tmpdir(), 'bench-sources-'));
  const before = process.env.MLFLOW_TRACKING_URI;
  progress('Starting MLflow, and logging the model');
  const server = await startMlflow(python, folder);
  const client = warmClient(python, server.address);
  try {
    process.env.MLFLOW_TRACKING_URI = server.address;
    const script = join(import.meta.dirname, 'register.py');
    const env = environment(server.address);
    await run({ program: python, args: [script, 'big', String(MEGABYTES)], cwd: folder, env });
    return await compared(repeats, python, folder, client);
  } finally {
    client.close();
    server.stop();
    if (before === undefined) delete process.env.MLFLOW_TRACKING_URI;
    else process.env.MLFLOW_TRACKING_URI = before;
    await rm(folder, { recursive: true, force: true });
  }
}

const environment = (address: string): Record<string, string> => {
  const { PATH = '', HOME = '' } = process.env;
  return { PATH, HOME, MLFLOW_TRACKING_URI: address };
};

/** Both as a shell starts them; and each once more in a process that has everything loaded. */
async function compared(
  repeats: number,
  python: string,
  folder: string,
  client: WarmClient,
): Promise<Measured> {
  const env = environment(process.env.MLFLOW_TRACKING_URI ?? '');
  const warm = { ours: [] as number[], other: [] as number[], starts: [] as number[] };
  let last = 0;
  const fresh = async (): Promise<string> => {
    await settled();
    last += 1;
    return join(folder, `brought-${last}`);
  };
  const taken = await inTurns(repeats, {
    ours: async () => {
      const to = await fresh();
      const args = [join(import.meta.dirname, 'read.ts'), REFERENCE, to];
      const { text, end } = await run({ program: process.execPath, args, cwd: folder, env });
      mustBe(JSON.parse(text));
      await rm(to, { recursive: true });
      const again = await fresh();
      const began = performance.now();
      mustBe(await readOnce(REFERENCE, again));
      warm.ours.push((performance.now() - began) / 1000);
      await rm(again, { recursive: true });
      return end / 1000;
    },
    other: async () => {
      const to = await fresh();
      const args = ['artifacts', 'download', '-u', REFERENCE, '-d', to];
      const { end } = await run({ program: join(python, '..', 'mlflow'), args, cwd: folder, env });
      await mustHold(to);
      const again = await fresh();
      warm.other.push(await client.download(again));
      await mustHold(again);
      const loaded = ['-c', 'import mlflow; mlflow.artifacts'];
      warm.starts.push((await run({ program: python, args: loaded, cwd: folder, env })).end / 1000);
      return end / 1000;
    },
  });
  const [ours, other, starts] = [warm.ours, warm.other, warm.starts].map((all) => median(all).toFixed(2));
  const beside = `of MLflow’s command ${starts} s are Python’s import of mlflow; in processes that have everything loaded ${ours} s beside ${other} s of MLflow’s Python API, which neither hashes nor flushes`;
  return { ...taken, beside };
}

/** Waits for what one side wrote and did not flush: the other side's flush would wait for it, too. */
const settled = async (): Promise<void> => {
  if (process.platform !== 'win32') await promisify(execFile)('sync');
};

type WarmClient = { readonly download: (to: string) => Promise<number>; readonly close: () => void };

function warmClient(python: string, address: string): WarmClient {
  const child = spawn(python, [join(import.meta.dirname, 'download.py')], {
    env: environment(address),
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ready = lines.next();
  return {
    download: async (to) => {
      await ready;
      child.stdin.write(`${REFERENCE} ${to}\n`);
      return Number((await lines.next()).value) / 1000;
    },
    close: () => void child.kill('SIGKILL'),
  };
}

/** sha256 of the files that are served, as the first of either side had them. */
let digests: readonly string[] | undefined;

function mustBe(files: readonly { readonly sha256: string }[]): void {
  const sorted = files.map(({ sha256 }) => sha256).sort();
  digests ??= sorted;
  if (digests.join() !== sorted.join()) throw new Error('The sides brought other files.');
}

/** What MLflow brought has the files that we have. */
async function mustHold(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => /\.(?:onnx|data)$/.test(name));
  const bytes = await Promise.all(names.map((name) => readFile(join(folder, name))));
  await rm(folder, { recursive: true });
  mustBe(bytes.map((one) => ({ sha256: createHash('sha256').update(one).digest('hex') })));
}
