import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createCounts, metricsText } from '../../../core/host/counts.ts';
import { pages, root } from './pages.ts';

const page = pages.get('docs/hosts.md') ?? '';

/** Rows of the table below a heading, or of the first one, cells without links. */
const rowsOf = (heading: string): readonly (readonly string[])[] =>
  page
    .slice(page.indexOf(heading))
    .split('\n')
    .filter(
      (line, index, lines) =>
        line.startsWith('|') && !lines.slice(0, index).some((one, at) => at > 2 && one.startsWith('#')),
    )
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replace(/\[([^\]]+)\]\([^)]*\)/g, '$1')),
    )
    .filter(([first = '']) => !/^-+$/.test(first));

const [header = [], ...hosts] = rowsOf('# Hosts');
const [, ...shown] = rowsOf('## What each cell rests on');

it('there is something to look at', () => {
  expect(header).toEqual([
    'host',
    'gate',
    'canary',
    'judge',
    'drift',
    'batch',
    'autoscaling',
    'auth',
    'idle cost',
  ]);
  expect(hosts.length).toBeGreaterThan(4);
  expect(shown.length).toBeGreaterThan(10);
});

const cells = hosts.flatMap(([host = '', ...row]) =>
  row.map((cell, index) => [host, header[index + 1] ?? '', cell] as const),
);

it.each(cells)('%s, %s: “%s” is no, or a row says what shows it', (host, what, cell) => {
  if (/^no(ne|t tried)?\b/.test(cell)) return;
  const rows = shown.filter(
    ([of = '', column]) => host.startsWith(of) && (column === what || column === 'all'),
  );
  expect(rows.length).toBeGreaterThan(0);
});

it.each(shown)('%s, %s: every test that is named is there', (_host, _what, by = '') => {
  const files = [...by.matchAll(/`(test\/[^`]+)`/g)].map(([, file = '']) => file);
  expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  expect(files.length > 0 || /own/.test(by)).toBe(true);
});

it('the queries ask for metrics that the host has', () => {
  const counted = createCounts().read();
  const standing = { model: 'churn', version: '1', counted, workers: 1, up: 1, working: 0, waiting: 0 };
  const text = metricsText([standing]);
  const names = [...page.matchAll(/serverless_models_\w+/g)].map(([name]) => name);
  expect(names.length).toBeGreaterThan(2);
  expect(names.filter((name) => !text.includes(`\n${name}{`))).toEqual([]);
});
