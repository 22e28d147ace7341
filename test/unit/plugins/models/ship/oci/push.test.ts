import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { REGISTRY_LIMITS, registryFault } from '../../../../../../plugins/models/ship/oci/exchange.ts';
import { digestOfBytes, type OciImage } from '../../../../../../plugins/models/ship/oci/image.ts';
import { pushImage, pushProblem } from '../../../../../../plugins/models/ship/oci/push.ts';
import { openRepository } from '../../../../../../plugins/models/ship/oci/registry.ts';
import { type ImageRegistry, imageRegistry } from '../../../../../fakes/image-registry.ts';

const limits = { ...REGISTRY_LIMITS, pause: 1, attempts: 2 };
let server: ImageRegistry;
beforeEach(async () => {
  server = await imageRegistry();
});
afterEach(() => server.stop());

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serverless-models-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Each of these texts is a blob. */
function imageFrom(...texts: readonly string[]): OciImage {
  const blobs = texts.map((text) => {
    const bytes = Buffer.from(text);
    return { mediaType: 'x', digest: digestOfBytes(bytes), size: bytes.length, from: { bytes } };
  });
  const bytes = Buffer.from(JSON.stringify(texts));
  const config = blobs.at(-1);
  return {
    config: { bytes: config?.from.bytes ?? bytes, digest: config?.digest ?? '' },
    manifest: {
      bytes,
      digest: digestOfBytes(bytes),
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
    },
    blobs,
  };
}

const push = (image: OciImage, options: Parameters<typeof pushImage>[3] = {}) => {
  const to = { host: server.host, repository: 'models', url: server.url };
  return pushImage(openRepository(to, { write: true, limits }), image, to, options);
};

it('sends what is not there, each blob once, and then the manifest under its names', async () => {
  const image = imageFrom('base', 'model');
  const heard: (string | undefined)[] = [];
  const first = await push(image, { tags: ['v1', 'v2'], progress: (text) => heard.push(text) });
  expect(first).toEqual({ digest: image.manifest.digest, blobs: 2, sentBlobs: 2, sentBytes: 9 });
  expect([...server.manifests.keys()]).toEqual(
    ['v1', image.manifest.digest, 'v2'].map((name) => `models ${name}`),
  );
  expect(heard[0]).toMatch(/^Pushing the image to 127.0.0.1:\d+ \(0 % of 0 MB\)$/);
  expect(heard.at(-1)).toBeUndefined();
  const changed = imageFrom('base', 'other');
  expect(await push(changed)).toMatchObject({ sentBlobs: 1, sentBytes: 5 });
  expect(server.manifests.has(`models ${changed.manifest.digest}`)).toBe(true);
  expect(await push(changed)).toMatchObject({ sentBlobs: 0, sentBytes: 0 });
  expect(server.received()).toBe(14);
});

it.each([
  ['is gone', undefined, /layer is gone, and is a layer of the image: 0\.0 kB, sha256:/],
  ['was cut off', 'lay', /layer has 3 bytes in place of 5, and is a layer/],
])('sends nothing where a layer that the registry lacks %s', async (_, content, why) => {
  const image = imageFrom('config', 'layer');
  const file = join(folder, 'layer');
  await rm(file, { force: true });
  if (content !== undefined) await writeFile(file, content);
  const blobs = image.blobs.map((blob) => (blob.size === 5 ? { ...blob, from: { file } } : blob));
  const pushed = push({ ...image, blobs }, { tags: ['v1'] });
  await expect(pushed).rejects.toMatchObject({
    problems: [{ code: 'MODELS_CACHE', key: 'models', value: file, fix: expect.stringMatching(/^Package/) }],
    message: expect.stringMatching(why),
  });
  expect(server.asked.map(({ method }) => method)).toEqual(['HEAD', 'HEAD']);
  // What the registry has already is not read.
  server.blobs.set(`models ${blobs[1]?.digest}`, Buffer.from('layer'));
  expect(await push({ ...image, blobs }, { tags: ['v1'] })).toMatchObject({ sentBlobs: 1 });
});

it('names nothing before all of it is there', async () => {
  server.misbehave = ({ method, path }, request, response) => {
    if (method !== 'PUT' || !path.includes('blobs')) return false;
    request.resume();
    response.writeHead(507).end();
    return true;
  };
  await expect(push(imageFrom('a'), { tags: ['v1'] })).rejects.toThrow(/answers 507/);
  expect(server.manifests.size).toBe(0);
});

it.each([
  [401, /the registry refuses \(401\)\. Log in with `docker login 127.0.0.1:\d+`/],
  [403, /the registry refuses \(403\)\. Log in/],
  [404, /the registry knows no such thing \(404\): nothing here\. Make the repository/],
  [429, /the registry answers 429: nothing here\. Push again/],
  [500, /the registry answers 500: nothing here\. Push again/],
  [400, /the registry answers 400: nothing here\. Find out what this address serves/],
  [413, /the registry answers 413: nothing here\. Raise the limit .*`client_max_body_size 0`/],
])('says what to do about %i', async (status, text) => {
  server.misbehave = ({ method }, request, response) => {
    if (method === 'HEAD') return false;
    request.resume();
    response.writeHead(status).end(status > 403 || status === 400 ? '{"message":"nothing here"}' : '');
    return true;
  };
  const refused = push(imageFrom('a'));
  await expect(refused).rejects.toThrow(text);
  await expect(refused).rejects.toMatchObject({
    problems: [{ code: 'MODELS_IMAGE_PUSH', key: 'models', value: `${server.host}/models` }],
  });
  await expect(push(imageFrom('a'), { key: '--push' })).rejects.toMatchObject({
    problems: [{ key: '--push' }],
  });
});

it('sends nobody to `docker login` for what that does not help with', () => {
  const ecr = { host: '123456789012.dkr.ecr.eu-west-1.amazonaws.com', repository: 'models', url: '' };
  const refused = pushProblem(ecr, registryFault('refused', 'refuses (403)'), '--push');
  expect(refused.message).toMatch(/Check credentials and --aws-profile: ECR is asked with AWS’s/);
  const own = registryFault('wrong', 'has a certificate', { fix: 'Name it.' });
  expect(pushProblem(ecr, own, '--push').message).toMatch(/has a certificate\. Name it\./);
});
