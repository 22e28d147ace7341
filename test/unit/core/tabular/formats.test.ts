import { describe, expect, it } from 'vitest';
import { formatOf, formatOfFile, TABULAR_FORMATS } from '../../../../core/tabular/formats.ts';
import { formatContract } from './contract.ts';

for (const [name, format] of Object.entries(TABULAR_FORMATS)) formatContract(name, format);

describe('the list of formats', () => {
  it('tells each by its files, whatever their case, and no two by the same', () => {
    const suffixes = Object.values(TABULAR_FORMATS).map(({ suffix }) => suffix);
    expect(new Set(suffixes).size).toBe(suffixes.length);
    for (const [name, { suffix, streams }] of Object.entries(TABULAR_FORMATS)) {
      expect(suffix).toMatch(/^\.[a-z0-9]+$/);
      expect([formatOfFile(`data/x${suffix}`), formatOfFile(`X${suffix.toUpperCase()}`)]).toEqual([
        name,
        name,
      ]);
      // A file that is read from its start on may be packed.
      expect(formatOfFile(`data/x${suffix}.GZ`)).toBe(streams ? name : undefined);
    }
    expect([formatOfFile('csv'), formatOfFile('x.xlsx'), formatOfFile('x.csv.bak')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(() => formatOf('constructor')).toThrow('There is no format constructor.');
  });
});
