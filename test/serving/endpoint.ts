/**
 * A fixture as an endpoint: the real handler, bundled, in a process of its own with the real ONNX Runtime.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromAnswer, type HttpAnswer, toEvent } from '../../core/host/gateway.ts';
import type { Signature } from '../../core/tensor/contract.ts';
import { hostRuntime } from '../../plugins/models/artifact/onnx/runtime.ts';
import type { Model } from '../../plugins/models/declaration/model.ts';
import { environmentOf } from '../../plugins/models/serve/environment.ts';
import { shipHere } from '../../plugins/models/serve/shipped.ts';
import { modelOf as shippedModelOf } from '../ship/setup.ts';
import { endpoint, type LocalEndpoint } from './lambda-process.ts';

export const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const fixtures = join(repository, 'test', 'fixtures', 'models');

export type Served = {
  readonly name: string;
  readonly signature: Signature;
  /** `POST {path}` as an HTTP API sends it. Throws when the process crashes or outlasts its timeout. */
  readonly post: (
    path: string,
    body: string | Buffer,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<HttpAnswer>;
  /** `POST /v2/models/{name}/infer`. */
  readonly infer: (body: string | Buffer, headers?: Readonly<Record<string, string>>) => Promise<HttpAnswer>;
  readonly invoke: LocalEndpoint['invoke'];
  readonly stop: () => Promise<void>;
};

export const modelOf = (name: string, path: string): Model => shippedModelOf(path, { name });

/**
 * Lambda's environment for a process of ours, with ONNX Runtime. Throws where that has no build for this
 * machine.
 */
export async function lambdaEnv(name: string, dir: string): Promise<Record<string, string>> {
  const runtime = await hostRuntime((text) => text && console.error(text));
  if (runtime === undefined) throw new Error('ONNX Runtime has no build for this machine.');
  const service = { name: 'tests', stage: 'dev', region: 'us-east-1', dir, stack: 'tests-dev' };
  return environmentOf(modelOf(name, ''), 1, dir, { service, environment: {}, runtime });
}

/**
 * Ships a model as deploy does, and starts it.
 * @param path an artifact: absolute, or below test/fixtures/models
 * @param timeout seconds a request
 */
export async function serve(path: string, { name = 'm', timeout = 30 } = {}): Promise<Served> {
  const folder = await mkdtemp(join(tmpdir(), 'serverless-models-'));
  const { dir, facts } = await shipHere(modelOf(name, path), {
    serviceDir: fixtures,
    outDir: folder,
    progress: () => {},
  });
  const env = await lambdaEnv(name, dir);
  const running = endpoint({ file: join(dir, 'handler.mjs'), env, timeout, log: () => {} });
  const post: Served['post'] = async (target, body, headers = {}) => {
    const event = toEvent({
      method: 'POST',
      target,
      headers: { 'content-type': 'application/json', ...headers },
      body: Buffer.from(body),
    });
    const invocation = await running.invoke(event);
    if ('failure' in invocation) throw new Error(`${invocation.failure}: ${invocation.text}`);
    return fromAnswer(invocation.answer);
  };
  return {
    name,
    signature: facts.signature,
    post,
    infer: (body, headers) => post(`/v2/models/${name}/infer`, body, headers),
    invoke: running.invoke,
    stop: async () => {
      await running.stop(true);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
