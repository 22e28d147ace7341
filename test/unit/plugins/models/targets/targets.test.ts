/** The contract of the seam `Target`, and of the builder that each one has. */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { onnxFormat } from '../../../../../plugins/models/artifact/onnx/format.ts';
import type { ArtifactRuntime } from '../../../../../plugins/models/contracts/artifact-format.ts';
import type { Built } from '../../../../../plugins/models/contracts/input.ts';
import type {
  Architecture,
  Facts,
  ImageFacts,
  Model,
} from '../../../../../plugins/models/declaration/model.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { BUILDERS, builderOf } from '../../../../../plugins/models/targets/builders.ts';
import { TARGETS, targetOf } from '../../../../../plugins/models/targets/targets.ts';
import { FACTS, HOST as host, LAYER as layer } from '../../../../fixtures/service.ts';
import { unzip } from '../../../../unzip.ts';

const BASE = `registry.example/node@sha256:${'b'.repeat(64)}`;
/** A model of each target. */
const MODELS = parseModels({
  churn: { artifact: 'a.onnx', function: { environment: { LOCALE: 'de' } } },
  pictured: {
    artifact: 'a.onnx',
    package: 'image',
    image: { base: BASE },
    function: { environment: { LOCALE: 'de' } },
  },
}).models;
const modelOf = ({ kind }: { readonly kind: string }): Model => {
  const found = MODELS.find((one) => targetOf(one).kind === kind);
  if (found === undefined) throw new Error(`no model here is of the target ${kind}`);
  return found;
};
const image: ImageFacts = { base: BASE, identity: 'a'.repeat(64), layers: [] };
const facts: Facts = { ...FACTS, signature: { inputs: [], outputs: [], omitted: [] }, image };
const built: Built = { facts, layer, zip: '/out/churn.zip' };
const remote: Built = {
  ...built,
  facts: { ...facts, remote: [{ path: 'model/model.onnx', sha256: 'f'.repeat(64), bytes: 600 * 1024 ** 2 }] },
};
const rooms = ['infer', 'batch'] as const;

it('each kind is there once, and has a builder', () => {
  const kinds = TARGETS.map(({ kind }) => kind);
  expect(new Set(kinds).size).toBe(kinds.length);
  expect(BUILDERS.map(({ kind }) => kind).sort()).toEqual([...kinds].sort());
  for (const target of TARGETS) expect(builderOf(modelOf(target)).kind).toBe(target.kind);
});

describe.each(TARGETS.map((target) => [target.kind, target] as const))('the target %s', (_, target) => {
  const model = modelOf(target);
  it.each(rooms)('gives the function %s plain properties, the same each time', (room) => {
    for (const one of [undefined, built, remote]) {
      const properties = target.properties(model, host, {}, one, room);
      expect(target.properties(model, host, {}, one, room)).toEqual(properties);
      expect(JSON.parse(JSON.stringify(properties))).toEqual(properties);
    }
  });

  it('gives each function a handler of its own, and keeps what the user gives it', () => {
    const [infer, batch] = rooms.map((room) => target.properties(model, host, {}, built, room));
    expect(infer).not.toEqual(batch);
    for (const one of [infer, batch]) expect(one?.environment).toMatchObject({ LOCALE: 'de' });
  });

  it.each([
    ['./:/opt/node_modules', 1],
    [{ 'Fn::Sub': '/opt/their-own' }, 1],
    ['', 0],
  ] as const)('finds its runtime and the SDK beside a NODE_PATH of the service: %j', (given, behind) => {
    const own = { ...model, function: { environment: { NODE_PATH: given } } };
    const provider = { ...host.provider, environment: { NODE_PATH: given } };
    for (const [one, around] of [
      [own, host],
      [model, { ...host, provider }],
      [own, { ...host, provider: { environment: { NODE_PATH: '/theirs' } } }],
    ] as const)
      for (const room of rooms) {
        const { environment } = target.properties(one, around, {}, built, room) as {
          environment: { NODE_PATH: string | { 'Fn::Join': [string, (string | object)[]] } };
        };
        const { NODE_PATH: found } = environment;
        const parts = typeof found === 'string' ? found.split(':') : found['Fn::Join'][1];
        expect(parts.slice(0, 2).map((part) => String(part).replace(/:$/, ''))).toEqual([
          expect.stringMatching(/^\/opt\/(nodejs|serverless-models\/runtime)\/node_modules$/),
          '/var/runtime/node_modules',
        ]);
        const theirs = typeof given === 'string' ? parts.slice(2).join(':') : parts[2];
        expect(theirs).toEqual(behind === 0 ? '' : given);
        // What names them already is as it was.
        const whole = {
          ...model,
          function: { environment: { NODE_PATH: `/x:${parts.slice(0, 2).join(':')}/` } },
        };
        if (typeof given === 'string')
          expect(target.properties(whole, host, {}, built, room).environment).toMatchObject(
            whole.function.environment,
          );
      }
    expect(target.properties(model, host, {}, built, 'infer').environment).not.toHaveProperty('NODE_PATH');
  });

  it('starts from its own configuration, whatever the service calls so', () => {
    const named = (environment: object) =>
      target.properties(
        { ...model, function: { environment: { LOCALE: 'de', ...environment } } },
        host,
        {},
        built,
        'infer',
      ).environment;
    const other = named({ MODELS_HOST: 'models.example.com' });
    if (target.repository === undefined) expect(other).toMatchObject({ MODELS_HOST: 'models.example.com' });
    else expect(other).toMatchObject({ MODELS_HOST: '/opt/serverless-models/model/host.json' });
    expect(named({})).not.toHaveProperty('MODELS_HOST');
  });

  it('asks for no permission where everything lies in what is built, else for reading those files only', () => {
    expect(target.statements(undefined, host, {})).toEqual([]);
    expect(target.statements(facts, host, {})).toEqual([]);
    const actions = target.statements(remote.facts, host, {}).flatMap(({ Action }) => Action);
    for (const action of actions) expect(action).toMatch(/^(s3:Get|kms:Decrypt$|ecr:)/);
  });

  it('lets the versions before read their files, too: a role has no versions, and they are live until the next is', () => {
    const before = { ...facts, remote: [{ path: 'model/model.onnx', sha256: 'e'.repeat(64), bytes: 1 }] };
    const readable = JSON.stringify(target.statements(remote.facts, host, {}));
    expect(JSON.stringify(target.statements(before, host, {}))).toBe(readable);
  });

  it('names what the functions share', () => {
    const claimed = target.claims([model]).flatMap(({ resources = [] }) => resources);
    expect(claimed).toEqual(Object.keys(target.resources(host, [layer, layer])));
  });

  it('takes another runtime for another version', () => {
    const more = { facts: { ...facts, zipBytes: 9 }, layer: { ...layer, bytes: 9 } };
    const other = {
      facts: { ...facts, image: { ...image, identity: 'c'.repeat(64) } },
      layer: { ...layer, sha256: 'm' },
    };
    expect(target.identity(built)).toBe(target.identity(more));
    expect(target.identity(built)).not.toBe(target.identity(other));
  });

  it('names a repository that ECR takes, or makes no images', () => {
    const named = (service: string, stage: string): string | undefined =>
      target.repository?.({ ...model, image: { base: BASE } }, { ...host, service, stage });
    expect(target.repository === undefined).toBe(
      target.properties(model, host, {}, built, 'infer').image === undefined,
    );
    if (target.repository === undefined) return;
    expect(named('shop', 'dev')).toBe('shop-dev-models');
    // https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html
    for (const [service, stage] of [
      ['Shop--Front', 'PROD'],
      ['a', 'b_c-'],
      ['s', '9'],
    ] as const)
      expect(named(service, stage)).toMatch(
        /^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:[._-][a-z0-9]+)*$/,
      );
    expect(target.repository({ ...model, image: { repository: 'team/models' } }, host)).toBe('team/models');
  });
});

describe.each(BUILDERS.map((builder) => [builder.kind, builder] as const))(
  'the builder of %s',
  (_, builder) => {
    const model = modelOf(builder);

    it('packs code and model as they are, the same bytes each time', async () => {
      const dir = await mkdtemp(join(tmpdir(), 'models-target-'));
      try {
        const bytes = Buffer.from(`a model ${Math.random()}`);
        await writeFile(join(dir, 'model.onnx'), bytes);
        const file = {
          path: 'model/model.onnx',
          from: join(dir, 'model.onnx'),
          bytes: bytes.length,
          sha256: createHash('sha256').update(bytes).digest('hex'),
        };
        const code = { 'handler.mjs': 'export const handler = () => 1;\n' };
        const to = { outDir: dir, runtime: onnxFormat.runtime, progress: () => {} };
        const [one, other] = [
          await builder.pack({ ...model, name: 'one' }, code, [file], to),
          await builder.pack({ ...model, name: 'other' }, code, [file], to),
        ];
        const read = ({ content }: typeof one) =>
          Promise.all(content.map(async ({ path, from }) => [path, await readFile(from)] as const));
        expect(await read(one)).toEqual(await read(other));
        expect(Object.fromEntries(await read(one))).toEqual({
          'handler.mjs': Buffer.from(code['handler.mjs']),
          'model/model.onnx': bytes,
        });
        if (one.zip !== undefined && other.zip !== undefined) {
          expect(await readFile(one.zip)).toEqual(await readFile(other.zip));
          const inside = await unzip(one.zip);
          expect(Object.keys(inside).sort()).toEqual(['handler.mjs', 'model/model.onnx']);
          expect(Buffer.from(inside['model/model.onnx'] ?? '')).toEqual(bytes);
        }
        expect(one.bytes).toBe(bytes.length + code['handler.mjs'].length);
        expect(one.content.map(({ path }) => path).sort()).toEqual(['handler.mjs', 'model/model.onnx']);
      } finally {
        await rm(dir, { recursive: true, force: true });
      }
    });

    it('lets functions share what they run in where target, runtime and architecture are the same', () => {
      const other = { ...onnxFormat.runtime, name: 'Another' };
      const shared = (runtime: ArtifactRuntime, architecture: Architecture) =>
        BUILDERS.flatMap((one) => one.shared?.by(runtime, architecture) ?? []);
      const all = [onnxFormat.runtime, other].flatMap((runtime) => [
        ...shared(runtime, 'x86_64'),
        ...shared(runtime, 'arm64'),
      ]);
      expect(new Set(all).size).toBe(all.length);
      expect(builder.shared?.by({ ...other }, 'arm64')).toBe(builder.shared?.by(other, 'arm64'));
      // A file of the package is called so.
      for (const name of all) expect(name).toMatch(/^[\w-]+$/);
    });

    it('lets a small model lie beside the code, and refuses one that no start could read', () => {
      const file = (bytes: number) => ({ path: 'model/model.onnx', from: '/m', bytes, sha256: 'f' });
      const code = { 'handler.mjs': '' };
      expect(builder.remoteOf([file(1000)], code, 50e6, 'models.churn.artifact')).toEqual([]);
      expect(builder.problems(1000, 'models.churn.artifact')).toEqual([]);
      expect(builder.problems(11e9, 'models.churn.artifact')).toMatchObject([
        { key: 'models.churn.artifact', fix: expect.any(String) },
      ]);
      expect(() => builder.remoteOf([file(11e9)], code, 50e6, 'models.churn.artifact')).toThrow(
        'models.churn.artifact',
      );
    });
  },
);
