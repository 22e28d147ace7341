import type { S3Client } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { objectSource } from '../../../../aws/s3/input-object.ts';

const MB = 1024 ** 2;

/** An object of the size, in a bucket that breaks off each answer whose number is in `broken`. */
function object(bytes: number, broken: readonly number[] = []) {
  const all = Uint8Array.from({ length: bytes }, (_, i) => i % 251);
  const asked: string[] = [];
  const send = async ({ input }: { input: { Range: string; IfMatch: string } }) => {
    const [from, to] = input.Range.replace('bytes=', '').split('-').map(Number) as [number, number];
    const number = asked.push(`${input.Range} if ${input.IfMatch}`) - 1;
    const body = all.subarray(from, to + 1);
    return {
      Body: (async function* (): AsyncGenerator<Uint8Array> {
        const isBroken = broken.includes(number);
        yield isBroken ? body.subarray(0, body.length >> 1) : body;
        if (isBroken) throw new Error('aborted');
      })(),
    };
  };
  const head = { etag: 'e', bytes, modified: '' };
  const source = objectSource({ send } as unknown as S3Client, { bucket: 'b', key: 'k' }, head);
  return { all, asked, source };
}

async function read(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

it('a small object is read once, whatever is asked of it, and taken up again where an answer breaks off', async () => {
  const { all, asked, source } = object(1000, [0]);
  expect([...(await source.range(0, 2))]).toEqual([0, 1]);
  expect(await read(source.stream(0))).toEqual(Buffer.from(all));
  expect(await read(source.stream(10, 20))).toEqual(Buffer.from(all.subarray(10, 20)));
  expect(await read(source.stream(1000))).toHaveLength(0);
  expect(asked).toEqual(['bytes=0-999 if "e"', 'bytes=500-999 if "e"']);
});

it('of a larger one what is asked for is read', async () => {
  const { all, asked, source } = object(MB + 1);
  expect([...(await source.range(MB - 1, MB + 1))]).toEqual([...all.subarray(MB - 1)]);
  expect(await read(source.stream(5, 9))).toEqual(Buffer.from(all.subarray(5, 9)));
  expect(asked).toEqual([`bytes=${MB - 1}-${MB} if "e"`, 'bytes=5-8 if "e"']);
});

it('an empty one is not read at all', async () => {
  const { asked, source } = object(0);
  expect(await read(source.stream(0))).toHaveLength(0);
  expect(asked).toEqual([]);
});
