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

const imagesOf = async (to: string): Promise<unknown> =>
  JSON.parse(await readFile(join(to, 'index.json'), 'utf8')).manifests;

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
  expect(await writeLayout(other, to, 'v1', '--output')).toMatchObject({ blobs: 3, writtenBlobs: 2 });
  expect(await blobsIn(to)).toHaveLength(5);
  expect(await imagesOf(to)).toMatchObject([{ digest: other.manifest.digest }]);
});

it('keeps images of other tags, whoever wrote them', async () => {
  const to = join(folder, 'several');
  const [one, other] = [imageWith('one'), imageWith('other')];
  await writeLayout(one, to, 'churn', '--output');
  await writeLayout(other, to, 'fraud', '--output');
  expect(await imagesOf(to)).toMatchObject([
    { digest: one.manifest.digest },
    { digest: other.manifest.digest },
  ]);
  const index = await readFile(join(to, 'index.json'));
  await writeFile(join(to, 'index.json'), '{"manifests"');
  await expect(writeLayout(other, to, 'fraud', '--output')).rejects.toMatchObject(
    refused(/several is an OCI layout whose index\.json cannot be read\./),
  );
  await writeFile(join(to, 'index.json'), index);
});

it.each([
  ['that is there', 'both', ['zero']],
  ['that is new', 'both-new', []],
])('keeps images that several commands write at a time, in a folder %s', async (_, name, before) => {
  const to = join(folder, name);
  for (const tag of before) await writeLayout(imageWith(tag), to, tag, '--output');
  const tags = ['one', 'two', 'three', 'four'];
  await Promise.all(tags.map((tag) => writeLayout(imageWith(tag), to, tag, '--output')));
  const digests = [...before, ...tags].map((tag) => imageWith(tag).manifest.digest);
  const found = (await imagesOf(to)) as readonly { readonly digest: string }[];
  expect(found.map(({ digest }) => digest).toSorted()).toEqual(digests.toSorted());
  expect((await readdir(to)).toSorted()).toEqual(['blobs', 'index.json', 'oci-layout']);
});

it('writes a blob again of which only a part is there', async () => {
  const to = join(folder, 'part');
  const image = imageWith('part');
  await writeLayout(image, to, 'v1', '--output');
  const [layer] = image.blobs;
  await writeFile(join(to, 'blobs', 'sha256', layer?.digest.slice(7) ?? ''), 'la');
  expect(await writeLayout(image, to, 'v1', '--output')).toMatchObject({ writtenBlobs: 1, writtenBytes: 5 });
});

it('writes a blob again whose bytes are not what it is named by', async () => {
  const to = join(folder, 'other-bytes');
  const image = imageWith('bytes');
  await writeLayout(image, to, 'v1', '--output');
  const blob = join(to, 'blobs', 'sha256', image.blobs[0]?.digest.slice(7) ?? '');
  await writeFile(blob, 'LAYER');
  expect(await writeLayout(image, to, 'v1', '--output')).toMatchObject({ writtenBlobs: 1 });
  expect(await readFile(blob, 'utf8')).toBe('layer');
});

it('goes on in a folder that it was stopped in', async () => {
  const to = join(folder, 'stopped');
  const { blobs, ...image } = imageWith('stopped');
  const [layer, config] = blobs;
  if (layer === undefined || config === undefined) throw new Error('It has two blobs.');
  const gone = { ...config, from: { file: join(folder, 'nothing') } };
  await expect(writeLayout({ ...image, blobs: [layer, gone] }, to, 'v1', '--output')).rejects.toMatchObject(
    refused(/stopped cannot be written \(ENOENT\)/),
  );
  expect(await readdir(to)).not.toContain('index.json');
  expect(await writeLayout({ ...image, blobs }, to, 'v1', '--output')).toMatchObject({ writtenBlobs: 2 });
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
