/** The pages that send readers into the source: every path is there, and what the page says is decided in it, is. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pages, root } from './docs-pages.ts';

/** Rows of the tables of a page, as cells. */
const rowsOf = (page: string): readonly (readonly string[])[] =>
  (pages.get(page) ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split(' | ').map((cell) => cell.replace(/^\|\s*|\s*\|$/g, '').trim()));

const codeIn = (cell: string): readonly string[] =>
  [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

const threats = rowsOf('SECURITY.md').filter((row) => row.length === 4 && codeIn(row[2] ?? '').length > 0);

test('SECURITY.md has threats', () => {
  expect(threats.length).toBeGreaterThan(10);
});

test.each(threats)('%s: where it is decided, and a test that shows it', (_, __, decided = '', shown = '') => {
  const tests = codeIn(shown);
  expect(tests.length).toBeGreaterThan(0);
  expect(tests.filter((path) => !/^test\/.*\.test\.ts$/.test(path))).toEqual([]);
  expect([...codeIn(decided), ...tests].filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

const isQuestion = ([question = '']: readonly string[]): boolean => question.includes('?');
const walk = rowsOf('CONTRIBUTING.md').filter((row) => row.length === 5 && isQuestion(row));

test('ten questions are answered by names', () => {
  expect(walk.length).toBeGreaterThanOrEqual(10);
});

test.each(walk)('%s', (_, ...cells) => {
  const [room = '', folder = '', file = '', name = ''] = cells.flatMap(codeIn);
  expect(pages.get('README.md'), 'the README names the room').toContain(`\`${room}\``);
  const text = readFileSync(join(root, room, folder, file), 'utf8');
  // A file of JSON declares keys.
  expect(text).toMatch(
    file.endsWith('.json')
      ? new RegExp(`^ {2}"${name}": `, 'm')
      : new RegExp(`^(export )?(const|function) ${name}\\b`, 'm'),
  );
});
