import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { initSeconds } from '../../core/capacity/environments/init.ts';
import { SLOW_STEPS } from '../../core/endpoint/contract.ts';
import { hostRuntime } from '../../plugins/models/artifact/onnx/runtime.ts';
import { readArtifact } from '../../plugins/models/artifact/read.ts';
import { parseModels } from '../../plugins/models/declaration/parse.ts';
import { cacheFolder, once } from '../../plugins/models/disk/cache.ts';
import { ownFile } from '../../plugins/models/disk/own-file.ts';
import { packZip } from '../../plugins/models/disk/pack.ts';
import { isProblemError } from '../../plugins/models/problems/errors.ts';
import { bundle, importPath } from '../../plugins/models/ship/bundle.ts';
import { shipFunction } from '../../plugins/models/ship/own-function.ts';
import { factsOf, shipService } from '../../plugins/models/ship/service.ts';
import { shipModel } from '../../plugins/models/ship/ship.ts';
import {
  externalTensor,
  FLOAT,
  node,
  modelOf as onnx,
  tensorInfo,
} from '../unit/plugins/models/artifact/onnx/onnx-writer.ts';
import { unzip } from '../unzip.ts';
import { FIXTURES, invoke, modelOf, newService, problemOf, unpacked } from './setup.ts';

const service = newService();
const fixtures = () => service.context({ serviceDir: FIXTURES });

const add = {
  inputs: [
    { name: 'a', shape: [1, 3], datatype: 'FP32', data: [1, 2, 3] },
    { name: 'b', shape: [1, 1], datatype: 'FP32', data: [0.5] },
  ],
};

describe('a packaged model', () => {
  it('answers from its folder, and its zip has just that', async () => {
    const shipped = await shipModel(modelOf('add.onnx'), fixtures());
    const { zip, facts, uploads } = shipped;
    const dir = await unpacked(shipped);
    expect((await invoke(dir, add)).outputs[0]?.data).toEqual([1.5, 2.5, 3.5]);
    const files = await unzip(zip ?? '');
    expect(Object.keys(files)).toEqual(['handler.mjs', 'model/model.onnx']);
    for (const [path, content] of Object.entries(files)) {
      expect(await readFile(join(dir, path))).toEqual(Buffer.from(content));
    }
    const sizes = Object.values(files).reduce((sum, content) => sum + content.length, 0);
    expect(facts).toMatchObject({
      optimized: true,
      remote: [],
      notices: [],
      unzippedBytes: sizes,
      zipBytes: (await stat(zip ?? '')).size,
    });
    expect(uploads).toEqual([]);
  });

  it('is refused with all files that are wrong, its own and those of the models beside it', async () => {
    const parsed = parseModels({
      files: {
        artifact: 'logreg.onnx',
        drift: { baseline: 'none.parquet' },
        gate: { cases: 'none.jsonl' },
      },
      rows: {
        artifact: 'logreg.onnx',
        gate: { cases: 'none.jsonl', metric: { cases: 'none.csv', name: 'auc', min: 0.5 } },
      },
      gone: { artifact: 'none.onnx' },
    });
    expect(parsed.problems).toEqual([]);
    const error: unknown = await shipService(parsed.models, fixtures(), {
      catalog: () => undefined,
      monitor: () => [],
    }).catch((reason: unknown) => reason);
    expect(isProblemError(error) && error.problems.map(({ key }) => key)).toEqual([
      'models.files.gate.cases',
      'models.files.drift.baseline',
      'models.rows.gate.cases',
      'models.rows.gate.metric.cases',
      'models.gone.artifact',
    ]);
  });

  it('is the last one that is asked for where its registry does not answer: others would wait as long', async () => {
    let asked = 0;
    const server = createServer((_, answer) => {
      asked += 1;
      answer.writeHead(503).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    vi.stubEnv('MLFLOW_TRACKING_URI', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const { models } = parseModels({
      gone: { artifact: 'none.onnx' },
      one: { artifact: 'models:/one/1' },
      other: { artifact: 'models:/other/1' },
    });
    try {
      const problem = await problemOf(factsOf(models, fixtures()));
      expect(problem).toMatch(/models\.gone\.artifact: .*\n.*models\.one\.artifact: .*503/);
      expect(problem).not.toContain('models.other');
      // Three attempts at one question.
      expect(asked).toBe(3);
    } finally {
      server.close();
      vi.unstubAllEnvs();
    }
  });

  it('is optimised where that was given up a day ago, for want of time', async () => {
    const runtime = cacheFolder('onnxruntime');
    vi.stubEnv('SERVERLESS_MODELS_CACHE', service.at('cache-of-one'));
    try {
      await mkdir(cacheFolder());
      await symlink(runtime, cacheFolder('onnxruntime'));
      const optimized = async () => (await shipModel(modelOf('add.onnx'), fixtures())).facts.optimized;
      expect(await optimized()).toBe(true);
      const [name = ''] = await readdir(cacheFolder('optimised'));
      const kept = cacheFolder('optimised', name);
      const giveUp = async (gaveUp: number): Promise<void> => {
        await rm(kept, { recursive: true });
        await once(kept, (draft) =>
          writeFile(
            join(draft, 'result.json'),
            JSON.stringify({ optimized: 'It took too long.', files: [], gaveUp }),
          ),
        );
      };
      const hour = 60 * 60 * 1000;
      await giveUp(Date.now() - 23 * hour);
      expect(await optimized()).toBe('It took too long.');
      await giveUp(Date.now() - 25 * hour);
      expect(await optimized()).toBe(true);
      // What was made then is taken on later days.
      const made = await readdir(cacheFolder('optimised'));
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 72 * hour });
      expect(await optimized()).toBe(true);
      expect(await readdir(cacheFolder('optimised'))).toEqual(made);
    } finally {
      vi.useRealTimers();
      vi.unstubAllEnvs();
    }
  });

  it('is optimised the next time where Ctrl-C, which each process of a terminal gets, ended that', async () => {
    const source = await readArtifact('add.onnx', { ...fixtures(), key: 'models.churn.artifact' }, () => {});
    const how = { optimize: true, progress: () => {} };
    const made = (runtime: string) => source.format.prepare(source, 'models.churn.artifact', runtime, how);
    await service.write(
      'ending/onnxruntime-node/index.js',
      `exports.InferenceSession = { create: () => process.kill(process.pid, 'SIGINT') };`,
    );
    const ended = await made(service.at('ending'));
    expect(ended.optimized).toBe('Not optimised: ended by SIGINT; the original is shipped.');
    expect(ended.files).toEqual(source.files);
    expect((await made((await hostRuntime()) ?? '')).optimized).toBe(true);
  });

  it('is optimised a day after an allocation failed, which is how limits of memory show mostly', async () => {
    const runtime = (await hostRuntime()) ?? '';
    vi.stubEnv('SERVERLESS_MODELS_CACHE', service.at('cache-of-little'));
    try {
      const source = await readArtifact(
        'add.onnx',
        { ...fixtures(), key: 'models.churn.artifact' },
        () => {},
      );
      const how = { optimize: true, progress: () => {} };
      const made = (by: string) => source.format.prepare(source, 'models.churn.artifact', by, how);
      await service.write(
        'little/onnxruntime-node/index.js',
        `exports.Tensor = class {};
const run = async () => ({ sum: { type: 'float32', dims: [2, 3], data: new Float32Array(6) } });
exports.InferenceSession = {
  create: async (path, { optimizedModelFilePath }) => {
    if (optimizedModelFilePath !== undefined) throw new Error('std::bad_alloc');
    return { run, release: async () => {} };
  },
};
`,
      );
      expect((await made(service.at('little'))).optimized).toContain('bad_alloc');
      expect((await made(runtime)).optimized).toContain('bad_alloc');
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 25 * 60 * 60 * 1000 });
      expect((await made(runtime)).optimized).toBe(true);
    } finally {
      vi.useRealTimers();
      vi.unstubAllEnvs();
    }
  });

  it('has the handler of batch beside the endpoint’s, which stays as it is, and is the same model', async () => {
    const declared = { input: 's3://incoming/', output: 's3://scored/', ids: ['customer'] };
    const { models } = parseModels({ churn: { artifact: 'add.onnx', batch: [declared] } });
    const [model] = models;
    if (model?.batch === undefined) throw new Error('no model');
    const { batch, ...plain } = model;
    const without = await shipModel(plain, fixtures());
    const before = await unzip(without.zip ?? '');
    const shipped = await shipModel(model, fixtures());
    const { zip, facts } = shipped;
    const files = await unzip(zip ?? '');
    expect(Object.keys(before)).toEqual(['handler.mjs', 'model/model.onnx']);
    expect(Object.keys(files)).toEqual(['batch.mjs', 'handler.mjs', 'model/model.onnx']);
    expect(files['handler.mjs']).toEqual(before['handler.mjs']);
    expect(facts.identity).toBe(without.facts.identity);
    expect(facts.unzippedBytes).toBe(Object.values(files).reduce((sum, { length }) => sum + length, 0));
    const code = await readFile(join(await unpacked(shipped), 'batch.mjs'), 'utf8');
    // What it is called with is before it, the endpoint's manifest and its own.
    expect(code).toContain(`const MODELS_BATCH=${JSON.stringify({ entries: batch.entries })};\n`);
    expect(code.split('\n')[0]).toBe(
      Buffer.from(files['handler.mjs'] ?? [])
        .toString()
        .split('\n')[0],
    );
    expect(code).not.toContain(process.cwd());
    // Other entries are other code, and so another version of both functions.
    const changed = {
      ...model,
      batch: { ...batch, entries: batch.entries.map((one) => ({ ...one, ids: [] })) },
    };
    const other = await unzip((await shipModel(changed, fixtures())).zip ?? '');
    expect(other['batch.mjs']).not.toEqual(files['batch.mjs']);
    // How many at once is no business of the code.
    const wider = { ...model, batch: { ...batch, concurrency: 50 } };
    expect(await unzip((await shipModel(wider, fixtures())).zip ?? '')).toEqual(files);
  });

  it('answers as the original does, with external weights', async () => {
    const ask = { inputs: [{ name: 'x', shape: [1, 4], datatype: 'FP32', data: [1, 1, 1, 1] }] };
    const answers: unknown[] = [];
    for (const optimize of [true, false]) {
      const shipped = await shipModel(modelOf('external', { optimize }), fixtures());
      expect(shipped.facts.optimized === true).toBe(optimize);
      answers.push((await invoke(await unpacked(shipped), ask)).outputs[0]?.data);
    }
    expect(answers).toEqual([
      [2.25, 2.75, 3.25],
      [2.25, 2.75, 3.25],
    ]);
  });

  it('is the original where optimising it cannot be shown to be harmless', async () => {
    // ONNX Runtime seeds each random node by its place, which moves when the optimiser takes away the first
    // node.
    const random = onnx({
      nodes: [
        node('Identity', ['x'], ['i']),
        node('RandomUniformLike', ['i'], ['r']),
        node('Add', ['x', 'r'], ['y']),
      ],
      inputs: [tensorInfo('x', FLOAT, ['n'])],
      outputs: [tensorInfo('y', FLOAT, ['n'])],
    });
    await service.write('random.onnx', random);
    const { zip, facts } = await shipModel(modelOf('random.onnx'), service.context());
    expect(facts.optimized).toMatch(/answers would differ/);
    expect(facts.notices).toContain(facts.optimized);
    expect(Buffer.from((await unzip(zip ?? ''))['model/model.onnx'] ?? [])).toEqual(random);
  });

  it('has the same bytes wherever the service lies, and no path of this machine in them', async () => {
    const digests = new Set<string>();
    const identities = new Set<string>();
    for (const place of ['one', 'an/other']) {
      const dir = service.at(place);
      await mkdir(join(dir, 'models'), { recursive: true });
      await cp(join(FIXTURES, 'logreg.onnx'), join(dir, 'models', 'model.onnx'));
      await writeFile(join(dir, 'models', 'words.cjs'), 'module.exports = { word: "churn" };');
      await writeFile(
        join(dir, 'models', 'transform.ts'),
        "import words from './words.cjs';\nexport const post = (answer: unknown): unknown => ({ answer, word: words.word });\n",
      );
      const context = service.context({ serviceDir: dir, outDir: join(dir, '.serverless') });
      const { zip, facts } = await shipModel(modelOf('models'), context);
      const bytes = await readFile(zip ?? '');
      digests.add(createHash('sha256').update(bytes).digest('hex'));
      identities.add(facts.identity);
      const code = Buffer.from((await unzip(zip ?? ''))['handler.mjs'] ?? []).toString();
      expect(code).toContain('churn');
      for (const path of [
        dir,
        process.cwd(),
        'words.cjs',
        'transform.ts',
        'handler.ts',
        'sourceMappingURL',
      ]) {
        expect(code).not.toContain(path);
      }
    }
    expect(digests.size).toBe(1);
    expect(identities.size).toBe(1);
  });

  it('is another one when source, transform, architecture or options change, and only then', async () => {
    await cp(join(FIXTURES, 'add.onnx'), service.at('m', 'model.onnx'));
    const identity = async (more = {}): Promise<string> =>
      (await shipModel(modelOf('m', more), service.context())).facts.identity;
    const plain = await identity();
    expect(await identity({ memory: 3008, name: 'other', timeout: 20 })).toBe(plain);
    const seen = new Set([
      plain,
      await identity({ architecture: 'arm64' }),
      await identity({ optimize: false }),
    ]);
    await service.write('m/rate.json', '{"rate": 1}');
    await service.write(
      'm/transform.ts',
      "import { rate } from './rate.json';\nexport const post = (x: unknown) => [x, rate];\n",
    );
    seen.add(await identity());
    // What it imports counts as well.
    await service.write('m/rate.json', '{"rate": 2}');
    seen.add(await identity());
    expect(seen.size).toBe(5);
    await rm(service.at('m', 'transform.ts'));
    expect(await identity()).toBe(plain);
  });

  it('counts slowness by its latency objective: another one is another package, and the same model', async () => {
    const packaged = async (p95?: number) => {
      const shipped = await shipModel(
        modelOf('add.onnx', p95 === undefined ? {} : { latency: { p95 } }),
        fixtures(),
      );
      const { 'handler.mjs': code } = await unzip(shipped.zip ?? '');
      return { identity: shipped.facts.identity, code: Buffer.from(code ?? '').toString() };
    };
    const [none, some, other] = [await packaged(), await packaged(100), await packaged(200)];
    expect(some.code).toContain(`"slowEdges":${JSON.stringify(SLOW_STEPS.map((step) => 100 * step))}`);
    expect(none.code).not.toContain('"slowEdges":[');
    expect(other.code).not.toBe(some.code);
    expect(new Set([none, some, other].map(({ identity }) => identity)).size).toBe(1);
  });

  it('takes its gate’s cases along, without being another model for them', async () => {
    const line = JSON.stringify({
      ...add,
      outputs: [{ name: 'sum', shape: [1, 3], datatype: 'FP32', data: [1.5, 2.5, 3.5] }],
    });
    await service.write('cases.jsonl', `${line}\n`);
    await cp(join(FIXTURES, 'add.onnx'), service.at('add.onnx'));
    const [without, having] = [
      await shipModel(modelOf('add.onnx'), service.context()),
      await shipModel(
        modelOf('add.onnx', { gate: { cases: 'cases.jsonl', tolerance: 0 } }),
        service.context(),
      ),
    ];
    expect(having.facts.cases).toMatchObject({ count: 1, bytes: line.length + 1 });
    expect(having.registry).toHaveLength(1);
    expect(await readFile(having.registry[0]?.from ?? '', 'utf8')).toBe(`${line}\n`);
    expect(having.facts.identity).toBe(without.facts.identity);
    expect(having.facts.zipBytes).toBe(without.facts.zipBytes);
    const faulty = modelOf('add.onnx', { gate: { cases: 'none.jsonl', tolerance: 0 } });
    expect(await problemOf(shipModel(faulty, service.context()))).toContain(
      'models.churn.gate.cases: none.jsonl does not exist.',
    );
  });

  it('says where a transform.ts is wrong', async () => {
    await cp(join(FIXTURES, 'add.onnx'), service.at('bad', 'model.onnx'));
    await service.write('bad/transform.ts', 'export const post = (x: unknown) => {\n  return [x;\n};\n');
    expect(await problemOf(shipModel(modelOf('bad'), service.context()))).toMatch(
      /transform\.ts:2:12: .*MODELS_TRANSFORM_INVALID/,
    );
  });

  it('costs next to nothing when it did not change', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `m${index}`);
    const models = names.map((name) => modelOf(`${name}.onnx`, { name }));
    for (const name of names) await cp(join(FIXTURES, 'gbm.onnx'), service.at(`${name}.onnx`));
    for (const model of models) await shipModel(model, service.context());
    // Each would take a process of its own; a busy machine is slow now and then, not each time.
    let best = Number.POSITIVE_INFINITY;
    for (let time = 0; time < 5 && best >= 2000; time += 1) {
      const started = performance.now();
      for (const model of models) await shipModel(model, service.context());
      best = Math.min(best, performance.now() - started);
    }
    expect(best).toBeLessThan(2000);
  });
});

describe('a function without a model', () => {
  it('finds the SDK by NODE_PATH, outside its bundle', async () => {
    const source =
      "import { S3Client } from '@aws-sdk/client-s3';\nexport const handler = async () => typeof S3Client + typeof (await import('@aws-sdk/client-lambda')).LambdaClient;";
    const shipped = await shipFunction('models-x', source, service.context());
    const { zip, sha256 } = shipped;
    const dir = await unpacked(shipped);
    const code = await readFile(join(dir, 'handler.mjs'), 'utf8');
    expect(code.length).toBeLessThan(3000);
    expect(sha256).toBe(createHash('sha256').update(code).digest('hex'));
    expect(Object.keys(await unzip(zip ?? ''))).toEqual(['handler.mjs']);
    const program = `console.log(await (await import(process.argv[1])).handler());`;
    const run = (env: NodeJS.ProcessEnv) =>
      execFileSync(
        process.execPath,
        ['--input-type=module', '-e', program, pathToFileURL(join(dir, 'handler.mjs')).href],
        {
          cwd: dir,
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
          env: { PATH: process.env.PATH, ...env },
        },
      );
    expect(run({ NODE_PATH: join(import.meta.dirname, '..', '..', 'node_modules') }).trim()).toBe(
      'functionfunction',
    );
    expect(() => run({})).toThrow();
  });

  it('is bundled again where that failed', async () => {
    const late = join(service.context().serviceDir, 'late.ts');
    const source = `export { handler } from ${importPath(late)};`;
    const shipped = () => shipFunction('models-x', source, service.context());
    await expect(shipped()).rejects.toThrow(/late/);
    await writeFile(late, 'export const handler = () => 1;');
    expect((await shipped()).zipBytes).toBeGreaterThan(0);
  });

  it('loads a package of the SDK when it first asks for something of it', async () => {
    const worker = `export { handler } from ${importPath(ownFile('functions/release/handler'))};`;
    const asking = `import { PublishCommand } from '@aws-sdk/client-sns';
      import { S3Client } from '@aws-sdk/client-s3';
      export const handler = () => new PublishCommand({ Message: 'x' }) instanceof PublishCommand || S3Client;`;
    const program = `const { handler } = await import(process.argv[1]);
      if (process.argv[2] === 'ask') handler();
      const { default: { _cache } } = await import('node:module');
      const clients = Object.keys(_cache).map((file) => /@aws-sdk.client-([a-z0-9]+)/.exec(file)?.[1]);
      console.log([...new Set(clients)].filter(Boolean).sort().join());`;
    const loaded = async (source: string, asks = ''): Promise<string> => {
      const file = join(
        await unpacked(await shipFunction('models-x', source, service.context())),
        'handler.mjs',
      );
      const env = {
        PATH: process.env.PATH,
        NODE_PATH: join(import.meta.dirname, '..', '..', 'node_modules'),
      };
      const args = ['--input-type=module', '-e', program, pathToFileURL(file).href, asks];
      return execFileSync(process.execPath, args, { encoding: 'utf8', env }).trim();
    };
    expect(await loaded(asking)).toBe('');
    expect(await loaded(asking, 'ask')).toBe('sns');
    expect(await loaded(worker)).toBe('cloudformation,lambda,s3,scheduler');
  });

  it('has its file’s name, whatever zip of the same text was made before', async () => {
    for (const file of ['handler.mjs', 'batch.mjs']) {
      const { zip } = await packZip('models-x', { [file]: '// the same' }, [], service.context());
      expect(Object.keys(await unzip(zip))).toEqual([file]);
    }
  });

  it('bundles equal sources to equal bytes', async () => {
    const source = 'export const handler = () => 1;';
    expect(await bundle(source, service.at(), 'x')).toBe(await bundle(source, '/', 'x'));
  });
});

describe('an artifact that is too large', () => {
  it('is refused where reading it would outlast the start', async () => {
    expect(initSeconds(300e6)).toBeLessThan(10);
    // 672 MB, all of it a hole in the file.
    await service.write(
      'larger/model.onnx',
      onnx({
        nodes: [node('MatMul', ['x', 'w'], ['y'])],
        inputs: [tensorInfo('x', FLOAT, ['n', 12960])],
        outputs: [tensorInfo('y', FLOAT, ['n', 12960])],
        initializers: [externalTensor('w', [12960, 12960], 'w.bin')],
      }),
    );
    await service.write('larger/w.bin', '');
    await truncate(service.at('larger', 'w.bin'), 12960 ** 2 * 4);
    const text = await problemOf(shipModel(modelOf('larger'), service.context()));
    expect(text).toMatch(/672 MB: reading it at start would take about 10\.1 s.*MODELS_ARTIFACT_SIZE/);
  });
});
