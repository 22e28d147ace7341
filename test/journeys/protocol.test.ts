/**
 * Deployed to a local AWS: published models answer as in Python, and NVIDIA's client works through gateway
 * and proxy.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { fixtures } from '../serving/endpoint.ts';
import { type Infer, type Magika, magika, magikaNames, SILERO, sileroHears } from '../serving/real-models.ts';
import { type Running, startSls } from '../serving/sls.ts';
import { TRITON_CHECKS, type TritonCase, tritonChecks } from '../serving/triton.ts';
import { type Deployment, deployService, type Service } from './service.ts';

/** Requests a second, and at once, of a model that few may ask. */
const [RATE, BURST] = [0.2, 3];
const SERVICE = `
service: protocol
plugins: [serverless-models]
provider: {name: aws}
models:
  silero: {artifact: silero.onnx, http: {auth: none}}
  magika: {artifact: magika.onnx, http: {auth: none}}
  all: {artifact: all.onnx, http: {auth: none}}
  guarded: {artifact: gbm.onnx, http: {auth: iam, path: /guarded}}
  narrow: {artifact: gbm.onnx, http: {auth: none, path: /narrow, throttle: {rate: ${RATE}, burst: ${BURST}}}}
`;

let aws: LocalAws;
let service: Service & Deployment;
let known: Magika;
let cases: Record<string, TritonCase>;
beforeAll(async () => {
  cases = JSON.parse(await readFile(join(fixtures, 'answers.json'), 'utf8')).models;
  known = await magika();
  aws = await startAws();
  const files = {
    'silero.onnx': await readFile(SILERO),
    'magika.onnx': await readFile(known.model),
    'all.onnx': await readFile(join(fixtures, 'types', 'all.onnx')),
    'gbm.onnx': await readFile(join(fixtures, 'gbm.onnx')),
  };
  service = await deployService({ yaml: SERVICE, files }, aws);
});
afterAll(async () => {
  await service?.remove();
  await aws?.stop();
});

function caseOf(path: string): TritonCase {
  const found = cases[path];
  if (found === undefined) throw new Error(`answers.json has no ${path}`);
  return found;
}

const inferOf =
  (model: string): Infer =>
  async (body, headers = { 'content-type': 'application/json' }) => {
    const url = `${service.http()}/v2/models/${model}/infer`;
    const answer = await fetch(url, { method: 'POST', headers, body: Buffer.from(body) });
    return {
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: Buffer.from(await answer.arrayBuffer()),
    };
  };

test('silero VAD, deployed', () => sileroHears(inferOf('silero')));

test('magika, deployed', () => magikaNames(known, inferOf('magika')));

test('tritonclient with every datatype, unguarded', async () => {
  const checks = await tritonChecks(service.http(), 'all', caseOf('types/all.onnx'));
  expect(checks).toHaveLength(TRITON_CHECKS);
});

test('tritonclient through the proxy, which signs for it', async () => {
  const unsigned = await fetch(`${service.http()}/guarded/v2/models/guarded`);
  expect(unsigned.status).toBe(403);
  let proxy: Running | undefined;
  try {
    proxy = await startSls(service.dir, ['proxy', '--stage', 'dev'], aws.env);
    const checks = await tritonChecks(`${proxy.url}/guarded`, 'guarded', caseOf('gbm.onnx'));
    expect(checks).toHaveLength(TRITON_CHECKS);
  } finally {
    await proxy?.interrupt();
  }
});

test('the catalog asks for a version by its number, and knows which there are, by its own role', async () => {
  const ask = async (path: string): Promise<{ status: number; body: unknown }> => {
    const answer = await fetch(`${service.http()}/v2/models/all${path}`);
    return { status: answer.status, body: await answer.json() };
  };
  expect(await ask('')).toMatchObject({ status: 200, body: { name: 'all', versions: ['1'] } });
  expect(await ask('/versions/1')).toMatchObject({ status: 200, body: { name: 'all' } });
  expect(await ask('/versions/1/ready')).toEqual({ status: 200, body: { name: 'all', ready: true } });
  expect(await ask('/versions/2')).toMatchObject({ status: 404 });
  expect(await ask('/versions/2/ready')).toMatchObject({ status: 404 });
});

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
test('beyond its throttle the gateway answers for the model, route by route, and lets it through again', async () => {
  const ask = async (path: string): Promise<{ status: number; body: unknown }> => {
    const answer = await fetch(`${service.http()}/narrow${path}`);
    return { status: answer.status, body: await answer.json() };
  };
  const began = performance.now();
  const all = await Promise.all(Array.from({ length: 8 }, () => ask('/v2/models/narrow')));
  const away = all.filter(({ status }) => status !== 200);
  // Tokens that came back meanwhile: the gateway may have seen a request late.
  const back = Math.ceil(((performance.now() - began) / 1000) * RATE);
  expect(away.length).toBeGreaterThanOrEqual(8 - BURST - back);
  expect(away.length).toBeLessThanOrEqual(8 - BURST);
  expect(away).not.toEqual([]);
  for (const one of away) expect(one).toEqual({ status: 429, body: { message: 'Too Many Requests' } });
  // Another route has a bucket of its own.
  expect((await ask('/v2/models/narrow/ready')).status).toBe(200);
  await expect.poll(async () => (await ask('/v2/models/narrow')).status, { timeout: 90_000 }).toBe(200);
});
