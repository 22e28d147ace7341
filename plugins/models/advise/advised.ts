import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { advise } from '../../../core/advice/advise.ts';
import type { AdviceNeeds, Prices } from '../../../core/advice/contract.ts';
import { adviceText } from '../../../core/advice/text.ts';
import { usage } from '../context/context.ts';
import { adviceHtml } from './advice-html.ts';
import type { AdvisedModel } from './advised-model.ts';
import type { AdviseFlags } from './options.ts';

export const advisedModel = (name: string, needs: AdviceNeeds, prices: Prices): AdvisedModel => ({
  name,
  needs,
  advice: advise(needs, prices),
});

/**
 * Writes the page, where one is asked for.
 *
 * @returns what goes to standard output, and whether some form keeps all that is asked
 */
export async function tellAdvice(
  advised: readonly AdvisedModel[],
  prices: Prices,
  flags: AdviseFlags,
  folder: string,
): Promise<{ readonly text: string; readonly isKept: boolean }> {
  const { html, json } = flags;
  if (typeof html === 'string') await writePage(resolve(folder, html), adviceHtml(advised, prices));
  const isKept = advised.every(({ advice }) => advice.form !== undefined);
  if (json === true) {
    const models = advised.map(({ advice, name, needs }) => ({ name, ...advice, needs }));
    return { text: JSON.stringify({ models, prices }, null, 2), isKept };
  }
  const texts = advised.map(({ advice, name, needs }) => adviceText(name, needs, advice, prices));
  return { text: texts.join('\n\n'), isKept };
}

async function writePage(path: string, page: string): Promise<void> {
  try {
    await writeFile(path, page);
  } catch (error) {
    throw usage(
      '--html',
      `${path} cannot be written: ${error instanceof Error ? error.message : error}.`,
      'Name a file in a folder that exists.',
    );
  }
}
