import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { hostRuntime } from '../../plugins/models/artifact/onnx/runtime.ts';
import { prepare } from '../../plugins/models/ship/prepare.ts';
import { readSource } from '../../plugins/models/ship/source.ts';
import { runPython } from '../python.ts';
import { root } from '../unit/docs/pages.ts';
import {
  externalTensor,
  FLOAT,
  field,
  INT64,
  message,
  node,
  modelOf as onnx,
  STRING,
  tensorInfo,
  textAttribute,
  varint,
} from '../unit/plugins/models/artifact/onnx/onnx-writer.ts';
import { FIXTURES, modelOf, newService, problemOf } from './setup.ts';

const service = newService();
const fixtures = () => service.context({ serviceDir: FIXTURES });
const tensor = (name: string, datatype: string, shape: number[]) => ({ name, datatype, shape });

/** A runtime that takes no short input, and is ended by this signal with a long one. */
const endedBy = async (signal: string): Promise<string> => {
  const folder = `ended-by-${signal}`;
  await service.write(
    `${folder}/onnxruntime-node/index.js`,
    `exports.Tensor = class { constructor(type, data, dims) { this.dims = dims; } };
const run = async (feeds) => {
  if (Object.values(feeds).some(({ dims }) => dims.some((length) => length > 3)))
    process.kill(process.pid, '${signal}');
  throw new Error('It is too short.');
};
exports.InferenceSession = { create: async () => ({ run, release: async () => {} }) };
`,
  );
  return service.at(folder);
};

describe('what long inputs took too much of', () => {
  const key = 'models.churn.artifact';
  const source = () => readSource(modelOf('free-dimensions.onnx'), fixtures());
  let count = 0;
  // A cache of its own, of which the other tests have nothing.
  const alone = async (work: (runtime: string | undefined) => Promise<void>): Promise<void> => {
    const runtime = await hostRuntime();
    vi.stubEnv('SERVERLESS_MODELS_CACHE', service.at(`cache-of-long-inputs-${count++}`));
    try {
      await work(runtime);
    } finally {
      vi.useRealTimers();
      vi.unstubAllEnvs();
    }
  };

  it('is tried again a day later, until it goes well: another hour may have more', () =>
    alone(async (runtime) => {
      const read = await source();
      const { format } = read;
      const short = await endedBy('SIGKILL');
      const ran = async (by: string | undefined) => (await format.inspect(read, key, by)).ran;
      const told = 'no short input fits it, and long ones took too much';
      expect(await ran(short)).toBe(told);
      expect(await ran(runtime)).toBe(told);
      const hour = 60 * 60 * 1000;
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 25 * hour });
      expect(await ran(runtime)).toBe(true);
      vi.setSystemTime(Date.now() + 72 * hour);
      expect(await ran(short)).toBe(true);
    }));

  it('is not known where Ctrl-C ended it', () =>
    alone(async (runtime) => {
      const read = await source();
      const { format } = read;
      await expect(format.inspect(read, key, await endedBy('SIGINT'))).rejects.toThrow(
        'crashed while trying it: ended by SIGINT',
      );
      expect((await format.inspect(read, key, runtime)).ran).toBe(true);
    }));
});

describe('a signature', () => {
  it('is what the graph declares, in the protocol’s words', async () => {
    const { inspection } = await prepare(modelOf('free-dimensions.onnx'), fixtures());
    expect(inspection).toEqual({
      signature: {
        inputs: [tensor('x', 'FP32', [-1, -1, 3])],
        outputs: [tensor('y', 'FP32', [-1, 3])],
        omitted: [],
      },
      opset: 20,
      irVersion: 9,
      ran: true,
      notices: [],
    });
  });

  it('has every datatype of the protocol', async () => {
    const { inspection } = await prepare(modelOf('types/all.onnx'), fixtures());
    const types = [
      'BOOL',
      'UINT8',
      'UINT16',
      'UINT32',
      'UINT64',
      'INT8',
      'INT16',
      'INT32',
      'INT64',
      'FP16',
      'FP32',
      'FP64',
      'BYTES',
    ];
    expect(inspection.signature.inputs).toEqual(types.map((type) => tensor(`in_${type}`, type, [-1, 2])));
    expect(inspection.signature.outputs).toEqual(types.map((type) => tensor(`out_${type}`, type, [-1, 2])));
    expect(inspection.ran).toBe(true);
  });

  it('leaves out what the protocol cannot express, and names the exporter’s option that avoids it', async () => {
    const { inspection, shippable } = await prepare(modelOf('gbm-zipmap.onnx'), fixtures());
    expect(inspection.signature.outputs.map(({ name }) => name)).toEqual(['output_label']);
    expect(inspection.signature.omitted).toEqual(['output_probability']);
    expect(inspection.notices.join()).toMatch(/output_probability is a sequence.*"zipmap": False/);
    expect(shippable.optimized).toBe(true);
  });

  it('serves the probabilities, once what docs/artifact.md shows has taken ZipMap out', async () => {
    const page = await readFile(join(root, 'docs', 'artifact.md'), 'utf8');
    const code = /### Without ZipMap.*?```python\n(.*?)```/s.exec(page)?.[1] ?? '';
    await service.write('unzipped/model.onnx', await readFile(join(FIXTURES, 'gbm-zipmap.onnx')));
    await runPython('-c', [code], { cwd: service.at('unzipped'), timeout: 280_000 });
    const { inspection } = await prepare(modelOf('unzipped/model.onnx'), service.context());
    expect(inspection.signature.omitted).toEqual([]);
    expect(inspection.signature.outputs).toEqual([
      tensor('output_label', 'INT64', [-1]),
      { ...tensor('', 'FP32', [-1, 2]), name: expect.any(String) },
    ]);
  });

  it('names what helps with a sequence of tensors, which no ZipMap made', async () => {
    const tensors = message(
      field(1, 's'),
      field(2, field(4, message(field(1, field(1, message(field(1, FLOAT))))))),
    );
    await service.write(
      'tensors.onnx',
      onnx({
        nodes: [node('Neg', ['x'], ['y']), node('SequenceConstruct', ['y', 'x'], ['s'])],
        inputs: [tensorInfo('x', FLOAT, ['n'])],
        outputs: [tensorInfo('y', FLOAT, ['n']), tensors],
      }),
    );
    const { inspection } = await prepare(modelOf('tensors.onnx'), service.context());
    expect(inspection.signature.omitted).toEqual(['s']);
    expect(inspection.notices.join()).toMatch(/Output s is a sequence of tensors.*ConcatFromSequence/);
    expect(inspection.notices.join()).not.toContain('zipmap');
  });

  it('does not repeat a shape that a run disproves: LightGBM’s exporter says [1] for [n]', async () => {
    // As in its exports, nothing in the graph tells ONNX Runtime the length before it runs.
    await service.write(
      'label.onnx',
      onnx({
        nodes: [node('NonZero', ['x'], ['at']), node('Squeeze', ['at'], ['label'])],
        inputs: [tensorInfo('x', FLOAT, ['n'])],
        outputs: [tensorInfo('label', 7, [1])],
      }),
    );
    const { inspection } = await prepare(modelOf('label.onnx'), service.context());
    expect(inspection.signature.outputs).toEqual([tensor('label', 'INT64', [-1])]);
  });

  it('finds the rank of an output that declares none', async () => {
    await service.write(
      'rank.onnx',
      onnx({
        nodes: [node('Neg', ['x'], ['y'])],
        inputs: [tensorInfo('x', FLOAT, ['a', 'b'])],
        outputs: [tensorInfo('y', FLOAT)],
      }),
    );
    const { inspection } = await prepare(modelOf('rank.onnx'), service.context());
    expect(inspection.signature.outputs).toEqual([tensor('y', 'FP32', [-1, -1])]);
  });

  it('is the declared one where ONNX Runtime has no build for this machine', async () => {
    const source = await readSource(modelOf('add.onnx'), fixtures());
    const { signature, ran, notices } = await source.format.inspect(
      source,
      'models.churn.artifact',
      undefined,
    );
    expect(signature.outputs).toEqual([tensor('sum', 'FP32', [-1, 3])]);
    expect(ran).toMatch(/no build/);
    expect(notices.join()).toMatch(/not run while packaging/);
  });
});

describe('what cannot be served is refused, all reasons at once', () => {
  it('inputs without a word in the protocol, or without rank', async () => {
    const sequence = message(
      field(1, 's'),
      field(2, field(4, message(field(1, field(1, message(field(1, FLOAT))))))),
    );
    await service.write(
      'odd.onnx',
      onnx({
        nodes: [node('Neg', ['x'], ['y'])],
        inputs: [sequence, tensorInfo('x', FLOAT), tensorInfo('b', 16, [1])],
        outputs: [tensorInfo('y', FLOAT)],
      }),
    );
    const text = await problemOf(prepare(modelOf('odd.onnx'), service.context()));
    expect(text).toMatch(/Input s is a sequence/);
    expect(text).toMatch(/Input x declares no rank/);
    expect(text).toMatch(
      /Input b is a tensor of bfloat16,.* Cast inputs of float32 to bfloat16 at the beginning of the graph/,
    );
    expect(text).toMatch(/MODELS_ARTIFACT_UNSUPPORTED/);
  });

  it.each([
    [16, /Cast outputs of bfloat16 to float32 at the end of the graph, or export the model in float32/],
    [14, /Give the real and the imaginary part of complex64 as a tensor each/],
  ])('says what to do about outputs of the type %i alone: they are tensors', async (elem, fix) => {
    await service.write(
      'out.onnx',
      onnx({
        nodes: [node('Neg', ['x'], ['y'])],
        inputs: [tensorInfo('x', FLOAT, [1])],
        outputs: [tensorInfo('y', elem, [1])],
      }),
    );
    expect(await problemOf(prepare(modelOf('out.onnx'), service.context()))).toMatch(fix);
  });

  it('a file that is not there, a folder without a graph, weights under the graph’s name', async () => {
    expect(await problemOf(prepare(modelOf('no.onnx'), service.context()))).toMatch(
      /no\.onnx does not exist/,
    );
    await mkdir(service.at('empty'));
    expect(await problemOf(prepare(modelOf('empty'), service.context()))).toMatch(/has no model\.onnx/);
    await service.write(
      'clash/churn.onnx',
      onnx({ nodes: [], inputs: [], outputs: [], initializers: [externalTensor('w', [1], 'model.onnx')] }),
    );
    await service.write('clash/model.onnx', new Uint8Array(4));
    expect(await problemOf(prepare(modelOf('clash/churn.onnx'), service.context()))).toMatch(/another name/);
  });
});

describe('what made-up inputs say of a model', () => {
  const integers = (name: string, ...values: Uint8Array[]) =>
    message(field(1, values.length), field(2, INT64), field(7, message(...values)), field(8, name));
  const minusOne = Uint8Array.from([255, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
  /** Refuses each length but multiples of 16, and takes 4 GB an element of those. */
  const rows = (length: number | string) =>
    onnx({
      nodes: [
        node('Reshape', ['x', 'to'], ['r']),
        node('Size', ['r'], ['elements']),
        node('Mul', ['elements', 'size'], ['length']),
        node('ConstantOfShape', ['length'], ['y']),
      ],
      inputs: [tensorInfo('x', FLOAT, [length])],
      outputs: [tensorInfo('y', FLOAT, ['m'])],
      initializers: [integers('size', varint(1e9)), integers('to', minusOne, varint(16))],
    });

  it('is a notice where the length was ours: another may run', async () => {
    await service.write('long.onnx', rows('n'));
    const { inspection } = await prepare(modelOf('long.onnx'), service.context());
    expect(inspection.notices.join()).toMatch(/not run while packaging/);
  });

  it('is a refusal where the shape is the model’s own', async () => {
    await service.write('fixed.onnx', rows(32));
    const text = await problemOf(prepare(modelOf('fixed.onnx'), service.context()));
    expect(text).toMatch(
      /^models\.churn\.artifact: On inputs of the shapes.*took more than \d+ MB.*no request/,
    );
    expect(text).toMatch(/MODELS_ARTIFACT_MEMORY/);
  });

  it('is a refusal where no request could carry the inputs', async () => {
    await service.write(
      'wide.onnx',
      onnx({
        nodes: [node('Neg', ['x'], ['y'])],
        inputs: [tensorInfo('x', FLOAT, [5, 3, 1200, 1200])],
        outputs: [tensorInfo('y', FLOAT, [5, 3, 1200, 1200])],
      }),
    );
    expect(await problemOf(prepare(modelOf('wide.onnx'), service.context()))).toMatch(
      /87 MB by their fixed shapes.*67 MB.*MODELS_ARTIFACT_UNSUPPORTED/,
    );
  });
});

describe('StringNormalizer', () => {
  const normalizer = (locale: string | undefined) =>
    onnx({
      nodes: [
        node(
          'StringNormalizer',
          ['x'],
          ['y'],
          [
            textAttribute('case_change_action', 'UPPER'),
            ...(locale === undefined ? [] : [textAttribute('locale', locale)]),
          ],
        ),
      ],
      inputs: [tensorInfo('x', STRING, ['n'])],
      outputs: [tensorInfo('y', STRING, ['n'])],
    });

  it.each([['xx_XX.UTF-8'], [undefined]])(
    'with the locale %s loads with one that Lambda has',
    async (locale) => {
      await service.write('words.onnx', normalizer(locale));
      const raw = await readSource(modelOf('words.onnx'), service.context());
      const { inspection, shippable } = await prepare(modelOf('words.onnx'), service.context());
      expect(inspection.ran).toBe(true);
      const shipped = await readFile(shippable.files[0]?.from ?? '');
      expect(shipped.includes('C.UTF-8')).toBe(true);
      expect(shipped.includes('xx_XX')).toBe(false);
      // The user's own file is not touched, and its digest is what counts.
      expect(await readFile(service.at('words.onnx'))).toEqual(normalizer(locale));
      expect((await raw.format.adapt(raw)).digest).toBe(raw.digest);
    },
  );
});

describe('external data', () => {
  it('counts to the digest', async () => {
    const first = await readSource(modelOf('external'), fixtures());
    expect(first.files.map(({ path, bytes }) => [path, bytes])).toEqual([
      ['model.onnx', expect.any(Number)],
      ['weights/w.bin', 48],
    ]);
    await mkdir(service.at('copy', 'weights'), { recursive: true });
    await writeFile(
      service.at('copy', 'churn.onnx'),
      await readFile(join(FIXTURES, 'external', 'model.onnx')),
    );
    const weights = await readFile(join(FIXTURES, 'external', 'weights', 'w.bin'));
    await writeFile(service.at('copy', 'weights', 'w.bin'), weights);
    // Neither the folder nor the name of the graph is part of it.
    const copy = modelOf('copy/churn.onnx');
    expect((await readSource(copy, service.context())).digest).toBe(first.digest);
    weights[0] = (weights[0] ?? 0) ^ 1;
    await writeFile(service.at('copy', 'weights', 'w.bin'), weights);
    expect((await readSource(copy, service.context())).digest).not.toBe(first.digest);
  });

  it('is found where the graph names it as a path below this folder', async () => {
    await mkdir(service.at('dotted', 'weights'), { recursive: true });
    const weights = new Uint8Array(Float32Array.of(10, 20).buffer);
    await writeFile(service.at('dotted', 'weights', 'w.bin'), weights);
    const graph = onnx({
      nodes: [node('Add', ['x', 'w'], ['y'])],
      inputs: [tensorInfo('x', FLOAT, [2])],
      outputs: [tensorInfo('y', FLOAT, [2])],
      initializers: [externalTensor('w', [2], './weights/w.bin')],
    });
    await service.write('dotted/model.onnx', graph);
    const { inspection, shippable, source } = await prepare(modelOf('dotted'), service.context());
    expect(source.files.map(({ path }) => path)).toEqual(['model.onnx', 'weights/w.bin']);
    expect(inspection.ran).toBe(true);
    expect(shippable.optimized).toBe(true);
    const bare = await prepare(modelOf('dotted', { optimize: false }), service.context());
    expect(bare.shippable.files.map(({ path }) => path)).toEqual(['model.onnx', 'weights/w.bin']);
  });

  it('may be links to files elsewhere, as in Hugging Face’s cache', async () => {
    await mkdir(service.at('blobs'));
    await mkdir(service.at('snapshot', 'weights'), { recursive: true });
    await writeFile(service.at('blobs', 'aa'), await readFile(join(FIXTURES, 'external', 'model.onnx')));
    await writeFile(
      service.at('blobs', 'bb'),
      await readFile(join(FIXTURES, 'external', 'weights', 'w.bin')),
    );
    await symlink(service.at('blobs', 'aa'), service.at('snapshot', 'model.onnx'));
    await symlink(service.at('blobs', 'bb'), service.at('snapshot', 'weights', 'w.bin'));
    const { inspection } = await prepare(modelOf('snapshot'), service.context());
    expect(inspection.ran).toBe(true);
  });
});

it('an inspection is made once for each content', async () => {
  const runtime = await hostRuntime();
  const source = await readSource(modelOf('logreg.onnx'), fixtures());
  await source.format.inspect(source, 'models.churn.artifact', runtime);
  // A deadline that no process could meet: this one does not start any.
  await source.format.inspect(source, 'models.churn.artifact', runtime, { deadline: 1, memory: 1 });
});
