/**
 * The published shape: `npm pack`, installed by a service elsewhere that knows no TypeScript, packages,
 * serves and gates.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cacheFolder } from '../../plugins/models/disk/cache.ts';
import { fixtures } from '../serving/endpoint.ts';
import { startSls } from '../serving/sls.ts';
import { blocks } from '../unit/docs/pages.ts';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
let folder: string;
let files: string[];
let tarball: string;
let asked: {
  readonly inputs: readonly object[];
  readonly outputs: readonly { readonly data: readonly number[] }[];
};
/** The blocks of a page in this language. */
const typescriptOf = (page: string): readonly string[] =>
  blocks('ts').flatMap((block) => (block.page === page ? [block.text] : []));
const YAML =
  'service: shop\nprovider: {name: aws}\nplugins: [serverless-models]\nmodels:\n  churn:\n    artifact: churn.onnx\n';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'models-packed-'));
  const packed = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }).replace(/^[^[{]*/, ''),
  );
  const [entry] = Array.isArray(packed) ? packed : Object.values(packed);
  tarball = join(folder, entry.filename);
  files = entry.files.map(({ path }: { path: string }) => path);
  await writeFile(join(folder, 'package.json'), '{"private": true}');
  // The same versions as here, from npm's cache where it has them.
  execFileSync('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${entry.filename}`], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await copyFile(join(fixtures, 'logreg.onnx'), join(folder, 'churn.onnx'));
  await writeFile(join(folder, 'serverless.yml'), YAML);
  const answers = JSON.parse(await readFile(join(fixtures, 'answers.json'), 'utf8'));
  asked = answers.models['logreg.onnx'];
  await mkdir(join(folder, 'node_modules', '.bin'), { recursive: true });
  await symlink(join(root, 'node_modules', 'osls'), join(folder, 'node_modules', 'osls'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const slsIn = (cwd: string, ...args: readonly string[]): string =>
  execFileSync(process.execPath, [join(root, 'node_modules', 'osls', 'bin', 'serverless.js'), ...args], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, SLS_TELEMETRY_DISABLED: '1', SLS_NOTIFICATIONS_MODE: 'off' },
  });
const sls = (...args: readonly string[]): string => slsIn(folder, ...args);

test('has the built code, the layer’s recipe and no TypeScript source', () => {
  expect(files).toContain('dist/plugins/models/plugin.js');
  expect(files).toContain('dist/functions/infer/handler.js');
  expect(
    files.filter((file) => /(?<!\.d)\.ts$|^test\/|^examples\/(?!registry-changes\/)|^bench\//.test(file)),
  ).toEqual([]);
});

test('has every page that the README links to, and that a text of ours names', async () => {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const linked = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path = '']) => path);
  const sources = execFileSync('git', ['ls-files', 'core', 'aws', 'functions', 'plugins'], {
    cwd: root,
    encoding: 'utf8',
  });
  const texts = await Promise.all(
    sources
      .split('\n')
      .filter(Boolean)
      .map((file) => readFile(join(root, file), 'utf8')),
  );
  const named = texts.flatMap((text) => text.match(/(?<![\w/])docs\/[\w-]+\.md\b/g) ?? []);
  expect(linked.length).toBeGreaterThan(10);
  expect(named.length).toBeGreaterThan(5);
  expect([...new Set([...linked, ...named])].filter((path) => !files.includes(path))).toEqual([]);
});

test('is what publint expects of a package', async () => {
  const packed = await readFile(tarball);
  const { messages } = await publint({ pack: { tarball: Uint8Array.from(packed).buffer }, strict: true });
  expect(messages).toEqual([]);
});

test('packages a service of two lines below models', async () => {
  sls('package');
  const template = JSON.parse(
    await readFile(join(folder, '.serverless', 'cloudformation-template-update-stack.json'), 'utf8'),
  );
  expect(Object.values(template.Resources)).toContainEqual(
    expect.objectContaining({ Type: 'Custom::ModelAlias' }),
  );
});

test('lists the model as JSON', () => {
  expect(JSON.parse(sls('models', 'list', '--json'))).toEqual([
    expect.objectContaining({ name: 'churn', opset: expect.any(Number) }),
  ]);
});

test('advises on a file without a service, by the package’s own command', () => {
  const advise = (...args: readonly string[]): string =>
    execFileSync(join(folder, 'node_modules', '.bin', 'serverless-models'), ['advise', ...args], {
      cwd: folder,
      encoding: 'utf8',
    });
  const [advised] = JSON.parse(advise('churn.onnx', '--traffic', '1', '--latency', '100', '--json')).models;
  expect(advised).toMatchObject({ name: 'churn.onnx', form: 'on-demand' });
  expect(advise('churn.onnx')).toContain('How many requests come. Needed: `traffic`');
});

test('serves it: the answer is Python’s', async () => {
  const server = await startSls(folder, ['serve']);
  try {
    const body = JSON.stringify({ inputs: asked.inputs });
    const answer = await fetch(`${server.url}/v2/models/churn/infer`, { method: 'POST', body });
    expect(answer.status).toBe(200);
    const [label, probabilities] = asked.outputs;
    expect(await answer.json()).toMatchObject({
      outputs: [
        { datatype: 'INT64', data: label?.data },
        { datatype: 'FP32', data: probabilities?.data.map((value) => expect.closeTo(value, 5)) },
      ],
    });
  } finally {
    expect(await server.interrupt()).toBe(0);
  }
});

test('gates it on this machine', async () => {
  await writeFile(join(folder, 'serverless.yml'), `${YAML}    gate: {cases: cases.jsonl}\n`);
  await writeFile(join(folder, 'cases.jsonl'), `${JSON.stringify(asked)}\n`);
  expect(JSON.parse(sls('models', 'gate', '--local', '--json'))).toMatchObject({
    version: 'local',
    gate: { verdict: 'pass', done: 1, count: 1 },
  });
  const wrong = JSON.stringify(asked).replace(
    /("datatype":"INT64","data":\[)(\d)/,
    (_, key, digit) => `${key}${1 - digit}`,
  );
  await writeFile(join(folder, 'cases.jsonl'), `${JSON.stringify(asked)}\n${wrong}\n`);
  expect(() => sls('models', 'gate', '--local', '--json')).toThrow(
    expect.objectContaining({ status: 1, stdout: expect.stringContaining('"verdict": "fail"') }),
  );
});

test('types what a serverless.ts and a transform.ts may write, and the framework reads the first', async () => {
  const service = join(folder, 'typed');
  await mkdir(service);
  await copyFile(join(fixtures, 'logreg.onnx'), join(service, 'churn.onnx'));
  const [typed = ''] = typescriptOf('docs/frameworks.md');
  const [transform = ''] = typescriptOf('docs/artifact.md');
  await writeFile(join(service, 'serverless.ts'), typed);
  await writeFile(join(service, 'transform.ts'), transform);
  const compiled = (): string =>
    execFileSync(
      join(root, 'node_modules', '.bin', 'tsc'),
      [
        ...['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2023', '--module', 'nodenext'],
        ...['--types', '', 'serverless.ts', 'transform.ts'],
      ],
      { cwd: service, encoding: 'utf8' },
    );
  compiled();
  expect(JSON.parse(slsIn(service, 'models', 'list', '--json'))).toEqual([
    expect.objectContaining({ name: 'churn' }),
  ]);
  // A key that is none, a word that is none, and a type that is none.
  for (const [right, wrong] of [
    ['traffic:', 'trafic:'],
    ["'canary'", "'canaries'"],
    ["{ auth: 'iam' }", '5'],
    ['alerts:', 'alert:'],
  ] as const) {
    expect(typed).toContain(right);
    await writeFile(join(service, 'serverless.ts'), typed.replace(right, wrong));
    expect(compiled, wrong).toThrow();
  }
});

/** The least that osls takes: https://www.npmjs.com/package/osls, engines. */
const OLDEST = '22.13.0';

test(`packages the same bytes with Node ${OLDEST} as with this one: whoever deploys makes no other version`, async () => {
  const service = join(folder, 'both');
  await mkdir(service);
  const { platform, arch } = process;
  const program = `node-${platform}-${arch}`;
  execFileSync(
    'npm',
    ['install', '--no-save', '--prefer-offline', '--no-audit', '--no-fund', `${program}@${OLDEST}`],
    { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const oldest = join(folder, 'node_modules', program, 'bin', 'node');
  expect(execFileSync(oldest, ['--version'], { encoding: 'utf8' }).trim()).toBe(`v${OLDEST}`);
  // Most of what packaging computes: an optimised graph, a baseline, cases.
  for (const name of ['employment.onnx', 'reference.csv', 'cases.jsonl'])
    await copyFile(join(root, 'examples', 'employment', name), join(service, name));
  await writeFile(
    join(service, 'serverless.yml'),
    `service: both
provider: {name: aws}
plugins: [serverless-models]
models:
  employment:
    artifact: employment.onnx
    traffic: 5/s
    gate: {cases: cases.jsonl}
    drift: {baseline: reference.csv, window: 5m}
`,
  );
  const packagedBy = async (node: string, cache: string): Promise<Record<string, string>> => {
    // Each computes all of it itself, with the one ONNX Runtime.
    await mkdir(join(folder, cache));
    for (const kind of ['onnxruntime', 'layers']) await symlink(cacheFolder(kind), join(folder, cache, kind));
    execFileSync(node, [join(root, 'node_modules', 'osls', 'bin', 'serverless.js'), 'package'], {
      cwd: service,
      env: {
        ...process.env,
        ...{ SERVERLESS_MODELS_CACHE: join(folder, cache), NODE_OPTIONS: '' },
        ...{ SLS_TELEMETRY_DISABLED: '1', SLS_NOTIFICATIONS_MODE: 'off' },
      },
    });
    const made = join(service, '.serverless');
    const template = await readFile(join(made, 'cloudformation-template-update-stack.json'), 'utf8');
    const zips = (await readdir(made)).filter((name) => name.endsWith('.zip'));
    const digests = await Promise.all(
      zips.map(async (name) =>
        createHash('sha256')
          .update(await readFile(join(made, name)))
          .digest('hex'),
      ),
    );
    return {
      ...Object.fromEntries(zips.map((name, i) => [name, digests[i] ?? ''])),
      fingerprint: JSON.parse(template).Resources.EmploymentLiveAlias.Properties.Fingerprint,
    };
  };
  const here = await packagedBy(process.execPath, 'cache-here');
  expect(Object.keys(here)).toHaveLength(4);
  expect(await packagedBy(oldest, 'cache-oldest')).toEqual(here);
});
