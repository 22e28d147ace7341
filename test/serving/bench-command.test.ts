import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BenchDocument } from '../../core/capacity/contract.ts';
import type { Signature } from '../../core/tensor/contract.ts';
import { command } from '../../plugins/models/commands/bench.ts';
import { type Context, runCommand } from '../../plugins/models/context/context.ts';
import { parseModels } from '../../plugins/models/declaration/parse.ts';

const signature: Signature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
  omitted: [],
};
const tensor = (name: string, shape: readonly number[], data: readonly number[]) => ({
  ...{ name, datatype: 'FP32', shape, data },
});
const answer = (y: number): string => JSON.stringify({ outputs: [tensor('y', [1], [y])] });

let folder = '';
let server: Server | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bench-'));
});
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  process.exitCode = undefined;
  await rm(folder, { recursive: true, force: true });
});

/** Does something at the `count`-th request that is measured: those of the first two seconds are not. */
function afterWarmUp(count: number, work: () => void): () => void {
  let [began, measured] = [Number.POSITIVE_INFINITY, 0];
  return () => {
    began = Math.min(began, performance.now());
    if (performance.now() - began > 2500 && ++measured === count) work();
  };
}

/** Answers after so many milliseconds, one request after the other where `isSerial`. */
async function stub(
  said: (
    count: number,
    body: string,
  ) => { readonly ms: number; readonly status?: number; readonly text?: string } | 'never',
  isSerial = false,
): Promise<string> {
  let count = 0;
  let free = 0;
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const told = said(count++, Buffer.concat(chunks).toString());
      if (told === 'never') return;
      const { ms, status = 200, text = answer(1) } = told;
      const now = performance.now();
      free = (isSerial ? Math.max(free, now) : now) + ms;
      setTimeout(() => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(text);
      }, free - now);
    });
  });
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

type Flags = Readonly<Record<string, string | boolean>>;

async function bench(flags: Flags, given: { more?: object; of?: Signature; endpoint?: string } = {}) {
  const { models, problems } = parseModels({ churn: { artifact: 'churn.onnx', timeout: 1, ...given.more } });
  expect(problems).toEqual([]);
  const printed: string[] = [];
  const notices: string[] = [];
  const facts = { signature: given.of ?? signature, identity: 'i', source: 's', remote: [] };
  const context = {
    ...{ models, problems, flags },
    aws: {
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      ...(given.endpoint && { endpoint: given.endpoint }),
    },
    bucket: async () => {
      throw new Error('There is no stack');
    },
    service: { dir: folder, stage: 'dev', region: 'us-east-1', name: 'shop', stack: 'shop-dev' },
    plan: { host: { stack: 'shop-dev', service: 'shop', stage: 'dev', provider: {}, functions: {} } },
    progress: () => {},
    print: (text: string) => printed.push(text),
    notice: (text: string) => notices.push(text),
    warning: (text: string) => notices.push(text),
    facts: async () => new Map([['churn', facts]]),
  } as unknown as Context;
  await runCommand(command, context);
  return { text: printed.join('\n'), notices };
}

const kept = async (): Promise<BenchDocument> =>
  JSON.parse(await readFile(join(folder, '.serverless', 'bench', 'churn', 'bench.json'), 'utf8'));

describe('sls models bench', () => {
  it('measures all three scenarios, and keeps document and page', async () => {
    const url = await stub((_, body) => {
      const [{ shape = [1] } = {}] = JSON.parse(body).inputs;
      return { ms: 4, text: JSON.stringify({ outputs: [tensor('y', [shape[0]], Array(shape[0]).fill(1))] }) };
    });
    const { text } = await bench({ url, duration: '2', rate: '40' });
    const { scenarios, kind, target, million, machine } = await kept();
    expect(kind).toBe('MLPerf-like');
    expect(target).toEqual({ kind: 'url', name: url });
    expect(machine.node).toBe(process.version);
    expect(scenarios.map(({ scenario }) => scenario)).toEqual(['SingleStream', 'Server', 'Offline']);
    const [single, server, offline] = scenarios;
    // Hundreds on a machine that is not held up meanwhile.
    expect(single?.requests).toBeGreaterThan(10);
    expect(single?.percentiles[0]?.ms).toBeGreaterThanOrEqual(4);
    expect(server).toMatchObject({ rate: 40, promised: { seeds: [1, 2, 3, 4, 5] } });
    expect(server?.outcomes.ok).toBe(server?.requests);
    // 64 rows a request, four at once, 4 ms each and more.
    expect(offline?.samples).toBeGreaterThan(64 * 4);
    expect(million?.total).toBeGreaterThan(0.1);
    expect(text).toContain('churn at http://127.0.0.1');
    expect(text).toMatch(/SingleStream: (IN)?VALID/);
    expect(text).toContain(
      'bench.html\n  The next package or deploy empties .serverless: to keep them, name',
    );
    const html = await readFile(join(folder, '.serverless', 'bench', 'churn', 'bench.html'), 'utf8');
    expect(html).toContain('<h2>SingleStream</h2>');
  });

  it('says nothing of .serverless where another folder is named', async () => {
    const url = await stub(() => ({ ms: 1 }));
    const { text } = await bench({ url, duration: '1', scenario: 'SingleStream', output: 'kept' });
    expect(text).toMatch(/kept\/bench\.html$/m);
    expect(text).not.toContain('.serverless');
  });

  it('asks nobody where the result could not be written', async () => {
    await writeFile(join(folder, 'taken'), '');
    let asked = 0;
    const url = await stub(() => {
      asked += 1;
      return { ms: 1 };
    });
    await expect(bench({ url, duration: '1', output: 'taken' })).rejects.toThrow(
      /^--output: \S+taken cannot be written: EEXIST.* \[MODELS_USAGE\]$/,
    );
    expect(asked).toBe(0);
  });

  it('Server by itself begins at half of what one caller reaches, not of what a first answer says', async () => {
    const url = await stub((count) => ({ ms: count === 0 ? 800 : 10 }));
    await bench({ url, duration: '2', scenario: 'Server' });
    const [server] = (await kept()).scenarios;
    // The first answer alone says 0.6; a busy machine answers many times slower than in 10 ms.
    expect(server?.rate).toBeGreaterThan(2);
    expect(server?.rate).toBeLessThan(50);
  });

  it('the gate’s cases are asked, and a wrong answer is refused before anything is measured', async () => {
    const line = (y: number): string =>
      JSON.stringify({ inputs: [tensor('x', [1, 2], [1, 2])], outputs: [tensor('y', [1], [y])] });
    await writeFile(join(folder, 'cases.jsonl'), `${line(1)}\n${line(2)}\n`);
    const url = await stub(() => ({ ms: 1 }));
    const more = { gate: { cases: 'cases.jsonl' } };
    await expect(bench({ url, duration: '1' }, { more })).rejects.toThrow(
      /^models\.churn: answers wrongly to case 2 of cases\.jsonl at http:\S+: y\[0\]: expected 2, got 1\. .* \[MODELS_BENCH\]$/,
    );
    await expect(kept()).rejects.toThrow('ENOENT');
  });

  it('answers that turn wrong, or slow, are counted and make a run invalid', async () => {
    const url = await stub((count) => ({
      ms: 1,
      ...(count % 2 === 1 && count > 30 && { text: answer(1).replace('"y"', '"z"') }),
    }));
    await bench({ url, duration: '3', scenario: 'SingleStream' });
    const [single] = (await kept()).scenarios;
    expect(single?.verdict).toBe('INVALID');
    expect(single?.outcomes.wrong).toBeGreaterThan(1);
    expect(single?.faults.map(({ kind }) => kind)).toContain('errors');
    expect(process.exitCode).toBe(1);
  });

  it('nobody there, no answer, refusals and crashes are told in words', async () => {
    await expect(bench({ url: 'http://127.0.0.1:9', duration: '1' })).rejects.toThrow(
      /^models\.churn: does not answer at http:\/\/127\.0\.0\.1:9: .*(ECONNREFUSED|bad port).* \[MODELS_BENCH\]$/,
    );
    const refusing = await stub(() => ({
      ms: 1,
      status: 400,
      text: '{"error": "UNKNOWN_INPUT: There is no x."}',
    }));
    await expect(bench({ url: refusing, duration: '1' })).rejects.toThrow('UNKNOWN_INPUT');
    server?.close();
    const guarded = await stub(() => ({ ms: 1, status: 403, text: '{"message":"Forbidden"}' }));
    await expect(bench({ url: guarded, duration: '1' })).rejects.toThrow(
      /^models\.churn: cannot be asked at http:\S+: what stands before it says: Forbidden\. An API that IAM guards is asked through `sls models proxy`\. \[MODELS_BENCH\]$/,
    );
    server?.close();
    const crashing = await stub(() => ({ ms: 1, status: 502, text: 'Bad gateway' }));
    await expect(bench({ url: crashing, duration: '1' })).rejects.toThrow('HTTP 502');
    await expect(bench({ url: 'ftp://x', duration: '1' })).rejects.toThrow('ftp://x is not an address.');
  });

  it('a target that never answers is given up after its timeout and ten seconds', async () => {
    const url = await stub(() => 'never');
    await expect(bench({ url, duration: '1' })).rejects.toThrow(
      /does not answer at http:\S+: none came within 11 s\. .* \[MODELS_BENCH\]$/,
    );
  });

  it('a target that goes away ends it, and what was measured is kept', async () => {
    const goes = afterWarmUp(150, () => {
      server?.closeAllConnections();
      server?.close();
    });
    const url = await stub(() => {
      goes();
      return { ms: 1 };
    });
    const given = { url, duration: '60', scenario: 'SingleStream' };
    const json = bench({ ...given, json: true, output: 'json' });
    await expect(bench(given)).rejects.toThrow(
      /stopped answering: .*\. Look at the log .* \[MODELS_BENCH\]$/,
    );
    const { text, notices } = await json;
    expect(JSON.parse(text)).toMatchObject({ model: 'churn', interrupted: false });
    expect(notices).toContainEqual(expect.stringContaining('stopped answering'));
    expect(process.exitCode).toBe(1);
    const { scenarios, interrupted } = await kept();
    expect(interrupted).toBe(false);
    expect(scenarios[0]?.requests).toBeGreaterThan(100);
  });

  it('an interruption before anything was measured leaves what an earlier bench found', async () => {
    const url = await stub(() => ({ ms: 1 }));
    await bench({ url, duration: '1', scenario: 'SingleStream' });
    const earlier = await kept();
    expect(earlier.scenarios).toHaveLength(1);
    server?.close();
    const cut = await stub(() => {
      process.emit('SIGINT');
      return { ms: 1 };
    });
    const { text } = await bench({ url: cut, duration: '20', scenario: 'SingleStream' });
    expect(text).toMatch(/\n {2}Nothing was measured, so that nothing is written\.$/);
    expect(process.exitCode).toBe(130);
    expect(await kept()).toEqual(earlier);
    const { text: json } = await bench({ url: cut, duration: '20', scenario: 'SingleStream', json: true });
    expect(JSON.parse(json)).toMatchObject({ interrupted: true, scenarios: [] });
    expect(JSON.parse(json).files).toBeUndefined();
  });

  it('a target that slows down without end is told so, in bounded time', async () => {
    // Steep: also where a busy machine loses a second, twice as many wait at the end as half-way.
    const url = await stub((count) => ({ ms: Math.min(900, 5 + 3 * count) }), true);
    await bench({ url, duration: '4', scenario: 'Server', rate: '40', runs: '1' });
    const [server] = (await kept()).scenarios;
    expect(server?.verdict).toBe('INVALID');
    expect(server?.faults.map(({ kind }) => kind)).toContain('backlog');
  });

  it('Ctrl-C keeps what was measured', async () => {
    const ends = afterWarmUp(100, () => process.emit('SIGINT'));
    const url = await stub(() => {
      ends();
      return { ms: 2 };
    });
    await bench({ url, duration: '120', scenario: 'SingleStream' });
    const { interrupted, scenarios } = await kept();
    expect(interrupted).toBe(true);
    expect(scenarios[0]).toMatchObject({ verdict: 'INVALID', outcomes: { late: 0, failed: 0 } });
    expect(scenarios[0]?.faults.map(({ kind }) => kind)).toContain('interrupted');
    expect(scenarios[0]?.seconds).toBeLessThan(60);
    expect(process.exitCode).toBe(130);
  });

  it('Offline is refused where a model takes one row at a time, and left out where nobody named it', async () => {
    const of: Signature = { ...signature, inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2] }] };
    const url = await stub(() => ({ ms: 1 }));
    await expect(bench({ url, duration: '1', scenario: 'Offline' }, { of })).rejects.toThrow(
      'models.churn: Offline needs a free first dimension in every input, and x has the shape [1, 2]. Export the model with a dynamic batch dimension, or measure SingleStream and Server. [MODELS_BENCH]',
    );
    const { notices } = await bench({ url, duration: '1' }, { of });
    expect(notices.join()).toContain('It is left out.');
    expect((await kept()).scenarios).toHaveLength(2);
  });

  it.each(['7', '5\n5\n5'])('arrivals of a file that are all at one moment are refused: %j', async (text) => {
    await writeFile(join(folder, 'times.txt'), text);
    await expect(bench({ url: 'http://127.0.0.1:1', arrivals: 'times.txt' })).rejects.toThrow(
      /^--arrivals: times\.txt has one time.*, which makes no rate\. Write the times of at least two requests/,
    );
  });

  it('arrivals of a file are replayed', async () => {
    await writeFile(join(folder, 'times.txt'), Array.from({ length: 50 }, (_, i) => 100 + i / 25).join('\n'));
    const url = await stub(() => ({ ms: 1 }));
    await bench({ url, arrivals: 'times.txt', scenario: 'Server' });
    const [server] = (await kept()).scenarios;
    expect(server).toMatchObject({ requests: 50, seconds: expect.closeTo(1.96), promised: { seeds: [] } });
    expect(server?.rate).toBeCloseTo(25, 6);
  });

  it('a curve finds where a target of one at a time stops keeping up', async () => {
    const url = await stub(() => ({ ms: 20 }), true);
    await bench({ url, duration: '2', scenario: 'Server', rate: '30', curve: true, slo: 'p90=200' });
    const { curve } = await kept();
    expect(curve?.points.length).toBeGreaterThan(1);
    expect(curve?.objective).toEqual({ percentile: 0.9, ms: 200 });
    expect(curve?.capacity ?? 0).toBeLessThan(50);
    expect(curve?.atCapacity === undefined).toBe(curve?.capacity === undefined);
  });
});

/** A Lambda that answers so, and starts an instance for the first request. */
async function lambda(
  invoked: (count: number) => { readonly status?: number; readonly error?: string; readonly text?: string },
  weights: object = {},
  configuration: object | null = { MemorySize: 512, Architectures: ['arm64'] },
): Promise<string> {
  let count = 0;
  server = createServer((request, response) => {
    const { url = '' } = request;
    const send = (status: number, body: unknown, headers = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    };
    request.resume();
    if (/\/aliases\/live$/.test(url))
      return send(200, { FunctionVersion: '4', RoutingConfig: { AdditionalVersionWeights: weights } });
    if (/\/aliases\//.test(url)) return send(404, {}, { 'x-amzn-errortype': 'ResourceNotFoundException' });
    if (/\/concurrency$/.test(url)) return send(200, { ReservedConcurrentExecutions: 8 });
    if (/account-settings/.test(url))
      return send(200, { AccountLimit: { UnreservedConcurrentExecutions: 900 } });
    if (/\/configuration\?Qualifier=99$/.test(url))
      return send(404, {}, { 'x-amzn-errortype': 'ResourceNotFoundException' });
    if (/\/configuration/.test(url) && configuration !== null) {
      expect(new URL(url, 'http://x').searchParams.get('Qualifier')).toBe('4');
      return send(200, configuration);
    }
    if (!/\/invocations/.test(url)) return send(404, {}, { 'x-amzn-errortype': 'NotFound' });
    expect(new URL(url, 'http://x').searchParams.get('Qualifier')).toBe('4');
    const at = count++;
    const { status = 200, error, text = answer(1) } = invoked(at);
    const init = at === 0 ? '\tInit Duration: 412.50 ms' : '';
    const report = `REPORT RequestId: r\tDuration: 3.50 ms\tBilled Duration: 4 ms\tMemory Size: 1769 MB\tMax Memory Used: 212 MB${init}`;
    const log = { 'x-amz-log-result': Buffer.from(report).toString('base64') };
    setTimeout(
      () => send(status, status === 200 ? text : {}, error ? { 'x-amzn-errortype': error } : log),
      at === 0 ? 400 : 4,
    );
  });
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a deployed version', () => {
  it('is known by what Lambda reports; a registry that cannot be written stops nothing', async () => {
    const endpoint = await lambda(() => ({}));
    const { notices, text } = await bench({ qualifier: 'live', duration: '2', rate: '20' }, { endpoint });
    const { target, scenarios, first, million } = await kept();
    expect(target).toMatchObject({
      kind: 'function',
      name: 'shop-dev-churn:live',
      version: '4',
      // What it was published with, not what serverless.yml has by now.
      memory: 512,
      architecture: 'arm64',
    });
    expect(first?.answer).toBeGreaterThan(390);
    const [, server] = scenarios;
    expect(server?.duration).toBeCloseTo(3.5, 6);
    const ceilings = new Map(server?.ceilings.map(({ name, used, limit }) => [name, [used, limit]]));
    expect(ceilings.get('memory')).toEqual([212, 512]);
    expect(ceilings.get('concurrency')).toEqual([expect.any(Number), 8]);
    expect(ceilings.has('cpu')).toBe(false);
    expect(million).toMatchObject({ duration: expect.closeTo(3.5), from: 'Lambda’s own duration' });
    expect(notices.join()).toMatch(/^The bench is not kept in the registry: /);
    expect(text).toContain('churn at shop-dev-churn:live, version 4');
  });

  it('whose memory Lambda does not tell has none, and no cost by it', async () => {
    const endpoint = await lambda(() => ({}), {}, null);
    await bench({ qualifier: '4', duration: '2', rate: '20', scenario: 'Server' }, { endpoint });
    const { target, scenarios, million } = await kept();
    expect(target).toEqual({ kind: 'function', name: 'shop-dev-churn:4', version: '4' });
    expect(scenarios[0]?.ceilings.map(({ name }) => name)).toEqual(['concurrency', 'request', 'answer']);
    expect(million).toBeUndefined();
  });

  it('throttles are refused requests, and are not tried again', async () => {
    let count = 0;
    const endpoint = await lambda((at) => {
      count += 1;
      // The first ones are looked at; a busy machine sends few in the time.
      return at > 21 && at % 2 === 0 ? { status: 429, error: 'TooManyRequestsException' } : {};
    });
    await bench({ qualifier: '4', duration: '2', scenario: 'SingleStream' }, { endpoint });
    const [single] = (await kept()).scenarios;
    expect(single?.outcomes.refused).toBeGreaterThan(0);
    expect(single?.outcomes.failed).toBe(0);
    expect(single?.faults.map(({ kind }) => kind)).toContain('errors');
    expect(count).toBeGreaterThanOrEqual(single?.requests ?? 0);
  });

  it('two versions behind an alias, and none, are told so', async () => {
    const shared = await lambda(() => ({}), { 5: 0.1 });
    await expect(bench({ qualifier: 'live', duration: '1' }, { endpoint: shared })).rejects.toThrow(
      'models.churn: cannot be measured through live: a release shares its traffic between versions 4 and 5. Name one of them: --qualifier 4. [MODELS_BENCH]',
    );
    for (const qualifier of ['gone', '99'])
      await expect(bench({ qualifier, duration: '1' }, { endpoint: shared })).rejects.toThrow(
        `models.churn: has no shop-dev-churn:${qualifier} in us-east-1. Run`,
      );
    for (const qualifier of ['$LATEST', '', 'live:4', '0'])
      await expect(bench({ qualifier, duration: '1' }, { endpoint: shared })).rejects.toThrow(
        /^--qualifier: \S+ is no alias, and no number of a version\. Write for example live, or 7\. \[MODELS_USAGE\]$/,
      );
  });
});

describe('options that cannot be used', () => {
  it.each([
    [
      { rate: '0' },
      '--rate: 0 is not a number of requests a second from 0.01 to 10000. Write for example 20.',
    ],
    [{ rate: 'fast' }, '--rate: fast is not a number'],
    [{ duration: '0' }, '--duration: 0 is not a number of seconds from 1 to 86400.'],
    [
      { duration: '60', strict: true },
      '--duration: 60 is not a number of seconds from 600 to 86400. Write for example 600.',
    ],
    [{ slo: '50' }, '--slo: 50 is no percentile above 0 and up to 99.99'],
    [{ slo: 'p100=50' }, '--slo: p100=50 is no percentile'],
    [{ slo: 'p99=0' }, '--slo: p99=0 is no percentile'],
    [{ scenario: 'MultiStream' }, '--scenario: MultiStream is none of SingleStream, Server, Offline.'],
    [{ runs: '0' }, '--runs: 0 is not a whole number from 1 to 100.'],
    [{ arrivals: 'gone.txt' }, '--arrivals: is neither even nor poisson, and as a file it cannot be read'],
    [
      { arrivals: 'mixed.txt' },
      '--arrivals: mixed.txt, line 3: 1 is before 2, the time of the request before it. Write',
    ],
    [{ arrivals: 'good.txt', rate: '5' }, '--rate: does not go with a file of --arrivals'],
    [{ arrivals: 'good.txt', curve: true }, '--curve: does not go with a file of --arrivals'],
    [{ path: 'gone.jsonl' }, '--path: cannot be read'],
    [{ path: 'good.txt' }, '--path: good.txt, line 1: The line must be an object'],
    [{ qualifier: 'live' }, '--qualifier: does not go with --url.'],
    [{ url: 'ftp://127.0.0.1' }, '--url: ftp://127.0.0.1 is not an address.'],
    [
      { url: 'http://127.0.0.1:1/api?key=1' },
      '--url: http://127.0.0.1:1/api has a query, which no path can follow.',
    ],
    [
      { rate: '10000', duration: '86400', scenario: 'Server' },
      '--rate: 10000 requests a second for 86400 s are more than a bench can hold: at most 34.',
    ],
  ] as const)('%j', async (flags, words) => {
    await writeFile(join(folder, 'mixed.txt'), '1\n2\n1\n');
    await writeFile(join(folder, 'good.txt'), '1\n2\n3\n');
    const url = await stub(() => ({ ms: 1 }));
    await expect(bench({ url, ...flags })).rejects.toThrow(words);
    await expect(bench({ url, ...flags })).rejects.toThrow(/\[MODELS_USAGE\]$/);
  });
});
