import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..', '..');
const rows = readFileSync(join(root, 'docs', 'batch-faults.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .slice(2)
  .map(([, fault = '', happens = '', shown = '']) => ({ fault, happens, shown }));

/**
 * `[file](../file): “name”; “name”`: names of tests, after those of the groups that they are in, and of their
 * cases.
 */
const filesOf = (shown: string) =>
  [...shown.matchAll(/\[([^\]]+)\]\(\.\.\/\1\): ((?:“[^”]+”(?:; )?)+)/g)].map(
    ([, file = '', names = '']) => ({
      file,
      names: [...names.matchAll(/“([^”]+)”/g)].flatMap(([, name = '']) => name.split(' > ')),
    }),
  );

describe('docs/batch-faults.md', () => {
  it('has a row for each fault', () => {
    expect(rows.length).toBeGreaterThan(20);
    for (const { happens } of rows) expect(happens).not.toBe('');
  });

  it.each(rows)('names tests that there are: $fault', ({ shown }) => {
    const files = filesOf(shown);
    expect(files.length).toBe(shown.match(/\]\(/g)?.length);
    for (const { file, names } of files) {
      expect(existsSync(join(root, file)), file).toBe(true);
      const code = readFileSync(join(root, file), 'utf8');
      expect(names.filter((name) => !code.includes(`'${name}'`))).toEqual([]);
    }
  });
});
