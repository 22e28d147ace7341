import {
  DeleteFunctionCommand,
  LambdaClient,
  PublishLayerVersionCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { hostRuntime } from '../../../plugins/models/artifact/onnx/runtime.ts';
import { everythingLeft } from '../../journeys/service.ts';
import { closedGate } from '../closed-gate.ts';
import { invoke, LOGS, makeFunction, withAndWithout, zip } from '../lambda.ts';

/** https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html */
describe('Lambda’s Node runtime', () => {
  let aws: LocalAws;
  beforeAll(async () => {
    aws = await startAws();
  });
  afterAll(() => aws?.stop());

  it('reports an error of the handler with its type and keeps the environment', async () => {
    const code = `let calls = 0;
      class OddError extends Error { name = 'OddError'; }
      export const handler = async (event) => { calls++; if (event.odd) throw new OddError('odd'); return calls; };`;
    await makeFunction(aws, { name: 'throws', code });
    const failed = await invoke(aws, 'throws', { odd: true });
    expect(failed.error).toBe('Unhandled');
    expect(failed.body).toMatchObject({
      errorType: 'OddError',
      errorMessage: 'odd',
      trace: expect.any(Array),
    });
    expect((await invoke(aws, 'throws')).body).toBe(2);
  });

  it('reports a function that exits, and starts it anew', async () => {
    const code = `export const handler = async (event) => { if (event.exit !== undefined) process.exit(event.exit); return 'fine'; };`;
    await makeFunction(aws, { name: 'exits', code });
    const { body, error } = await invoke(aws, 'exits', { exit: 3 });
    expect(error).toBe('Unhandled');
    expect(body).toMatchObject({ errorType: 'Runtime.ExitError' });
    expect(JSON.stringify(body)).toMatch(
      /RequestId: [0-9a-f-]+ Error: Runtime exited with error: exit status 3/,
    );
    expect((await invoke(aws, 'exits')).body).toBe('fine');
  });

  it('ends a function at its timeout', async () => {
    const code = 'export const handler = async (event) => { while (event.busy); return 1; };';
    await makeFunction(aws, { name: 'slow', code, timeout: 1 });
    const { body, log } = await invoke(aws, 'slow', { busy: true });
    expect(body).toMatchObject({ errorType: 'Sandbox.Timedout' });
    expect(JSON.stringify(body)).toContain('Task timed out after 1.00 seconds');
    expect(log).toContain('Task timed out after 1.00 seconds');
    // Its second is short for a process that starts on a busy machine.
    await expect.poll(async () => (await invoke(aws, 'slow')).body).toBe(1);
  });

  // https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
  it('lets an invocation end whose function is updated or deleted meanwhile', async () => {
    const lambda = new LambdaClient(client(aws.endpoint));
    const code = (answer: string): string =>
      `export const handler = async (gate) => { if (gate) await fetch(gate); return '${answer}'; };`;
    await makeFunction(aws, { name: 'busy', code: code('old'), timeout: 60 });
    await Promise.all(Array.from({ length: 4 }, () => invoke(aws, 'busy', '')));
    const meanwhile = async (change: () => Promise<unknown>): Promise<unknown[]> => {
      const gate = await closedGate(4);
      const running = Array.from({ length: 4 }, () => invoke(aws, 'busy', gate.url));
      await gate.asked;
      await change();
      gate.open();
      return (await Promise.all(running)).map(({ body }) => body);
    };
    const ZipFile = await zip({ 'handler.mjs': code('new') });
    const update = () => lambda.send(new UpdateFunctionCodeCommand({ FunctionName: 'busy', ZipFile }));
    expect(await meanwhile(update)).toEqual(['old', 'old', 'old', 'old']);
    expect((await invoke(aws, 'busy', '')).body).toBe('new');
    const remove = () => lambda.send(new DeleteFunctionCommand({ FunctionName: 'busy' }));
    expect(await meanwhile(remove)).toEqual(['new', 'new', 'new', 'new']);
    lambda.destroy();
  });

  it('answers with the handler’s result, whatever fails when that is there', async () => {
    const code = `export const handler = async () => { Promise.reject(new Error('unseen')); return 'fine'; };`;
    await makeFunction(aws, { name: 'floating', code });
    for (let turn = 0; turn < 5; turn++) expect((await invoke(aws, 'floating')).body).toBe('fine');
  });

  it('reports code that does not load', async () => {
    await makeFunction(aws, {
      name: 'broken',
      code: `throw new TypeError('at load'); export const handler = 1;`,
    });
    expect((await invoke(aws, 'broken')).body).toMatchObject({
      errorType: 'TypeError',
      errorMessage: 'at load',
    });
  });

  // https://docs.aws.amazon.com/lambda/latest/dg/nodejs-package.html: the runtime includes version 3 of the
  // SDK
  it('brings the SDK, for import and for require', async () => {
    const code = `import { createRequire } from 'node:module';
      import { S3Client } from '@aws-sdk/client-s3';
      const { LambdaClient } = createRequire(import.meta.url)('@aws-sdk/client-lambda');
      export const handler = async () => [typeof S3Client, typeof LambdaClient, Object.keys(process.env).includes('HOME')];`;
    await makeFunction(aws, { name: 'sdk', code });
    expect((await invoke(aws, 'sdk')).body).toEqual(['function', 'function', false]);
  });

  it('has none of the packages that happen to lie around', async () => {
    const code = `import { createRequire } from 'node:module';
      export const handler = async () => [await import('zod').catch((error) => error.code), (() => {
        try { return createRequire(import.meta.url)('zod'); } catch (error) { return error.code; } })()];`;
    await makeFunction(aws, { name: 'alone', code });
    expect((await invoke(aws, 'alone')).body).toEqual(['ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND']);
  });

  // https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html
  it('finds what a layer brings', async () => {
    const lambda = new LambdaClient(client(aws.endpoint));
    const layer = await lambda.send(
      new PublishLayerVersionCommand({
        LayerName: 'greeting',
        Content: {
          ZipFile: await zip({
            'nodejs/node_modules/greeting/index.js': `module.exports = 'hello from a layer';`,
          }),
        },
      }),
    );
    const code = `import { createRequire } from 'node:module';
      export const handler = async () => createRequire(import.meta.url)('greeting');`;
    await makeFunction(aws, { name: 'layered', code, layers: [layer.LayerVersionArn ?? ''] });
    expect((await invoke(aws, 'layered')).body).toBe('hello from a layer');
    lambda.destroy();
  });

  // The layer of a model for arm64, invoked on another machine, and the other way round.
  it('puts this machine’s ONNX Runtime in the place of one for another, and says so', async () => {
    const foreign = process.arch === 'arm64' ? 'x64' : 'arm64';
    const folder = 'nodejs/node_modules/onnxruntime-node';
    const lambda = new LambdaClient(client(aws.endpoint));
    const layer = await lambda.send(
      new PublishLayerVersionCommand({
        LayerName: 'foreign',
        Content: {
          ZipFile: await zip({
            [`${folder}/package.json`]: '{"main":"index.js"}',
            [`${folder}/index.js`]: `throw new Error('for another machine');`,
            [`${folder}/bin/napi-v6/linux/${foreign}/onnxruntime_binding.node`]: '',
          }),
        },
      }),
    );
    lambda.destroy();
    const code = `import { createRequire } from 'node:module';
      export const handler = async () => typeof createRequire(import.meta.url)('onnxruntime-node').InferenceSession.create;`;
    // As a deploy has fetched it: a local AWS has none of what a user's npm may need.
    await hostRuntime();
    await makeFunction(aws, { name: 'onnx', code, layers: [layer.LayerVersionArn ?? ''], memory: 512 });
    const { body, log } = await invoke(aws, 'onnx');
    expect(body).toBe('function');
    expect(log).toContain("using this machine's own");
  });

  it('frames the log as Lambda does, one stream an environment', async () => {
    const code = `export const handler = async () => { console.log('a', {b: 1}); process.stdout.write('{"plain":"line"}\\n'); };`;
    await makeFunction(aws, { name: 'logs', code });
    const { log, body } = await invoke(aws, 'logs');
    expect(body).toBeNull();
    const lines = log.trim().split('\n');
    expect(lines[0]).toMatch(/^INIT_START /);
    expect(lines[1]).toMatch(/^START RequestId: [0-9a-f-]{36} Version: \$LATEST$/);
    expect(lines[2]).toMatch(/^\d{4}-.*Z\t[0-9a-f-]{36}\tINFO\ta \{ b: 1 \}$/);
    expect(lines[3]).toBe('{"plain":"line"}');
    expect(lines[4]).toMatch(/^END RequestId: /);
    expect(lines[5]).toMatch(
      /^REPORT RequestId: \S+\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 256 MB\tMax Memory Used: \d+ MB\tInit Duration: [\d.]+ ms$/,
    );
  });

  // Rounded up to a millisecond: https://aws.amazon.com/lambda/pricing/
  // https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/
  it('bills the INIT phase of a cold start, too', async () => {
    const code = `await new Promise((done) => setTimeout(done, 300)); export const handler = async () => 1;`;
    await makeFunction(aws, { name: 'billed', code });
    const report = async (): Promise<number[]> => {
      const line =
        (await invoke(aws, 'billed')).log.split('\n').find((one) => one.startsWith('REPORT')) ?? '';
      return ['Duration', 'Billed Duration', 'Init Duration'].map((name) =>
        Number(new RegExp(`\t${name}: ([\\d.]+) ms`).exec(line)?.[1] ?? 0),
      );
    };
    const [cold = [], warm = []] = [await report(), await report()];
    expect(cold[2]).toBeGreaterThan(300);
    expect(warm[2]).toBe(0);
    for (const [duration = 0, billed, init = 0] of [cold, warm])
      expect(billed).toBe(Math.ceil(duration + init));
  });

  // https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-permissions.html
  it('keeps no log for a role that may not write one', async () => {
    const code = `export const handler = async () => console.log('unseen');`;
    await makeFunction(aws, { name: 'silent', code, may: [] });
    await makeFunction(aws, { name: 'heard', code, may: [LOGS] });
    await invoke(aws, 'silent');
    await invoke(aws, 'heard');
    const there = await everythingLeft(aws);
    expect(there).toContain('log group /aws/lambda/heard');
    expect(there).not.toContain('log group /aws/lambda/silent');
  });

  it('is not what MiniStack itself does', async () => {
    const { on, off } = await withAndWithout('runtime', async (other) => {
      await makeFunction(other, {
        name: 'f',
        code: `export const handler = async () => { throw new RangeError('far'); };`,
      });
      return (await invoke(other, 'f')).body;
    });
    expect(on).toMatchObject({ errorType: 'RangeError' });
    expect(off).not.toMatchObject({ errorType: 'RangeError' });
  });
});

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
describe('memory', () => {
  it('ends a function that takes more than it has', async () => {
    const { on, off } = await withAndWithout('memory', async (aws, isOn) => {
      // It stays until it was looked at, however busy the machine is.
      const code = `export const handler = async ({ mb, stay = 0 }) => { const held = []; for (let i = 0; i < mb; i += 10) {
        held.push(Buffer.alloc(10 << 20, 1)); await new Promise((r) => setTimeout(r, 10)); }
        await new Promise((r) => setTimeout(r, stay)); return held.length; };`;
      await makeFunction(aws, { name: 'eats', code, memory: 256, timeout: 60 });
      const within = await invoke(aws, 'eats', { mb: 50 });
      const beyond = await invoke(aws, 'eats', { mb: 400, stay: isOn ? 30_000 : 0 });
      return { within: within.body, beyond: beyond.body };
    });
    expect(on.within).toBe(5);
    expect(on.beyond).toMatchObject({ errorType: 'Runtime.ExitError' });
    expect(JSON.stringify(on.beyond)).toContain('Runtime exited with error: signal: killed');
    expect(off.beyond).toBe(40);
  });

  it('ends one that answers faster than it is looked at', async () => {
    const { on, off } = await withAndWithout('memory', async (aws) => {
      const code = `const held = [];
        export const handler = async () => { held.push(Buffer.alloc(4 << 20, 1)); return held.length; };`;
      await makeFunction(aws, { name: 'grows', code, memory: 128, timeout: 60 });
      const answers: unknown[] = [];
      while (answers.length < 40) answers.push((await invoke(aws, 'grows', {})).body);
      return answers;
    });
    const killed = on.findIndex((answer) => typeof answer !== 'number');
    expect(on[killed]).toMatchObject({ errorMessage: expect.stringContaining('signal: killed') });
    // The next process begins anew.
    expect(on[killed + 1]).toBe(1);
    expect(off.at(-1)).toBe(40);
  });
});
