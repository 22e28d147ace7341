import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { CardDocument } from '../../../core/card/contract.ts';
import { cycloneDx } from '../../../core/card/cyclonedx.ts';
import { cardMarkdown } from '../../../core/card/markdown.ts';
import { type Command, modelOf, usage } from '../context/context.ts';

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;

/** What is written, by its name. */
const FORMATS: Readonly<Record<string, (document: CardDocument) => string>> = {
  markdown: cardMarkdown,
  cyclonedx: (document) => json(cycloneDx(document)),
  json,
};
const NAMES = Object.keys(FORMATS).join(', ');

/** `sls models card`: what can be told of a packaged model. Needs no AWS. */
export const command: Command = {
  usage: 'Write the card of a model: what it was trained on, what was measured, its licence and its files',
  options: {
    model: { usage: 'Name of the model', shortcut: 'm', type: 'string' },
    format: { usage: `One of ${NAMES} (default: markdown; cyclonedx is version 1.7)`, type: 'string' },
    output: { usage: 'The file to write (default: standard output)', shortcut: 'o', type: 'string' },
    json: { usage: 'The same as --format json', type: 'boolean' },
  },
  run: async (context) => {
    const { flags, facts, print, notice, service } = context;
    const model = modelOf(context);
    const format = String(flags.format ?? (flags.json ? 'json' : 'markdown'));
    const write = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined;
    if (write === undefined) throw usage('--format', `${format} is none of them.`, `Write one of ${NAMES}.`);
    if (flags.json && format === 'markdown')
      throw usage('--json', 'does not go with --format markdown.', 'Leave one of them out.');
    const document = (await facts([model])).get(model.name)?.card;
    if (document === undefined) throw new Error(`${model.name} was packaged without a card`);
    const text = write(document);
    if (typeof flags.output !== 'string') return print(text.trimEnd());
    const path = resolve(service.dir, flags.output);
    try {
      await writeFile(path, text);
    } catch (error) {
      throw usage(
        '--output',
        `${path} cannot be written: ${error instanceof Error ? error.message : error}.`,
        'Name a file in a folder that exists.',
      );
    }
    notice(`The card of ${model.name} is ${path}`);
  },
};
