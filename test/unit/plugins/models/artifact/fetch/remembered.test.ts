import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { askJson } from '../../../../../../plugins/models/artifact/fetch/http.ts';
import { rememberedResolve } from '../../../../../../plugins/models/artifact/fetch/remembered.ts';
import { asSageMakerFault } from '../../../../../../plugins/models/artifact/fetch/sagemaker-faults.ts';
import type { ResolvedArtifact } from '../../../../../../plugins/models/contracts/sources/artifact-source.ts';

const before = process.env.SERVERLESS_MODELS_CACHE;
const reference = 'models:/churn@champion';
const asked = {
  reference,
  at: 'https://mlflow',
  who: 'MLflow at https://mlflow',
  access: 'Set MLFLOW_TOKEN.',
};
const context = { key: 'models.churn.artifact', serviceDir: '/', progress: () => {} };
const resolve = (work: () => Promise<ResolvedArtifact>) => rememberedResolve(asked, context, work);
const coded = (code: string): Error => Object.assign(new Error(`failed: ${code}`), { code });

beforeAll(async () => {
  process.env.SERVERLESS_MODELS_CACHE = await mkdtemp(join(tmpdir(), 'remembered-'));
  const origin = { from: 'mlflow', at: asked.at, name: 'churn', version: '3' } as const;
  await resolve(async () => ({ reference, isFolder: false, files: [], origin }));
});
afterAll(async () => {
  await rm(process.env.SERVERLESS_MODELS_CACHE ?? '', { recursive: true, force: true });
  if (before === undefined) delete process.env.SERVERLESS_MODELS_CACHE;
  else process.env.SERVERLESS_MODELS_CACHE = before;
});

it.each(['ECONNREFUSED', 'ENOTFOUND', 'ETIMEDOUT'])(
  'what is out of reach (%s) is taken as what it was, and told',
  async (code) => {
    const { notices } = await resolve(async () => asSageMakerFault(coded(code)));
    expect(notices).toEqual([expect.stringMatching(`cannot be reached: ${code}: .* is taken as version 3,`)]);
  },
);

it('what says nothing in time is told without words of the SDK', async () => {
  const late = Object.assign(new Error('@smithy/node-http-handler - timed out'), { name: 'TimeoutError' });
  const { notices } = await resolve(async () => asSageMakerFault(late));
  expect(notices?.[0]).toMatch(/^MLflow at https:\/\/mlflow does not answer in time: .* as version 3,/);
});

it('nothing older hides a proxy that refuses, which is the same in a moment', async () => {
  const refused = Object.assign(new Error('The proxy does not lead to aws:443: it answers 403.'), {
    name: 'ProxyFault',
  });
  await expect(resolve(async () => asSageMakerFault(refused))).rejects.toThrow(
    /cannot be reached: The proxy does not lead to aws:443: it answers 403\. Check HTTPS_PROXY/,
  );
});

it.each([
  ['SELF_SIGNED_CERT_IN_CHAIN', /not trusted here: SELF_SIGNED.*NODE_EXTRA_CA_CERTS/],
  ['CERT_HAS_EXPIRED', /not valid: CERT_HAS_EXPIRED\. Let it be renewed/],
])('nothing older hides %s', async (code, message) => {
  await expect(resolve(async () => asSageMakerFault(coded(code)))).rejects.toThrow(message);
});

it('nothing older hides a token that is none', async () => {
  const question = { url: 'https://127.0.0.1:1/', headers: { authorization: 'Bearer a\nb' } };
  const asking = resolve(async () => (await askJson(question)) as ResolvedArtifact);
  await expect(asking).rejects.toThrow(/is not asked: what says who asks .*\. Set MLFLOW_TOKEN\./);
});
