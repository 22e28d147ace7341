import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  LambdaClient,
  PublishLayerVersionCommand,
  PublishVersionCommand,
  UpdateFunctionCodeCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lambdaInvoke } from '../../aws/lambda/invoke.ts';
import { sagemakerReference } from '../../aws/reference.ts';
import { type GateInput, runGate } from '../../core/gate/gate.ts';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, nameEndpoints, startAws } from '../../local-aws/start.ts';
import { onnxFormat } from '../../plugins/models/artifact/onnx/format.ts';
import { shipModel } from '../../plugins/models/ship/ship.ts';
import { buildLayer } from '../../plugins/models/targets/lambda-zip/layer-build.ts';
import { CONTRACT_HANDLER, gateContract } from '../fakes/gate-contract.ts';
import { repository, type Served, serve } from '../serving/endpoint.ts';
import { removeFolder, serviceFolder } from '../serving/sls.ts';
import { modelOf } from '../ship/setup.ts';
import { invoke, LOGS, makeFunction, makeRole, withAndWithout } from './lambda.ts';

const EXAMPLE = join(repository, 'examples', 'employment');
const FUNCTION = 'here-dev-employment';

let aws: LocalAws;
let lambda: LambdaClient;
let sagemaker: SageMakerRuntimeClient;
let cases = '';
let folder = '';

/** A SageMaker container: whatever answers `POST /invocations`. */
async function container(
  answer: (
    type: string,
    body: Buffer,
  ) => Promise<{ readonly status: number; readonly type: string; readonly body: string | Buffer }>,
) {
  const server = createServer(async (request, response) => {
    const { status, type, body } = await answer(request.headers['content-type'] ?? '', await buffer(request));
    response.writeHead(status, { 'content-type': type });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}
const containers: { close(): void }[] = [];

/**
 * The function of a model as a deploy makes it: version 1 from the example, version 2 with two columns
 * swapped.
 */
async function publishModels(): Promise<void> {
  const context = { serviceDir: EXAMPLE, outDir: folder, progress: () => {} };
  const model = (path: string) => modelOf(join(EXAMPLE, path), { name: 'employment' });
  const zipOf = async (path: string) => readFile((await shipModel(model(path), context)).zip ?? '');
  const layer = await lambda.send(
    new PublishLayerVersionCommand({
      LayerName: 'onnxruntime',
      Content: { ZipFile: await readFile((await buildLayer(onnxFormat.runtime, 'x86_64')).zip) },
    }),
  );
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: FUNCTION,
      Role: await makeRole(aws, 'employment', [LOGS]),
      Runtime: 'nodejs24.x',
      Handler: 'handler.handler',
      MemorySize: 1769,
      Timeout: 10,
      Layers: [layer.LayerVersionArn ?? ''],
      Code: { ZipFile: await zipOf('employment.onnx') },
    }),
  );
  const waiter = { client: lambda, maxWaitTime: 30, minDelay: 0.2, maxDelay: 0.5 };
  await waitUntilFunctionActiveV2(waiter, { FunctionName: FUNCTION });
  await lambda.send(new PublishVersionCommand({ FunctionName: FUNCTION }));
  await lambda.send(
    new UpdateFunctionCodeCommand({ FunctionName: FUNCTION, ZipFile: await zipOf('versions/3.onnx') }),
  );
  await waitUntilFunctionUpdatedV2(waiter, { FunctionName: FUNCTION });
  await lambda.send(new PublishVersionCommand({ FunctionName: FUNCTION }));
}

beforeAll(async () => {
  aws = await startAws();
  lambda = new LambdaClient(client(aws.endpoint));
  sagemaker = new SageMakerRuntimeClient(client(aws.endpoint));
  cases = await readFile(join(EXAMPLE, 'cases.jsonl'), 'utf8');
  folder = await mkdtemp(join(tmpdir(), 'gate-'));
  await publishModels();
});
afterAll(async () => {
  for (const one of [...containers, lambda && { close: () => lambda.destroy() }]) one?.close();
  sagemaker?.destroy();
  await aws?.stop();
  await rm(folder, { recursive: true, force: true });
});

const gate = async (version: string, rest: Partial<GateInput> = {}) => {
  const { state, failures } = await runGate(
    {
      invoke: lambdaInvoke(lambda),
      reference: sagemakerReference(sagemaker),
      clock: Date.now,
      pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    },
    {
      functionName: FUNCTION,
      version,
      settings: { gate: { tolerance: 1e-4 }, memory: 1769 },
      state: undefined,
      budgetMs: 60_000,
      casesText: cases,
      ...rest,
    },
  );
  return { ...state, failures };
};

describe('the gate’s adapters keep the contract of its ports', () => {
  let url = '';
  beforeAll(async () => {
    const name = 'contract';
    await makeFunction(aws, { name, code: `export const handler = ${CONTRACT_HANDLER};` });
    await lambda.send(new PublishVersionCommand({ FunctionName: name }));
    const one = await container(async (type, body) =>
      String(body) === 'bad'
        ? { status: 400, type: 'text/plain', body: 'no' }
        : { status: 200, type: 'text/plain', body: `${type}|${body}` },
    );
    containers.push(one);
    url = one.url;
    await nameEndpoints(aws.endpoint, { contract: url });
  });
  gateContract(() => ({
    invoke: lambdaInvoke(lambda),
    reference: sagemakerReference(sagemaker),
    functionName: 'contract',
    endpoint: 'contract',
  }));
});

// https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html
it('a client context reaches the function', async () => {
  const { on, off } = await withAndWithout('client_context', async (local) => {
    const code = `export const handler = async (_, { clientContext }) => clientContext ?? 'none';`;
    await makeFunction(local, { name: 'f', code });
    const there = new LambdaClient(client(local.endpoint));
    const asked = await lambdaInvoke(there).invoke('f', '$LATEST', '{}', 20_000);
    there.destroy();
    return asked?.payload;
  });
  expect([on, off]).toEqual(['{"custom":{"modelsUncounted":true}}', '"none"']);
});

describe('a version on AWS', () => {
  it('that answers its cases passes, with its memory', async () => {
    const { verdict, done, memory, reason } = await gate('1');
    expect({ verdict, done, reason }).toMatchObject({ verdict: 'pass', done: 25 });
    expect(memory).toBeGreaterThan(30);
    expect(memory).toBeLessThan(800);
  });

  it('with two columns swapped in training answers every request, and fails', async () => {
    const { verdict, failed, failures } = await gate('2');
    expect(verdict).toBe('fail');
    expect(failed.length).toBeGreaterThan(3);
    expect(failures[0]).toMatchObject({ kind: 'different', differences: [{ at: 'label[0]' }] });
  });

  // Or the judge would compare, alarms go off, and drift be found by what nobody asked.
  it('counts none of it', async () => {
    const logs = new CloudWatchLogsClient(client(aws.endpoint));
    const { events } = await logs.send(
      new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${FUNCTION}` }),
    );
    logs.destroy();
    const lines = (events ?? []).map(({ message }) => message ?? '');
    expect(lines.filter((line) => line.startsWith('REPORT')).length).toBeGreaterThan(50);
    expect(lines.filter((line) => line.includes('CloudWatchMetrics'))).toEqual([]);
    const event = JSON.parse(cases.slice(0, cases.indexOf('\n')));
    const counted = await invoke(aws, FUNCTION, event);
    expect(counted.log).toContain('CloudWatchMetrics');
  });

  it('under load is measured from the scheduled time', async () => {
    // Few a second, and a bound that a machine which is held up for seconds keeps.
    const load = { rate: 5, duration: 4 };
    const { verdict, load: found } = await gate('1', {
      settings: { gate: { tolerance: 1e-4, load }, memory: 1769, p95: 30_000 },
    });
    expect(found).toMatchObject({ sent: 20, errors: 0 });
    expect(found?.p95).toBeGreaterThan(0);
    expect(found?.duration).toBeLessThanOrEqual(found?.p99 ?? 0);
    expect(verdict).toBe('pass');
    const strict = await gate('1', {
      settings: { gate: { tolerance: 1e-4, load }, memory: 1769, p95: 0.01 },
    });
    expect(strict.reason).toMatch(
      /^p95 \d+ ms \(Lambda’s own duration \d+ ms\) at 5\/s is above the objective of 0.01 ms\.$/,
    );
  });
});

describe('a version that dies', () => {
  const start = async (name: string, code: string, rest: { memory?: number; timeout?: number } = {}) => {
    await makeFunction(aws, { name, code, ...rest });
    await lambda.send(new PublishVersionCommand({ FunctionName: name }));
    return gate('1', {
      functionName: name,
      casesText: '{"inputs":[],"outputs":[{"name":"y","datatype":"FP32","shape":[],"data":[1]}]}',
      settings: { gate: { tolerance: 0 }, memory: rest.memory ?? 256 },
    });
  };
  const refusing = `if (event.inputs === undefined) return { error: 'no', code: 'INVALID_REQUEST' };`;

  it('at init does not start', async () => {
    const { reason, failures } = await start('no-init', `import 'not-there'; export const handler = 1;`);
    expect(reason).toMatch(/^It does not start: .*not-there/);
    expect(failures).toMatchObject([{ case: 0, kind: 'crash' }]);
  });

  it('by timeout fails its case', async () => {
    const code = `export const handler = async (event) => { ${refusing} await new Promise(() => setTimeout(() => {}, 60_000)); };`;
    const { failures, reason } = await start('hangs', code, { timeout: 5 });
    expect(reason).toBe('Case 1 of 1 failed.');
    expect(failures).toMatchObject([{ case: 1, kind: 'timeout' }]);
  });

  it('by memory fails its case', async () => {
    const code = `export const handler = async (event) => { ${refusing} const held = [];
      for (;;) { held.push(Buffer.alloc(10 << 20, 1)); await new Promise((r) => setTimeout(r, 10)); } };`;
    const { failures } = await start('eats', code, { memory: 256 });
    expect(failures).toMatchObject([{ case: 1, kind: 'memory' }]);
  });
});

describe('a SageMaker endpoint as the reference', () => {
  let served: Served;
  let bare = '';
  beforeAll(async () => {
    served = await serve(join(EXAMPLE, 'employment.onnx'));
    const json = await container(async (type, body) => {
      const {
        status,
        headers,
        body: answer,
      } = await served.post('/invocations', body, { 'content-type': type });
      return { status, type: String(headers['content-type']), body: answer };
    });
    // For example XGBoost's, which takes no JSON.
    const csv = await container(async (type, body) => {
      if (type !== 'text/csv') return { status: 415, type: 'text/plain', body: 'no JSON here' };
      const { status, body: answer } = await served.post('/invocations', body, {
        'content-type': type,
        accept: type,
      });
      return { status, type, body: answer };
    });
    containers.push(json, csv);
    await nameEndpoints(aws.endpoint, { 'employment-json': json.url, 'employment-csv': csv.url });
    const lines = cases
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly inputs: unknown });
    bare = lines.map(({ inputs }) => JSON.stringify({ inputs })).join('\n');
  });
  afterAll(() => served?.stop());

  it.each(['employment-json', 'employment-csv'])(
    '%s agrees with its model, and not with the wrong one',
    async (reference) => {
      const settings = { gate: { tolerance: 1e-4, reference }, memory: 1769 };
      expect(await gate('1', { settings, casesText: bare })).toMatchObject({ verdict: 'pass', done: 25 });
      const wrong = await gate('2', { settings, casesText: bare });
      expect(wrong.failed.length).toBeGreaterThan(3);
      expect(wrong.failures.every(({ kind }) => kind === 'different')).toBe(true);
    },
  );
});

describe('sls models gate', () => {
  let dir = '';
  beforeAll(async () => {
    dir = await serviceFolder(
      `service: here
provider: {name: aws}
models:
  employment: {artifact: employment.onnx, http: {auth: none}, gate: {cases: cases.jsonl}}
`,
      [],
    );
    await copyFile(join(EXAMPLE, 'employment.onnx'), join(dir, 'employment.onnx'));
    await writeFile(join(dir, 'cases.jsonl'), cases);
    const live = { FunctionName: FUNCTION, Name: 'live', FunctionVersion: '1' };
    await lambda.send(
      new CreateAliasCommand({ ...live, RoutingConfig: { AdditionalVersionWeights: { '2': 0.1 } } }),
    );
  });
  afterAll(() => removeFolder(dir));

  const sls = (...args: string[]) =>
    new Promise<{ readonly code: number; readonly output: string }>((resolve) => {
      const cli = join(repository, 'node_modules', 'osls', 'bin', 'serverless.js');
      execFile(
        process.execPath,
        [cli, 'models', 'gate', ...args],
        { cwd: dir, env: { ...process.env, ...aws.env } },
        (error, stdout, stderr) =>
          resolve({ code: error === null ? 0 : 1, output: error === null ? stdout : stdout + stderr }),
      );
    });

  it('asks the candidate by default, and shows expected, got and difference', async () => {
    const { code, output } = await sls();
    expect(code).toBe(1);
    expect(output).toMatch(
      /^employment, version 2: fail\n\ncase +where +expected +got +difference\n2 +label\[0\] +1 +0 +-1\n/,
    );
    expect(output).toMatch(
      /models\.employment\.gate: does not let version 2 pass\. Cases 2, .* of 25 failed\./,
    );
  });

  it('asks the version that is named', async () => {
    const { code, output } = await sls('--qualifier', '1', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(output)).toMatchObject({ version: '1', gate: { verdict: 'pass' }, failures: [] });
  });

  it('and says what is not there', async () => {
    const { code, output } = await sls('--stage', 'other');
    expect(code).toBe(1);
    expect(output).toContain('models.employment: has no here-other-employment:live in us-east-1.');
    const { output: version } = await sls('--qualifier', '9');
    expect(version).toMatch(/has no version 9: .* \[MODELS_NOT_DEPLOYED\]/);
  });
});
