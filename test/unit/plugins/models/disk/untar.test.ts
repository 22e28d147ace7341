import { readdirSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isTarFault, TAR_LIMITS, untar } from '../../../../../plugins/models/disk/untar.ts';
import { type Entry, tarOf } from '../../../../fakes/tar.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'untar-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** In pieces, as they come from the network. */
const pieces = (bytes: Uint8Array, size = 1000): Readable =>
  Readable.from(
    (function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    })(),
  );
const unpack = (entries: readonly Entry[], limits = TAR_LIMITS) =>
  untar(pieces(gzipSync(tarOf(entries))), folder, limits);
const faultOf = async (work: Promise<unknown>): Promise<string> => {
  const error: unknown = await work.catch((reason: unknown) => reason);
  if (!isTarFault(error)) throw error;
  return error.message;
};

describe('what an archive has', () => {
  it('is there as it was packed, large files and empty ones, in folders, without what macOS adds', async () => {
    const large = Buffer.alloc(3_000_001, 7);
    const { files, links } = await unpack([
      { path: './', type: '5' },
      { path: './model.onnx', content: large },
      { path: './._model.onnx', content: Buffer.from('x') },
      { path: 'deep/er/', type: '5' },
      { path: 'deep/er/w.bin', content: Buffer.from('weights') },
      { path: 'empty', content: Buffer.alloc(0) },
    ]);
    expect(files).toEqual([
      { path: 'model.onnx', bytes: large.length },
      { path: 'deep/er/w.bin', bytes: 7 },
      { path: 'empty', bytes: 0 },
    ]);
    expect(links).toEqual([]);
    expect((await readFile(join(folder, 'model.onnx'))).equals(large)).toBe(true);
    expect(await readFile(join(folder, 'deep', 'er', 'w.bin'), 'utf8')).toBe('weights');
    expect((await readdir(folder)).sort()).toEqual(['deep', 'empty', 'model.onnx']);
  });

  it('no link is made of it, and nothing is written through one', async () => {
    const { files, links } = await unpack([
      { path: 'out', type: '2', link: '/etc' },
      { path: 'model.onnx', type: '1', link: '/etc/passwd' },
      { path: 'ok', content: Buffer.from('ok') },
    ]);
    expect([files, links]).toEqual([[{ path: 'ok', bytes: 2 }], ['out', 'model.onnx']]);
    expect(await readdir(folder)).toEqual(['ok']);
  });

  it.each(['../evil', 'a/../../evil', '/etc/evil', 'C:/evil', 'a\\..\\evil'])(
    'one that leads out makes all of it refused: %s',
    async (path) => {
      const fault = await faultOf(unpack([{ path, content: Buffer.from('x') }]));
      expect(fault).toContain(`has ${JSON.stringify(path)} in it, `);
      expect(await readdir(folder)).toEqual([]);
    },
  );

  it.each([
    ['twice', ['a', 'a'], 'has "a" in it twice'],
    ['as a file and as a folder', ['a', 'a/b'], 'in it as a file and as a folder'],
  ] as const)('a name that is there %s is refused', async (_, paths, message) => {
    const entries = paths.map((path) => ({ path, content: Buffer.from('x') }));
    expect(await faultOf(unpack(entries))).toContain(message);
  });
});

describe('what is no whole archive', () => {
  const entries = [{ path: 'model.onnx', content: Buffer.alloc(100_000, 1) }];
  const whole = tarOf(entries);
  it.each([
    ['gzip is cut off', gzipSync(whole).subarray(0, -20), 'is cut off'],
    ['tar is cut off', gzipSync(whole.subarray(0, 50_000)), 'is cut off, or no tar'],
    ['tar is cut off in its head', gzipSync(whole.subarray(0, 300)), 'is cut off, or no tar'],
    ['no gzip', whole, 'is no gzip, or broken'],
    ['a page', Buffer.from('<!doctype html>'), 'is no gzip, or broken'],
    ['nothing', Buffer.alloc(0), 'is cut off'],
    ['gzip of something else', gzipSync(Buffer.alloc(5000, 'x')), 'is broken'],
  ])('%s', async (_, bytes, message) => {
    expect(await faultOf(untar(pieces(bytes), folder))).toContain(message);
  });

  it('what the source breaks off is the source’s own word', async () => {
    const gone = new Error('ECONNRESET');
    const bytes = gzipSync(whole);
    const source = Readable.from(
      (async function* () {
        yield bytes.subarray(0, 40);
        throw gone;
      })(),
    );
    await expect(untar(source, folder)).rejects.toBe(gone);
  });
});

describe('a disk that is full', () => {
  it('in the middle of a file ends it with the system’s own word', async () => {
    await symlink('/dev/full', join(folder, 'model.onnx'));
    const large = [{ path: 'model.onnx', content: Buffer.alloc(3_000_000, 7) }];
    await expect(unpack(large)).rejects.toMatchObject({ code: 'ENOSPC' });
  });
});

it('nothing is written after a refusal: whoever removes the folder then has removed it', async () => {
  const entries = ['a/f', '../evil'].map((path) => ({ path, content: Buffer.from('x') }));
  const archive = gzipSync(tarOf(entries));
  for (let time = 0; time < 20; time++) {
    const place = join(folder, String(time));
    const error: unknown = await untar(pieces(archive), place).catch((reason: unknown) => reason);
    const there = readdirSync(place, { recursive: true });
    expect(isTarFault(error)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(readdirSync(place, { recursive: true })).toEqual(there);
  }
});

describe('what would fill the disk', () => {
  it.each([
    ['one file', [{ path: 'a', content: Buffer.alloc(2_000_000) }]],
    [
      'many files',
      Array.from({ length: 4 }, (_, at) => ({ path: `a${at}`, content: Buffer.alloc(400_000) })),
    ],
  ])('%s of a few kilobytes packed', async (_, entries) => {
    expect(gzipSync(tarOf(entries)).length).toBeLessThan(20_000);
    const fault = await faultOf(unpack(entries, { ...TAR_LIMITS, bytes: 1_000_000 }));
    expect(fault).toBe('has more than 1000000 bytes unpacked');
  });

  it('an archive within the archive', async () => {
    const inner = gzipSync(tarOf([{ path: 'a', content: Buffer.alloc(2_000_000) }]));
    const fault = await faultOf(untar(pieces(gzipSync(inner)), folder, { ...TAR_LIMITS, bytes: 1_000_000 }));
    expect(fault).toMatch(/^has more than 1000000 bytes unpacked$|^is /);
  });

  it('nothing but zeros behind its end', async () => {
    const bytes = Buffer.concat([tarOf([{ path: 'a', content: Buffer.from('x') }]), Buffer.alloc(5_000_000)]);
    expect(gzipSync(bytes).length).toBeLessThan(20_000);
    const fault = await faultOf(untar(pieces(gzipSync(bytes)), folder, { ...TAR_LIMITS, bytes: 1_000_000 }));
    expect(fault).toBe('has more than 1000000 bytes unpacked');
  });

  it('more files than a model has', async () => {
    const entries = Array.from({ length: 30 }, (_, at) => ({ path: `f${at}`, content: Buffer.alloc(0) }));
    expect(await faultOf(unpack(entries, { ...TAR_LIMITS, entries: 20 }))).toBe('has more than 20 files');
  });
});
