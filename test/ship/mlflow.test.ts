/**
 * Models of MLflow: what is taken of its answers, and what becomes of a server that is down, slow, or wrong.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { askFile, HTTP_LIMITS } from '../../plugins/models/artifact/fetch/http.ts';
import { readArtifact } from '../../plugins/models/artifact/read.ts';
import { sha256Of } from '../../plugins/models/disk/files.ts';
import { isProblemError } from '../../plugins/models/problems/errors.ts';
import { prepare } from '../../plugins/models/ship/prepare.ts';
import { shipModel } from '../../plugins/models/ship/ship.ts';
import { readSource } from '../../plugins/models/ship/source.ts';
import { type FakeMlflow, fakeMlflow, mlmodelOf } from '../fakes/mlflow.ts';
import type { RecordedAnswer } from '../fakes/mlflow-recorded.ts';
import { strangeIn } from '../fakes/strange.ts';
import { FIXTURES, modelOf, newService } from './setup.ts';

const service = newService();
const limits = { ...HTTP_LIMITS };
let server: FakeMlflow;
beforeAll(async () => {
  Object.assign(HTTP_LIMITS, { pause: 1 });
  server = await fakeMlflow();
});
afterEach(() => {
  server.calm();
  HTTP_LIMITS.patience = limits.patience;
  for (const name of Object.keys(process.env)) if (name.startsWith('MLFLOW_')) delete process.env[name];
});
afterAll(async () => {
  Object.assign(HTTP_LIMITS, limits);
  await server?.stop();
});

const context = () => ({ key: 'models.churn.artifact', serviceDir: service.at(), progress: () => {} });
const fixture = (name: string): Promise<Buffer> => readFile(join(FIXTURES, name));
async function read(reference: string, address = server.address) {
  process.env.MLFLOW_TRACKING_URI ??= address;
  return readArtifact(reference, context(), () => {});
}
async function refused(reference: string): Promise<string> {
  const error: unknown = await read(reference).catch((reason: unknown) => reason);
  if (!isProblemError(error)) throw error;
  expect(error.problems).toMatchObject([
    { code: 'MODELS_ARTIFACT_MISSING', key: 'models.churn.artifact', value: reference },
  ]);
  return error.message;
}
const logged = async (graph = 'add.onnx') => ({
  MLmodel: mlmodelOf('model.onnx'),
  'model.onnx': await fixture(graph),
});

describe('answers of MLflow’s own server', () => {
  let recorded: readonly RecordedAnswer[];
  let replay: ReturnType<typeof createServer>;
  let address: string;
  beforeAll(async () => {
    recorded = JSON.parse(await readFile(join(FIXTURES, '..', 'mlflow', 'answers.json'), 'utf8'));
    replay = createServer((request, response) => {
      const found = recorded.find(({ ask }) => ask === request.url);
      response.writeHead(found?.status ?? 404, { 'content-type': found?.type ?? 'application/json' });
      response.end(Buffer.from(found?.body ?? '', 'base64'));
    });
    await new Promise<void>((done) => replay.listen(0, '127.0.0.1', done));
    address = `http://127.0.0.1:${(replay.address() as AddressInfo).port}`;
  });
  afterAll(() => replay?.close());

  it('an alias leads to its version, with run, author, dataset and the metric on it', async () => {
    const { origin, files, format } = await read('models:/churn@champion', address);
    expect(origin).toMatchObject({
      from: 'mlflow',
      at: address,
      name: 'churn',
      version: '1',
      alias: 'champion',
      run: expect.stringMatching(/^[0-9a-f]{32}$/),
      by: 'ann',
      datasets: [
        { name: 'churn-2026-11', digest: expect.stringMatching(/^[0-9a-f]{8}$/), context: 'training' },
      ],
      // Logged twice: the later one counts.
      metrics: [{ name: 'auc', value: 0.9, dataset: 'churn-2026-11' }],
      // Tags of the version, and of the model that was logged.
      licence: 'apache-2.0',
      task: 'tabular-classification',
    });
    expect(files.map(({ path }) => path)).toEqual([format.main]);
  });

  it('weights beside the graph come along, under the name that the graph has', async () => {
    const { files } = await read('models:/wide/1', address);
    expect(files.map(({ path }) => path)).toEqual([
      'model.onnx',
      expect.stringMatching(/^[0-9a-f-]+\.data$/),
    ]);
  });

  it.each([
    ['models:/churn@none', 'Registered model alias none not found'],
    ['models:/churn/9', 'Model Version (name=churn, version=9) not found'],
    ['models:/flavor/1', 'has a model of python_function, sklearn there, which is no ONNX'],
    ['models:/churn@denied', 'refuses (401): You are not authenticated'],
  ])('%s: %s', async (reference, message) => {
    process.env.MLFLOW_TRACKING_URI = address;
    expect(await refused(reference)).toContain(message);
  });

  it('to what is written are the fake’s, word for word', async () => {
    const writes = recorded.filter(({ sent, status }) => sent !== undefined && status !== 403);
    expect(writes.map(({ status }) => status)).toEqual(expect.arrayContaining([200, 401, 404]));
    for (const { ask, sent, status, type, body } of writes) {
      const told = await fakeMlflow();
      told.register('churn', {});
      told.register('churn', {});
      if (status === 401) told.guard('Bearer other');
      const answer = await fetch(`${told.address}${ask}`, { method: 'POST', body: sent ?? '' });
      expect([ask, answer.status, answer.headers.get('content-type')]).toEqual([ask, status, type]);
      const text = await answer.text();
      const theirs = Buffer.from(body, 'base64').toString();
      if (status === 401) expect(text).toBe(theirs);
      else expect(JSON.parse(theirs)).toMatchObject(JSON.parse(text));
      await told.stop();
    }
  });

  it('are what the fake answers, by name and type of every part', async () => {
    const files = { ...(await logged()), 'conda.yaml': Buffer.from('name: x') };
    const said = { task: 'classification' };
    server.register('shape', files, 0.9, { tags: { license: 'mit' }, logged: said });
    server.register('shape', files, 0.9, { logged: said });
    server.alias('shape', 'champion', '1');
    const asks = [
      ['mlflow/registered-models/alias?name=shape&alias=champion', /alias=champion$/],
      ['mlflow/registered-models/alias?name=shape&alias=none', /alias=none$/],
      ['mlflow/model-versions/get?name=shape&version=2', /get\?name=churn&version=2$/],
      ['mlflow/model-versions/get?name=shape&version=9', /get\?name=churn&version=9$/],
      ['mlflow/model-versions/get-download-uri?name=shape&version=1', /get-download-uri/],
    ] as const;
    const answer = await (await fetch(`${server.address}/api/2.0/${asks[2][0]}`)).json();
    const { run_id: run, source } = (answer as { model_version: Record<'run_id' | 'source', string> })
      .model_version;
    const id = source.slice('models:/'.length);
    for (const [ask, like] of [
      ...asks,
      [`mlflow/runs/get?run_id=${run}`, /runs\/get/] as const,
      [`mlflow/logged-models/${id}`, /logged-models/] as const,
      [`mlflow-artifacts/artifacts?path=1%2Fmodels%2F${id}%2Fartifacts`, /artifacts\?path/] as const,
    ]) {
      const theirs = recorded.find((one) => like.test(one.ask));
      const ours = await fetch(`${server.address}/api/2.0/${ask}`);
      expect([ask, ours.status, ours.headers.get('content-type')]).toEqual([
        ask,
        theirs?.status,
        theirs?.type,
      ]);
      const strange = strangeIn(
        await ours.json(),
        JSON.parse(Buffer.from(theirs?.body ?? '', 'base64').toString()),
      );
      expect([ask, strange]).toEqual([ask, []]);
    }
  });
});

it('what describes a model may not be a bomb of aliases', async () => {
  const lines = Array.from({ length: 30 }, (_, n) => `a${n}: &a${n} [${`*a${n - 1}, `.repeat(9)}]`);
  lines[0] = 'a0: &a0 [x, x, x, x, x, x, x, x, x]';
  const MLmodel = Buffer.from(`${lines.join('\n')}\nflavors: {onnx: {data: *a29}}\n`);
  server.register('bomb', { ...(await logged()), MLmodel });
  expect(await refused('models:/bomb/1')).toContain('has a model of no flavor there, which is no ONNX');
});

it('an alias that moves is told with what changed, and the bytes of its version are taken', async () => {
  server.register('moving', await logged('add.onnx'), 0.9);
  server.register('moving', await logged('logreg.onnx'), 0.91);
  server.alias('moving', 'champion', '1');
  const first = await read('models:/moving@champion');
  expect([first.origin?.version, first.notices]).toEqual(['1', []]);
  server.alias('moving', 'champion', '2');
  const second = await read('models:/moving@champion');
  expect([second.origin?.version, second.digest === first.digest]).toEqual(['2', false]);
  expect(second.notices).toEqual([
    expect.stringMatching(
      /^models:\/moving@champion is version 2 now; it was version 1 on \d{4}-\d\d-\d\d: auc 0\.9 → 0\.91 on churn-2026-11; run \w+ → \w+\.$/,
    ),
  ]);
});

it('a model that was deleted and registered anew has the same number, and is told to be another', async () => {
  server.register('anew', await logged('add.onnx'), 0.9);
  server.alias('anew', 'champion', '1');
  const first = await read('models:/anew@champion');
  server.remove('anew');
  server.register('anew', await logged('logreg.onnx'), 0.9);
  server.alias('anew', 'champion', '1');
  const second = await read('models:/anew@champion');
  expect([second.digest === first.digest, second.origin?.run === first.origin?.run]).toEqual([false, false]);
  expect(second.notices).toEqual([
    expect.stringMatching(
      /^models:\/anew@champion is version 1 now; it was version 1 on \d{4}-\d\d-\d\d: run \w+ → \w+\.$/,
    ),
  ]);
});

it('a workspace has its own model of the same name, and no other is taken for it', async () => {
  const team = await fakeMlflow();
  server.register('shared', await logged('add.onnx'));
  team.register('shared', await logged('logreg.onnx'));
  for (const one of [server, team]) one.alias('shared', 'champion', '1');
  // As MLflow's own server answers, by the header of its client.
  const whole = createServer(async (request, response) => {
    const { address } = request.headers['x-mlflow-workspace'] === 'team-a' ? team : server;
    const answer = await fetch(`${address}${request.url}`);
    response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((done) => whole.listen(0, '127.0.0.1', done));
  const at = `http://127.0.0.1:${(whole.address() as AddressInfo).port}`;
  const theirs = await read('models:/shared@champion', at);
  process.env.MLFLOW_WORKSPACE = 'team-a';
  const ours = await read('models:/shared@champion', at);
  expect([theirs.origin?.at, ours.origin?.at]).toEqual([at, `${at} (workspace team-a)`]);
  const digests = await Promise.all(
    ['add.onnx', 'logreg.onnx'].map(async (name) =>
      createHash('sha256')
        .update(await fixture(name))
        .digest('hex'),
    ),
  );
  expect([theirs, ours].map(({ files: [graph] }) => graph?.sha256)).toEqual(digests);
  whole.closeAllConnections();
  whole.close();
  await team.stop();
  // Nor is what this machine has of another one.
  process.env.MLFLOW_WORKSPACE = 'team-b';
  expect(await refused('models:/shared@champion')).toContain(`MLflow at ${at} (workspace team-b) cannot be`);
});

it('an alias that moves between resolving and fetching changes nothing', async () => {
  server.register('between', await logged('add.onnx'));
  server.register('between', await logged('logreg.onnx'));
  server.alias('between', 'champion', '1');
  process.env.MLFLOW_TRACKING_URI = server.address;
  const { resolveVersion, fetchVersion } = await import('../../plugins/models/artifact/fetch/mlflow.ts');
  const place = { name: 'between', alias: 'champion' };
  const resolved = await resolveVersion('models:/between@champion', place, context());
  server.alias('between', 'champion', '2');
  const { path } = await fetchVersion(resolved, () => [], context());
  expect((await readFile(path)).equals(await fixture('add.onnx'))).toBe(true);
});

it('a server that is down: what was there before is used, and told; what was not is refused', async () => {
  server.register('kept', await logged());
  server.alias('kept', 'champion', '1');
  const before = await read('models:/kept@champion');
  server.asked();
  server.trouble('name=kept', { kind: 'closed' });
  const after = await read('models:/kept@champion');
  expect([after.digest, after.origin]).toEqual([before.digest, before.origin]);
  expect(after.notices).toEqual([
    expect.stringMatching(
      /^MLflow at \S+ cannot be reached: \S+: models:\/kept@champion is taken as version 1, which it was on \d{4}-\d\d-\d\dT\d\d:\d\dZ\.$/,
    ),
  ]);
  // Three attempts.
  expect(server.asked().filter((path) => path.includes('alias'))).toHaveLength(3);
  expect(await refused('models:/kept/1')).toMatch(/cannot be reached: .* Retry once it answers/);
});

it.each([
  ['slow', { kind: 'silent' }, /does not answer within 0\.3 s\. Retry/],
  ['busy', { kind: 'answers', status: 503, type: 'text/plain', text: 'busy' }, /answers 503: busy\. Retry/],
  [
    'denied',
    { kind: 'answers', status: 401, type: 'text/html', text: 'You are not authenticated.' },
    /refuses \(401\): You are not authenticated\. Set MLFLOW_TRACKING_TOKEN/,
  ],
  [
    'forbidden',
    { kind: 'answers', status: 403, type: 'text/html', text: 'Permission denied' },
    /refuses \(403\): Permission denied\. Set MLFLOW/,
  ],
  [
    'page',
    { kind: 'answers', status: 200, type: 'text/html', text: '<!doctype html><h1>Sign in</h1>' },
    /answers with a page that is no JSON\. Check the address/,
  ],
  [
    'gateway',
    { kind: 'answers', status: 502, type: 'text/html', text: '<html>Bad gateway</html>' },
    /answers 502\. Retry/,
  ],
  [
    'empty',
    { kind: 'answers', status: 200, type: 'application/json', text: '{}' },
    /answers with something that is no version of a model/,
  ],
  ['cut', { kind: 'cut' }, /breaks off: .* Retry/],
] as const)('a server that is %s is told as such', async (name, trouble, message) => {
  server.register(name, await logged());
  server.trouble(`name=${name}`, trouble);
  // What is waited for never comes.
  if (trouble.kind === 'silent') HTTP_LIMITS.patience = 300;
  expect(await refused(`models:/${name}/1`)).toMatch(message);
});

it('a file that is cut off is asked for again, and never taken', async () => {
  server.register('severed', await logged());
  server.trouble('artifacts/model.onnx', { kind: 'cut' });
  expect(await refused('models:/severed/1')).toMatch(/ends after \d+ of \d+ bytes\. Retry/);
  expect(
    server.asked().filter((path) => path.endsWith('artifacts/model.onnx')).length,
  ).toBeGreaterThanOrEqual(3);
  server.calm();
  expect((await read('models:/severed/1')).bytes).toBe((await fixture('add.onnx')).length);
});

it.each([96, 32 * 1024])(
  'a server that closes the connection behind %i KB ends neither them nor the process',
  async (kilobytes) => {
    const bytes = Buffer.alloc(kilobytes * 1024, 7);
    const closing = createTcpServer((socket) => {
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes.length}\r\nConnection: close\r\n\r\n`);
        socket.end(bytes);
      });
      socket.on('error', () => {});
    });
    await new Promise<void>((done) => closing.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(closing.address() as AddressInfo).port}/file`;
    const to = service.at('closed.bin');
    const digest = createHash('sha256').update(bytes).digest('hex');
    for (let time = 0; time < 5; time += 1) {
      const sha256 = await askFile({ url }, to, bytes.length);
      expect([sha256, await sha256Of(to)]).toEqual([digest, digest]);
    }
    closing.close();
  },
);

it('who asks is not told to the place that a registry sends on to; nobody is sent on forever', async () => {
  const asked: (readonly (string | undefined)[])[] = [];
  const bytes = Buffer.from('a file');
  const store = createServer((request, response) => {
    asked.push([request.url, request.headers.authorization]);
    response.end(bytes);
  });
  await new Promise<void>((done) => store.listen(0, '127.0.0.1', done));
  const elsewhere = `http://127.0.0.1:${(store.address() as AddressInfo).port}`;
  const registry = createServer((request, response) => {
    asked.push([request.url, request.headers.authorization]);
    const locations: Record<string, string> = { '/file': '/moved', '/moved': `${elsewhere}/signed` };
    response.writeHead(302, { location: locations[request.url ?? ''] ?? '/round' }).end();
  });
  await new Promise<void>((done) => registry.listen(0, '127.0.0.1', done));
  const at = `http://127.0.0.1:${(registry.address() as AddressInfo).port}`;
  const headers = { authorization: 'Bearer a-token' };
  await askFile({ url: `${at}/file`, headers }, service.at('moved.bin'), bytes.length);
  expect(asked).toEqual([
    ['/file', 'Bearer a-token'],
    ['/moved', 'Bearer a-token'],
    ['/signed', undefined],
  ]);
  expect((await readFile(service.at('moved.bin'))).equals(bytes)).toBe(true);
  await expect(askFile({ url: `${at}/round` }, service.at('round.bin'), 1)).rejects.toThrow(
    'sends on from one address to the next (302)',
  );
  store.close();
  registry.close();
});

it('every attempt, and every address of the same server, has headers of its own: a signature ages', async () => {
  const asked: string[] = [];
  const bytes = Buffer.from('a file');
  const guard = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization}`);
    if (asked.length === 1) response.writeHead(503).end('busy');
    else if (request.url === '/file') response.writeHead(307, { location: '/moved' }).end();
    else response.end(bytes);
  });
  await new Promise<void>((done) => guard.listen(0, '127.0.0.1', done));
  const at = `http://127.0.0.1:${(guard.address() as AddressInfo).port}`;
  let signed = 0;
  const headers = async (url: string) => {
    signed += 1;
    return { authorization: `${new URL(url).pathname} ${signed}` };
  };
  await askFile({ url: `${at}/file`, headers }, service.at('signed.bin'), bytes.length);
  expect(asked).toEqual(['/file /file 1', '/file /file 2', '/moved /moved 3']);
  guard.close();
});

it('an older version hides no trouble with the one that an alias stands for now', async () => {
  server.register('moving', await logged());
  server.alias('moving', 'champion', '1');
  const before = await read('models:/moving@champion');
  for (const trouble of ['mlflow/runs/get', 'mlflow-artifacts/artifacts?']) {
    server.alias('moving', 'champion', '1');
    server.trouble(trouble, { kind: 'answers', status: 503, type: 'text/plain', text: 'busy' });
    // What is known of the same version is as good as ever.
    expect((await read('models:/moving@champion')).origin).toEqual(before.origin);
    server.register('moving', await logged('logreg.onnx'));
    server.alias('moving', 'champion', '2');
    expect(await refused('models:/moving@champion')).toMatch(
      /MLflow at \S+ answers 503: busy\. It is version 2 now, and what this machine has is version 1: retry/,
    );
    server.calm();
  }
});

it('evidence that may not be read is not known, and the model is served without it', async () => {
  server.register('private', await logged());
  server.trouble('mlflow/runs/get', {
    kind: 'answers',
    status: 403,
    type: 'text/html',
    text: 'Permission denied',
  });
  server.trouble('logged-models', { kind: 'answers', status: 404, type: 'application/json', text: '{}' });
  const { origin } = await read('models:/private/1');
  expect(origin).toEqual({
    from: 'mlflow',
    at: server.address,
    name: 'private',
    version: '1',
    run: expect.any(String),
  });
});

it('files that lead out of the folder are not looked at; weights that are missing are named', async () => {
  server.register('outside', {
    ...(await logged()),
    '../../evil.onnx': Buffer.from('x'),
    '..': Buffer.from('x'),
  });
  expect((await read('models:/outside/1')).files.map(({ path }) => path)).toEqual(['model.onnx']);
  server.register('missing', {
    MLmodel: mlmodelOf('model.onnx'),
    'model.onnx': await fixture('external/model.onnx'),
  });
  expect(await refused('models:/missing/1')).toMatch(
    /has no weights\/w\.bin, which is needed beside the graph\. Log the model again/,
  );
  server.register('whole', {
    MLmodel: mlmodelOf('model.onnx'),
    'model.onnx': await fixture('external/model.onnx'),
    'weights/w.bin': await fixture('external/weights/w.bin'),
  });
  expect((await read('models:/whole/1')).files.map(({ path }) => path)).toEqual([
    'model.onnx',
    'weights/w.bin',
  ]);
});

it('each file is asked for once, the graph too where its weights lie beside it', async () => {
  const files = {
    MLmodel: mlmodelOf('model.onnx'),
    'model.onnx': await fixture('external/model.onnx'),
    'weights/w.bin': await fixture('external/weights/w.bin'),
    'conda.yaml': Buffer.from('name: x'),
  };
  server.register('counted', files);
  server.asked();
  server.sent();
  await read('models:/counted/1');
  const [asked, sent] = [server.asked(), server.sent()];
  expect(asked.flatMap((path) => path.split('/artifacts/').slice(2))).toEqual([
    'MLmodel',
    'model.onnx',
    'weights/w.bin',
  ]);
  expect(asked).toHaveLength(9);
  expect(sent).toBe(files.MLmodel.length + files['model.onnx'].length + files['weights/w.bin'].length);
  await read('models:/counted/1');
  expect(server.sent()).toBe(0);
});

it('a version of more files than a model has is refused, and not read in part', async () => {
  const many = Array.from({ length: 1000 }, (_, n) => [`more/${n}.txt`, Buffer.from('x')] as const);
  server.register('crowded', { ...(await logged()), ...Object.fromEntries(many) });
  expect(await refused('models:/crowded/1')).toMatch(
    /has more than 1000 files and folders there\. Log the model again, without what it does not need/,
  );
});

it('folders in folders without an end are refused, and not followed', async () => {
  server.register('deep', {
    ...(await logged()),
    [`${'a/'.repeat(3000)}x.txt`]: Buffer.from('x'),
  });
  server.asked();
  expect(await refused('models:/deep/1')).toMatch(/has more than 1000 files and folders there/);
  expect(server.asked().length).toBeLessThan(1100);
});

it('two models with the same file names do not mix, and of ten thousand versions one is asked for', async () => {
  server.register('one', await logged('add.onnx'));
  server.register('two', await logged('logreg.onnx'));
  const [one, two] = [await read('models:/one/1'), await read('models:/two/1')];
  expect(one.digest).not.toBe(two.digest);
  for (let version = 1; version <= 10_000; version += 1) server.register('many', {});
  const last = server.register('many', await logged('add.onnx'));
  server.asked();
  expect((await read(`models:/many/${last}`)).digest).toBe(one.digest);
  expect(server.asked().length).toBeLessThan(10);
});

it.each([
  ['', 'is MLflow’s, and no server of it is named. Set MLFLOW_TRACKING_URI'],
  ['databricks', 'Databricks keeps models in Unity Catalog'],
  ['databricks-uc://profile', 'Databricks keeps models in Unity Catalog'],
  ['https://dbc-0a1b2c.cloud.databricks.com', 'Databricks keeps models in Unity Catalog'],
  ['https://adb-1.2.azuredatabricks.net/', 'Databricks keeps models in Unity Catalog'],
  ['sqlite:///mlflow.db', 'MLFLOW_TRACKING_URI is sqlite://…, which is no address'],
  ['ftp://ann:secret@host', 'MLFLOW_TRACKING_URI is ftp://…, which is no address'],
  ['postgresql://ann:p@secret@host', 'MLFLOW_TRACKING_URI is postgresql://…, which is no address'],
  ['postgresql://ann:p/secret@host', 'MLFLOW_TRACKING_URI is postgresql://…, which is no address'],
  ['ann:secret@host', 'MLFLOW_TRACKING_URI is no address of a server over http or https'],
  ['http://ann:secret%@host', 'password in MLFLOW_TRACKING_URI has a % that stands for no character'],
  ['http://%zz:secret@host', 'password in MLFLOW_TRACKING_URI has a % that stands for no character'],
])('MLFLOW_TRACKING_URI=%s is refused with the reason', async (uri, message) => {
  process.env.MLFLOW_TRACKING_URI = uri;
  const told = await refused('models:/churn/1');
  expect(told).toContain(message);
  expect(told).not.toContain('secret');
});

it.each([
  ['databricks-uc', 'Databricks keeps models in Unity Catalog'],
  [
    'https://ann:secret@mlflow.example.com',
    'MLFLOW_REGISTRY_URI names another server than MLFLOW_TRACKING_URI',
  ],
])('a registry of its own is not passed over: MLFLOW_REGISTRY_URI=%s', async (uri, message) => {
  process.env.MLFLOW_REGISTRY_URI = uri;
  const told = await refused('models:/churn/1');
  expect(told).toContain(message);
  expect(told).not.toContain('secret');
  server.register('both', await logged());
  process.env.MLFLOW_REGISTRY_URI = `${server.address}/`;
  expect((await read('models:/both/1')).origin?.version).toBe('1');
});

it('words of others are one line that is seen whole: of an answer, and of a version', async () => {
  const text = 'no\u001B[2J access\nfor \u202Enna\u200B';
  server.register('rude', await logged());
  server.trouble('name=rude', { kind: 'answers', status: 403, type: 'text/plain', text });
  expect(await refused('models:/rude/1')).toContain(
    ' refuses (403): no\uFFFD[2J access for \uFFFDnna\uFFFD. Set',
  );
  server.calm();
  server.register('rude', await logged(), 0.9, { tags: { license: `MIT${text}`, task: text } });
  expect((await read('models:/rude/2')).origin).toMatchObject({
    licence: 'MITno\uFFFD[2J access for \uFFFDnna\uFFFD',
    task: 'no\uFFFD[2J access for \uFFFDnna\uFFFD',
  });
});

it('who asks is told by name and password, in variables or in the address, or by a token; never in what is kept', async () => {
  const asked: (string | undefined)[] = [];
  const guard = createServer((request, response) => {
    asked.push(request.headers.authorization);
    response.writeHead(401).end('who are you');
  });
  await new Promise<void>((done) => guard.listen(0, '127.0.0.1', done));
  const { port } = guard.address() as AddressInfo;
  const basic = `Basic ${Buffer.from('ann:pass word').toString('base64')}`;
  process.env.MLFLOW_TRACKING_URI = `http://127.0.0.1:${port}`;
  process.env.MLFLOW_TRACKING_USERNAME = 'ann';
  process.env.MLFLOW_TRACKING_PASSWORD = 'pass word';
  const message = await refused('models:/churn/1');
  expect(message).not.toContain('pass word');
  delete process.env.MLFLOW_TRACKING_USERNAME;
  delete process.env.MLFLOW_TRACKING_PASSWORD;
  process.env.MLFLOW_TRACKING_URI = `http://ann:pass%20word@127.0.0.1:${port}/`;
  expect(await refused('models:/churn/1')).toContain(`MLflow at http://127.0.0.1:${port} refuses`);
  process.env.MLFLOW_TRACKING_URI = `http://127.0.0.1:${port}`;
  process.env.MLFLOW_TRACKING_TOKEN = 'a-token';
  await refused('models:/churn/1');
  // As a file has it.
  process.env.MLFLOW_TRACKING_TOKEN = 'a-token\r\n';
  await refused('models:/churn/1');
  expect(asked).toEqual([basic, basic, 'Bearer a-token', 'Bearer a-token']);
  guard.close();
});

it('an alias that has moved is not taken as what it was by who cannot say who asks', async () => {
  server.register('locked', await logged('add.onnx'));
  server.register('locked', await logged('logreg.onnx'));
  server.alias('locked', 'champion', '1');
  await read('models:/locked@champion');
  server.alias('locked', 'champion', '2');
  process.env.MLFLOW_TRACKING_TOKEN = 'a\ntoken';
  expect(await refused('models:/locked@champion')).toMatch(
    /is not asked: what says who asks has a character that no header may have\. Set MLFLOW_TRACKING_TOKEN/,
  );
});

it.each([
  ['Bearer a-token', { MLFLOW_TRACKING_TOKEN: 'a-token' }, 'a-token'],
  ['a password', { MLFLOW_TRACKING_USERNAME: 'ann', MLFLOW_TRACKING_PASSWORD: 'pass word' }, 'pass word'],
])('a server that repeats who asked is not repeated: %s', async (_, variables, secret) => {
  Object.assign(process.env, variables);
  server.register('echo', await logged());
  server.trouble('name=echo', {
    ...{ kind: 'answers', status: 403, type: 'text/plain' },
    text: `no access for ${secret}`,
  });
  expect(await refused('models:/echo/1')).toMatch(/ refuses \(403\)\. Set MLFLOW_TRACKING_TOKEN/);
});

describe('what another stage has validated', () => {
  const evidence = {
    ...{ stage: 'staging', stack: 'shop-staging', version: '1', release: 'r', startedAt: '' },
    gate: { verdict: 'pass', done: 1, count: 1 },
  } as const;
  const origin = () => ({ from: 'mlflow', at: server.address, name: 'pinned', version: '1' }) as const;
  const model = modelOf('models:/pinned@champion');
  const validatedAs = (source: string, identity: string) =>
    service.context({
      validated: new Map([[model.name, { source, identity, origin: origin(), evidence }]]),
    });
  beforeAll(async () => {
    for (const graph of ['add.onnx', 'logreg.onnx']) server.register('pinned', await logged(graph));
    server.alias('pinned', 'champion', '2');
  });

  it('is taken at its version of MLflow, wherever the alias leads now', async () => {
    process.env.MLFLOW_TRACKING_URI = server.address;
    const theirs = await read('models:/pinned/1');
    const now = await readSource(model, service.context());
    expect([now.origin?.version, now.digest === theirs.digest]).toEqual(['2', false]);
    const pinned = await readSource(model, validatedAs('', ''));
    expect([pinned.origin?.version, pinned.digest]).toEqual(['1', theirs.digest]);
  });

  it('is packaged with its evidence, and nothing else is', async () => {
    process.env.MLFLOW_TRACKING_URI = server.address;
    const { parts, identity } = await prepare(model, validatedAs('', ''));
    const { facts } = await shipModel(model, validatedAs(parts.source, identity));
    expect(facts).toMatchObject({ source: parts.source, identity, promoted: evidence });
    await expect(shipModel(model, validatedAs('f'.repeat(64), identity))).rejects.toThrow(
      /^models\.churn: is not what staging validated as version 1: its source is sha256 [0-9a-f]{12} here, and ffffffffffff there/,
    );
    await expect(
      shipModel({ ...model, optimize: false }, validatedAs(parts.source, identity)),
    ).rejects.toThrow('optimize is true there and false here');
  });
});
