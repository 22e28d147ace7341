/** The host as Lambda's runtime: asked through the Runtime API as its page describes it. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { UNCOUNTED } from '../../core/endpoint/contract.ts';
import { toEvent } from '../../core/host/gateway.ts';
import { shipHere } from '../../plugins/models/serve/shipped.ts';
import { HOST_FILES, writeHost } from '../../plugins/models/ship/host-program.ts';
import { fixtures, lambdaEnv, modelOf, type Served, serve } from './endpoint.ts';
import { askRuntime } from './runtime-api.ts';

let folder = '';
let dir = '';
let env: Record<string, string> = {};
let inputs: readonly object[] = [];
let served: Served;
beforeAll(async () => {
  const answers = JSON.parse(await readFile(join(fixtures, 'answers.json'), 'utf8'));
  inputs = answers.models['add.onnx'].inputs;
  folder = await mkdtemp(join(tmpdir(), 'serverless-models-'));
  await writeHost(folder, '');
  const context = { serviceDir: fixtures, outDir: join(folder, 'm'), progress: () => {} };
  dir = (await shipHere(modelOf('m', 'add.onnx'), context)).dir;
  env = await lambdaEnv('m', dir);
  served = await serve('add.onnx', { name: 'm' });
});
afterAll(async () => {
  await served?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Has the host run a handler as Lambda’s runtime. */
async function lambda(
  handler: string,
  events: Parameters<typeof askRuntime>[2],
  more: Readonly<Record<string, string>> = {},
): ReturnType<typeof askRuntime> {
  const config = join(folder, 'host.json');
  const models = [{ name: 'm', handler, version: '1', timeout: 30 }];
  await writeFile(config, JSON.stringify({ schema: 1, port: 0, catalog: { groups: [] }, models }));
  const around = { ...env, LAMBDA_TASK_ROOT: '/var/task', MODELS_HOST: config, ...more };
  return askRuntime(join(folder, HOST_FILES.host), around, events);
}

it('answers direct invocations and HTTP events as the zip’s handler does', async () => {
  const direct = { id: 'a', inputs };
  const http = toEvent({
    method: 'POST',
    target: '/v2/models/m/infer',
    headers: { 'content-type': 'application/json', 'x-request-id': 'b' },
    body: Buffer.from(JSON.stringify({ inputs })),
  });
  const events = [{ event: direct }, { event: http }, { event: { inputs: [] } }];
  const { told, output } = await lambda(join(dir, 'handler.mjs'), events);
  expect(told.map(({ path }) => path)).toEqual([1, 2, 3].map((id) => `invocation/id-${id}/response`));
  for (const [index, { event }] of events.entries())
    expect(told[index]?.value).toEqual(((await served.invoke(event)) as { answer: unknown }).answer);
  // CloudWatch takes its metrics from here, so they go no other way.
  expect(output.split('\n').filter((line) => line.startsWith('{"_aws"'))).toHaveLength(3);
});

it('hears by the client context what is no traffic', async () => {
  const context = { custom: { [UNCOUNTED]: true } };
  const { told, output } = await lambda(join(dir, 'handler.mjs'), [{ event: { inputs }, context }]);
  expect(told).toMatchObject([{ value: { outputs: expect.anything() } }]);
  expect(output).not.toContain('"_aws"');
});

it('opens no port, so that a variable of the service may be called PORT', async () => {
  const { told, output } = await lambda(join(dir, 'handler.mjs'), [{ event: { inputs } }], {
    ...{ PORT: 'unix:/tmp/x', MODELS_GRPC_PORT: 'none' },
  });
  expect(told, output).toMatchObject([{ value: { outputs: expect.anything() } }]);
});

it('tells Lambda of a handler that throws, and goes on', async () => {
  const file = join(folder, 'throws.mjs');
  await writeFile(
    file,
    'export const handler = async ({ no }, context) => { if (no) throw new TypeError("no"); return context.getRemainingTimeInMillis(); };',
  );
  const { told } = await lambda(file, [{ event: { no: true } }, { event: {} }]);
  expect(told[0]).toMatchObject({
    path: 'invocation/id-1/error',
    value: {
      errorType: 'TypeError',
      errorMessage: 'no',
      stackTrace: expect.arrayContaining([expect.stringContaining('throws.mjs')]),
    },
  });
  expect(told[1]).toMatchObject({ path: 'invocation/id-2/response', value: expect.any(Number) });
  expect(told[1]?.value).toBeGreaterThan(1000);
});

it('tells Lambda of an initialisation that fails, and ends', async () => {
  const { told, code } = await lambda(join(folder, 'nowhere.mjs'), []);
  expect(told).toMatchObject([{ path: 'init/error', value: { errorType: 'Error' } }]);
  expect(code).toBe(1);
});
