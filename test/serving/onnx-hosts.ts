/**
 * ONNX’s node cases through each form of the same packaged function: the zip’s handler as Lambda runs it, the
 * host as an image’s runtime, the host as a server, by HTTP and by gRPC. Answers are compared byte by byte.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CatalogManifest } from '../../core/catalog/contract.ts';
import type { HostConfig, HostModel } from '../../core/host/contract.ts';
import { fromAnswer, type HttpAnswer, type HttpRequest, toEvent } from '../../core/host/gateway.ts';
import { isProblemError } from '../../plugins/models/problems/errors.ts';
import { shipHere } from '../../plugins/models/serve/shipped.ts';
import { HOST_FILES, writeHost } from '../../plugins/models/ship/host-program.ts';
import { lambdaEnv, modelOf } from './endpoint.ts';
import { type GrpcClient, grpcClient } from './grpc.ts';
import { type Hosted, startProgram } from './host.ts';
import { endpoint } from './lambda-process.ts';
import type { Case, Stored } from './onnx-cases.ts';
import { askRuntime } from './runtime-api.ts';
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

/** @param content the bytes of a stored tensor */
export async function throughHosts(
  cases: readonly Ran[],
  content: (stored: Stored) => Buffer,
): Promise<readonly ThroughHosts[]> {
  const found: ThroughHosts[] = [];
  for (let first = 0; first < cases.length; first += TOGETHER)
    found.push(...(await together(cases.slice(first, first + TOGETHER), content)));
  return found;
}

type Packaged = {
  readonly ran: Ran;
  readonly model: HostModel;
  readonly entry: CatalogManifest['groups'][number]['models'][number];
};

async function together(
  cases: readonly Ran[],
  content: (stored: Stored) => Buffer,
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
      for (const one of packaged)
        found.push({
          case: one.ran.case,
          ...(await compared(one, program, config, { host, calls }, content)),
        });
    } finally {
      calls.close();
      await host.stop();
    }
    return found;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @returns why it cannot be packaged, or what it became */
async function packageOne(ran: Ran, name: string, folder: string): Promise<Packaged | string> {
  try {
    const context = { serviceDir: folder, outDir: join(folder, name), progress: () => {} };
    // How a graph is optimised is the same for all of them, and takes longest.
    const { dir, facts } = await shipHere({ ...modelOf(name, ran.model), optimize: false }, context);
    const environment = { ...(await lambdaEnv(name, dir)), LOCPATH: '/nonexistent' };
    const { identity, opset, signature } = facts;
    return {
      ran,
      model: { name, handler: join(dir, 'handler.mjs'), version: '1', timeout: 30, workers: 1, environment },
      entry: { name, function: name, identity, opset, signature, auth: 'none' },
    };
  } catch (error) {
    if (isProblemError(error)) return error.problems.map(({ message }) => message).join(' ');
    throw error;
  }
}

async function compared(
  { ran, model }: Packaged,
  program: string,
  config: HostConfig,
  { host, calls }: { readonly host: Hosted; readonly calls: GrpcClient },
  content: (stored: Stored) => Buffer,
): Promise<{ readonly same: number } | { readonly different: string }> {
  const asked = requestsOf(ran, model.name, content);
  const events = asked.map(({ http }, index) => ({ event: toEvent(http, `r${index}`) }));
  const zip = endpoint({ file: model.handler, env: model.environment ?? {}, timeout: 30, log: () => {} });
  const answers: HttpAnswer[] = [];
  try {
    for (const { event } of events) {
      const invocation = await zip.invoke(event);
      if ('failure' in invocation) return { different: `zip: ${invocation.failure}: ${invocation.text}` };
      answers.push(fromAnswer(invocation.answer));
    }
  } finally {
    await zip.stop(true);
  }
  const alone = join(model.handler, '..', '..', 'image.json');
  await writeFile(alone, JSON.stringify({ ...config, models: [model] }));
  const image = await askRuntime(program, { ...model.environment, MODELS_HOST: alone }, events);
  if (image.told.length !== asked.length) return { different: `image: ${image.output.slice(-500)}` };

  for (const [index, { http, message, random }] of asked.entries()) {
    const expected = answers[index] as HttpAnswer;
    const ours = fromAnswer(image.told[index]?.value);
    const body = Buffer.from(http.body);
    const answer = await host.infer(model.name, body, http.headers as Record<string, string>);
    const theirs: HttpAnswer = {
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: Buffer.from(await answer.arrayBuffer()),
    };
    for (const [form, got] of [['image', ours] as const, ['host', theirs] as const]) {
      const wrong = difference(got, expected, random);
      if (wrong !== undefined) return { different: `${form}, request ${index}: ${wrong}` };
    }
    if (message === undefined) continue;
    const call = await calls.call('ModelInfer', { model_name: model.name, ...message });
    const wrong = callDifference(call, expected, random);
    if (wrong !== undefined) return { different: `gRPC, request ${index}: ${wrong}` };
  }
  return { same: asked.length };
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

function difference(got: HttpAnswer, expected: HttpAnswer, random: boolean): string | undefined {
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
