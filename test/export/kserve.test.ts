/** The page about KServe shows an object that KServe and Kubernetes could take. */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { runPython } from '../python.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'kserve.md'), 'utf8');
const [block = '', grpcBlock = ''] = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(
  ([, text = '']) => text,
);

/**
 * A predictor has keys of KServe’s beside those of a pod: ComponentExtensionSpec of
 * https://kserve.github.io/website/docs/reference/crd-api
 */
const OWN = {
  minReplicas: { type: 'integer', minimum: 0 },
  maxReplicas: { type: 'integer', minimum: 1 },
  scaleMetric: { enum: ['cpu', 'memory', 'concurrency', 'rps'] },
  scaleTarget: { type: 'integer', minimum: 1, maximum: 100 },
  timeout: { type: 'integer', minimum: 1 },
  canaryTrafficPercent: { type: 'integer', minimum: 0, maximum: 100 },
} as const;
const isOwn = (key: string): boolean => Object.hasOwn(OWN, key);

const schema = {
  type: 'object',
  additionalProperties: false,
  required: ['apiVersion', 'kind', 'metadata', 'spec'],
  properties: {
    apiVersion: { const: 'serving.kserve.io/v1beta1' },
    kind: { const: 'InferenceService' },
    metadata: { type: 'object', required: ['name'] },
    spec: {
      type: 'object',
      additionalProperties: false,
      required: ['predictor'],
      properties: { predictor: { type: 'object', required: ['containers'], properties: OWN } },
    },
  },
};

/** @returns what is wrong */
async function faultsOf(text: string): Promise<readonly string[]> {
  const object = parse(text);
  const check = new Ajv({ allErrors: true }).compile(schema);
  const own = check(object)
    ? []
    : (check.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  const { predictor } = object.spec;
  const pod = Object.fromEntries(Object.entries(predictor).filter(([key]) => !isOwn(key)));
  const folder = await mkdtemp(join(tmpdir(), 'kserve-'));
  try {
    const file = join(folder, 'pod.yaml');
    await writeFile(
      file,
      JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'pod' }, spec: pod }),
    );
    const args = ['kubernetes_validate', '--strict', '--kubernetes-version', '1.37', file];
    const said = await runPython('-m', args, { timeout: 280_000 }).catch(
      (error: Error & { stdout?: string }) => error.stdout ?? error.message,
    );
    return said.startsWith('INFO') ? own : [...own, said];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

it('the object of the page has no key that KServe or Kubernetes does not know', async () => {
  expect(await faultsOf(block)).toEqual([]);
});

it('no Service beside it opens gRPC, or keeps the host from starting', () => {
  expect(parse(block).spec.predictor.enableServiceLinks).toBe(false);
});

it('KServe finds the container by its name, and speaks version 2 of the protocol to it', () => {
  const [container] = parse(block).spec.predictor.containers;
  expect(container.name).toBe('kserve-container');
  expect(container.env).toContainEqual({ name: 'PROTOCOL', value: 'v2' });
  expect(container.env).toContainEqual({ name: 'PORT', value: String(container.ports[0].containerPort) });
});

it('what the page adds for gRPC opens it, and is no key that KServe or Kubernetes does not know', async () => {
  const added = parse(grpcBlock);
  const object = parse(block);
  const [container] = object.spec.predictor.containers;
  const env = [...container.env, ...added.env];
  const [http, grpc] = added.ports;
  expect(env).toContainEqual({ name: 'MODELS_GRPC_PORT', value: String(grpc.containerPort) });
  expect(http.containerPort).toBe(container.ports[0].containerPort);
  object.spec.predictor.containers = [{ ...container, env, ports: added.ports }];
  expect(await faultsOf(stringify(object))).toEqual([]);
});

it.each([
  ['a key of a pod by a wrong name', 'containers:', 'container:'],
  ['a key of a container by a wrong name', 'readinessProbe:', 'readynessProbe:'],
  ['a metric that is none', 'scaleMetric: cpu', 'scaleMetric: processor'],
  ['a count as a text', 'minReplicas: 2', 'minReplicas: two'],
  ['a version that is gone', 'v1beta1', 'v1alpha2'],
])('%s is found', async (_, right, wrong) => {
  expect(block).toContain(right);
  expect(await faultsOf(block.replace(right, wrong))).not.toEqual([]);
});
