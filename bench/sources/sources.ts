/** Models that come from a registry: what it takes to have one, and what is left of that in an endpoint. */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
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
    measure: (effort) => withMlflow(effort, commands),
  },
  {
    name: 'sources-mlflow-warm',
    group: 'sources',
    about: 'the same in processes that have everything loaded',
    ours: 'resolved, fetched, hashed, flushed to disk',
    other: 'MLflow’s Python API, which does neither of the last two',
    unit: 's',
    compare: 'ratio',
    limit: 2,
    measure: (effort) => withMlflow(effort, warm),
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

type Scene = {
  readonly python: string;
  readonly address: string;
  /** A name that was not there before. */
  readonly fresh: () => string;
};
type Sides = { ours(): Promise<number>; other(): Promise<number>; close?(): void; beside?(): string };

async function withMlflow({ repeats }: Effort, sidesOf: (scene: Scene) => Promise<Sides>): Promise<Measured> {
  if (repeats < FULL.repeats) return { unmeasured: 'the short form installs no MLflow' };
  const python = await mlflowPython('The bench of sources');
  const folder = await mkdtemp(join(tmpdir(), 'bench-sources-'));
  const before = process.env.MLFLOW_TRACKING_URI;
  progress('Starting MLflow, and logging the model');
  digests = undefined;
  const server = await startMlflow(python, folder);
  try {
    process.env.MLFLOW_TRACKING_URI = server.address;
    const script = join(import.meta.dirname, 'register.py');
    await run({
      ...{ program: python, args: [script, 'big', String(MEGABYTES)], cwd: folder },
      env: environment(server.address),
    });
    let last = 0;
    const fresh = (): string => {
      last += 1;
      return join(folder, `brought-${last}`);
    };
    const sides = await sidesOf({ python, address: server.address, fresh });
    try {
      const taken = await inTurns(repeats, {
        ours: async () => {
          await settled();
          return sides.ours();
        },
        other: async () => {
          await settled();
          return sides.other();
        },
      });
      const beside = sides.beside?.();
      return { ...taken, ...(beside !== undefined && { beside }) };
    } finally {
      sides.close?.();
    }
  } finally {
    server.stop();
    if (before === undefined) delete process.env.MLFLOW_TRACKING_URI;
    else process.env.MLFLOW_TRACKING_URI = before;
    await rm(folder, { recursive: true, force: true });
  }
}

/** Waits for what one side wrote and did not flush: the other side's flush would wait for it, too. */
const settled = async (): Promise<void> => {
  if (process.platform !== 'win32') await promisify(execFile)('sync');
};

const environment = (address: string): Record<string, string> => {
  const { PATH = '', HOME = '' } = process.env;
  return { PATH, HOME, MLFLOW_TRACKING_URI: address };
};

/** Both as a shell starts them. */
async function commands({ python, address, fresh }: Scene): Promise<Sides> {
  const env = environment(address);
  const starts: number[] = [];
  return {
    ours: async () => {
      const to = fresh();
      const args = [join(import.meta.dirname, 'read.ts'), REFERENCE, to];
      const { text, end } = await run({ program: process.execPath, args, cwd: dirname(to), env });
      await mustBe(JSON.parse(text));
      await rm(to, { recursive: true });
      return end / 1000;
    },
    other: async () => {
      const to = fresh();
      const args = ['artifacts', 'download', '-u', REFERENCE, '-d', to];
      const { end } = await run({ program: join(python, '..', 'mlflow'), args, cwd: dirname(to), env });
      await mustHold(to);
      const started = await run({
        ...{ program: python, args: ['-c', 'import mlflow; mlflow.artifacts'], cwd: dirname(to), env },
      });
      starts.push(started.end / 1000);
      return end / 1000;
    },
    beside: () => `of MLflow’s command ${median(starts).toFixed(1)} s are Python’s import of mlflow`,
  };
}

async function warm({ python, address, fresh }: Scene): Promise<Sides> {
  const child = spawn(python, [join(import.meta.dirname, 'download.py')], {
    env: environment(address),
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await lines.next();
  return {
    ours: async () => {
      const to = fresh();
      const began = performance.now();
      const files = await readOnce(REFERENCE, to);
      const seconds = (performance.now() - began) / 1000;
      await mustBe(files);
      await rm(to, { recursive: true });
      return seconds;
    },
    other: async () => {
      const to = fresh();
      child.stdin.write(`${REFERENCE} ${to}\n`);
      const { value } = await lines.next();
      await mustHold(to);
      return Number(value) / 1000;
    },
    close: () => void child.kill('SIGKILL'),
  };
}

/** sha256 of the files that are served, as the first of either side had them, of this server's model. */
let digests: readonly string[] | undefined;

async function mustBe(files: readonly { readonly from: string; readonly sha256: string }[]): Promise<void> {
  const sorted = files.map(({ sha256 }) => sha256).sort();
  digests ??= sorted;
  if (digests.join() !== sorted.join()) throw new Error('The sides brought other files.');
}

/** What MLflow brought has the files that we have. */
async function mustHold(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => /\.(?:onnx|data)$/.test(name));
  const bytes = await Promise.all(names.map((name) => readFile(join(folder, name))));
  await rm(folder, { recursive: true });
  await mustBe(
    bytes.map((one, index) => ({
      from: names[index] ?? '',
      sha256: createHash('sha256').update(one).digest('hex'),
    })),
  );
}
