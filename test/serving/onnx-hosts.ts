/**
 * ONNX’s node cases through each form of the same packaged function: the zip’s handler as Lambda runs it, the
 * host as a server, by HTTP and by gRPC, and the host as Lambda’s runtime; where images are wanted, the
 * unpacked image as Lambda’s runtime and as a server in its place. Answers are compared byte by byte.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CatalogManifest } from '../../core/catalog/contract.ts';
import type { HostConfig, HostModel } from '../../core/host/contract.ts';
import { fromAnswer, type HttpAnswer, type HttpRequest, toEvent } from '../../core/host/gateway.ts';
import type { Model } from '../../plugins/models/declaration/model.ts';
import { isProblemError } from '../../plugins/models/problems/errors.ts';
import { HOST_FILES, writeHost } from '../../plugins/models/ship/host-program.ts';
import { type Shipped, shipModel, unpack } from '../../plugins/models/ship/ship.ts';
import { portOfHost, runByBwrap } from '../image-run.ts';
import { lambdaEnv, modelOf } from './endpoint.ts';
import { type GrpcClient, grpcClient } from './grpc.ts';
import { type Hosted, startProgram } from './host.ts';
import type { ImageRoom, UnpackedImage } from './image-of-cases.ts';
import { endpoint } from './lambda-process.ts';
import type { Case, Stored } from './onnx-cases.ts';
import { askRuntime, askStarted } from './runtime-api.ts';
import { binaryRequest, fromBinary, jsonRequest } from './tensors.ts';

type Ran = Extract<Case, { model: string }>;

/** What became of a case. `refused`: it cannot be packaged. */
export type ThroughHosts = { readonly case: string } & (
  | { readonly same: number }
  | { readonly refused: string }
  | { readonly different: string }
);

/** A request by HTTP, and the same as a message of gRPC where that is binary, too. */
type Asked = { readonly http: HttpRequest; readonly message?: object; readonly random: boolean };

/** Hosts have so many models at a time: each has a process. */
const TOGETHER = 10;

/** Seconds of a request: it says nothing of a machine that is busy. */
const TIMEOUT = 300;

/** @param content the bytes of a stored tensor @param imaged absent: images are left out */
export async function throughHosts(
  cases: readonly Ran[],
  content: (stored: Stored) => Buffer,
  imaged?: ImageRoom,
): Promise<readonly ThroughHosts[]> {
  const found: ThroughHosts[] = [];
  for (let first = 0; first < cases.length; first += TOGETHER)
    found.push(...(await together(cases.slice(first, first + TOGETHER), content, imaged)));
  return found;
}

type Packaged = {
  readonly ran: Ran;
  readonly declared: Model;
  readonly shipped: Shipped;
  readonly model: HostModel;
  readonly entry: CatalogManifest['groups'][number]['models'][number];
};

async function together(
  cases: readonly Ran[],
  content: (stored: Stored) => Buffer,
  imaged: ImageRoom | undefined,
): Promise<readonly ThroughHosts[]> {
  const folder = await mkdtemp(join(tmpdir(), 'serverless-models-'));
  try {
    await writeHost(folder, '');
    const found: ThroughHosts[] = [];
    const packaged: Packaged[] = [];
    for (const [index, ran] of cases.entries()) {
      const one = await packageOne(ran, `case-${index}`, folder);
      if (typeof one === 'string') found.push({ case: ran.case, refused: one });
      else packaged.push(one);
    }
    if (packaged.length === 0) return found;
    const groups = [{ path: '/', auth: 'none' as const, models: packaged.map(({ entry }) => entry) }];
    const config: HostConfig = {
      ...{ schema: 1, port: 0, grpc: 0 },
      catalog: { schema: 1, service: 'cases', version: '1', runtime: '1', groups },
      models: packaged.map(({ model }) => model),
    };
    const file = join(folder, 'host.json');
    await writeFile(file, JSON.stringify(config));
    const program = join(folder, HOST_FILES.host);
    const host = await startProgram(program, { PATH: process.env.PATH ?? '', MODELS_HOST: file });
    const calls = grpcClient(host.grpc);
    try {
      for (const one of packaged) {
        // The others are to be asked, too.
        const became = await compared(one, program, config, { host, calls, imaged }, content).catch(
          (error: unknown) => ({ different: String(error) }),
        );
        found.push({ case: one.ran.case, ...became });
      }
    } finally {
      calls.close();
      await host.stop();
    }
    return found;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whether a machine has a locale must not change an answer, and Lambda has none. */
const NO_LOCALE = { LOCPATH: '/nonexistent' };

/** @returns why it cannot be packaged, or what it became */
async function packageOne(ran: Ran, name: string, folder: string): Promise<Packaged | string> {
  try {
    const context = { serviceDir: folder, outDir: join(folder, name), progress: () => {} };
    // How a graph is optimised is the same for all of them, and takes longest.
    const declared = { ...modelOf(name, ran.model), optimize: false };
    const shipped = await shipModel(declared, context);
    const dir = join(context.outDir, name);
    await unpack(shipped.content, dir);
    const { identity, opset, signature } = shipped.facts;
    // As an image names it.
    const version = identity.slice(0, 12);
    const environment = {
      ...(await lambdaEnv(name, dir)),
      ...NO_LOCALE,
      AWS_LAMBDA_FUNCTION_VERSION: version,
    };
    return {
      ...{ ran, declared, shipped },
      model: { name, handler: join(dir, 'handler.mjs'), version, timeout: TIMEOUT, workers: 1, environment },
      entry: { name, function: name, identity, opset, signature, auth: 'none' },
    };
  } catch (error) {
    if (isProblemError(error)) return error.problems.map(({ message }) => message).join(' ');
    throw error;
  }
}

/** What the function answers in one of its forms, and what that wrote. */
type Form = {
  readonly name: string;
  readonly answers: readonly (HttpAnswer | undefined)[];
  readonly output?: string;
};

const formOf = (name: string, { told, output }: Awaited<ReturnType<typeof askRuntime>>): Form => ({
  ...{ name, output },
  answers: told.map(({ value }) => fromAnswer(value)),
});

async function compared(
  { ran, declared, shipped, model }: Packaged,
  program: string,
  config: HostConfig,
  {
    host,
    calls,
    imaged,
  }: { readonly host: Hosted; readonly calls: GrpcClient; readonly imaged: ImageRoom | undefined },
  content: (stored: Stored) => Buffer,
): Promise<{ readonly same: number } | { readonly different: string }> {
  const asked = requestsOf(ran, model.name, content);
  const events = asked.map(({ http }, index) => ({ event: toEvent(http, `r${index}`) }));
  // Some operators draw on from answer to answer: the host has a call of gRPC after all requests by HTTP.
  const calledToo = asked.flatMap((one, index) => (one.message === undefined ? [] : [{ ...one, index }]));
  const zip = endpoint({
    file: model.handler,
    env: model.environment ?? {},
    timeout: TIMEOUT,
    log: () => {},
  });
  const expected: HttpAnswer[] = [];
  try {
    for (const { event } of [...events, ...calledToo.flatMap(({ index }) => events[index] ?? [])]) {
      const invocation = await zip.invoke(event);
      if ('failure' in invocation) return { different: `zip: ${invocation.failure}: ${invocation.text}` };
      expected.push(fromAnswer(invocation.answer));
    }
  } finally {
    await zip.stop(true);
  }
  const forms: Form[] = [{ name: 'host', answers: await askByHttp(host.url, asked) }];
  if (imaged === undefined) {
    const alone = join(model.handler, '..', '..', 'alone.json');
    await writeFile(alone, JSON.stringify({ ...config, models: [model] }));
    const env = { ...model.environment, MODELS_HOST: alone };
    forms.push(formOf('runtime', await askRuntime(program, env, events)));
  } else forms.push(...(await askImage(await imaged(declared, shipped), model, asked, events)));
  for (const { name, answers, output = '' } of forms)
    for (const [index, { random }] of asked.entries()) {
      const wrong = difference(answers[index], expected[index] as HttpAnswer, random);
      if (wrong !== undefined)
        return { different: `${name}, request ${index}: ${wrong} ${output.slice(-500)}`.trimEnd() };
    }
  for (const [place, { message, random, index }] of calledToo.entries()) {
    const call = await calls.call('ModelInfer', { model_name: model.name, ...message });
    const wrong = callDifference(call, expected[asked.length + place] as HttpAnswer, random);
    if (wrong !== undefined) return { different: `gRPC, request ${index}: ${wrong}` };
  }
  return { same: asked.length };
}

async function askByHttp(url: string, asked: readonly Asked[]): Promise<readonly HttpAnswer[]> {
  const answers: HttpAnswer[] = [];
  for (const { http } of asked) {
    const { method, target, headers, body } = http;
    const answer = await fetch(`${url}${target}`, {
      method,
      headers: headers as Record<string, string>,
      body: Buffer.from(body),
    });
    answers.push({
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: Buffer.from(await answer.arrayBuffer()),
    });
  }
  return answers;
}

/** By its own configuration, without rights, on a read-only root. */
async function askImage(
  { root, config }: UnpackedImage,
  { environment = {} }: HostModel,
  asked: readonly Asked[],
  events: readonly { readonly event: unknown }[],
): Promise<readonly Form[]> {
  // What Lambda gives a function, but for where this machine has what the image has itself.
  const around = Object.fromEntries(
    Object.entries(environment).filter(([name]) => !config.Env.some((one) => one.startsWith(`${name}=`))),
  );
  const runtime = await askStarted(
    (api) => runByBwrap(root, config, { env: { ...around, ...api } }).child,
    events,
  );
  const server = runByBwrap(root, config, { env: { ...NO_LOCALE, PORT: '0' }, args: ['serve'] });
  try {
    const answers = await askByHttp(`http://127.0.0.1:${await portOfHost(server)}`, asked);
    return [
      formOf('image as Lambda’s runtime', runtime),
      { name: 'image as a server', answers, output: server.output() },
    ];
  } finally {
    server.child.kill('SIGKILL');
    await server.ended;
  }
}

/** Each set in binary, and in JSON where that can say it. */
function requestsOf({ sets }: Ran, name: string, content: (stored: Stored) => Buffer): readonly Asked[] {
  const request = (headers: Record<string, string>, body: Buffer): HttpRequest => ({
    ...{ method: 'POST', target: `/v2/models/${name}/infer` },
    ...{ headers: { ...headers, 'x-request-id': 'same' }, body },
  });
  return sets.flatMap(({ inputs, outputs }): Asked[] => {
    const random = outputs.some((stored) => stored.random === true);
    const { headers, body } = binaryRequest(
      inputs.map((stored) => ({ ...stored, content: content(stored) })),
    );
    const message = {
      inputs: inputs.map(({ name, datatype, shape }) => ({ name, datatype, shape })),
      raw_input_contents: inputs.map(content),
    };
    const binary = { http: request(headers, body), message, random };
    if (inputs.some(({ finite }) => !finite)) return [binary];
    const valued = inputs.map((one) => ({ ...one, values: fromBinary(one.datatype, content(one)) }));
    const json = Buffer.from(jsonRequest(valued));
    return [binary, { http: request({ 'content-type': 'application/json' }, json), random }];
  });
}

/** Headers that say how the body is read. */
const HEADERS = ['content-type', 'inference-header-content-length', 'x-request-id'];

function difference(got: HttpAnswer | undefined, expected: HttpAnswer, random: boolean): string | undefined {
  if (got === undefined) return 'no answer';
  if (got.status !== expected.status)
    return `${got.status} instead of ${expected.status}: ${got.body.toString().slice(0, 200)}`;
  if (random) return undefined;
  const header = HEADERS.find((name) => got.headers[name] !== expected.headers[name]);
  if (header !== undefined) return `${header}: ${got.headers[header]} for ${expected.headers[header]}`;
  return got.body.equals(expected.body) ? undefined : `${got.body.length} other bytes`;
}

function callDifference(
  { status, details, answer }: Awaited<ReturnType<GrpcClient['call']>>,
  expected: HttpAnswer,
  random: boolean,
): string | undefined {
  if (expected.status !== 200) {
    const { code, error } = JSON.parse(expected.body.toString());
    return details === `${code}: ${error}` ? undefined : `${details} instead of ${code}: ${error}`;
  }
  if (status !== 0) return details;
  const length = Number(expected.headers['inference-header-content-length'] ?? expected.body.length);
  const { outputs } = JSON.parse(expected.body.subarray(0, length).toString());
  const raw = answer.raw_output_contents as readonly Buffer[];
  const told = (answer.outputs as { name: string; datatype: string; shape: string[] }[]).map(
    ({ name, datatype, shape }, index) => ({
      ...{ name, datatype, shape: shape.map(Number) },
      parameters: { binary_data_size: raw[index]?.length },
    }),
  );
  if (random) return undefined;
  if (JSON.stringify(told) !== JSON.stringify(outputs))
    return `${JSON.stringify(told)} instead of ${JSON.stringify(outputs)}`;
  return Buffer.concat(raw).equals(expected.body.subarray(length)) ? undefined : 'other bytes';
}
