import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { tarFiles } from '../../../../../plugins/models/disk/tar.ts';

function header(path: string, bytes: number, kind = '0'): Buffer {
  const block = Buffer.alloc(512);
  block.write(path.slice(-100), 0);
  if (path.length > 100) block.write(path.slice(0, -101), 345);
  block.write(`${bytes.toString(8).padStart(11, '0')}\0`, 124);
  block.write(kind, 156);
  block.write('ustar\0', 257);
  return block;
}

const padded = (content: Uint8Array): Buffer =>
  Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)]);

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

async function* chunks(whole: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size);
}

it('finds the files of any archive, however it is cut into chunks, read or not', async () => {
  const file = fc.record({
    path: fc.stringMatching(/^[a-z]{1,20}(\/[a-z]{1,60}){0,2}$/),
    content: fc.uint8Array({ maxLength: 2000 }),
    kind: fc.constantFrom('0', '5', 'x'),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(file, { maxLength: 5 }),
      fc.integer({ min: 1, max: 1500 }),
      fc.boolean(),
      async (files, size, readAll) => {
        const archive = Buffer.concat([
          ...files.flatMap(({ path, content, kind }) => [
            header(path, content.length, kind),
            padded(content),
          ]),
          Buffer.alloc(1024),
        ]);
        const found: [string, Buffer | undefined][] = [];
        for await (const { path, body } of tarFiles(chunks(archive, size))) {
          found.push([path, readAll ? await buffer(body) : undefined]);
        }
        expect(found).toEqual(
          files
            .filter(({ kind }) => kind === '0')
            .map(({ path, content }) => [path, readAll ? Buffer.from(content) : undefined]),
        );
      },
    ),
    { numRuns: 200 },
  );
});

it('says so when an archive ends early or is none', async () => {
  const whole = Buffer.concat([header('a', 700), padded(Buffer.alloc(700))]);
  await expect(all(tarFiles(chunks(whole.subarray(0, 900), 100)))).rejects.toThrow(/ends early/);
  await expect(all(tarFiles(chunks(Buffer.alloc(1024, 'x'), 100)))).rejects.toThrow(/not a tar/);
});
