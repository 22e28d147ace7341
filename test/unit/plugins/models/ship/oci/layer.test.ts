import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { writeLayer } from '../../../../../../plugins/models/ship/oci/layer.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serverless-models-'));
  await writeFile(join(folder, 'a'), 'a'.repeat(100_000));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

const entries = () => [{ path: 'opt/us/a', from: join(folder, 'a'), bytes: 100_000 }];
const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

it('is the same layer whichever zlib packed it, and a machine packs it once', async () => {
  vi.stubEnv('SERVERLESS_MODELS_CACHE', join(folder, 'one'));
  const first = await writeLayer(entries());
  expect(await writeLayer(entries(), 1)).toEqual(first);
  const packed = await readFile(first.file);
  expect({ digest: sha256(packed), size: packed.length, diffId: sha256(gunzipSync(packed)) }).toEqual({
    digest: first.digest,
    size: first.size,
    diffId: first.diffId,
  });
  // gzip's head names the system that packed: one name, so that each system makes the same bytes.
  expect(packed[9]).toBe(3);
  vi.stubEnv('SERVERLESS_MODELS_CACHE', join(folder, 'other'));
  const other = await writeLayer(entries(), 1);
  expect(other.diffId).toBe(first.diffId);
  expect(other.digest).not.toBe(first.digest);
});

it('is made again where its file in the cache is not what it was', async () => {
  vi.stubEnv('SERVERLESS_MODELS_CACHE', join(folder, 'broken'));
  const first = await writeLayer(entries());
  await writeFile(first.file, 'broken');
  expect(await writeLayer(entries())).toEqual(first);
  expect(sha256(await readFile(first.file))).toBe(first.digest);
});
