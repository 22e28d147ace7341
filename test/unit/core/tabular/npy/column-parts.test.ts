import { expect, it } from 'vitest';
import { columnParts } from '../../../../../core/tabular/npy/column-parts.ts';
import { refusal, source } from '../arrays-setup.ts';

const contentOf = (bytes: number): Uint8Array => Uint8Array.from({ length: bytes }, (_, i) => i % 251);
const expected = (bytes: Uint8Array, start: number, own: number, stride: number, width: number) =>
  Buffer.concat(
    Array.from({ length: width }, (_, column) =>
      bytes.subarray(start + column * stride, start + column * stride + own),
    ),
  );

it.each([1, 7, 1000])('pieces near one another come by one read, in chunks of %i bytes', async (chunk) => {
  for (const [own, stride, width] of [
    [4, 12, 3000],
    [12, 12, 50],
    [8, 900, 1],
  ] as const) {
    const bytes = contentOf(200 + width * stride);
    const read = source(bytes, chunk);
    const parts = await columnParts(read, { start: 40, own, stride, width });
    expect(Buffer.compare(parts, expected(bytes, 40, own, stride, width))).toBe(0);
    expect(read.reads).toEqual([[40, 40 + (width - 1) * stride + own]]);
  }
});

it('what lies far apart is read by itself', async () => {
  const [own, stride, width] = [16, 100_000, 40];
  const bytes = contentOf(stride * width);
  const read = source(bytes);
  const parts = await columnParts(read, { start: 64, own, stride, width });
  expect(Buffer.compare(parts, expected(bytes, 64, own, stride, width))).toBe(0);
  expect(read.reads).toHaveLength(width);
});

it('an object that ends early is told', async () => {
  const read = columnParts(source(contentOf(100)), { start: 10, own: 8, stride: 16, width: 9 });
  expect(await refusal(read)).toBe('UNREADABLE: The object ends within column 6.');
});
