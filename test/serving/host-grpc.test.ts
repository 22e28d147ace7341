/** The host’s gRPC side with real models, asked by gRPC’s own library for Node and by bare HTTP/2. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type ClientHttp2Stream, connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeMessage } from '../open-inference.ts';
import { fixtures } from './endpoint.ts';
import { type GrpcAnswer, type GrpcClient, grpcClient } from './grpc.ts';
import { type Hosted, hostFolder, ODDITIES, silentConnections } from './host.ts';
import { binaryOf, binaryRequest, type Scalar } from './tensors.ts';

type Told = {
  readonly name: string;
  readonly datatype: string;
  readonly shape: number[];
  readonly data: Scalar[];
};

let cases: Record<string, { readonly inputs: Told[]; readonly outputs: Told[] }> = {};
let folder: Awaited<ReturnType<typeof hostFolder>>;
let alone: Awaited<ReturnType<typeof hostFolder>>;
let host: Hosted;
let slow: Hosted;
let client: GrpcClient;
beforeAll(async () => {
  cases = JSON.parse(await readFile(join(fixtures, 'answers.json'), 'utf8')).models;
  folder = await hostFolder([
    { name: 'add', path: 'add.onnx', workers: 1 },
    { name: 'types', path: 'types/all.onnx', workers: 1 },
    { name: 'strings', path: 'strings.onnx', workers: 1 },
    { name: 'odd', path: 'add.onnx', transform: ODDITIES, workers: 1, timeout: 8 },
  ]);
  alone = await hostFolder([
    { name: 'slow', path: 'add.onnx', transform: ODDITIES, workers: 1, timeout: 60 },
  ]);
  host = await folder.start({ grpc: 0 });
  slow = await alone.start({ grpc: 0 });
  client = grpcClient(host.grpc);
});
afterAll(async () => {
  client?.close();
  await host?.stop();
  await slow?.stop();
  await folder?.remove();
  await alone?.remove();
});

const caseOf = (name: string) => {
  const found = cases[name === 'types' ? 'types/all.onnx' : `${name}.onnx`];
  if (found === undefined) throw new Error(`answers.json has no ${name}`);
  return found;
};
const rawOf = ({ data, ...tensor }: Told): Buffer => binaryOf({ ...tensor, values: data });
const headOf = ({ name, datatype, shape }: Told): object => ({ name, datatype, shape });
const rawAsked = (name: string, of = name): Readonly<Record<string, unknown>> => ({
  model_name: name,
  inputs: caseOf(of).inputs.map(headOf),
  raw_input_contents: caseOf(of).inputs.map(rawOf),
});
const added = (name: string, id = ''): object => ({ ...rawAsked(name, 'add'), id });
const isGood = async (answer: Promise<GrpcAnswer>): Promise<boolean> => (await answer).status === 0;

describe('answers', () => {
  it.each(['add', 'types', 'strings'])('%s: the bytes of the binary form over HTTP', async (name) => {
    const { inputs } = caseOf(name);
    const { headers, body } = binaryRequest(inputs.map((one) => ({ ...one, content: rawOf(one) })));
    const http = await host.infer(name, body, headers);
    const length = Number(http.headers.get('inference-header-content-length'));
    const content = Buffer.from(await http.arrayBuffer());
    const head = JSON.parse(content.subarray(0, length).toString());
    const { answer, metadata } = await client.call(
      'ModelInfer',
      { ...rawAsked(name), id: 'a-1' },
      { headers: { 'x-request-id': 'mine' } },
    );
    expect(Buffer.concat(answer.raw_output_contents as Buffer[])).toEqual(content.subarray(length));
    expect(answer).toMatchObject({ model_name: name, model_version: '1', id: 'a-1' });
    const told = (answer.outputs as Told[]).map((one) => [one.name, one.datatype, one.shape.map(Number)]);
    expect(told).toEqual(head.outputs.map((one: Told) => [one.name, one.datatype, one.shape]));
    expect(metadata).toMatchObject({ 'content-type': 'application/grpc', 'x-request-id': 'mine' });
  });

  it('have their numbers and texts in contents where the request had', async () => {
    const contents = (name: string, field: string, data: unknown[]) =>
      client.call('ModelInfer', {
        model_name: name,
        inputs: caseOf(name).inputs.map((one, index) => ({
          ...headOf(one),
          contents: { [field]: index === 0 ? data : one.data },
        })),
      });
    const [, b] = caseOf('add').inputs;
    expect(b?.data).toEqual([0.5, -0.5]);
    const sum = await contents('add', 'fp32_contents', caseOf('add').inputs[0]?.data ?? []);
    expect(sum.answer.outputs).toMatchObject([
      { name: 'sum', contents: { fp32_contents: caseOf('add').outputs[0]?.data } },
    ]);
    const bytes = (data: readonly Scalar[] = []): Buffer[] => data.map((text) => Buffer.from(String(text)));
    const hello = await contents('strings', 'bytes_contents', bytes(caseOf('strings').inputs[0]?.data));
    expect(hello.answer.outputs).toMatchObject([
      { contents: { bytes_contents: bytes(caseOf('strings').outputs[0]?.data) } },
    ]);
  });

  it.each([
    ['gzip', 2],
    ['deflate', 1],
  ])('are the same of messages in %s', async (_, packing) => {
    const packed = grpcClient(host.grpc, packing);
    const [plain, unpacked] = await Promise.all([
      client.call('ModelInfer', rawAsked('types')),
      packed.call('ModelInfer', rawAsked('types')),
    ]);
    packed.close();
    expect(unpacked.answer).toEqual(plain.answer);
    expect(plain.status).toBe(0);
  });

  it('describe server and models', async () => {
    expect((await client.call('ServerLive', {})).answer).toEqual({ live: true });
    expect((await client.call('ServerReady', {})).answer).toEqual({ ready: true });
    const http = await (await fetch(`${host.url}/v2`)).json();
    expect((await client.call('ServerMetadata', {})).answer).toEqual(http);
    const described = (await (await fetch(`${host.url}/v2/models/types`)).json()) as { inputs: Told[] };
    const { answer } = await client.call('ModelMetadata', { name: 'types', version: '1' });
    const asHttp = (tensors: unknown) =>
      (tensors as Told[]).map((one) => ({ ...one, shape: one.shape.map(Number) }));
    expect({ ...answer, inputs: asHttp(answer.inputs), outputs: asHttp(answer.outputs) }).toEqual(described);
    for (const version of ['', '1', 'live'])
      expect((await client.call('ModelReady', { name: 'add', version })).answer).toEqual({ ready: true });
  });

  it('count as those of HTTP', async () => {
    const before = await host.metric('requests_total', 'add');
    const rejected = await host.metric('rejected_total', 'add');
    await client.call('ModelInfer', rawAsked('add'));
    await client.call('ModelInfer', { model_name: 'add' });
    expect(await host.metric('requests_total', 'add')).toBe(before + 1);
    expect(await host.metric('rejected_total', 'add')).toBe(rejected + 1);
  });
});

describe('what is refused', () => {
  const infer = (request: object): Promise<GrpcAnswer> => client.call('ModelInfer', request);

  it.each<[string, number, string, () => Promise<GrpcAnswer>]>([
    [
      'a wrong datatype',
      3,
      'WRONG_DATATYPE',
      () =>
        infer({
          ...rawAsked('strings', 'add'),
          inputs: [{ name: 'x', datatype: 'FP64', shape: [1] }],
          raw_input_contents: [Buffer.alloc(8)],
        }),
    ],
    ['a missing input', 3, 'MISSING_INPUT', () => infer({ model_name: 'add' })],
    ['a model that is not here', 5, 'NOT_FOUND', () => infer(added('nobody'))],
    ['a version that is not here', 5, 'NOT_FOUND', () => infer({ ...added('add'), model_version: '2' })],
    ['metadata of no model', 5, 'NOT_FOUND', () => client.call('ModelMetadata', { name: 'nobody' })],
    [
      'readiness of no version',
      5,
      'NOT_FOUND',
      () => client.call('ModelReady', { name: 'add', version: '9' }),
    ],
    [
      'no protobuf',
      3,
      'INVALID_REQUEST',
      () => client.send('ModelInfer', Buffer.from('{"inputs": []}')).answer,
    ],
    [
      'a message beyond 6 MB',
      8,
      'BODY_TOO_LARGE',
      () => client.send('ModelInfer', Buffer.alloc(7 * 1024 * 1024)).answer,
    ],
    ['another method', 12, 'NOT_FOUND', () => client.send('ModelStreamInfer', Buffer.alloc(0)).answer],
    ['a model’s own refusal', 7, 'SUNDAY', () => infer(added('odd', 'refuse'))],
    ['a process that ends', 13, 'ENDPOINT_FAILED', () => infer(added('odd', 'crash'))],
    ['a model that never ends', 4, 'TIMED_OUT', () => infer(added('odd', 'endless'))],
  ])('%s is status %i', async (_, status, code, ask) => {
    const { details, metadata, ...found } = await ask();
    expect({ ...found, details }).toMatchObject({ status, details: expect.stringMatching(`^${code}: `) });
    expect(metadata).toMatchObject({ 'error-code': code });
    // What ended a process, or took all its time, is not to be sent again.
    expect(metadata).not.toHaveProperty('grpc-retry-pushback-ms');
  });

  it('has its words whole, whatever characters they are of', async () => {
    await expect.poll(() => host.metric('workers_up', 'odd')).toBe(1);
    expect((await infer(added('odd', 'refuse'))).details).toBe('SUNDAY: Only 50 % on “Sundays”.');
  });

  it('is a message that unpacks to more than 6 MB, or not at all', async () => {
    const packed = grpcClient(host.grpc, 2);
    const large = await packed.send('ModelInfer', Buffer.alloc(7 * 1024 * 1024)).answer;
    packed.close();
    expect(large).toMatchObject({
      status: 8,
      details: expect.stringMatching('^BODY_TOO_LARGE: .* when unpacked'),
    });
    const broken = gzipSync('what is this').subarray(0, 12);
    expect(await bare(host, frame(broken, 1), { 'grpc-encoding': 'gzip' })).toMatchObject({
      'grpc-status': '3',
      'error-code': 'INVALID_ENCODING',
    });
    expect(await bare(host, frame(broken, 1), { 'grpc-encoding': 'br' })).toMatchObject({
      'grpc-status': '3',
      'error-code': 'UNSUPPORTED_MEDIA_TYPE',
    });
  });

  it('is a call that has no message, or two, or another content type, or a deadline that is none', async () => {
    expect(await bare(host, Buffer.alloc(0))).toMatchObject({ 'error-code': 'INVALID_REQUEST' });
    const one = frame(encodeMessage('ModelInferRequest', rawAsked('add')));
    expect(await bare(host, Buffer.concat([one, one]))).toMatchObject({ 'error-code': 'INVALID_REQUEST' });
    expect(await bare(host, one.subarray(0, 20))).toMatchObject({ 'error-code': 'INVALID_REQUEST' });
    expect(await bare(host, one, { 'content-type': 'application/json' })).toMatchObject({ ':status': 415 });
    expect(await bare(host, one, { 'grpc-timeout': 'soon' })).toMatchObject({
      'error-code': 'INVALID_REQUEST',
    });
    expect(await bare(host, one, { 'grpc-timeout': '99999999H' })).toMatchObject({ 'grpc-status': '0' });
  });

  it('is, of a host for this machine alone, a caller that names another', async () => {
    const own = await alone.start({ grpc: 0, local: true, address: '127.0.0.1' });
    try {
      const one = frame(encodeMessage('ModelInferRequest', added('slow')));
      expect(await bare(own, one)).toMatchObject({ 'grpc-status': '0' });
      expect(await bare(own, one, { ':authority': 'evil.example:80' })).toMatchObject({ 'grpc-status': '7' });
    } finally {
      await own.stop();
    }
  });
});

/** A message in gRPC’s frame. */
function frame(message: Buffer, packed = 0): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(packed);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** A call by bare HTTP/2. @returns its headers and trailers together */
async function bare(
  to: Hosted,
  body: Buffer,
  headers: IncomingHttpHeaders = {},
): Promise<IncomingHttpHeaders> {
  const session = connectHttp2(`http://127.0.0.1:${to.grpc}`);
  try {
    const stream = opened(session, headers);
    let heard: IncomingHttpHeaders = {};
    stream.on('response', (found) => {
      heard = { ...heard, ...found };
    });
    stream.on('trailers', (found) => {
      heard = { ...heard, ...found };
    });
    stream.resume().end(body);
    await once(stream, 'close');
    return heard;
  } finally {
    session.destroy();
  }
}

const opened = (
  session: ReturnType<typeof connectHttp2>,
  headers: IncomingHttpHeaders = {},
): ClientHttp2Stream =>
  session.request({
    ':method': 'POST',
    ':path': '/inference.GRPCInferenceService/ModelInfer',
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });

describe('too much', () => {
  let began: ReturnType<typeof connectHttp2>;
  let unended: Promise<unknown[]>;
  beforeAll(() => {
    began = connectHttp2(`http://127.0.0.1:${host.grpc}`);
    const stream = opened(began);
    stream.write(Buffer.from([0, 0, 0, 1, 0]));
    unended = once(stream, 'trailers');
  });
  afterAll(() => began.destroy());

  it('is unavailable, with the time after which to try again, and nothing of its message is waited for', async () => {
    const asking = grpcClient(slow.grpc);
    for (let count = 0; count < 3; count++) await asking.call('ModelInfer', added('slow', 'ms400'));
    const first = asking.call('ModelInfer', added('slow', 'ms8000'));
    await expect.poll(() => slow.metric('busy_share', 'slow')).toBe(1);
    const others = Array.from({ length: 8 }, () => asking.call('ModelInfer', added('slow', 'ms20')));
    const all = [first, ...others];
    await expect.poll(() => slow.metric('queue', 'slow')).toBe(4);
    const session = connectHttp2(`http://127.0.0.1:${slow.grpc}`);
    const stream = opened(session);
    // Five bytes that promise five million, which do not come.
    stream.write(Buffer.from([0, 0, 0x4c, 0x4b, 0x40]));
    const [trailers] = await once(stream, 'trailers');
    expect(trailers).toMatchObject({
      'grpc-status': '14',
      'error-code': 'OVERLOADED',
      'grpc-retry-pushback-ms': '1000',
    });
    session.destroy();
    const statuses = (await Promise.all(all)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 0)).toHaveLength(5);
    expect(statuses.filter((status) => status === 14)).toHaveLength(4);
    expect(await slow.metric('shed_total', 'slow')).toBeGreaterThanOrEqual(5);
    asking.close();
  });

  it('is of a client that sends it whole before it looks: it is told, and its connection goes on', async () => {
    const asking = grpcClient(slow.grpc);
    for (let count = 0; count < 3; count++) await asking.call('ModelInfer', added('slow', 'ms400'));
    const first = asking.call('ModelInfer', added('slow', 'ms8000'));
    await expect.poll(() => slow.metric('busy_share', 'slow')).toBe(1);
    const others = Array.from({ length: 4 }, () => asking.call('ModelInfer', added('slow', 'ms20')));
    const running = [first, ...others];
    await expect.poll(() => slow.metric('queue', 'slow')).toBe(4);
    const large = await asking.send('ModelInfer', Buffer.alloc(5 * 1024 * 1024)).answer;
    expect(large).toMatchObject({ status: 14 });
    expect(await Promise.all(running.map(isGood))).toEqual(running.map(() => true));
    expect(await isGood(asking.call('ModelInfer', added('slow')))).toBe(true);
    asking.close();
  });

  it('is nothing that its client has taken back, or whose deadline is over: it is computed by nobody', async () => {
    const asking = grpcClient(slow.grpc);
    const running = asking.call('ModelInfer', added('slow', 'ms12000'));
    await expect.poll(() => slow.metric('busy_share', 'slow')).toBe(1);
    const message = encodeMessage('ModelInferRequest', added('slow', 'ms4000'));
    const waits = asking.send('ModelInfer', message);
    const late = asking.send('ModelInfer', message, { deadline: Date.now() + 5000 });
    await expect.poll(() => slow.metric('queue', 'slow')).toBe(2);
    waits.cancel();
    expect(await waits.answer).toMatchObject({ status: 1 });
    expect(await late.answer).toMatchObject({ status: 4 });
    await expect.poll(() => slow.metric('queue', 'slow')).toBe(0);
    expect(await isGood(running)).toBe(true);
    expect(await isGood(asking.call('ModelInfer', added('slow')))).toBe(true);
    asking.close();
  });

  it('of connections that send nothing changes nothing, and they are closed', async () => {
    const { count, closed } = await silentConnections(slow.grpc);
    const asking = grpcClient(slow.grpc);
    expect(await isGood(asking.call('ModelInfer', added('slow')))).toBe(true);
    await expect.poll(closed, { timeout: 200_000, interval: 200 }).toBe(count);
    expect(await isGood(asking.call('ModelInfer', added('slow')))).toBe(true);
    asking.close();
  });

  it('of patience: messages that come by the byte hold no place', async () => {
    const asking = grpcClient(slow.grpc);
    for (let count = 0; count < 3; count++) await asking.call('ModelInfer', added('slow', 'ms400'));
    const session = connectHttp2(`http://127.0.0.1:${slow.grpc}`);
    const streams = Array.from({ length: 20 }, () => {
      const stream = opened(session).on('error', () => {});
      stream.write(Buffer.from([0, 0, 0, 1, 0]));
      return stream;
    });
    const drip = setInterval(() => {
      for (const stream of streams) if (stream.writable) stream.write(Buffer.alloc(1));
    }, 100);
    try {
      // As many as would fill every place, and each is given up after a second.
      await sleep(1500);
      const good = (): Promise<boolean> => isGood(asking.call('ModelInfer', added('slow')));
      await expect.poll(good).toBe(true);
      expect(await good()).toBe(true);
    } finally {
      clearInterval(drip);
      session.destroy();
      asking.close();
    }
  });

  // It has waited since the first of these tests.
  it('of time for a message is told after half a minute', async () => {
    const [trailers] = await unended;
    expect(trailers).toMatchObject({ 'grpc-status': '4', 'error-code': 'SLOW_REQUEST' });
  });
});

describe('its end', () => {
  it('waits for what was taken: ready falls first, each call is answered, then 0', async () => {
    // Long enough for the balancer here to see it, whatever keeps it from looking.
    const ending = await alone.start({ grpc: 0, drain: 10_000 });
    const asking = grpcClient(ending.grpc);
    let goesOn = true;
    const lost: GrpcAnswer[] = [];
    let answered = 0;
    const ask = async (id: string): Promise<void> => {
      const answer = await asking.call('ModelInfer', added('slow', id));
      if (answer.status === 0 || answer.status === 14) answered++;
      else lost.push(answer);
    };
    const callers = Array.from({ length: 8 }, async () => {
      while (goesOn) await ask('ms20');
    });
    await expect.poll(() => answered).toBeGreaterThan(20);
    ending.child.kill('SIGTERM');
    const ready = async (): Promise<unknown> => (await asking.call('ServerReady', {})).answer;
    await expect.poll(ready, { interval: 10 }).toEqual({ ready: false });
    expect((await asking.call('ModelReady', { name: 'slow' })).answer).toEqual({ ready: false });
    expect((await asking.call('ServerLive', {})).answer).toEqual({ live: true });
    goesOn = false;
    await Promise.all(callers);
    // These are there long after the port is closed.
    const last = Array.from({ length: 5 }, () => asking.call('ModelInfer', added('slow', 'ms2500')));
    expect(await ending.ended).toBe(0);
    expect((await Promise.all(last)).map(({ status }) => status)).toEqual(last.map(() => 0));
    expect(lost).toEqual([]);
    asking.close();
  });

  it('comes at its start, with the reason, where the port is taken', async () => {
    const other = createServer().listen(0);
    const { port } = other.address() as AddressInfo;
    await expect(alone.start({ grpc: port })).rejects.toThrow(
      new RegExp(
        `ended with 1: .*Port ${port} cannot be used for gRPC: .*EADDRINUSE.*configuration’s grpc`,
        's',
      ),
    );
    other.close();
  });
});
