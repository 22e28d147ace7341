import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { HTTP_LIMITS } from '../../../../../../plugins/models/artifact/fetch/http.ts';
import { resolveHubFile } from '../../../../../../plugins/models/artifact/fetch/huggingface.ts';
import { isProblemError } from '../../../../../../plugins/models/problems/errors.ts';
import { type FakeHub, fakeHub } from '../../../../../fakes/hub.ts';

const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const NAMES = ['SERVERLESS_MODELS_CACHE', 'HF_ENDPOINT', 'HF_TOKEN'];
const before = NAMES.map((name) => [name, process.env[name]] as const);
const { pause } = HTTP_LIMITS;
let hub: FakeHub;
beforeAll(async () => {
  hub = await fakeHub('org/words', COMMIT);
  hub.put('model.onnx', Buffer.from('a graph'));
  HTTP_LIMITS.pause = 1;
});
beforeEach(async () => {
  process.env.SERVERLESS_MODELS_CACHE = await mkdtemp(join(tmpdir(), 'hub-'));
  process.env.HF_ENDPOINT = hub.address;
  delete process.env.HF_TOKEN;
  hub.asked();
});
afterEach(async () => {
  await rm(process.env.SERVERLESS_MODELS_CACHE ?? '', { recursive: true, force: true });
  for (const [name, value] of before) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});
afterAll(async () => {
  HTTP_LIMITS.pause = pause;
  await hub?.stop();
});

const resolve = (repo = 'org/words') =>
  resolveHubFile(
    `hf://${repo}@${COMMIT}/model.onnx`,
    { repo, revision: COMMIT, path: 'model.onnx' },
    { key: 'models.words.artifact', serviceDir: '/', progress: () => {} },
  );
async function refused(): Promise<string> {
  const error: unknown = await resolve().catch((reason: unknown) => reason);
  if (!isProblemError(error)) throw error;
  expect(error.problems).toMatchObject([
    {
      code: 'MODELS_ARTIFACT_MISSING',
      key: 'models.words.artifact',
      value: `hf://org/words@${COMMIT}/model.onnx`,
    },
  ]);
  return error.message;
}
const authorizations = () => [...new Set(hub.asked().map(({ authorization }) => authorization))];

it('a token from a file is told without its line’s end', async () => {
  process.env.HF_TOKEN = 'hf_token\r\n';
  expect((await resolve()).notices).toBeUndefined();
  expect(authorizations()).toEqual(['Bearer hf_token']);
});

it('a token that no header may have is refused, and nothing older is taken in its place', async () => {
  await resolve();
  process.env.HF_TOKEN = 'hf_\ntoken';
  const told = await refused();
  expect(told).toMatch(/is not asked: .* no header may have\. Set HF_TOKEN to a token/);
  expect(told).not.toContain('hf_');
});

it('who asks may stand in HF_ENDPOINT, and is told to the hub alone', async () => {
  process.env.HF_TOKEN = 'hf_token';
  process.env.HF_ENDPOINT = `${hub.address.replace('//', '//mirror:s3cret%20pass@')}/`;
  const resolved = await resolve();
  expect(resolved.origin?.at).toBe(hub.address);
  expect(JSON.stringify(resolved)).not.toContain('s3cret');
  expect(authorizations()).toEqual([`Basic ${Buffer.from('mirror:s3cret pass').toString('base64')}`]);
});

it('a hub that is not there is told without who asks', async () => {
  process.env.HF_ENDPOINT = 'http://mirror:s3cret@127.0.0.1:1';
  const told = await refused();
  expect(told).toContain('Hugging Face at http://127.0.0.1:1 cannot be reached: ECONNREFUSED');
  expect(told).not.toContain('s3cret');
});

it.each([
  ['hf-mirror.com', 'HF_ENDPOINT is no address of a server over http or https. Set HF_ENDPOINT'],
  ['mirror:s3cret@hub.example.com', 'HF_ENDPOINT is no address of a server over http or https'],
  ['ftp://mirror:s3cret@hub.example.com', 'HF_ENDPOINT is ftp://…, which is no address of a server'],
  ['https://mirror:s3cret%@hub.example.com', 'HF_ENDPOINT has a % that stands for no character. Write %25'],
])('HF_ENDPOINT=%s is refused with the reason', async (endpoint, message) => {
  process.env.HF_ENDPOINT = endpoint;
  const told = await refused();
  expect(told).toContain(message);
  expect(told).not.toContain('s3cret');
});

it('a repository that was renamed is found under its name from before', async () => {
  const front = createServer((request, response) => {
    const { url = '' } = request;
    if (url.includes('org/old')) response.writeHead(307, { location: url.replace('org/old', 'org/words') });
    else response.writeHead(307, { location: `${hub.address}${url}` });
    response.end();
  });
  await new Promise<void>((done) => front.listen(0, '127.0.0.1', done));
  process.env.HF_ENDPOINT = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
  expect(await resolve('org/old')).toMatchObject({
    files: [{ path: 'model.onnx', bytes: 7 }],
    origin: { name: 'org/old', version: COMMIT },
  });
  front.close();
});
