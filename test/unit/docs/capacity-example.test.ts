/** The example of docs/capacity.md, run as it is written. `UPDATE_DOCS=1` writes what it prints. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { coldShare } from '../../../core/capacity/environments/cold-share.ts';
import { keptFor } from '../../../core/capacity/environments/keep.ts';
import { command } from '../../../plugins/models/commands/plan.ts';
import { type Context, runCommand } from '../../../plugins/models/context/context.ts';
import { parseModels } from '../../../plugins/models/declaration/parse.ts';
import { FACTS, HOST } from '../../fixtures/service.ts';
import { blocks, generated, pages, table } from './pages.ts';

const PAGE = 'docs/capacity.md';
const written = (language: string) =>
  blocks(language)
    .filter(({ page, text }) => page === PAGE && (language !== 'sh' || text.includes('--capacity')))
    .map(({ text }) => text);

/** As the page has it: 100 on working days from 8 to 20, and 8 at all other times. */
const WEEK = Array.from({ length: 168 }, (_, hour) =>
  hour < 5 * 24 && hour % 24 >= 8 && hour % 24 < 20 ? 100 : 8,
);

test('the example prints what the page shows', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'capacity-example-'));
  try {
    await writeFile(join(folder, 'week.txt'), WEEK.join('\n'));
    const { models, problems } = parseModels(parse(written('yaml').at(-1) ?? '').models);
    expect(problems).toEqual([]);
    const [line = ''] = written('sh');
    const flags: Record<string, string | boolean> = {};
    const words = line.trim().split(/\s+/).slice(3);
    for (const [index, word] of words.entries()) {
      const value = words[index + 1];
      if (word.startsWith('--'))
        flags[word.slice(2)] = value === undefined || value.startsWith('--') ? true : value;
    }
    expect(flags).toEqual({ capacity: true, curve: 'week.txt', duration: '200' });
    const printed: string[] = [];
    const context = {
      ...{ models, problems, flags },
      aws: { region: 'us-east-1', credentials: async () => Promise.reject(new Error('none were found')) },
      bucket: async () => Promise.reject(new Error('nothing is deployed')),
      service: { dir: folder, stage: 'dev', region: 'us-east-1', name: 'shop', stack: 'shop-dev' },
      plan: { models, options: {}, host: HOST, built: new Map(), zips: new Map() },
      progress: () => {},
      print: (text: string) => printed.push(text),
      facts: async (some: readonly { name: string }[]) => new Map(some.map(({ name }) => [name, FACTS])),
    } as unknown as Context;
    await runCommand(command, context);
    const { found, wanted } = generated(
      PAGE,
      'capacity-example',
      `\`\`\`text\n${printed.join('\n')}\n\`\`\``,
    );
    expect(found).toBe(wanted);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('the options are told as the command tells them', () => {
  const rows = Object.entries(command.options)
    .filter(([, { usage }]) => /capacity|--arrivals|INIT|request takes/.test(usage))
    .map(([name, { usage }]) => [`\`--${name}\``, usage.replace(/^With --capacity: /, '')]);
  expect(rows.length).toBeGreaterThan(8);
  const { found, wanted } = generated(PAGE, 'capacity-options', table(['option', ''], rows));
  expect(found).toBe(wanted);
});

test('figures between the examples are those of the formulas', () => {
  const page = (pages.get(PAGE) ?? '').replace(/\s+/g, ' ');
  const cold = (rate: number): number => 100 * coldShare({ rate, service: 0.05, idle: 300, kept: 0 });
  expect(page).toContain(`at 2 requests a second of 50 ms ${cold(2).toPrecision(2)} %`);
  expect(page).toContain(
    `asked 100 times a day meets a cold start in ${cold(100 / 86_400).toFixed(0)} of them`,
  );
  for (const load of [1, 5, 20, 50, 200]) {
    const { kept, use } = keptFor([{ rate: load, weight: 1 }], 1, 0.001);
    expect(page).toContain(`| ${load} | ${kept} | ${Math.round(100 * use)} % |`);
  }
});
