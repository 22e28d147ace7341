import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { digestOfBytes, type OciImage } from '../../../../../../plugins/models/ship/oci/image.ts';
import { writeLayout } from '../../../../../../plugins/models/ship/oci/layout.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serverless-models-'));
  await writeFile(join(folder, 'layer'), 'layer');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const MEDIA = 'application/vnd.oci.image.manifest.v1+json';

function imageWith(text: string): OciImage {
  const [config, layer] = [Buffer.from(text), Buffer.from('layer')];
  const bytes = Buffer.from(JSON.stringify({ text }));
  return {
    config: { bytes: config, digest: digestOfBytes(config) },
    manifest: { bytes, digest: digestOfBytes(bytes), mediaType: MEDIA },
    blobs: [
      { mediaType: 'x', digest: digestOfBytes(layer), size: 5, from: { file: join(folder, 'layer') } },
      { mediaType: 'x', digest: digestOfBytes(config), size: config.length, from: { bytes: config } },
    ],
  };
}

const blobsIn = async (to: string): Promise<readonly string[]> =>
  (await readdir(join(to, 'blobs', 'sha256'))).map((name) => `sha256:${name}`).toSorted();

it('writes an image as the specification has it, and what is there already once', async () => {
  const to = join(folder, 'new', 'image');
  const image = imageWith('one');
  expect(await writeLayout(image, to, 'v1', '--output')).toEqual({
    blobs: 3,
    writtenBlobs: 3,
    writtenBytes: 8 + image.manifest.bytes.length,
  });
  expect((await readdir(to)).toSorted()).toEqual(['blobs', 'index.json', 'oci-layout']);
  expect(JSON.parse(await readFile(join(to, 'oci-layout'), 'utf8'))).toEqual({ imageLayoutVersion: '1.0.0' });
  expect(JSON.parse(await readFile(join(to, 'index.json'), 'utf8'))).toEqual({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        mediaType: MEDIA,
        digest: image.manifest.digest,
        size: image.manifest.bytes.length,
        annotations: { 'org.opencontainers.image.ref.name': 'v1' },
      },
    ],
  });
  const blobs = await blobsIn(to);
  expect(blobs).toEqual([...image.blobs, image.manifest].map(({ digest }) => digest).toSorted());
  for (const blob of blobs)
    expect(digestOfBytes(await readFile(join(to, 'blobs', 'sha256', blob.slice(7))))).toBe(blob);
  expect(await writeLayout(image, to, 'v1', '--output')).toMatchObject({ writtenBlobs: 0, writtenBytes: 0 });
  const other = imageWith('other');
  expect(await writeLayout(other, to, 'v2', '--output')).toMatchObject({ blobs: 3, writtenBlobs: 2 });
  expect(await blobsIn(to)).toHaveLength(5);
  expect(JSON.parse(await readFile(join(to, 'index.json'), 'utf8')).manifests).toMatchObject([
    { digest: other.manifest.digest },
  ]);
});

it('writes a blob again of which only a part is there', async () => {
  const to = join(folder, 'part');
  const image = imageWith('part');
  await writeLayout(image, to, 'v1', '--output');
  const [layer] = image.blobs;
  await writeFile(join(to, 'blobs', 'sha256', layer?.digest.slice(7) ?? ''), 'la');
  expect(await writeLayout(image, to, 'v1', '--output')).toMatchObject({ writtenBlobs: 1, writtenBytes: 5 });
});

const refused = (message: RegExp) => ({
  problems: [{ code: 'MODELS_IMAGE_PUSH', key: '--output' }],
  message: expect.stringMatching(message),
});

it('refuses a folder with other files in it', async () => {
  const to = join(folder, 'taken');
  await mkdir(to);
  await writeFile(join(to, 'mine.txt'), '');
  await expect(writeLayout(imageWith('x'), to, 'v1', '--output')).rejects.toMatchObject(
    refused(/taken has other files in it\. Name a folder that is empty/),
  );
  expect(await readdir(to)).toEqual(['mine.txt']);
});

it('refuses what is no folder', async () => {
  await expect(writeLayout(imageWith('x'), join(folder, 'layer'), 'v1', '--output')).rejects.toMatchObject(
    refused(/cannot be written \((EEXIST|ENOTDIR)\)/),
  );
});
