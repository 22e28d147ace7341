import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { MlflowWrite } from '../../core/ports/mlflow.ts';
import { mlflowRegistry } from '../../functions/release/mlflow.ts';
import { readArtifact } from '../../plugins/models/artifact/read.ts';
import type { RecordedAnswer } from '../fakes/mlflow-recorded.ts';
import { answersAreMlflows } from './mlflow/answers.ts';
import { deliveryIsSigned, WEBHOOKS } from './mlflow/delivery.ts';
import { ADMIN_PASSWORD, mlflowPython, startMlflow } from './mlflow/server.ts';

const run = promisify(execFile);
const RECORDED = join(import.meta.dirname, '..', 'fixtures', 'mlflow', 'answers.json');

/**
 * MLflow's own server, with models that its own client logged: what the plugin brings is what `mlflow
 * artifacts download` brings. `UPDATE=1` keeps the answers, which the tests of every run read.
 */
export async function mlflowModels(): Promise<string> {
  const began = performance.now();
  const python = await mlflowPython('The soak of MLflow');
  const folder = await mkdtemp(join(tmpdir(), 'soak-mlflow-'));
  const before = { ...process.env };
  const open = await startMlflow(python, folder, [], WEBHOOKS);
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
    for (const reference of REFUSED) await mustFail(reference, folder);
    await told(recorded.address);
    await denied(python, folder, recorded.answers);
    if (process.env.UPDATE) await writeFile(RECORDED, `${JSON.stringify(recorded.answers, null, 1)}\n`);
    const compared = await answersAreMlflows(folder, open.address);
    await deliveryIsSigned(python, open.address);
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    return `3 versions as mlflow’s own download has them, ${compared} values as it answers, ${REFUSED.length + 3} refusals, ${recorded.answers.length} answers, ${seconds} s`;
  } finally {
    for (const name of Object.keys(process.env)) if (!(name in before)) delete process.env[name];
    Object.assign(process.env, before);
    recorded.close();
    open.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const REFUSED = [
  ...['models:/churn@none', 'models:/churn/9', 'models:/none/1'],
  ...['models:/flavor/1', 'models:/flavor-lightgbm/1'],
];
const KEY = 'serverless-models.us-east-1.shop-dev-churn';
const live = (version: string): readonly MlflowWrite[] => [
  { set: 'alias', name: 'churn', version, alias: 'production' },
  { set: 'tag', name: 'churn', version, key: KEY, value: 'live' },
];
const writer = (at: string, headers: Readonly<Record<string, string>> = {}) =>
  mlflowRegistry({ at, alias: 'production', headers: async () => headers });

/** What the release worker writes is there, and repeated it is the same. */
async function told(at: string): Promise<void> {
  for (const version of ['1', '2', '2']) {
    const written = await write(writer(at), live(version));
    const answer = await fetch(`${at}/api/2.0/mlflow/registered-models/alias?name=churn&alias=production`);
    const there = await answer.text();
    const found = JSON.parse(there).model_version;
    const isThere = found.tags.some((tag: object) => 'key' in tag && tag.key === KEY);
    if (written !== 'ok' || found.version !== version || !isThere)
      throw new Error(`version ${version} was written (${JSON.stringify(written)}), and there is ${there}`);
  }
  await mustRefuse(writer(at), live('9'), /^refuses 404: Model Version \(name=churn, version=9\) not found$/);
}

const PATIENCE_MS = 300_000;
const PAUSE_MS = 5000;

/**
 * The worker gives a call two seconds, and tries it again with its next tick: a server on a busy machine
 * refuses nothing by that. Without the pause, what was given up would still be in the server's queue.
 */
async function write(to: ReturnType<typeof writer>, writes: readonly MlflowWrite[]) {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const written = await to.write(writes);
    if (written === 'ok' || written.refuses || performance.now() > end) return written;
    await sleep(PAUSE_MS);
  }
}

async function mustRefuse(
  to: ReturnType<typeof writer>,
  writes: readonly MlflowWrite[],
  why: RegExp,
): Promise<void> {
  const written = await write(to, writes);
  if (written === 'ok' || !why.test(written.failed)) throw new Error(`written: ${JSON.stringify(written)}`);
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
  const own = await mkdtemp(join(folder, 'auth-'));
  // As its own, but that a new user may read nothing.
  const { stdout: given } = await run(python, [
    '-c',
    'import mlflow.server.auth as a; print(open(a.__path__[0] + "/basic_auth.ini").read())',
  ]);
  const settings = join(own, 'auth.ini');
  await writeFile(
    settings,
    given.replace(/^default_permission = .*$/m, 'default_permission = NO_PERMISSIONS'),
  );
  const closed = await startMlflow(python, own, ['--app-name', 'basic-auth'], {
    MLFLOW_AUTH_CONFIG_PATH: settings,
  });
  const recorded = await recorder(closed.address);
  try {
    process.env.MLFLOW_TRACKING_URI = recorded.address;
    await mustFail('models:/churn@denied', folder);
    process.env.MLFLOW_TRACKING_USERNAME = 'nobody';
    process.env.MLFLOW_TRACKING_PASSWORD = 'wrong password';
    await mustFail('models:/churn@nobody', folder);
    await asAdmin(closed.address, 'users/create', { username: 'ann', password: 'a password of ann' });
    await asAdmin(closed.address, 'registered-models/create', { name: 'secret' });
    process.env.MLFLOW_TRACKING_USERNAME = 'ann';
    process.env.MLFLOW_TRACKING_PASSWORD = 'a password of ann';
    await mustFail('models:/secret@champion', folder);
    await mustRefuse(writer(recorded.address), live('1'), /^refuses 401: You are not authenticated/);
    const by = (who: string) => ({ authorization: `Basic ${Buffer.from(who).toString('base64')}` });
    await asAdmin(closed.address, 'users/create', { username: 'bob', password: 'a password of bob' });
    await asAdmin(closed.address, 'registered-models/create', { name: 'churn' });
    await asAdmin(closed.address, 'model-versions/create', { name: 'churn', source: 's3://models/churn' });
    // A new user reads, and does not write.
    const bob = writer(recorded.address, by('bob:a password of bob'));
    await mustRefuse(bob, live('1'), /^refuses 403: Permission denied$/);
    answers.push(...recorded.answers);
  } finally {
    recorded.close();
    closed.stop();
  }
}

async function asAdmin(address: string, path: string, body: object): Promise<void> {
  const who = Buffer.from(`admin:${ADMIN_PASSWORD}`).toString('base64');
  const answer = await fetch(`${address}/api/2.0/mlflow/${path}`, {
    method: 'POST',
    headers: { authorization: `Basic ${who}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
}

/** Passes questions on, and keeps the answers. */
async function recorder(to: string) {
  const answers: RecordedAnswer[] = [];
  const server = createServer(async (request, response) => {
    const { host: _, connection: __, ...headers } = request.headers;
    const sent = request.method === 'POST' ? await text(request) : undefined;
    const answer = await fetch(`${to}${request.url}`, {
      headers: headers as Record<string, string>,
      ...(sent !== undefined && { method: 'POST', body: sent }),
    }).catch(() => undefined);
    // It has ended, or the one who asks does not wait any more.
    if (answer === undefined) return void response.destroy();
    const body = Buffer.from(await answer.arrayBuffer());
    const type = answer.headers.get('content-type') ?? '';
    answers.push({
      ask: request.url ?? '',
      ...(sent !== undefined && { sent }),
      status: answer.status,
      type,
      body: body.toString('base64'),
    });
    response.writeHead(answer.status, { 'content-type': type, 'content-length': body.length }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}`, answers, close: () => void server.close() };
}
