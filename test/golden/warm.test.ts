import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { frameworks, install, ownSls, type Run, service, warmSls } from './frameworks.ts';

const yaml = `
service: shop
provider: {name: aws}
plugins: [./plugin.ts]
models:
  churn: {artifact: models/churn.onnx}
`;

beforeAll(async () => {
  for (const framework of frameworks) await install(framework);
});

/** Without the seconds that packaging took. */
const said = ({ code, stdout, output }: Run): Run => ({
  code,
  stdout,
  output: output.replace(/\(\d+s\)/g, ''),
});

/** What the framework saves of the service, without the moment of it. */
const saved = async (folder: string): Promise<string> =>
  (await readFile(join(folder, '.serverless', 'serverless-state.json'), 'utf8')).replace(
    /\d{13}-[\w:.-]+Z/g,
    '',
  );

it.each(frameworks.map((framework) => [framework.name, framework] as const))(
  'a command in a warm process is what it is in its own, whatever ran before: %s',
  async (_, framework) => {
    const folder = await service(framework, 'warm', { yaml });
    const faulty = await service(framework, 'warm-faulty', { yaml: yaml.replace('artifact', 'artefact') });
    const commands = [
      [folder, ['package']],
      [faulty, ['models', 'validate', '--json']],
      [folder, ['package', '--wait']],
      [folder, ['models', 'plan', '--stage', 'prod']],
      [folder, ['models', '--help']],
    ] as const;
    const [first] = commands;
    const own = new Map<unknown, unknown>();
    for (const command of commands) {
      own.set(command, said(await ownSls(framework, command[0], command[1])));
      if (command === first) own.set('saved', await saved(folder));
    }
    // In another order, and each again.
    for (const command of [...commands.toReversed(), ...commands]) {
      const warm = await warmSls(framework, command[0], command[1]);
      expect(said(warm), command[1].join(' ')).toEqual(own.get(command));
      if (command === first) expect(await saved(folder)).toEqual(own.get('saved'));
    }
  },
);
