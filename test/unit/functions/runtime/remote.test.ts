import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, open, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Manifest } from '../../../../core/endpoint/contract.ts';
import type { ReadRange } from '../../../../core/ports/files.ts';
import type { FilesPlace } from '../../../../functions/runtime/files-place.ts';
import { fetchRemoteFile, wholeArtifact } from '../../../../functions/runtime/remote.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'remote-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const content = randomBytes(20 * 1024 * 1024 + 7);
const file = {
  path: 'model/weights.bin',
  bytes: content.length,
  sha256: createHash('sha256').update(content).digest('hex'),
};
/** Later parts arrive first. */
const slowly: ReadRange = async (_sha256, start, end) => {
  await new Promise((done) => setTimeout(done, start === 0 ? 30 : 5));
  return content.subarray(start, end);
};
const from = (read: ReadRange): FilesPlace => ({ read, name: 'PLACE (here)', fix: 'Copy it.' });

test('ranges in any order make the file, and it is fetched once', async () => {
  await fetchRemoteFile(file, folder, from(slowly));
  expect((await readFile(join(folder, file.path))).equals(content)).toBe(true);
  const asked = from(() => Promise.reject(new Error('asked again')));
  await fetchRemoteFile(file, folder, asked);
});

test('other bytes than were packaged are refused, and nothing is left', async () => {
  const changed: ReadRange = async (sha256, start, end) => {
    const bytes = Buffer.from(await slowly(sha256, start, end));
    if (start > 0) bytes[0] = (bytes[0] ?? 0) ^ 1;
    return bytes;
  };
  await expect(fetchRemoteFile(file, folder, from(changed))).rejects.toThrow(
    `PLACE (here): ${file.sha256}, for model/weights.bin, is not the file that was packaged: its sha256 differs. Copy it.`,
  );
  expect(await readdir(join(folder, 'model'))).toEqual([]);
});

test('a failing range fails the file; what was cut off is fetched anew', async () => {
  const failing: ReadRange = (sha256, start, end) =>
    start > 10_000_000 ? Promise.reject(new Error('denied')) : slowly(sha256, start, end);
  await expect(fetchRemoteFile(file, folder, from(failing))).rejects.toThrow('denied');
  await fetchRemoteFile(file, folder, from(slowly));
  expect((await readFile(join(folder, file.path))).equals(content)).toBe(true);
});

test.each([9_000_000, content.length - 1])(
  'a file that was cut off after %i bytes is refused for its length',
  async (there) => {
    const short: ReadRange = async (sha256, start, end) =>
      slowly(sha256, Math.min(start, there), Math.min(end, there));
    await expect(fetchRemoteFile(file, folder, from(short))).rejects.toThrow(
      `it has ${there} bytes instead of ${file.bytes}. Copy it.`,
    );
    expect(await readdir(join(folder, 'model'))).toEqual([]);
  },
);

test('what is written in part, as on a disk that is nearly full, is written on', async () => {
  const one = await open(join(folder, 'any'), 'w');
  const handles = Object.getPrototypeOf(one) as typeof one;
  await one.close();
  const write = handles.write as unknown as (this: unknown, ...given: unknown[]) => unknown;
  const spy = vi.spyOn(handles, 'write').mockImplementation(function (this: unknown, ...given: unknown[]) {
    const [bytes, offset, length, position] = given;
    return write.call(this, bytes, offset, Math.ceil(Number(length) / 2), position) as never;
  });
  try {
    await fetchRemoteFile(file, folder, from(slowly));
  } finally {
    spy.mockRestore();
  }
  expect((await readFile(join(folder, file.path))).equals(content)).toBe(true);
});

const manifest = (remote: object): Manifest => ({
  ...{ schema: 1, model: 'm', identity: `test-${process.pid}`, opset: 20, file: 'model/model.onnx' },
  signature: { inputs: [], outputs: [], omitted: [] },
  remote: [{ ...file, ...remote }],
});

test.each([
  ['../../etc/cron.d/x', file.sha256],
  ['/etc/cron.d/x', file.sha256],
  ['model/../../x', file.sha256],
  ['', file.sha256],
  ['model/weights.bin', '../../../etc/passwd'],
  ['model/weights.bin', file.sha256.toUpperCase()],
])('%j by the digest %j is nowhere that a manifest may name', async (path, sha256) => {
  const environment = { MODELS_FILES_FOLDER: folder };
  await expect(wholeArtifact(manifest({ path, sha256 }), folder, environment)).rejects.toThrow(
    /^The manifest’s remote has the file ".*" with the digest ".*Package the model again\.$/,
  );
});

test('a folder that another could write to is not the one that files go to', async () => {
  const target = join('/tmp', `model-test-${process.pid}`);
  await symlink(folder, target);
  try {
    await expect(wholeArtifact(manifest({}), folder, { MODELS_FILES_FOLDER: folder })).rejects.toThrow(
      `${target}, where the model’s files go, is no folder of this process’s user`,
    );
  } finally {
    await rm(target);
  }
});
