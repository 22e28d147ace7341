import { afterEach, expect, it } from 'vitest';
import { command as advise } from '../../../../../plugins/models/commands/advise.ts';
import { command as list } from '../../../../../plugins/models/commands/list.ts';
import { command as plan } from '../../../../../plugins/models/commands/plan.ts';
import { command as validate } from '../../../../../plugins/models/commands/validate.ts';
import { type Command, type Context, runCommand } from '../../../../../plugins/models/context/context.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { HOST } from '../../../../fixtures/service.ts';

afterEach(() => {
  process.exitCode = undefined;
});

async function printed(command: Command, flags: Context['flags']): Promise<string> {
  const { models, options } = parseModels(undefined, { options: undefined });
  const lines: string[] = [];
  await runCommand(command, {
    ...{ models, options, flags, declared: [], problems: [] },
    service: { name: 'shop', stage: 'dev', region: 'us-east-1', dir: '/service', stack: 'shop-dev' },
    aws: { region: 'us-east-1' },
    bucket: async () => Promise.reject(new Error('not deployed')),
    plan: { models, options, host: HOST, built: new Map(), zips: new Map() },
    facts: async () => new Map(),
    print: (text: string) => lines.push(text),
    notice: () => {},
    warn: () => {},
    progress: () => {},
  } as unknown as Context);
  return lines.join('\n');
}

const commands: readonly (readonly [string, Command])[] = [
  ['list', list],
  ['validate', validate],
  ['plan', plan],
  ['advise', advise],
];

it.each(commands)('%s says that no model is declared', async (_, command) => {
  expect(await printed(command, {})).toBe('There are no models.');
});

it.each(commands)('%s prints JSON where no model is declared', async (_, command) => {
  expect(JSON.parse(await printed(command, { json: true }))).toBeTypeOf('object');
});
