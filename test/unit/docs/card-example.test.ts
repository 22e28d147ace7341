/** The example of docs/card.md is what the command prints. `UPDATE_DOCS=1` writes it. */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { mergeCard } from '../../../core/card/merge.ts';
import { command } from '../../../plugins/models/commands/card.ts';
import { type Context, runCommand } from '../../../plugins/models/context/context.ts';
import { parseModels } from '../../../plugins/models/declaration/parse.ts';
import { CARDS } from '../../cards.ts';
import { FACTS } from '../../fixtures/service.ts';
import { blocks, generated } from './pages.ts';

const PAGE = 'docs/card.md';

test('the example prints what the page shows', async () => {
  const [yaml = ''] = blocks('yaml').flatMap(({ page, text }) => (page === PAGE ? [text] : []));
  const { models, problems } = parseModels(parse(yaml).models);
  expect(problems).toEqual([]);
  const { origin } = CARDS.mlflow;
  const data = { sha256: createHash('sha256').update('train').digest('hex'), bytes: 5 };
  const { card, faults } = mergeCard(models[0]?.card ?? {}, {
    origin: origin && { at: '', ...origin },
    data,
  });
  expect(faults).toEqual([]);
  const document = { ...CARDS.mlflow, card, signedBy: undefined };
  const printed: string[] = [];
  const context = {
    ...{ models, problems, flags: {} },
    print: (text: string) => printed.push(text),
    facts: async () => new Map([['churn', { ...FACTS, card: document }]]),
  } as unknown as Context;
  await runCommand(command, context);
  const { found, wanted } = generated(PAGE, 'card-example', `\`\`\`markdown\n${printed.join('\n')}\n\`\`\``);
  expect(found).toBe(wanted);
});
