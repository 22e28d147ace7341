/**
 * What objects hold, from the message to the written bytes: each case small, cut into parts, and side by
 * side.
 */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../../../core/batch/contract.ts';
import { scene, steady } from './scene.ts';

const KEY = 'rows/a.csv';
const IDS: Partial<Entry> = { ids: ['id'], tolerate: 1 };
const LONG = 'long '.repeat(60);

/** Files of the job's folder that hold rows. */
const partsOf = (files: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(files).filter(([name]) => /^(part|errors)-/.test(name)));

async function scored(content: string | Uint8Array, entry: Partial<Entry>, whole: number) {
  const s = scene({ entry, whole });
  await s.send(s.upload(KEY, content));
  for (const job of s.spread) await s.map(job);
  return { files: s.files(), failed: s.failed, spread: s.spread.length };
}

describe('an object', () => {
  it.each<[string, string, Partial<Entry>, Record<string, string>, [rows: number, errors: number]]>([
    ['that is empty', '', {}, {}, [0, 0]],
    ['of one byte, a newline', '\n', IDS, {}, [0, 0]],
    ['without a newline at its end', 'a,b\n1,2\n3,4', {}, { 'part-00000.csv': 'row,y\n1,3\n2,7\n' }, [2, 0]],
    ['with CRLF', 'a,b\r\n1,2\r\n3,4\r\n', {}, { 'part-00000.csv': 'row,y\n1,3\n2,7\n' }, [2, 0]],
    ['with a BOM', '\uFEFFa,b\n1,2\n', {}, { 'part-00000.csv': 'row,y\n1,3\n' }, [1, 0]],
    [
      'with quoted newlines across a part’s border',
      'id,a,b\n"one\nof, many\r\nlines ""and"" a border",1,2\n"é\n",3,4\nplain,5,6\n',
      IDS,
      {
        'part-00000.csv': 'id,y\n"one\nof, many\r\nlines ""and"" a border",3\n',
        'part-00001.csv': 'id,y\n"é\n",7\nplain,11\n',
      },
      [3, 0],
    ],
    [
      'with a row longer than a part',
      `id,a,b\nshort,1,2\n${LONG},3,4\nlast,5,6\n`,
      IDS,
      {
        'part-00000.csv': `id,y\nshort,3\n${LONG},7\n`,
        'part-00001.csv': 'id,y\nlast,11\n',
      },
      [3, 0],
    ],
  ])('%s comes out byte for byte', async (_, content, entry, parts, [rows, errors]) => {
    const whole = await scored(content, entry, 1_000_000);
    expect(partsOf(whole.files)).toEqual(parts);
    expect(JSON.parse(whole.files['_SUCCESS.json'] ?? '')).toMatchObject({ rows, errors });
    expect(whole.failed).toEqual([]);
    const large = await scored(content, entry, -1);
    expect(large.spread).toBe(1);
    expect(steady(large.files)).toEqual(steady(whole.files));
    const zipped = await scored(gzipSync(content), entry, -1);
    expect(partsOf(zipped.files)).toEqual(parts);
  });

  it.each<[string, string, Partial<Entry>, string, RegExp]>([
    ['a header of other columns', 'a,b,c\n1,2,3\n', {}, 'WRONG_HEADER', /3 columns|takes 2|column c/],
    ['no header where ids need one', '1,2\n', IDS, 'WRONG_HEADER', /ids needs them/],
    ['one byte, which is no row of two numbers', '7', {}, 'WRONG_HEADER', /1 number; the model takes 2/],
    ['a quote that never closes', 'id,a,b\nx,1,2\ny,"3,4\n', IDS, 'UNCLOSED_QUOTE', /line 3/],
  ])(
    'with %s is refused, small or large, and nothing of it is taken for complete',
    async (_, content, entry, code, reason) => {
      for (const whole of [1_000_000, -1]) {
        const { files, failed } = await scored(content, entry, whole);
        expect(failed).toMatchObject([{ code, reason: expect.stringMatching(reason) }]);
        expect(JSON.parse(files['_FAILED.json'] ?? '')).toMatchObject({ code });
        expect(files).not.toHaveProperty('_SUCCESS.json');
      }
    },
  );
});

describe('poison', () => {
  const POISON: Readonly<Record<number, readonly [content: string | Uint8Array, code: string]>> = {
    17: ['a,b,c\n1,2,3\n', 'WRONG_HEADER'],
    1000: ['1,2\n3,"4\n5,6\n', 'UNCLOSED_QUOTE'],
    1999: [gzipSync('1,2\n').subarray(0, -9), 'UNREADABLE'],
  };
  const contentOf = (i: number): string | Uint8Array => POISON[i]?.[0] ?? `${i},1\n${i},2\n`;
  const keyOf = (i: number): string => `rows/${i}.csv`;

  it('among thousands is kept apart, thing by thing; all others are scored, whatever comes twice', async () => {
    const s = scene();
    const events = Array.from({ length: 2000 }, (_, i) => s.upload(keyOf(i), contentOf(i)));
    // Each twice, the second time in another order.
    for (const event of [...events, ...events.toReversed()]) await s.send(event);
    const codes = Object.fromEntries(Object.entries(POISON).map(([i, [, code]]) => [keyOf(Number(i)), code]));
    expect(s.failed).toHaveLength(3);
    expect(
      Object.fromEntries(s.failed.map(({ body, code }) => [JSON.parse(body).detail.object.key, code])),
    ).toEqual(codes);
    const text = (key: string): string => Buffer.from(s.output.objects.get(key)?.bytes ?? []).toString();
    for (const i of events.keys()) {
      const latest = text(`scored/sum/latest/${keyOf(i)}.json`);
      if (POISON[i] !== undefined) {
        expect(latest).toBe('');
        continue;
      }
      const folder = String(JSON.parse(latest).job).replace('s3://out/', '');
      if (text(`${folder}part-00000.csv`) !== `row,y\n1,${i + 1}\n2,${i + 2}\n`)
        throw new Error(`object ${i} is wrong`);
    }
    expect(s.counted).toMatchObject({ Rows: 1997 * 2, RowErrors: 0, JobsDone: 1997, JobsFailed: 3 });
  });
});
