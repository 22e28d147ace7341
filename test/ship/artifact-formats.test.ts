/**
 * The contract of the seam `ArtifactFormat`: what each one in the list holds to, so that packaging may go by
 * it and know none by name.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ARTIFACT_FORMATS, artifactFormatOf } from '../../plugins/models/artifact/formats.ts';
import { readArtifact } from '../../plugins/models/artifact/read.ts';
import type { Preparing, SourceFile } from '../../plugins/models/contracts/artifact-format.ts';
import { filesBelow } from '../../plugins/models/disk/files.ts';
import { ownFile } from '../../plugins/models/disk/own-file.ts';
import {
  node,
  modelOf as onnx,
  STRING,
  tensorInfo,
  textAttribute,
} from '../unit/plugins/models/artifact/onnx/onnx-writer.ts';
import { FIXTURES, newService } from './setup.ts';

/** What the contract needs of a format, below the fixtures. */
type Scene = {
  readonly file: string;
  /** With its main file and others. */
  readonly folder: string;
  /** Bytes of a file that asks for something that Lambda’s system lacks. */
  readonly foreign: Uint8Array;
  readonly broken: readonly string[];
};
const SCENES: Readonly<Record<string, Scene>> = {
  onnx: {
    file: 'logreg.onnx',
    folder: 'external',
    foreign: onnx({
      nodes: [node('StringNormalizer', ['x'], ['y'], [textAttribute('locale', 'xx_XX.UTF-8')])],
      inputs: [tensorInfo('x', STRING, ['n'])],
      outputs: [tensorInfo('y', STRING, ['n'])],
    }),
    broken: [
      'malformed/empty.onnx',
      'malformed/truncated.onnx',
      'malformed/random.onnx',
      'malformed/zip.onnx',
    ],
  },
};
const KEY = 'models.churn.artifact';
const service = newService();
const how = (more: Partial<Preparing> = {}): Preparing => ({
  optimize: true,
  progress: () => {},
  take: async () => undefined,
  ...more,
});
const sha256Of = async (path: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');

it('every format of the list has a scene here, and a name and a main file of its own', () => {
  const names = ARTIFACT_FORMATS.map(({ name }) => name);
  expect(Object.keys(SCENES).sort()).toEqual([...names].sort());
  expect(new Set(names).size).toBe(names.length);
  expect(new Set(ARTIFACT_FORMATS.map(({ main }) => main)).size).toBe(names.length);
});

describe.each(ARTIFACT_FORMATS.map((format) => [format.name, format] as const))('%s', (name, format) => {
  const { file, folder, foreign, broken } = SCENES[name] as Scene;
  const read = (path: string) =>
    readArtifact(resolve(FIXTURES, path), { key: KEY, serviceDir: FIXTURES, progress: () => {} }, () => {});

  it('is known by the names of its files, in a folder or alone, among others or not', () => {
    for (const files of [[format.main], [file], ['README.md', format.main, 'transform.ts']]) {
      expect(format.matches(files)).toBe(true);
      expect(artifactFormatOf(files)).toBe(format);
    }
    expect(format.matches([])).toBe(false);
    expect(format.matches(['README.md'])).toBe(false);
  });

  it('tells of a file what belongs to it, without running anything, and the same each time', async () => {
    const main = join(FIXTURES, folder, format.main);
    const contents = format.read(main);
    expect(format.read(main)).toEqual(contents);
    expect(contents.external.length).toBeGreaterThan(0);
    for (const path of contents.external) expect((await stat(join(dirname(main), path))).isFile()).toBe(true);
    expect(format.read(join(FIXTURES, file)).external).toEqual([]);
  });

  it.each(broken)('says why %s cannot be read', (path) => {
    expect(() => format.read(join(FIXTURES, path))).toThrow(/\S/);
  });

  it('adapts what Lambda could not run, under the same digest, to files of the digests that it says', async () => {
    await service.write('foreign', foreign);
    const sources = [await read(file), await read(service.at('foreign'))];
    for (const source of sources) {
      const again = await format.adapt(source);
      expect({ ...again, files: [] }).toEqual({ ...source, files: [] });
      expect(again.files.map(({ path }) => path)).toEqual(source.files.map(({ path }) => path));
      for (const { from, bytes, sha256 } of again.files) {
        expect(await sha256Of(from)).toBe(sha256);
        expect((await stat(from)).size).toBe(bytes);
      }
      // What needs nothing is left as it is.
      expect(again.files[0]?.sha256 === source.files[0]?.sha256).toBe(source === sources[0]);
    }
  });

  it('inspects with its runtime and without it to the same tensors, as plain data', async () => {
    const source = await format.adapt(await read(file));
    const runtime = await format.runtime.here();
    expect(runtime).toBeDefined();
    const inspection = await format.inspect(source, KEY, runtime);
    expect(JSON.parse(JSON.stringify(inspection))).toEqual(inspection);
    expect(await format.inspect(source, KEY, runtime)).toEqual(inspection);
    expect(inspection.ran).toBe(true);
    const unseen = await format.inspect(source, KEY, undefined);
    expect(unseen.ran).not.toBe(true);
    expect(unseen.notices.length).toBe(inspection.notices.length + 1);
    const named = ({ inputs, outputs }: typeof inspection.signature): readonly string[] =>
      [...inputs, ...outputs].map((one) => `${one.name} ${one.datatype}`);
    expect(named(unseen.signature)).toEqual(named(inspection.signature));
  });

  it('prepares files that are what they are declared to be, the main one among them', async () => {
    const source = await format.adapt(await read(folder));
    const runtime = await format.runtime.here();
    const made = await format.prepare(source, KEY, runtime, how());
    expect(made.optimized).toBe(true);
    expect(made.key).toMatch(/^[0-9a-f]{64}$/);
    expect(made.files.map(({ path }) => path)).toContain(format.main);
    for (const { from, bytes, sha256 } of made.files) {
      expect(await sha256Of(from)).toBe(sha256);
      expect((await stat(from)).size).toBe(bytes);
    }
    expect(await format.prepare(source, KEY, runtime, how())).toEqual(made);
  });

  it('ships the source itself, and says why, where it is not asked to optimise or cannot', async () => {
    const source = await format.adapt(await read(file));
    for (const [runtime, optimize] of [
      [await format.runtime.here(), false],
      [undefined, true],
    ] as const) {
      const made = await format.prepare(source, KEY, runtime, how({ optimize }));
      expect(made).toEqual({
        files: source.files,
        optimized: expect.stringMatching(/^Not optimised: .+\.$/),
      });
    }
  });

  it('takes what another machine made under the same key, and makes nothing then', async () => {
    const source = await format.adapt(await read(file));
    const runtime = await format.runtime.here();
    const before = process.env.SERVERLESS_MODELS_CACHE;
    const made = await format.prepare(source, KEY, runtime, how());
    // Another machine: nothing is cached but the runtime.
    process.env.SERVERLESS_MODELS_CACHE = service.at('elsewhere');
    try {
      const asked: string[] = [];
      const lines: (string | undefined)[] = [];
      const take = async (key: string, to: string): Promise<readonly Omit<SourceFile, 'from'>[]> => {
        asked.push(key);
        for (const { path, from } of made.files) {
          await mkdir(dirname(join(to, path)), { recursive: true });
          await cp(from, join(to, path));
        }
        return made.files.map(({ from: _, ...one }) => one);
      };
      const taken = await format.prepare(
        source,
        KEY,
        runtime,
        how({ take, progress: (text) => lines.push(text) }),
      );
      expect(asked).toEqual([made.key]);
      // It is compared, and not made.
      expect(lines.filter((text) => text?.startsWith('Optimising'))).toEqual([]);
      expect(taken.files.map(({ path, sha256 }) => [path, sha256])).toEqual(
        made.files.map(({ path, sha256 }) => [path, sha256]),
      );
    } finally {
      process.env.SERVERLESS_MODELS_CACHE = before;
    }
  });

  it('has a runtime of one version, which is there and whose size is known', async () => {
    const { version, here, bytes, gist } = format.runtime;
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    const folder = await here();
    expect((await readdir(folder ?? '')).length).toBeGreaterThan(0);
    for (const architecture of ['x86_64', 'arm64'] as const) expect(bytes(architecture)).toBeGreaterThan(0);
    expect(gist('Error: it\n  failed.')).toBe('it failed');
  });

  it('has for functions what was built for them', async () => {
    const { pinned, mostBytes, libraries, folder } = format.runtime.onLambda;
    expect(JSON.parse(JSON.stringify(pinned))).toEqual(pinned);
    for (const [architecture, machine] of [
      ['x86_64', 62],
      ['arm64', 183],
    ] as const) {
      const found = await folder(architecture, () => {});
      expect(found.machine).toBe(machine);
      expect(await readdir(found.folder)).toEqual(['node_modules']);
      const entries = await filesBelow(found.folder);
      expect(entries.filter(({ path }) => /\.(node|so(\.\d+)*)$/.test(path)).length).toBe(libraries);
      expect(entries.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(mostBytes);
      expect(format.runtime.bytes(architecture)).toBeLessThanOrEqual(mostBytes);
    }
  });

  it('opens a model in a process that has the runtime, and answers what is asked of it', async () => {
    const source = await format.adapt(await read(file));
    const runtime = (await format.runtime.here()) ?? '';
    const { signature } = await format.inspect(source, KEY, runtime);
    const ones = (shape: readonly number[]) => shape.map((dimension) => Math.max(1, dimension));
    const inputs = signature.inputs.map(
      ({ name, datatype, shape }) => [name, datatype, ones(shape)] as const,
    );
    const outputs = signature.outputs.map(({ name }) => name);
    const program = `
      import { KINDS } from ${JSON.stringify(pathToFileURL(ownFile('core/tensor/datatypes')).href)};
      import { openModel } from ${JSON.stringify(pathToFileURL(ownFile(format.runtime.session)).href)};
      const ask = await openModel(${JSON.stringify(source.files[0]?.from)});
      const inputs = ${JSON.stringify(inputs)}.map(([name, datatype, shape]) => [name, {
        datatype, shape, data: KINDS[datatype].allocate(shape.reduce((one, other) => one * other, 1)),
      }]);
      const answers = await ask(Object.fromEntries(inputs), ${JSON.stringify(outputs)});
      console.log(JSON.stringify(Object.entries(answers).map(([name, { type, dims, data }]) =>
        [name, typeof type, dims.length > 0, data.length])));`;
    const out = execFileSync(process.execPath, ['--input-type=module', '-e', program], {
      env: { PATH: process.env.PATH, NODE_PATH: runtime },
      encoding: 'utf8',
    });
    const answers: [string, string, boolean, number][] = JSON.parse(out);
    expect(answers.map(([name]) => name).sort()).toEqual([...outputs].sort());
    for (const [, type, hasDims, length] of answers) {
      expect({ type, hasDims }).toEqual({ type: 'string', hasDims: true });
      expect(length).toBeGreaterThan(0);
    }
  });
});
