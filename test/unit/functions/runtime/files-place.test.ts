import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { filesPlace } from '../../../../functions/runtime/files-place.ts';

const DIGEST = 'ab'.repeat(32);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'files-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const read = async (start: number, end: number, from = folder): Promise<string> => {
  const place = await filesPlace({ MODELS_FILES_FOLDER: from, MODELS_FILES_BUCKET: 'not-asked' });
  return Buffer.from(await place.read(DIGEST, start, end)).toString();
};

describe('a folder', () => {
  it('gives ranges of its files, fewer bytes at their end, through links, too', async () => {
    await writeFile(join(folder, 'real'), '0123456789');
    await symlink('real', join(folder, DIGEST));
    expect([await read(0, 4), await read(4, 10), await read(8, 20), await read(20, 30)]).toEqual([
      ...['0123', '456789', '89', ''],
    ]);
  });

  it.each<[string, (path: string) => unknown, RegExp]>([
    ['missing', () => {}, /the file is not there: .*ENOENT\)\. Mount the folder, and copy the file there/],
    ['a folder', (path) => mkdir(path), /it is no file: .*Remove it, and copy the file there/],
    [
      'a pipe',
      (path) => execFileSync('mkfifo', [path]),
      /it is no file: .*Remove it, and copy the file there/,
    ],
    ['a link to itself', (path) => symlink(path, path), /its links lead nowhere: .*ELOOP\)\. Copy the file/],
  ])('names itself, the file and the fix where that is %s', async (_, make, reason) => {
    await make(join(folder, DIGEST));
    await expect(read(0, 1)).rejects.toThrow(reason);
    await expect(read(0, 1)).rejects.toThrow(`MODELS_FILES_FOLDER (${folder}): `);
    await expect(read(0, 1)).rejects.toThrow(join(folder, DIGEST));
  });

  it('names who must be let in where a file may not be read', async () => {
    await writeFile(join(folder, DIGEST), 'x');
    await chmod(join(folder, DIGEST), 0);
    await chmod(folder, 0o755);
    // Root may read all: then as nobody, in a process of its own.
    const module = JSON.stringify(join(import.meta.dirname, '../../../../functions/runtime/files-place.ts'));
    const program = `const { filesPlace } = await import(${module});
      if (process.getuid() === 0) process.seteuid(65534);
      const place = await filesPlace({ MODELS_FILES_FOLDER: ${JSON.stringify(folder)} });
      await place.read(${JSON.stringify(DIGEST)}, 0, 1).catch(({ message }) => console.log(message));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'utf8',
    });
    expect(stdout, stderr).toBe(
      `MODELS_FILES_FOLDER (${folder}): it may not be read: ${join(folder, DIGEST)} (EACCES). Let the user that the host runs as read it.\n`,
    );
  });

  it('is an absolute path of a folder', async () => {
    await expect(read(0, 1, 'models')).rejects.toThrow(
      /MODELS_FILES_FOLDER \(models\) is not an absolute path/,
    );
    await writeFile(join(folder, 'file'), '');
    await expect(read(0, 1, join(folder, 'file'))).rejects.toThrow(/ENOTDIR\)\. Name a folder/);
    await expect(read(0, 1, join(folder, 'no'))).rejects.toThrow(/ENOENT\)\. Mount the folder/);
  });
});

it('without folder and bucket, both are named', async () => {
  await expect(filesPlace({ MODELS_FILES_BUCKET: 'b' })).rejects.toThrow(
    /MODELS_FILES_BUCKET or MODELS_FILES_PREFIX.*Set both, or MODELS_FILES_FOLDER/,
  );
});

describe('a bucket', () => {
  const CONTENT = Buffer.alloc(100_000, 'x');
  let asked = 0;
  /** Answers that break off after a part of the body, before one is whole. */
  let cut = 0;
  /** An answer of S3 in place of the file. */
  let refused: string | undefined;
  const server = createServer((_, response) => {
    asked++;
    if (refused !== undefined) {
      response.writeHead(403, { 'content-type': 'application/xml' });
      response.end(`<Error><Code>${refused}</Code><Message>No.</Message></Error>`);
      return;
    }
    response.writeHead(206, { 'content-length': CONTENT.length, 'content-range': 'bytes 0-99999/100000' });
    if (asked > cut) response.end(CONTENT);
    else response.write(CONTENT.subarray(0, 50_000), () => response.destroy());
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    vi.stubEnv('AWS_ENDPOINT_URL_S3', `http://127.0.0.1:${port}`);
    vi.stubEnv('AWS_REGION', 'eu-central-1');
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    server.close();
  });
  beforeEach(() => {
    asked = 0;
    cut = 0;
    refused = undefined;
  });
  const place = () =>
    filesPlace({ MODELS_FILES_BUCKET: 'b', MODELS_FILES_PREFIX: 'p/', AWS_ENDPOINT_URL_S3: 'x' });

  it('is asked again for a range that breaks off', async () => {
    cut = 2;
    const { read } = await place();
    expect(Buffer.from(await read(DIGEST, 0, CONTENT.length)).equals(CONTENT)).toBe(true);
    expect(asked).toBe(3);
  });

  it('is told as one whose answers break off, where they always do', async () => {
    cut = Number.POSITIVE_INFINITY;
    const { read } = await place();
    await expect(read(DIGEST, 0, CONTENT.length)).rejects.toThrow(
      new RegExp(`^MODELS_FILES_BUCKET \\(b\\): s3://b/p/${DIGEST} cannot be read: .*breaks off.*network`),
    );
    expect(asked).toBe(3);
  });

  it('is asked once where it refuses', async () => {
    refused = 'AccessDenied';
    const { read } = await place();
    await expect(read(DIGEST, 0, CONTENT.length)).rejects.toThrow(/AccessDenied: No\.\. Allow s3:GetObject/);
    expect(asked).toBe(1);
  });
});
