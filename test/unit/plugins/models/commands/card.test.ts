import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cycloneDx } from '../../../../../core/card/cyclonedx.ts';
import { cardMarkdown } from '../../../../../core/card/markdown.ts';
import { command } from '../../../../../plugins/models/commands/card.ts';
import { toText } from '../../../../../plugins/models/commands/list.ts';
import { type Context, runCommand } from '../../../../../plugins/models/context/context.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { CARDS } from '../../../../cards.ts';
import { FACTS } from '../../../../fixtures/service.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'card-command-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const { models } = parseModels({ churn: { artifact: 'a.onnx' }, fraud: { artifact: 'b.onnx' } });
async function run(flags: Context['flags'], declared: Context['models'] = models.slice(0, 1)) {
  const [printed, noticed, asked]: [string[], string[], string[]] = [[], [], []];
  const context = {
    ...{ models: declared, problems: [], flags, service: { dir } },
    print: (text: string) => printed.push(text),
    notice: (text: string) => noticed.push(text),
    progress: () => {},
    facts: async (some: typeof models) => {
      asked.push(...some.map(({ name }) => name));
      return new Map(some.map(({ name }) => [name, { ...FACTS, card: CARDS.mlflow }]));
    },
    aws: { region: 'us-east-1', credentials: () => Promise.reject(new Error('AWS was asked')) },
  } as unknown as Context;
  await runCommand(command, context);
  return { printed: printed.join('\n'), noticed, asked };
}

it('prints a page, an ML-BOM or JSON', async () => {
  expect((await run({})).printed).toBe(cardMarkdown(CARDS.mlflow).trimEnd());
  expect((await run({ format: 'markdown' })).printed).toMatch(/^# churn\n/);
  expect(JSON.parse((await run({ format: 'cyclonedx' })).printed)).toEqual(cycloneDx(CARDS.mlflow));
  expect(JSON.parse((await run({ format: 'json' })).printed)).toEqual(CARDS.mlflow);
  expect((await run({ json: true })).printed).toBe((await run({ format: 'json' })).printed);
});

it('writes a file in place of that, which ends with a line', async () => {
  const { printed, noticed } = await run({ format: 'cyclonedx', output: 'churn.cdx.json' });
  expect(printed).toBe('');
  expect(noticed).toEqual([`The card of churn is ${join(dir, 'churn.cdx.json')}`]);
  const text = await readFile(join(dir, 'churn.cdx.json'), 'utf8');
  expect(text.endsWith('}\n')).toBe(true);
  expect(JSON.parse(text)).toEqual(cycloneDx(CARDS.mlflow));
  await expect(run({ output: 'none/churn.md' })).rejects.toThrow(/--output: .* cannot be written/);
});

it('is of one model, whose artifact alone is read, and in one of its formats', async () => {
  await expect(run({}, models)).rejects.toThrow('--model: is missing. Name one of churn, fraud.');
  expect((await run({ model: 'fraud' }, models)).asked).toEqual(['fraud']);
  for (const format of ['spdx', 'constructor', ''])
    await expect(run({ format })).rejects.toThrow('Write one of markdown, cyclonedx, json.');
});

it('is in the list, shortly', () => {
  const [model] = models;
  if (model === undefined) throw new Error('no model');
  const text = toText({ model, facts: { ...FACTS, card: CARDS.mlflow } });
  expect(text).toContain(
    [
      '  task      classification (MLflow)',
      '  licence   Apache-2.0 (card, MLflow)',
      '  owner     risk@example.com (card)',
      `  data      churn-2026-11, sha256 ${'c'.repeat(64)} (file)`,
      '  metric    auc 0.9134 on churn-eval (card, MLflow), at least 0.88',
      '  metric    log_loss 0.31 (MLflow)',
    ].join('\n'),
  );
});

it('refuses --json beside --format markdown: what reads it expects JSON', async () => {
  const { printed } = await run({ format: 'markdown', json: true });
  expect(process.exitCode).toBe(1);
  process.exitCode = undefined;
  expect(JSON.parse(printed).problems).toMatchObject([
    { code: 'MODELS_USAGE', key: '--json', message: 'does not go with --format markdown.' },
  ]);
  expect(JSON.parse((await run({ format: 'cyclonedx', json: true })).printed).bomFormat).toBe('CycloneDX');
});
