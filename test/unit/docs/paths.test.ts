/**
 * The pages that send readers into the source: every path is there, and what the page says is decided in it,
 * is.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { pages, root } from './pages.ts';

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

const recipes = /^## Recipes\n([\s\S]*?)(?=^## )/m.exec(pages.get('CONTRIBUTING.md') ?? '')?.[1] ?? '';

test('there is a recipe for each thing that is often added, in steps of one line', () => {
  const titles = [...recipes.matchAll(/^### A new (.+)$/gm)].map(([, title]) => title);
  for (const title of [
    ...['option', 'alarm', 'command', 'feature', 'phase of a release'],
    'source of artifacts',
    'format of artifacts',
    'format of tables',
  ])
    expect(titles).toContain(title);
  for (const recipe of recipes.split(/^### /m).slice(1)) {
    const steps = [...recipe.matchAll(/^(\d+)\. (.*)$/gm)];
    expect(steps.map(([, number]) => Number(number))).toEqual(steps.map((_, index) => index + 1));
    expect(recipe.match(/^ {2,}\S/m), recipe).toBeNull();
  }
});

test('every file and every constant that a recipe names is there', () => {
  const room = /^(core|aws|functions|plugins|layers|test|docs|bench)\/[^\s<>]+$/;
  const paths = codeIn(recipes).filter((code) => room.test(code));
  expect(paths.length).toBeGreaterThan(20);
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  for (const [, name = '', path = ''] of recipes.matchAll(/`([A-Za-z_]+)` (?:in|of) `([^`]+\.ts)`/g))
    if (room.test(path))
      expect(readFileSync(join(root, path), 'utf8'), `${path}: ${name}`).toMatch(
        new RegExp(`^(export )?(const|function|type) ${name}\\b`, 'm'),
      );
});
