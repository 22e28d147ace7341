import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { venvPython } from '../../local-aws/venv.ts';
import { readArtifact } from '../../plugins/models/artifact/read.ts';
import type { RecordedAnswer } from '../fakes/mlflow-recorded.ts';

const run = promisify(execFile);
const RECORDED = join(import.meta.dirname, '..', 'fixtures', 'mlflow', 'answers.json');
const START_MS = 120_000;

/**
 * MLflow's own server, with models that its own client logged: what the plugin brings is what `mlflow
 * artifacts download` brings. `UPDATE=1` keeps the answers, which the tests of every run read.
 */
export async function mlflowModels(): Promise<string> {
  const began = performance.now();
  const python = await venvPython({
    name: 'venv-mlflow',
    requirements: join(import.meta.dirname, 'mlflow', 'requirements.txt'),
    least: [3, 11],
    who: 'The soak of MLflow',
    announce: 'MLflow: installing into .local/venv-mlflow (about 900 MB, two minutes) …',
    log: (line) => console.error(line),
  });
  const folder = await mkdtemp(join(tmpdir(), 'soak-mlflow-'));
  const before = { ...process.env };
  const open = await startMlflow(python, folder, []);
  const recorded = await recorder(open.address);
  try {
    process.env.SERVERLESS_MODELS_CACHE = join(folder, 'cache');
    process.env.MLFLOW_TRACKING_URI = open.address;
    const bin = join(python, '..', 'mlflow');
    // Where the script lies, and who runs it, are in the answers that are kept.
    await copyFile(join(import.meta.dirname, 'mlflow', 'models.py'), join(folder, 'models.py'));
    await run(python, ['models.py'], { cwd: folder, env: { ...process.env, LOGNAME: 'ann', USER: 'ann' } });
    process.env.MLFLOW_TRACKING_URI = recorded.address;
    for (const reference of ['models:/churn@champion', 'models:/churn/2', 'models:/wide/1']) {
      const read = await readArtifact(reference, contextIn(folder), () => {});
      const theirs = join(folder, `theirs-${reference.replace(/\W/g, '-')}`);
      await run(bin, ['artifacts', 'download', '-u', reference, '-d', theirs], {
        env: { ...process.env, MLFLOW_TRACKING_URI: open.address },
      });
      const names = await readdir(theirs);
      for (const { path, sha256 } of read.files) {
        const name = names.includes(path) ? path : 'model.onnx';
        const digest = createHash('sha256')
          .update(await readFile(join(theirs, name)))
          .digest('hex');
        if (digest !== sha256)
          throw new Error(`${reference}: ${path} is ${sha256}, and MLflow's is ${digest}`);
      }
      if (read.origin?.datasets?.[0]?.name !== 'churn-2026-11')
        throw new Error(`${reference}: of its dataset is known ${JSON.stringify(read.origin)}`);
    }
    for (const reference of ['models:/churn@none', 'models:/churn/9', 'models:/none/1', 'models:/flavor/1'])
      await mustFail(reference, folder);
    await denied(python, folder, recorded.answers);
    if (process.env.UPDATE) await writeFile(RECORDED, `${JSON.stringify(recorded.answers, null, 1)}\n`);
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    return `3 versions as mlflow’s own download has them, 6 refusals, ${recorded.answers.length} answers, ${seconds} s`;
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
    recorded.close();
    open.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const contextIn = (serviceDir: string) => ({ key: 'models.churn.artifact', serviceDir, progress: () => {} });

async function mustFail(reference: string, folder: string): Promise<void> {
  const read = await readArtifact(reference, contextIn(folder), () => {}).catch(
    (error: Error) => error.message,
  );
  if (typeof read !== 'string') throw new Error(`${reference} was read`);
  console.error(read);
}

/** A server that wants to know who asks: its refusals are plain text. */
async function denied(python: string, folder: string, answers: RecordedAnswer[]): Promise<void> {
  const closed = await startMlflow(python, await mkdtemp(join(folder, 'auth-')), [
    '--app-name',
    'basic-auth',
  ]);
  const recorded = await recorder(closed.address);
  try {
    process.env.MLFLOW_TRACKING_URI = recorded.address;
    await mustFail('models:/churn@denied', folder);
    process.env.MLFLOW_TRACKING_USERNAME = 'nobody';
    process.env.MLFLOW_TRACKING_PASSWORD = 'wrong password';
    await mustFail('models:/churn@nobody', folder);
    answers.push(...recorded.answers);
  } finally {
    recorded.close();
    closed.stop();
  }
}

async function startMlflow(python: string, folder: string, more: readonly string[]) {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const child = spawn(
    python,
    [
      ...['-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1'],
      ...['--backend-store-uri', `sqlite:///${join(folder, 'mlflow.db')}`],
      ...['--artifacts-destination', join(folder, 'artifacts'), ...more],
    ],
    {
      cwd: folder,
      detached: true,
      stdio: 'ignore',
      env: {
        ...process.env,
        MLFLOW_AUTH_ADMIN_PASSWORD: 'a password of twelve',
        MLFLOW_FLASK_SERVER_SECRET_KEY: 'soak',
      },
    },
  );
  const stop = (): void => {
    try {
      process.kill(-(child.pid ?? 0), 'SIGKILL');
    } catch {
      // It has ended.
    }
  };
  process.once('exit', stop);
  const end = performance.now() + START_MS;
  while (
    !(await fetch(`${address}/health`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (performance.now() > end || child.exitCode !== null) throw new Error('MLflow does not start');
    await sleep(200);
  }
  return { address, stop };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Passes questions on, and keeps the answers. */
async function recorder(to: string) {
  const answers: RecordedAnswer[] = [];
  const server = createServer(async (request, response) => {
    const { host: _, connection: __, ...headers } = request.headers;
    const answer = await fetch(`${to}${request.url}`, { headers: headers as Record<string, string> });
    const body = Buffer.from(await answer.arrayBuffer());
    const type = answer.headers.get('content-type') ?? '';
    answers.push({ ask: request.url ?? '', status: answer.status, type, body: body.toString('base64') });
    response.writeHead(answer.status, { 'content-type': type, 'content-length': body.length }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}`, answers, close: () => void server.close() };
}
