/** The examples of docs/advise.md that need no service are run as they are written. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PRICES_USED } from '../../../core/advice/contract.ts';
import { pricesOf } from '../../../plugins/models/advise/price-file.ts';
import { blocks, pages, root } from './pages.ts';

const lines = [...(pages.get('docs/advise.md') ?? '').matchAll(/^npx serverless-models (advise .*)$/gm)].map(
  ([, line = '']) => line,
);
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'advise-docs-'));
  copyFileSync(join(root, 'test/fixtures/models/logreg.onnx'), join(folder, 'model.onnx'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('there are some', () => {
  expect(lines.length).toBeGreaterThan(3);
});

it.each(lines)('%s', (line) => {
  const cli = join(root, 'plugins/models/advise/cli.ts');
  const printed = execFileSync(process.execPath, [cli, ...line.split(' ')], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(printed).toMatch(/^model\.onnx: /);
  if (line.includes('--html'))
    expect(readFileSync(join(folder, 'advice.html'), 'utf8')).toContain('model.onnx');
});

it('the file of prices is one', async () => {
  const json = blocks('json').find(({ page }) => page === 'docs/advise.md')?.text ?? '';
  const { writeFile } = await import('node:fs/promises');
  await writeFile(join(folder, 'prices.json'), json);
  const prices = await pricesOf('prices.json', folder);
  for (const [name, price] of Object.entries(JSON.parse(json))) {
    const given = typeof price === 'number' ? price : (price as { readonly dollars: number }).dollars;
    expect(prices[PRICES_USED.find((one) => one === name) ?? 'alb.hour'].dollars).toBe(given);
  }
});
