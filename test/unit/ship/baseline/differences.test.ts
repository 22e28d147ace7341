import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { head, input, newFolder, npy } from './setup.ts';

/** Where the readers of reference data were others than batch’s, batch’s rule is the one: each row is such a case. */
const folder = newFolder();
const x2 = [input('x', 'FP32', 2)];
const floats = new Uint8Array(Float32Array.from({ length: 600 }, (_, i) => i).buffer);

describe('an array of NumPy', () => {
  it('with a head as Python 2 wrote it is read', async () => {
    const path = await folder.write('longs.npy', npy(head('<f4', '300L, 2L'), floats));
    expect((await folder.ship(path, x2)).baseline.rows).toBe(300);
  });

  it('with infinities has no value there', async () => {
    const data = Float32Array.from({ length: 600 }, (_, i) => (i < 2 ? ([Infinity, NaN][i] as number) : i));
    const path = await folder.write('infinite.npy', npy(head('<f4', '300, 2'), new Uint8Array(data.buffer)));
    expect((await folder.ship(path, x2)).baseline.signals.map(({ nulls }) => nulls)).toEqual([1, 1]);
  });

  it.each<[string, Uint8Array, RegExp]>([
    [
      'in a version to come',
      npy(head('<f4', '300, 2'), floats, 4),
      /version 4 of NumPy’s format; 1 to 3 can be read/,
    ],
    [
      'that does not say its order',
      npy("{'descr': '<f4', 'shape': (300, 2), }\n", floats),
      /Its head is none of an array/,
    ],
    ['that is one number', npy(head('<f4', ''), new Uint8Array(4)), /The array is a single number/],
    [
      'that is packed',
      gzipSync(npy(head('<f4', '300, 2'), floats)),
      /It is gzip, in which no row can be found/,
    ],
    ['in an archive', Buffer.from('PK\u0003\u0004 and so on'), /It is a \.npz archive/],
  ])('%s is refused with what it is', async (_, content, words) => {
    expect(await folder.refusal(await folder.write('other.npy', content), x2)).toMatch(words);
  });

  it('for a model that takes texts is refused for that', async () => {
    const path = await folder.write('texts.npy', npy(head('<f4', '300, 2'), floats));
    expect(await folder.refusal(path, [input('x', 'BYTES', 2)])).toMatch(
      /input x is text, which an array of numbers has not\. Upload CSV/,
    );
  });
});
