import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ArchiveEntry, digestOf, filesBelow } from '../../../../../plugins/models/disk/files.ts';
import { writeZip } from '../../../../../plugins/models/disk/zip.ts';
import { unzip } from '../../../../unzip.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zip-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const contents = fc
  .dictionary(
    fc.stringMatching(/^[a-zA-Z0-9_]{1,8}(\/[a-z]{1,6}\.[a-z]{1,3}){0,1}$/),
    fc.uint8Array({ maxLength: 3000 }),
    {
      maxKeys: 6,
      // A name may not be a file and a folder.
    },
  )
  .map((files) =>
    Object.fromEntries(Object.entries(files).map(([path, bytes], index) => [`${index}${path}`, bytes])),
  );

async function write(files: Record<string, Uint8Array>): Promise<ArchiveEntry[]> {
  const root = await mkdtemp(join(folder, 'files-'));
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), bytes);
    const past = new Date(Date.now() - Math.floor(1e11 * Math.random()));
    await utimes(join(root, path), past, past);
  }
  return filesBelow(root);
}

describe('a zip', () => {
  it('has equal bytes for equal contents, whatever order and times they come with', async () => {
    await fc.assert(
      fc.asyncProperty(contents, async (files) => {
        const one = await write(files);
        const other = (await write(files)).reverse();
        const [a, b] = [join(folder, 'a.zip'), join(folder, 'b.zip')];
        const bytes = await writeZip(a, one);
        await writeZip(b, other);
        const content = await readFile(a);
        expect(content.equals(await readFile(b))).toBe(true);
        expect(content.length).toBe(bytes);
        expect(await unzip(a)).toEqual(files);
      }),
      { numRuns: 40 },
    );
  });

  it('is the same in every time zone', async () => {
    const entries = await write({ 'a.txt': Buffer.from('a') });
    const program = `const { writeZip } = await import(${JSON.stringify(join(import.meta.dirname, '../../../../../plugins/models/disk/zip.ts'))});
      await writeZip(process.argv[1], ${JSON.stringify(entries)});`;
    const digests = ['UTC', 'America/Los_Angeles', 'Pacific/Kiritimati'].map((TZ) => {
      const target = join(folder, `${TZ.replace('/', '-')}.zip`);
      execFileSync(process.execPath, ['--input-type=module', '-e', program, target], {
        env: { ...process.env, TZ },
      });
      return target;
    });
    const hashes = await Promise.all(
      digests.map(async (path) =>
        createHash('sha256')
          .update(await readFile(path))
          .digest('hex'),
      ),
    );
    expect(new Set(hashes).size).toBe(1);
  });
});

it('a digest of contents depends on paths and hashes, not on order', () => {
  const file = fc.record({ path: fc.string({ minLength: 1 }), sha256: fc.stringMatching(/^[0-9a-f]{64}$/) });
  fc.assert(
    fc.property(
      fc.uniqueArray(file, { selector: ({ path }) => path, minLength: 1, maxLength: 6 }),
      (files) => {
        expect(digestOf([...files].reverse())).toBe(digestOf(files));
        const [first, ...others] = files;
        if (first)
          expect(digestOf([{ ...first, path: `${first.path}x` }, ...others])).not.toBe(digestOf(files));
      },
    ),
  );
});
