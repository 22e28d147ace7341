/** Labelled rows on their way to the registry. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { caseLines } from '../../../../../../core/gate/cases.ts';
import { type LabelledRows, readLabelled } from '../../../../../../core/gate/labelled.ts';
import { formatOf } from '../../../../../../core/tabular/formats.ts';
import type { Signature } from '../../../../../../core/tensor/contract.ts';
import type { GateMetric } from '../../../../../../plugins/models/declaration/model.ts';
import { isProblemError } from '../../../../../../plugins/models/problems/errors.ts';
import { type LabelledModel, shipLabelled } from '../../../../../../plugins/models/ship/gate/labelled.ts';

const classifier: Signature = {
  inputs: [{ name: 'X', datatype: 'FP32', shape: [-1, 2] }],
  outputs: [
    { name: 'label', datatype: 'INT64', shape: [-1] },
    { name: 'probabilities', datatype: 'FP32', shape: [-1, 2] },
  ],
  omitted: [],
};
const COLUMNS = { names: ['age', 'income'], bind: true };

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'models-labelled-'));
  process.env.SERVERLESS_MODELS_CACHE = join(folder, 'cache');
});
afterAll(async () => {
  delete process.env.SERVERLESS_MODELS_CACHE;
  await rm(folder, { recursive: true, force: true });
});

const METRIC: GateMetric = {
  cases: 'rows.csv',
  name: 'accuracy',
  label: 'label',
  min: 0.5,
  onNoData: 'refuse',
};

async function ship(
  content: string | Uint8Array,
  metric: Partial<GateMetric> = {},
  model: LabelledModel = { signature: classifier, columns: COLUMNS },
) {
  const { min, ...rest } = { ...METRIC, ...metric };
  const all: GateMetric = rest.max === undefined ? { ...rest, ...(min !== undefined && { min }) } : rest;
  await writeFile(join(folder, all.cases), content);
  const context = { serviceDir: folder, progress: () => {} };
  const shipped = await shipLabelled('models.churn.gate.metric', all, model, context);
  const text = await readFile(shipped.upload.from, 'utf8');
  const requests = caseLines(text).map(({ start, end }) => readLabelled(text.slice(start, end)));
  return { ...shipped, text, requests };
}
const labelsOf = (requests: readonly LabelledRows[]) => requests.flatMap(({ labels }) => labels);

async function problem(...asked: Parameters<typeof ship>): Promise<string> {
  return ship(...asked).then(
    () => 'none',
    (error: unknown) => {
      if (!isProblemError(error)) throw error;
      expect(new Set(error.problems.map(({ code }) => code))).toEqual(new Set(['MODELS_GATE_METRIC']));
      return error.message;
    },
  );
}

/** Rows of age, income and label. */
const table = (n: number, of: (i: number) => string = (i) => `${20 + i},${i}.5,${i % 2}`): string =>
  `age,income,label\n${Array.from({ length: n }, (_, i) => of(i)).join('\n')}\n`;

it('a model that takes several rows, and no fewer, is refused: its gate would fail at every row', async () => {
  const inputs = [{ name: 'X', datatype: 'FP32' as const, shape: [5, 2] }];
  const model = (shape: readonly number[]): LabelledModel => ({
    signature: { ...classifier, inputs: inputs.map((input) => ({ ...input, shape })) },
    columns: COLUMNS,
  });
  expect(await problem(table(40), {}, model([5, 2]))).toContain(
    'models.churn.gate.metric: needs rows, but the input X has the shape [5, 2]: its first dimension is fixed, so rows can be neither stacked nor asked one by one. Export',
  );
  expect(await problem(table(40), {}, model([1, 2]))).toBe('none');
  expect(await problem(table(40), {}, model([2]))).toBe('none');
});

it('a table whose columns have other names than the reference data is taken in order, and that is told', async () => {
  const known = { signature: classifier, columns: { names: ['age', 'income'], bind: false } };
  const renamed = table(40).replace('age,income', 'Income,Age');
  for (const _ of ['read', 'known from before'])
    expect((await ship(renamed, {}, known)).notices).toEqual([
      expect.stringMatching(/^rows\.csv: The names of its columns are not those of the reference data, so /),
    ]);
  expect((await ship(table(40), {}, known)).notices).toEqual([]);
});

it('a table that is written to while it is read is refused, and what is read later is what is there', async () => {
  const path = join(folder, METRIC.cases);
  const whole = table(400);
  await writeFile(path, whole);
  let isWritten = false;
  // An exporter goes on once the table's digest is known.
  const progress = (text: string | undefined): void => {
    if (text !== undefined && !isWritten) writeFileSync(path, table(200));
    isWritten = true;
  };
  const context = { serviceDir: folder, progress };
  const model = { signature: classifier, columns: COLUMNS };
  await expect(shipLabelled('models.churn.gate.metric', METRIC, model, context)).rejects.toThrow(
    'rows.csv was changed while it was read. Retry',
  );
  await writeFile(path, whole);
  const { facts } = await shipLabelled('models.churn.gate.metric', METRIC, model, context);
  expect(facts.rows).toBe(400);
});

describe('a table', () => {
  it('becomes requests of 64 rows, known by their content', async () => {
    const { facts, upload, requests, text } = await ship(table(130));
    const sha256 = createHash('sha256').update(text).digest('hex');
    expect(facts).toEqual({
      sha256,
      bytes: Buffer.byteLength(text),
      rows: 130,
      requests: 3,
      output: 'label',
    });
    expect(upload).toMatchObject({ sha256, bytes: Buffer.byteLength(text) });
    expect(requests.map(({ first, labels }) => [first, labels.length])).toEqual([
      [1, 64],
      [65, 64],
      [129, 2],
    ]);
    expect(requests[2]).toEqual({
      first: 129,
      labels: [0, 1],
      inputs: [{ name: 'X', datatype: 'FP32', shape: [2, 2], data: [148, 128.5, 149, 129.5] }],
    });
  });

  it('may have other columns, in any order', async () => {
    const text = `id,label,income,age\n${Array.from({ length: 40 }, (_, i) => `a${i},${i % 2},7,${i}`).join('\n')}`;
    const { requests } = await ship(text);
    expect(requests[0]?.inputs[0]?.data.slice(0, 4)).toEqual([0, 7, 1, 7]);
    expect(labelsOf(requests).slice(0, 3)).toEqual([0, 1, 0]);
  });

  it('of JSON lines and of Parquet is the same', async () => {
    const rows = Array.from({ length: 70 }, (_, i) => ({ age: 20 + i, income: i + 0.5, label: i % 2 }));
    const lines = rows.map((row) => JSON.stringify(row)).join('\n');
    const csv = await ship(table(70));
    const jsonl = await ship(lines, { cases: 'rows.jsonl' });
    const writer = (
      await formatOf('parquet').writer(
        ['age', 'income', 'label'].map((name, index) => ({ name, of: 'carried', index })),
        {},
        ['FP32', 'FP32', 'INT64'],
      )
    )();
    writer.add(
      {
        part: 0,
        read: 70,
        rows: rows.map((_, i) => i + 1),
        tensors: {},
        carried: [
          rows.map(({ age }) => age),
          rows.map(({ income }) => income),
          rows.map(({ label }) => BigInt(label)),
        ],
        faults: [],
      },
      {},
    );
    const parquet = await ship(writer.end(), { cases: 'rows.parquet' });
    expect(jsonl.text).toBe(csv.text);
    expect(parquet.text).toBe(csv.text);
  });

  it('of a model that takes one row at a time becomes a request a row', async () => {
    const inputs = [{ name: 'X', datatype: 'FP32', shape: [1, 2] }] as const;
    const { facts, requests } = await ship(
      table(40),
      {},
      { signature: { ...classifier, inputs }, columns: COLUMNS },
    );
    expect(facts).toMatchObject({ rows: 40, requests: 40 });
    expect(requests[39]).toMatchObject({
      first: 40,
      labels: [1],
      inputs: [{ shape: [1, 2], data: [59, 39.5] }],
    });
  });

  it('is read once, as long as it is the same', async () => {
    const first = await ship(table(64));
    const again = await ship(table(64));
    expect(again.upload.from).toBe(first.upload.from);
    expect((await ship(table(65))).upload.from).not.toBe(first.upload.from);
  });

  it('has the shortest decimals that are the same floats', async () => {
    const { requests } = await ship(table(40, (i) => `0.1,${Math.fround(1 / (i + 3))},${i % 2}`));
    for (const [i, value] of (requests[0]?.inputs[0]?.data ?? []).entries()) {
      expect(String(value).length).toBeLessThan(14);
      if (i % 2 === 1) expect(Math.fround(value as number)).toBe(Math.fround(1 / ((i - 1) / 2 + 3)));
    }
  });
});

describe('labels', () => {
  it('may be texts, by the names of the output’s columns', async () => {
    const text = table(40, (i) => `1,2,${i % 2 ? 'leaves' : 'stays'}`);
    const found = await ship(text, { name: 'auc', classes: ['stays', 'leaves'] });
    expect(found.facts.output).toBe('probabilities');
    expect(labelsOf(found.requests).slice(0, 3)).toEqual([0, 1, 0]);
  });

  it('may be true and false, or floats of whole numbers, as pandas writes them', async () => {
    expect(
      labelsOf(
        (
          await ship(
            table(40, (i) => `1,2,${i % 2 ? 'true' : 'False'}`),
            { name: 'auc' },
          )
        ).requests,
      ),
    ).toEqual(
      labelsOf(
        (
          await ship(
            table(40, (i) => `1,2,${i % 2}.0`),
            { name: 'auc' },
          )
        ).requests,
      ),
    );
  });

  it('are in another column where `label` says so', async () => {
    const text = table(40).replace('label', 'churned');
    expect(labelsOf((await ship(text, { label: 'churned' })).requests)).toHaveLength(40);
    expect(await problem(text)).toMatch(
      /rows\.csv: It has no column label, which would be the label\. Add it, or name the column of the label with `label`/,
    );
  });

  it.each([
    ['', 'has no label'],
    ['2', 'is no class from 0 to 1'],
    ['-1', 'is no class from 0 to 1'],
    ['0.5', 'is no whole number'],
    ['yes', 'is no whole number; name the classes with `classes`'],
  ])('%j is none of a class, told by its line', async (label, words) => {
    const text = await problem(
      table(40, (i) => `1,2,${i === 5 ? label : i % 2}`),
      { name: 'auc' },
    );
    expect(text).toContain('Line 7 has');
    expect(text).toContain(words);
    if (label.length > 1) expect(text).not.toContain(`has ${label}`);
  });

  it('of auc are of two classes where the model leaves the number of its columns open, too', async () => {
    const outputs = [{ name: 'p', datatype: 'FP32', shape: [-1, -1] }] as const;
    const open = { signature: { ...classifier, outputs }, columns: COLUMNS };
    // From 1, as some tables have them: the second class would have passed for the first.
    const text = table(40, (i) => `1,2,${1 + (i % 2)}`);
    expect(await problem(text, { name: 'auc' }, open)).toContain('is no class from 0 to 1');
    expect(await problem(text, { name: 'auc', classes: ['a', 'b', 'c'] }, open)).toContain(
      'are 3, and the output p has 2 columns',
    );
  });

  it('that are none of the classes are told without the label', async () => {
    const text = await problem(
      table(40, () => '1,2,secret'),
      { name: 'auc', classes: ['a', 'b'] },
    );
    expect(text).toMatch(
      /Line 2 has a label that is none of the classes a, b\. Line 3 .* There are more nearby, 37 at least/,
    );
    expect(text).not.toContain('secret');
  });

  it('of a regression are numbers', async () => {
    const signature: Signature = {
      ...classifier,
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }],
    };
    const model = { signature, columns: COLUMNS };
    const found = await ship(
      table(40, (i) => `1,2,${i}.25`),
      { name: 'rmse', max: 1 },
      model,
    );
    expect(labelsOf(found.requests).slice(0, 2)).toEqual([0.25, 1.25]);
    // A time in nanoseconds: whole, and beyond what a double counts one by one.
    const times = await ship(
      table(40, (i) => `1,2,${17 + i}00000000000000001`),
      { name: 'r2', min: 0.5 },
      model,
    );
    expect(labelsOf(times.requests).slice(0, 2).map(Number)).toEqual([17e17, 18e17]);
    expect(
      await problem(
        table(40, (i) => `1,2,${i === 3 ? 'much' : i}`),
        { name: 'rmse', max: 1 },
        model,
      ),
    ).toMatch(/Line 5 has a label that is no number/);
  });
});

describe('what can never decide is refused before anybody is asked', () => {
  it.each([
    ['no row', 'age,income,label\n', {}, /It has no row/],
    [
      'one class',
      table(40, () => '1,2,1'),
      { name: 'auc' },
      /auc cannot be measured: only 0 rows are not of the class, and auc needs 10 of each/,
    ],
    [
      'too few of a class',
      table(40, (i) => `1,2,${+(i < 3)}`),
      { name: 'auc' },
      /only 3 rows are of the class/,
    ],
    [
      'too few rows for the limit',
      table(40),
      { min: 0.95 },
      /A version without a fault on these 40 rows would have accuracy 1 \(95 % interval 0\.9124 to 1\), so that none can be shown to have 0\.95/,
    ],
    ['29 rows', table(29), { name: 'logLoss', max: 1 }, /there are 29 rows, and logLoss needs 30/],
  ] as const)('%s', async (_, text, metric, words) => {
    expect(await problem(text, metric)).toMatch(words);
  });

  it('but for a limit that may be left undecided', async () => {
    expect((await ship(table(40), { min: 0.95, onNoData: 'pass' })).facts.rows).toBe(40);
  });
});

describe('what does not fit', () => {
  it.each([
    ['no file', {}, undefined, /rows\.csv does not exist/],
    [
      'a value that is none',
      { text: table(40, (i) => `${i === 1 ? 'old' : 1},2,1`) },
      undefined,
      /Line 3, column age|Column age/,
    ],
    [
      'a missing value',
      { text: table(40, (i) => `${i === 1 ? '' : 1},2,1`) },
      undefined,
      /column age.*cannot be asked in the protocol’s JSON|Column age/is,
    ],
    ['a column too few', { text: 'age,label\n1,0\n' }, undefined, /It has no column income/],
    [
      'an output that is not there',
      { output: 'score' },
      undefined,
      /gate\.metric\.output: names no output of the model, which has label, probabilities/,
    ],
    [
      'an output that is no prediction',
      { name: 'auc', output: 'label' },
      undefined,
      /is INT64; auc takes floats/,
    ],
    [
      'a number of two columns',
      { name: 'mae', max: 1, output: 'probabilities' },
      undefined,
      /is FP32 with 2 elements a row; mae takes one number/,
    ],
    [
      'classes that the output has itself',
      { classes: ['a', 'b'] },
      undefined,
      /do not go with the output label/,
    ],
    [
      'classes in another number',
      { name: 'logLoss', max: 1, classes: ['a', 'b', 'c'] },
      undefined,
      /are 3, and the output probabilities has 2 columns/,
    ],
  ] as const)(
    '%s',
    async (what, { text, ...metric }: Partial<GateMetric> & { readonly text?: string }, _, words) => {
      if (what === 'no file') {
        await rm(join(folder, 'rows.csv'), { force: true });
        await mkdir(join(folder, 'no'), { recursive: true });
        const shipped = shipLabelled(
          'models.churn.gate.metric',
          METRIC,
          { signature: classifier, columns: COLUMNS },
          { serviceDir: folder, progress: () => {} },
        );
        await expect(shipped).rejects.toThrow(words);
      } else expect(await problem(text ?? table(40), metric)).toMatch(words);
    },
  );

  it('of several outputs that may be the prediction one must be named', async () => {
    const outputs = ['a', 'b'].map((name) => ({ name, datatype: 'FP32', shape: [-1, 2] }) as const);
    const model = { signature: { ...classifier, outputs }, columns: COLUMNS };
    expect(await problem(table(40), { name: 'auc' }, model)).toMatch(
      /gate\.metric\.name: finds several outputs that may be the prediction: a, b\. Name it with `output`/,
    );
    expect((await ship(table(40), { name: 'auc', output: 'b' }, model)).facts.output).toBe('b');
    expect(await problem(table(40), { name: 'mae', max: 1 }, model)).toMatch(
      /finds no output that is a prediction for mae/,
    );
  });

  it('more than 100,000 rows are too many', async () => {
    expect(await problem(table(100_001, (i) => `1,2,${i % 2}`))).toMatch(
      /It has more than 100000 rows; a gate asks no more.*random sample/s,
    );
  });

  it('more than 10,000 of a model that takes one at a time', async () => {
    const inputs = [{ name: 'X', datatype: 'FP32', shape: [1, 2] }] as const;
    const model = { signature: { ...classifier, inputs }, columns: COLUMNS };
    expect(await problem(table(10_001), {}, model)).toMatch(/more than 10000 rows of a request each/);
  });
});
