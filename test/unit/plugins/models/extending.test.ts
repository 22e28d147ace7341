/**
 * Each seam takes one thing more by a file of its own and an entry in its list, and nothing else: tried in a
 * copy of the sources.
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
let copy: string;

beforeAll(async () => {
  // Below the repository, where packages are found.
  await mkdir(join(root, '.local'), { recursive: true });
  copy = await mkdtemp(join(root, '.local', 'extending-'));
  for (const room of ['core', 'aws', 'plugins', 'layers', 'package.json'])
    await cp(join(root, room), join(copy, room), { recursive: true });
});
afterAll(async () => {
  await rm(copy, { recursive: true, force: true });
});

type Entry = { readonly list: string; readonly after: string; readonly name: string; readonly from: string };

/** Writes new files, and an entry into each list. */
async function extend(files: Readonly<Record<string, string>>, entries: readonly Entry[]): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(copy, path)), { recursive: true });
    await writeFile(join(copy, path), text);
  }
  for (const { list, after, name, from } of entries) {
    const text = await readFile(join(copy, list), 'utf8');
    expect(text.split(after), `${list} has one ${after}`).toHaveLength(2);
    await writeFile(
      join(copy, list),
      `import { ${name} } from '${from}';\n${text.replace(after, `${after}${name}, `)}`,
    );
  }
}

/** What a module that runs in the copy prints as JSON. */
async function seen(module: string): Promise<unknown> {
  const file = join(copy, 'ask.ts');
  await writeFile(file, module);
  const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: copy });
  return JSON.parse(stdout);
}

const PLAN = `
import { parseModels } from './plugins/models/declaration/parse.ts';
import { inventory } from './plugins/models/plan/inventory.ts';
import { neededPolicy, planFunctions, planProblems } from './plugins/models/plan/plan.ts';
const { models, options } = parseModels({ churn: { artifact: 'a.onnx' } });
const host = {
  service: 'shop', stage: 'dev', region: 'us-east-1', stack: 'shop-dev', functions: {}, bucket: 'b', prefix: 'p/',
  provider: { iam: { role: 'arn:aws:iam::123456789012:role/all' } },
};
const input = { models, options, host, built: new Map(), zips: new Map() };
`;

it('a feature', async () => {
  await extend(
    {
      'plugins/models/plan/nothing/feature.ts': `
        import type { Feature } from '../../contracts/feature.ts';
        export const nothingFeature: Feature = {
          name: 'nothing',
          resources: () => ({ Nothing: { Type: 'AWS::CloudFormation::WaitConditionHandle', Properties: {} } }),
          statements: () => [{ Effect: 'Allow', Action: ['nothing:Ask'], Resource: ['*'] }],
          claims: () => [{ what: 'nothing', name: 'of the service', resources: ['Nothing'] }],
        };`,
    },
    [
      {
        list: 'plugins/models/plan/features.ts',
        after: 'FEATURES: readonly Feature[] = [',
        name: 'nothingFeature',
        from: './nothing/feature.ts',
      },
    ],
  );
  expect(
    await seen(`${PLAN}
      console.log(JSON.stringify({
        item: inventory(input).find(({ what }) => what === 'nothing'),
        policy: JSON.stringify(neededPolicy(input)).includes('nothing:Ask'),
        problems: planProblems(models, host, options),
      }));`),
  ).toEqual({
    item: { what: 'nothing', name: 'of the service', resources: 1 },
    policy: true,
    problems: [],
  });
});

it('a target: its pure half and its builder', async () => {
  await extend(
    {
      'plugins/models/targets/nothing/plan.ts': `
        import type { Target } from '../../contracts/target.ts';
        export const nothing: Target = {
          kind: 'nothing',
          package: 'zip',
          properties: () => ({ image: 'nothing' }),
          statements: () => [],
          resources: () => ({}),
          claims: () => [],
          identity: () => 'nothing',
        };`,
      'plugins/models/targets/nothing/build.ts': `
        import type { Builder } from '../../contracts/builder.ts';
        import { nothing } from './plan.ts';
        export const nothingBuilder: Builder = {
          kind: nothing.kind,
          problems: () => [],
          remoteOf: () => [],
          pack: async () => ({ content: [], zip: '/nothing', zipBytes: 0, bytes: 0 }),
        };`,
    },
    [
      {
        list: 'plugins/models/targets/targets.ts',
        after: 'TARGETS: readonly Target[] = [',
        name: 'nothing',
        from: './nothing/plan.ts',
      },
      {
        list: 'plugins/models/targets/builders.ts',
        after: 'BUILDERS: readonly Builder[] = [',
        name: 'nothingBuilder',
        from: './nothing/build.ts',
      },
    ],
  );
  expect(
    await seen(`${PLAN}
      import { builderOf } from './plugins/models/targets/builders.ts';
      import { TARGETS } from './plugins/models/targets/targets.ts';
      console.log(JSON.stringify({
        kinds: TARGETS.map(({ kind }) => kind),
        builder: builderOf(models[0]).kind,
        image: planFunctions(input).churn.image,
      }));`),
  ).toEqual({ kinds: ['nothing', 'lambda-zip', 'lambda-image'], builder: 'nothing', image: 'nothing' });
});
