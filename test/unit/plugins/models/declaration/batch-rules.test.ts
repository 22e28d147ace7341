import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../../../../core/batch/contract.ts';
import { bucketFault } from '../../../../../plugins/models/declaration/batch-rules.ts';
import { objectsOf, placeOf } from '../../../../../plugins/models/declaration/keys/units.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { formatProblem } from '../../../../../plugins/models/problems/errors.ts';

const input = 's3://incoming/churn/*.csv';
const output = 's3://scored/churn/';
const parse = (...batch: object[]) => parseModels({ churn: { artifact: 'a.onnx', batch } });
const messagesOf = (...batch: object[]): readonly string[] => parse(...batch).problems.map(formatProblem);
const keys = (...batch: object[]): readonly string[] =>
  parse(...batch).problems.map(({ code, key }) => `${key.replace('models.churn.', '')} ${code}`);
const entry = (more: object = {}): Entry | undefined => {
  const { models, problems } = parse({ input, output, ...more });
  expect(problems).toEqual([]);
  return models[0]?.batch?.entries[0];
};

describe('an entry of batch', () => {
  it('of two places has every default', () => {
    expect(parse({ input, output }).models[0]?.batch).toEqual({
      entries: [
        {
          input: { bucket: 'incoming', prefix: 'churn/', suffix: '.csv' },
          output: { bucket: 'scored', prefix: 'churn/' },
          format: 'csv',
          outputFormat: 'csv',
          tolerate: 0.01,
          ids: [],
          join: false,
          emit: [],
        },
      ],
      create: [],
      concurrency: 5,
    });
  });

  it.each([
    ['s3://incoming/a/', 'csv'],
    ['s3://incoming/a/*.jsonl', 'jsonl'],
    ['s3://incoming/a/*.jsonl.gz', 'jsonl'],
    ['s3://incoming/a/*.JSONL.GZ', 'jsonl'],
    ['s3://incoming/a/*.NPY', 'npy'],
    ['s3://incoming/a/*.parquet', 'parquet'],
    ['s3://incoming/a/all.parquet', 'parquet'],
    ['s3://incoming/a/*.txt', 'csv'],
  ])('of %s is %s, and so is what is written', (from, format) => {
    expect(entry({ input: from })).toMatchObject({ format, outputFormat: format });
    expect(entry({ input: from, format: 'jsonl' })).toMatchObject({ format: 'jsonl', outputFormat: 'jsonl' });
    expect(entry({ input: from, outputFormat: 'csv' })).toMatchObject({ format, outputFormat: 'csv' });
  });

  it('may be written without the list, with or without the last slash, and with single names', () => {
    const { models } = parseModels({
      churn: {
        artifact: 'a.onnx',
        batch: { input: 's3://incoming', output: 's3://scored/a', tolerate: '5', ids: 'customer', emit: 'p' },
      },
    });
    expect(models[0]?.batch?.entries[0]).toMatchObject({
      input: { bucket: 'incoming', prefix: '', suffix: '' },
      output: { bucket: 'scored', prefix: 'a/' },
      tolerate: 0.05,
      ids: ['customer'],
      emit: ['p'],
    });
  });

  it.each([
    [true, ['incoming', 'scored']],
    ['true', ['incoming', 'scored']],
    ['input', ['incoming']],
    ['output', ['scored']],
    [undefined, []],
    [false, []],
  ])('with create %j makes %j', (create, buckets) => {
    expect(parse({ input, output, create }).models[0]?.batch?.create).toEqual(buckets);
  });

  it('takes its concurrency from the model’s, and leaves that without batch as it was', () => {
    const { models } = parseModels({
      churn: { artifact: 'a.onnx', concurrency: { batch: '20' }, batch: { input, output } },
      fraud: { artifact: 'a.onnx', concurrency: { reserved: 5 } },
    });
    expect(models[0]?.batch?.concurrency).toBe(20);
    expect(models[0]).not.toHaveProperty('concurrency');
    expect(models[1]?.concurrency).toEqual({ reserved: 5, schedule: [] });
    expect(
      parseModels({ churn: { artifact: 'a.onnx', concurrency: { batch: 1 } } }).problems.map(formatProblem),
    ).toEqual([
      'models.churn.concurrency.batch: is 1, not at least 2. Write at least 2. [MODELS_INVALID_VALUE]',
    ]);
    expect(
      parseModels({ churn: { artifact: 'a.onnx', concurrency: { batch: 3 } } }).problems.map(formatProblem),
    ).toEqual([
      'models.churn.concurrency.batch: bounds a batch that there is not. Write `batch`, or leave it out. [MODELS_INVALID_VALUE]',
    ]);
  });

  it('is read from its text, and back', () => {
    const part = fc.string({ maxLength: 20 }).map((text) => text.replace(/[*\n]/g, ''));
    fc.assert(
      fc.property(part, part, (prefix, suffix) => {
        const place = { bucket: 'incoming', prefix, suffix };
        expect(objectsOf(placeOf(place))).toEqual(place);
      }),
    );
  });
});

describe('what is wrong with an entry', () => {
  it('names key, value, limit and fix', () => {
    expect(messagesOf({ input: 'incoming/churn', output })).toEqual([
      'models.churn.batch.0.input: is "incoming/churn", which is no place in S3. Write s3://bucket/prefix. [MODELS_INVALID_VALUE]',
    ]);
    expect(messagesOf({ input: 's3://Incoming/a/', output })).toEqual([
      'models.churn.batch.0.input: names the bucket "Incoming", but only small letters, digits, dots and hyphens may be in it. Write the name of a bucket as S3 takes it. [MODELS_INVALID_VALUE]',
    ]);
    expect(messagesOf({ input, output, tolerate: '120%' })).toEqual([
      'models.churn.batch.0.tolerate: is 120 % of the rows, not 0 to 100 %. Write 0% to 100%. [MODELS_INVALID_VALUE]',
    ]);
    expect(messagesOf({ input, output, format: 'xml' })).toEqual([
      'models.churn.batch.0.format: is "xml", not one of csv, jsonl, npy, parquet. Write one of csv, jsonl, npy, parquet. [MODELS_INVALID_VALUE]',
    ]);
    expect(messagesOf({ input, output, tolarate: '1%' })).toEqual([
      'models.churn.batch.0.tolarate: is not a key that exists here. Did you mean `tolerate`? [MODELS_UNKNOWN_KEY]',
    ]);
    expect(messagesOf({ output })).toEqual([
      'models.churn.batch.0.input: is missing. Write s3://bucket/prefix, or s3://bucket/prefix*.suffix. [MODELS_INVALID_VALUE]',
    ]);
  });

  it.each([
    ['two stars', { input: 's3://incoming/*/a*.csv', output }, 'batch.0.input'],
    ['a star in the output', { input, output: 's3://scored/*' }, 'batch.0.output'],
    ['an intrinsic function', { input: { Ref: 'Bucket' }, output }, 'batch.0.input'],
    ['a second slash', { input: 's3://incoming//a/', output }, 'batch.0.input'],
    ['a key beyond S3’s', { input: `s3://incoming/${'é'.repeat(513)}`, output }, 'batch.0.input'],
    ['a long output', { input, output: `s3://scored/${'x'.repeat(600)}/` }, 'batch.0.output'],
    ['a line break', { input: 's3://incoming/a\nb/', output }, 'batch.0.input'],
    ['packed Parquet', { input: 's3://incoming/*.parquet.gz', output }, 'batch.0.input'],
    ['ids and join', { input, output, ids: ['a'], join: 'input' }, 'batch.0.join'],
    ['ids of npy', { input: 's3://incoming/*.npy', output, ids: ['a'] }, 'batch.0.ids'],
    ['join of npy', { input: 's3://incoming/*.npy', output, join: 'input' }, 'batch.0.join'],
    ['ids into npy', { input, output, outputFormat: 'npy', ids: ['a'] }, 'batch.0.ids'],
    ['an id twice', { input, output, ids: ['a', 'a'] }, 'batch.0.ids'],
    ['an output twice', { input, output, emit: ['a', 'a'] }, 'batch.0.emit'],
    ['no ids', { input, output, ids: [] }, 'batch.0.ids'],
    ['another join', { input, output, join: 'output' }, 'batch.0.join'],
    ['another create', { input, output, create: 'both' }, 'batch.0.create'],
  ])('is told of %s', (_, declared, key) => {
    expect(keys(declared)).toEqual([`${key} MODELS_INVALID_VALUE`]);
  });

  it('takes a key of S3’s very limit', () => {
    expect(keys({ input: `s3://incoming/${'é'.repeat(512)}`, output })).toEqual([]);
  });

  it('is more entries than ten', () => {
    const entries = Array.from({ length: 11 }, (_, index) => ({ input: `s3://incoming/${index}/`, output }));
    expect(keys(...entries)).toEqual(['batch MODELS_LIMIT']);
    expect(keys(...entries.slice(1))).toEqual([]);
  });

  it('is a function of that name, and a log that is off', () => {
    const batch = [{ input, output }];
    const problems = (models: object, functions: string[] = []) =>
      parseModels(models, { functions }).problems.map(({ code, key }) => `${key} ${code}`);
    expect(problems({ churn: { artifact: 'a.onnx', batch } }, ['churn-batch'])).toEqual([
      'models.churn.batch MODELS_NAME_TAKEN',
    ]);
    expect(problems({ churn: { artifact: 'a.onnx', batch }, 'churn-batch': { artifact: 'a.onnx' } })).toEqual(
      ['models.churn-batch MODELS_NAME_TAKEN'],
    );
    expect(problems({ churn: { artifact: 'a.onnx' }, 'churn-batch': { artifact: 'a.onnx' } })).toEqual([]);
    expect(problems({ churn: { artifact: 'a.onnx', batch, function: { disableLogs: true } } })).toEqual([
      'models.churn.function.disableLogs MODELS_INVALID_VALUE',
    ]);
  });

  it.each([
    ['ab', '3 to 63'],
    ['a'.repeat(64), '3 to 63'],
    ['a_b', 'small letters'],
    ['-abc', 'begin and end'],
    ['a..b', 'two dots'],
    ['192.168.0.1', 'IP address'],
    ['xn--abc', 'S3’s own'],
    ['in--x-s3', 'S3’s own'],
  ])('is the bucket %s', (bucket, why) => {
    expect(bucketFault(bucket)).toContain(why);
  });

  it.each(['abc', 'a.b-c', '1ab', 'a'.repeat(63)])('is not the bucket %s', (bucket) => {
    expect(bucketFault(bucket)).toBeUndefined();
  });
});

describe('inputs of one model', () => {
  it('are taken by the first that matches: one that would get nothing is refused', () => {
    expect(messagesOf({ input, output }, { input, output: 's3://scored/other/' })).toEqual([
      'models.churn.batch.1.input: is s3://incoming/churn/*.csv, as of `batch.0`. Leave out one of them. [MODELS_BATCH]',
    ]);
    expect(messagesOf({ input: 's3://incoming/', output }, { input, output: 's3://scored/other/' })).toEqual([
      'models.churn.batch.1.input: gets no object: `batch.0` takes all of s3://incoming/ before it. Write the narrower one first. [MODELS_BATCH]',
    ]);
    expect(messagesOf({ input, output }, { input: 's3://incoming/', output })).toEqual([]);
    expect(messagesOf({ input, output }, { input: 's3://incoming/churn/*.jsonl', output })).toEqual([]);
  });

  it('of two models may be the same', () => {
    const batch = [{ input, output }];
    const { problems } = parseModels({
      churn: { artifact: 'a.onnx', batch },
      fraud: { artifact: 'a.onnx', batch },
    });
    expect(problems).toEqual([]);
  });
});

describe('loops', () => {
  const loops = (declared: Record<string, object[]>): readonly string[] =>
    parseModels(
      Object.fromEntries(
        Object.entries(declared).map(([name, batch]) => [name, { artifact: 'a.onnx', batch }]),
      ),
    )
      .problems.filter(({ code }) => code === 'MODELS_BATCH_LOOP')
      .map(formatProblem);

  it('of an output under its own input are refused', () => {
    expect(loops({ churn: [{ input: 's3://data/in/', output: 's3://data/in/scored/' }] })).toEqual([
      'models.churn.batch.0.output: is s3://data/in/scored/, and what is written there is taken by its own input, s3://data/in/: it would be scored without end. Write an output outside of the inputs, or a suffix that the outputs do not have. [MODELS_BATCH_LOOP]',
    ]);
  });

  it.each([
    ['the same folder', 's3://data/a/', 's3://data/a/', true],
    ['the whole bucket', 's3://data', 's3://data/a/', true],
    ['a prefix without a slash', 's3://data/in', 's3://data/incoming-scored/', true],
    ['an input below the output, in the model’s folder', 's3://data/out/churn@', 's3://data/out/', true],
    ['the pointers to the newest', 's3://data/out/churn/latest/', 's3://data/out/', true],
    ['the documents of a job', 's3://data/a/*.json', 's3://data/a/', true],
    ['the row errors', 's3://data/a/*.jsonl', 's3://data/a/', true],
    ['an input below the output, elsewhere', 's3://data/out/incoming/', 's3://data/out/', false],
    ['another suffix', 's3://data/a/*.txt', 's3://data/a/', false],
    ['a packed suffix', 's3://data/a/*.csv.gz', 's3://data/a/', false],
    ['a folder beside it', 's3://data/in/', 's3://data/in-scored/', false],
    ['another bucket', 's3://data/a/', 's3://scored/a/', false],
  ])('are told for %s', (_, from, to, isLoop) => {
    expect(loops({ churn: [{ input: from, output: to, format: 'csv' }] }).length).toBe(isLoop ? 1 : 0);
  });

  it('over several models name the way', () => {
    const declared = {
      a: [{ input: 's3://data/one/', output: 's3://data/two/' }],
      b: [{ input: 's3://data/two/', output: 's3://data/three/' }],
      c: [{ input: 's3://data/three/', output: 's3://data/one/' }],
    };
    const [loop = '', ...others] = loops(declared);
    expect(others).toEqual([]);
    expect(loop).toContain('models.a.batch.0 → models.b.batch.0 → models.c.batch.0 → models.a.batch.0');
    // A chain is none.
    expect(loops({ a: declared.a, b: declared.b })).toEqual([]);
  });

  /** What a job may write, manually: the ground truth that `feeds` must not miss. */
  const written = ({ output, outputFormat }: Entry, model: string, key: string): readonly string[] => {
    const job = `${output.prefix}${model}@0123456789ab/${'f'.repeat(64)}/`;
    return [
      ...[`part-0.${outputFormat}`, 'errors-0.jsonl', '_SUCCESS.json', 'map/x/SUCCEEDED_0.json'].map(
        (name) => `${job}${name}`,
      ),
      `${output.prefix}${model}/latest/${key}.json`,
    ];
  };
  const takes = ({ input: from }: Entry, bucket: string, key: string): boolean =>
    from.bucket === bucket &&
    key.length >= from.prefix.length + from.suffix.length &&
    key.startsWith(from.prefix) &&
    key.endsWith(from.suffix);

  it('are never missed: no declaration that passes writes what comes back', () => {
    const folder = fc.constantFrom('', 'a/', 'a', 'a/m', 'a/m@', 'a/m/', 'a/m/latest/', 'b/', 'a/b/');
    const suffix = fc.constantFrom('', '.csv', '.json', '.jsonl', '.txt', 'part-0.csv', 'n');
    const declaration = fc.record({
      input: fc.tuple(folder, suffix).map(([at, end]) => `s3://data/${at}${end && `*${end}`}`),
      output: folder.map((at) => `s3://data/${at}`),
      outputFormat: fc.constantFrom('csv', 'parquet'),
    });
    fc.assert(
      fc.property(declaration, (declared) => {
        const { models, problems } = parseModels({ m: { artifact: 'a.onnx', batch: [declared] } });
        const one = models[0]?.batch?.entries[0];
        fc.pre(one !== undefined && problems.length === 0);
        if (one === undefined) return;
        const back = written(one, 'm', 'a/b/x.csv').filter((key) => takes(one, 'data', key));
        expect(back).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});
