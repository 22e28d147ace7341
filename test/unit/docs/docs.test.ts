import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { ownRefusal } from '../../../core/errors/refusals.ts';
import { command as advise } from '../../../plugins/models/commands/advise.ts';
import { command as batch } from '../../../plugins/models/commands/batch.ts';
import { command as bench } from '../../../plugins/models/commands/bench.ts';
import { command as card } from '../../../plugins/models/commands/card.ts';
import { command as drift } from '../../../plugins/models/commands/drift.ts';
import { command as exporting } from '../../../plugins/models/commands/export.ts';
import { command as gate } from '../../../plugins/models/commands/gate.ts';
import { command as history } from '../../../plugins/models/commands/history.ts';
import { command as hold } from '../../../plugins/models/commands/hold.ts';
import { command as image } from '../../../plugins/models/commands/image.ts';
import { command as invoke } from '../../../plugins/models/commands/invoke.ts';
import { command as list } from '../../../plugins/models/commands/list.ts';
import { command as plan } from '../../../plugins/models/commands/plan.ts';
import { command as promote } from '../../../plugins/models/commands/promote.ts';
import { command as proxy } from '../../../plugins/models/commands/proxy.ts';
import { command as report } from '../../../plugins/models/commands/report.ts';
import { command as resume } from '../../../plugins/models/commands/resume.ts';
import { command as rollback } from '../../../plugins/models/commands/rollback.ts';
import { command as serve } from '../../../plugins/models/commands/serve.ts';
import { command as status } from '../../../plugins/models/commands/status.ts';
import { command as tune } from '../../../plugins/models/commands/tune.ts';
import { command as validate } from '../../../plugins/models/commands/validate.ts';
import type { Command } from '../../../plugins/models/context/context.ts';
import { parseModels } from '../../../plugins/models/declaration/parse.ts';
import { planProblems } from '../../../plugins/models/plan/plan.ts';
import { at, blocks, pages, root } from './pages.ts';

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const services = blocks('yaml').map((block) => ({ block, service: parse(block.text) as unknown }));
const declaring = services.filter(({ service }) => isObject(service) && service.models !== undefined);

test('there is something to test', () => {
  expect(declaring.length).toBeGreaterThan(10);
  expect(blocks('json').length).toBeGreaterThan(5);
  expect(commandLines.length).toBeGreaterThan(18);
});

test.each(declaring.map(({ block, service }) => [at(block), service] as const))(
  '%s is a service without a problem',
  (_, service) => {
    const { models, custom, provider } = service as Readonly<
      Record<string, Readonly<Record<string, unknown>>>
    >;
    const parsed = parseModels(models, { options: custom?.models, architecture: provider?.architecture });
    const host = {
      service: 'shop',
      stage: 'dev',
      region: 'eu-central-1',
      stack: 'shop-dev',
      provider: provider ?? {},
      functions: {},
      bucket: 'bucket',
      prefix: 'serverless/shop/dev/',
    };
    expect([...parsed.problems, ...planProblems(parsed.models, host)]).toEqual([]);
    expect(parsed.models.length).toBeGreaterThan(0);
  },
);

test.each(blocks('json').map((block) => [at(block), block.text] as const))('%s is JSON', (_, text) => {
  expect(() => JSON.parse(text)).not.toThrow();
});

/**
 * GitHub's anchors:
 * https://github.com/gjtorikian/html-pipeline/blob/main/lib/html_pipeline/node_filter/table_of_contents_filter.rb
 */
function anchors(page: string): readonly string[] {
  const text = readFileSync(join(root, page), 'utf8').replace(/^```[\s\S]*?^```$/gm, '');
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

const prose = (text: string): string => text.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, '');

test.each([...pages.keys()])('every link of %s leads somewhere', (page) => {
  const text = prose(pages.get(page) ?? '');
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$/gm)].map(([, a, b]) => a ?? b ?? '');
  for (const target of targets.filter((link) => !link.startsWith('https://'))) {
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? page : posix.join(dirname(page), path);
    expect(existsSync(join(root, file)), `${page}: ${target}`).toBe(true);
    if (anchor !== undefined) expect(anchors(file), `${page}: ${target}`).toContain(anchor);
  }
});

test('every reference link is defined', () => {
  for (const [page, text] of pages) {
    const defined = [...text.matchAll(/^\[([^\]]+)\]: \S+$/gm)].map(([, name]) => name);
    for (const [, name] of prose(text).matchAll(/\]\[([^\]]+)\]/g)) expect(defined, page).toContain(name);
  }
});

test('every page can be reached from the list of pages, and that from the README', () => {
  const index = pages.get('docs/index.md') ?? '';
  expect(pages.get('README.md')).toContain('(docs/index.md)');
  for (const page of pages.keys()) {
    const link = page.startsWith('docs/') ? page.slice('docs/'.length) : `../${page}`;
    if (page !== 'docs/index.md') expect(index).toContain(`(${link})`);
  }
});

test('the README is short', () => {
  expect(pages.get('README.md')?.split('\n').length).toBeLessThan(200);
});

test('the README asks for the Node that the framework takes and we take', () => {
  const engines = (path: string): string =>
    JSON.parse(readFileSync(join(root, path, 'package.json'), 'utf8')).engines.node;
  const osls = JSON.parse(readFileSync(join(root, 'node_modules/osls/package.json'), 'utf8'));
  expect([engines('.'), osls.engines.node]).toEqual(['>=22.12', '^20.19.0 || ^22.13.0 || >=24']);
  expect(pages.get('README.md')?.replace(/\s+/g, ' ')).toContain(
    `Node 22.13 or later of 22, or 24 and later: that is what osls ${osls.version} takes. (The plugin itself takes ≥ 22.12.)`,
  );
});

const verbs: Readonly<Record<string, Command>> = {
  ...{
    list,
    card,
    image,
    validate,
    plan,
    invoke,
    gate,
    serve,
    proxy,
    bench,
    tune,
    advise,
    export: exporting,
  },
  ...{ status, history, promote, rollback, hold, resume, drift, report, batch },
};
/**
 * Options of every command of the framework:
 * https://github.com/oss-serverless/osls/blob/main/docs/guides/parameters.md
 */
const GLOBAL = ['stage', 'region', 'aws-profile', 'config', 'param', 'help'];

/** `sls models <verb> …` in code, up to the end of the command. */
const commandLines = [...pages].flatMap(([page, text]) =>
  [...text.matchAll(/sls models ([a-z]+)([^`\n#]*)/g)].map(([line, verb = '', rest = '']) => ({
    page,
    line,
    verb,
    // Quoted arguments may hold anything.
    options: [...rest.replace(/'[^']*'/g, '').matchAll(/ --?([a-z-]+)/g)].map(([, name = '']) => name),
  })),
);

test.each(commandLines)('$page: $line', ({ verb, options }) => {
  expect(Object.keys(verbs)).toContain(verb);
  const known = Object.entries(verbs[verb]?.options ?? {}).flatMap(([name, { shortcut }]) => [
    name,
    shortcut,
  ]);
  for (const option of options) expect([...known, ...GLOBAL]).toContain(option);
});

test('the code that a refusal of a transform has by itself is told', () => {
  const refused = ownRefusal(Object.assign(new Error('no such plan'), { status: 400 }));
  expect(pages.get('docs/artifact.md')).toContain(`\`${refused?.code}\``);
});
