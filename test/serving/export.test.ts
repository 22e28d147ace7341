/** What exported files ask of an image: the host answers so. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Manifest, writtenManifests } from '../export/cases.ts';
import { fixtures } from './endpoint.ts';
import { grpcClient } from './grpc.ts';
import { type Hosted, hostFolder } from './host.ts';

type Container = {
  readonly env: readonly { readonly name: string; readonly value?: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
};
type Probe = { readonly httpGet: { readonly path: string } };
type Pod = { readonly containers: readonly [Container]; readonly terminationGracePeriodSeconds: number };

const written = [...(await writtenManifests()).values()];
const ofKind = (kind: string): Manifest => written.find((one) => one.kind === kind) ?? { kind };
type Template = {
  readonly spec: Pod;
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
};
const templates = written
  .filter(({ kind }) => kind === 'Deployment')
  .map(({ spec }) => (spec as { readonly template: Template }).template);
const [template] = templates;
if (template === undefined) throw new Error('There is no Deployment.');
const [container] = template.spec.containers;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

let folder: Awaited<ReturnType<typeof hostFolder>>;
let host: Hosted;
let port = 0;
beforeAll(async () => {
  folder = await hostFolder([{ name: 'churn', path: 'add.onnx', workers: 1 }]);
  port = await freePort();
  host = await folder.start({}, { PORT: String(port) });
});
afterAll(async () => {
  await host.stop();
  await folder.remove();
});

const REQUEST = JSON.stringify({
  inputs: JSON.parse(await readFile(join(fixtures, 'answers.json'), 'utf8')).models['add.onnx'].inputs,
});

const inContents = (
  model: string,
  inputs: readonly { name: string; datatype: string; shape: number[]; data: number[] }[],
): object => ({
  model_name: model,
  inputs: inputs.map(({ data, ...tensor }) => ({ ...tensor, contents: { fp32_contents: data } })),
});

it('PORT decides where it listens, and the manifest’s is the port that it opens', () => {
  expect(host.port).toBe(port);
  const { value } = container.env.find(({ name }) => name === 'PORT') ?? {};
  expect(Number(value)).toBe(container.ports[0]?.containerPort);
});

it('gRPC is open only where the manifest’s variable says so, at the port that its Service leads to', async () => {
  const withCalls = templates.filter(({ spec: { containers } }) => containers[0].ports.length > 1);
  expect(withCalls).toHaveLength(1);
  const [box = container] = withCalls.map(({ spec }) => spec.containers[0]);
  const opened = box.ports.find(({ name }) => name === 'grpc');
  const [variable, ...more] = box.env.filter(({ value }) => value === String(opened?.containerPort));
  expect(more).toEqual([]);
  expect(host.grpc).toBe(0);
  const calls = await freePort();
  const called = await folder.start({}, { PORT: '0', [variable?.name ?? '']: String(calls) });
  const client = grpcClient(calls);
  try {
    expect(called.grpc).toBe(calls);
    const { inputs } = JSON.parse(REQUEST);
    const [http, { answer }] = await Promise.all([
      called.infer('churn', REQUEST),
      client.call('ModelInfer', inContents('churn', inputs)),
    ]);
    const { outputs } = (await http.json()) as { outputs: { name: string; data: number[] }[] };
    expect(answer.outputs).toMatchObject(
      outputs.map(({ name, data }) => ({ name, contents: { fp32_contents: data } })),
    );
  } finally {
    client.close();
    await called.stop();
  }
});

it.each(['startupProbe', 'readinessProbe', 'livenessProbe'] as const)(
  '%s asks a route that it has, in each Deployment',
  async (name) => {
    expect(templates.length).toBeGreaterThan(2);
    for (const { spec } of templates) {
      const { status } = await fetch(`${host.url}${spec.containers[0][name].httpGet.path}`);
      expect(status).toBe(200);
    }
  },
);

it('Prometheus finds metrics where the annotations say, and KEDA’s query asks for one of them', async () => {
  const { annotations } = template.metadata;
  const metrics = await (await fetch(`${host.url}${annotations['prometheus.io/path']}`)).text();
  const { triggers } = ofKind('ScaledObject').spec as {
    readonly triggers: readonly {
      readonly type: string;
      readonly metadata: Readonly<Record<string, string>>;
    }[];
  };
  const query = triggers.find(({ type }) => type === 'prometheus')?.metadata.query ?? '';
  const [, metric = '', label = ''] = /^sum\((\w+)\{(\w+)="[^"]+"\}\)$/.exec(query) ?? [];
  expect(metrics).toContain(`\n${metric}{${label}="churn"`);
});

it('SageMaker’s two routes are there', async () => {
  expect((await fetch(`${host.url}/ping`)).status).toBe(200);
  const asked = { method: 'POST', headers: { 'content-type': 'application/json' }, body: REQUEST };
  expect((await fetch(`${host.url}/invocations`, asked)).status).toBe(200);
});

it('told to end, it is live and no longer ready, answers what it is asked, and ends within the grace period', async () => {
  const drained = await folder.start({ drain: 10_000 });
  drained.child.kill('SIGTERM');
  const path = container.readinessProbe.httpGet.path;
  while ((await fetch(`${drained.url}${path}`)).status === 200) await sleep(10);
  expect((await fetch(`${drained.url}${container.livenessProbe.httpGet.path}`)).status).toBe(200);
  expect((await drained.infer('churn', REQUEST)).status).toBe(200);
  const began = performance.now();
  expect(await drained.ended).toBe(0);
  expect((performance.now() - began) / 1000).toBeLessThan(template.spec.terminationGracePeriodSeconds);
});
