import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import layer from '../../layers/onnxruntime/layer.json' with { type: 'json' };
import { onnxFormat } from '../../plugins/models/artifact/onnx/format.ts';
import { hostRuntime, lambdaRuntime, layerBytes } from '../../plugins/models/artifact/onnx/runtime.ts';
import type { Architecture } from '../../plugins/models/declaration/model.ts';
import { filesBelow } from '../../plugins/models/disk/files.ts';
import { npmPack } from '../../plugins/models/disk/npm.ts';
import { readElf } from '../../plugins/models/targets/lambda-zip/elf.ts';
import { buildLayer, layerFaults } from '../../plugins/models/targets/lambda-zip/layer-build.ts';
import { unzip } from '../unzip.ts';
import { FIXTURES, problemOf } from './setup.ts';

const ARCHITECTURES: readonly Architecture[] = ['x86_64', 'arm64'];
let folder: string;
const before = process.env.SERVERLESS_MODELS_CACHE;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'layer-'));
});
afterAll(async () => {
  if (before === undefined) delete process.env.SERVERLESS_MODELS_CACHE;
  else process.env.SERVERLESS_MODELS_CACHE = before;
  await rm(folder, { recursive: true, force: true });
});

describe('the layer', () => {
  it('has the same bytes on every build from an empty cache', { timeout: 300_000 }, async () => {
    const builds: Buffer[][] = [];
    const lines = new Set<string>();
    for (const name of ['first', 'second']) {
      process.env.SERVERLESS_MODELS_CACHE = join(folder, name);
      const zips: Buffer[] = [];
      for (const architecture of ARCHITECTURES) {
        const { zip, facts } = await buildLayer(onnxFormat.runtime, architecture, (text) =>
          lines.add(text ?? ''),
        );
        const bytes = await readFile(zip);
        zips.push(bytes);
        expect(facts).toMatchObject({ architecture, version: layer.version, bytes: bytes.length });
        expect(facts.unzippedBytes).toBe(layerBytes(architecture));
        expect(facts.unzippedBytes).toBeLessThan(50_000_000);
      }
      builds.push(zips);
    }
    expect(builds[0]?.map((zip, index) => zip.equals(builds[1]?.[index] ?? Buffer.alloc(0)))).toEqual([
      true,
      true,
    ]);
    expect(
      [...lines].some((text) => /^Downloading onnxruntime-node@\S+ \(114 MB, once; \d+ s\)$/.test(text)),
    ).toBe(true);
  });

  it.each(ARCHITECTURES)(
    'of %s has one library, one binding, their JavaScript and licences',
    async (architecture) => {
      const { zip } = await buildLayer(onnxFormat.runtime, architecture);
      const files = Object.keys(await unzip(zip));
      const cpu = architecture === 'arm64' ? 'arm64' : 'x64';
      const inPackage = (name: string) =>
        files.filter((path) => path.startsWith(`nodejs/node_modules/${name}/`));
      expect(files.filter((path) => /\.(so|node|dll|dylib)/.test(path)).sort()).toEqual([
        `nodejs/node_modules/onnxruntime-node/bin/napi-v6/linux/${cpu}/libonnxruntime.so.1`,
        `nodejs/node_modules/onnxruntime-node/bin/napi-v6/linux/${cpu}/onnxruntime_binding.node`,
      ]);
      for (const name of ['onnxruntime-node', 'onnxruntime-common']) {
        expect(inPackage(name).map((path) => basename(path))).toEqual(
          expect.arrayContaining(['LICENSE', 'package.json', 'index.js']),
        );
      }
      expect(files.length).toBe(
        inPackage('onnxruntime-node').length + inPackage('onnxruntime-common').length,
      );
      expect(files.filter((path) => /script|install|\.(ts|map|md)$/.test(path))).toEqual([]);
    },
  );

  it('answers, unpacked as Lambda unpacks it and found by NODE_PATH alone', async () => {
    const { zip } = await buildLayer(onnxFormat.runtime, process.arch === 'arm64' ? 'arm64' : 'x86_64');
    const opt = join(folder, 'opt');
    for (const [path, bytes] of Object.entries(await unzip(zip))) {
      await mkdir(join(opt, path, '..'), { recursive: true });
      await writeFile(join(opt, path), bytes);
    }
    const program = `const ort = require('onnxruntime-node');
      ort.InferenceSession.create(process.argv[1]).then(async (session) => {
        const tensor = (dims) => new ort.Tensor('float32', new Float32Array(dims[0] * dims[1]).fill(2), dims);
        const { sum } = await session.run({ a: tensor([1, 3]), b: tensor([1, 1]) });
        console.log(JSON.stringify([...sum.data]));
      });`;
    const out = execFileSync(process.execPath, ['-e', program, join(FIXTURES, 'add.onnx')], {
      cwd: folder,
      env: { NODE_PATH: join(opt, 'nodejs', 'node_modules'), PATH: process.env.PATH },
    });
    expect(JSON.parse(String(out))).toEqual([4, 4, 4]);
  });
});

describe('what would not load on Lambda', () => {
  it('is seen in the ELF headers', async () => {
    const { folder: source } = await lambdaRuntime('arm64', () => {});
    const entries = await filesBelow(source);
    expect(await layerFaults(entries, 183, 2)).toEqual([]);
    expect((await layerFaults(entries, 62, 2)).join()).toMatch(/built for ELF machine 183, not 62/);
    // Without the library beside it, the binding asks for one that Lambda lacks.
    const alone = entries.filter(({ path }) => !path.includes('libonnxruntime'));
    expect((await layerFaults(alone, 183, 2)).join()).toMatch(
      /1 libraries, not 2,.* needs libonnxruntime\.so\.1, which Lambda lacks/,
    );
    // This machine's Node needs newer things than Amazon Linux has, or libraries that it lacks, or neither;
    // it is ELF.
    if (process.platform === 'linux') {
      expect(readElf(await readFile(process.execPath)).needed).toContain('libc.so.6');
    }
    await cp(join(source, 'node_modules', 'onnxruntime-node', 'package.json'), join(folder, 'x.node'));
    await expect(
      layerFaults([{ path: 'x.node', from: join(folder, 'x.node'), bytes: 0 }], 62, 1),
    ).rejects.toThrow(/ELF/);
  });

  it('a package with another digest is refused', async () => {
    const target = await mkdtemp(join(folder, 'pack-'));
    const spec = `onnxruntime-common@${layer.version}`;
    expect(await problemOf(npmPack(spec, 'sha512-AAAA', target))).toMatch(
      /integrity .*MODELS_RUNTIME_TAMPERED/s,
    );
  });

  it('a package that npm cannot get is named, with the command', async () => {
    const target = await mkdtemp(join(folder, 'pack-'));
    expect(await problemOf(npmPack('./no-such-folder', 'sha512-AAAA', target))).toMatch(
      /`npm pack \.\/no-such-folder` failed: .*MODELS_RUNTIME_UNAVAILABLE/s,
    );
  });
});

it('the host’s runtime is the very folder that the layer is made of', async () => {
  const runtime = await hostRuntime();
  expect(runtime).toMatch(/node_modules$/);
  expect(
    (await filesBelow(runtime ?? '')).some(({ path }) => path.endsWith('onnxruntime_binding.node')),
  ).toBe(true);
});
