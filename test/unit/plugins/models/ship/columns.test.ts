import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Signature } from '../../../../../core/tensor/contract.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { keyOf } from '../../../../../plugins/models/disk/cache.ts';
import { formatProblem } from '../../../../../plugins/models/problems/errors.ts';
import { knownColumns } from '../../../../../plugins/models/ship/columns.ts';
import { identityOf } from '../../../../../plugins/models/ship/identity.ts';
import { input, signature } from '../../../core/tabular/setup.ts';

const table = signature([input('x', 'FP32', 2)]);
const columnsOf = (
  columns: readonly string[] | undefined,
  metadata: string | undefined,
  graph: Signature = table,
  client: Signature = graph,
) => {
  const { problems, ...found } = knownColumns(
    { name: 'churn', ...(columns && { columns }) },
    metadata,
    graph,
    client,
  );
  return { ...found, problems: problems.map(formatProblem) };
};
const bound = (...names: string[]) => ({ names, bind: true });
const NONE = { problems: [], notices: [] };

describe('names of columns', () => {
  it('are those that are declared, else those of the model, and bind', () => {
    expect(columnsOf(undefined, undefined)).toEqual(NONE);
    expect(columnsOf(['a', 'b'], undefined)).toEqual({
      ...NONE,
      client: bound('a', 'b'),
      graph: bound('a', 'b'),
    });
    expect(columnsOf(undefined, '["c","d"]')).toEqual({
      ...NONE,
      client: bound('c', 'd'),
      graph: bound('c', 'd'),
    });
    // Whatever the model says then.
    for (const metadata of ['["c","d"]', '["c"]', 'c,d'])
      expect(columnsOf(['a', 'b'], metadata).client).toEqual(bound('a', 'b'));
  });

  it('of a model that leaves their number open are as many as there are', () => {
    const open = signature([input('x', 'FP32', -1)]);
    expect(columnsOf(undefined, '["a","b","c"]', open).client).toEqual(bound('a', 'b', 'c'));
  });

  it('are the clients’ own where transform.ts declares inputs, and the model’s are the graph’s', () => {
    const client = signature([input('raw', 'BYTES', 2)]);
    expect(columnsOf(undefined, '["c","d"]', table, client)).toEqual({ ...NONE, graph: bound('c', 'd') });
    expect(columnsOf(['a', 'b'], '["c","d"]', table, client)).toEqual({
      ...NONE,
      client: bound('a', 'b'),
      graph: bound('c', 'd'),
    });
  });

  const several = signature([input('a', 'FP32', 1), input('b', 'FP32', 1)]);
  const image = signature([input('x', 'FP32', 3, 4)]);
  it.each<[string, readonly string[] | undefined, string | undefined, Signature, string]>([
    [
      'too few',
      ['a'],
      undefined,
      table,
      'models.churn.columns: has 1 name, but the input x has 2 columns. Name each column once, in the order in which the model was trained. [MODELS_COLUMNS]',
    ],
    [
      'several inputs',
      ['a', 'b'],
      undefined,
      several,
      'models.churn.columns: has 2 names, but the model has 2 inputs, whose own names are those of the columns. Leave it out. [MODELS_COLUMNS]',
    ],
    [
      'no table',
      ['a', 'b'],
      undefined,
      image,
      'models.churn.columns: has 2 names, but the input x has the shape [-1, 3, 4], and only one of the shape [rows, columns] has columns. Leave it out. [MODELS_COLUMNS]',
    ],
    [
      'too many in the model',
      undefined,
      '["a","b","c"]',
      table,
      'models.churn.artifact: has the metadata property `columns` with 3 names, but the input x has 2 columns. Correct the property, or write `columns`, which takes its place. [MODELS_COLUMNS]',
    ],
  ])('that do not fit are refused: %s', (_, columns, metadata, model, problem) => {
    expect(columnsOf(columns, metadata, model).problems).toEqual([problem]);
  });

  it('that the model has, and that are no such names, are left alone with a word', () => {
    const isListOfNames = (value: unknown): boolean =>
      Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc
            .jsonValue()
            .filter((value) => !isListOfNames(value))
            .map((value) => JSON.stringify(value)),
          fc.constantFrom('["a","a"]', '["a",1]', '["a",""]', '[]', '{"0":"a"}', ''),
        ),
        (text) => {
          const { client, problems, notices } = columnsOf(undefined, text);
          expect(problems).toEqual([]);
          expect(client).toBe(undefined);
          expect(notices).toEqual([
            'The model’s metadata property `columns` is not used: it is no JSON list of different names.',
          ]);
        },
      ),
    );
    for (const model of [several, image] as readonly Signature[])
      expect(columnsOf(undefined, '["a","b"]', model)).toMatchObject({
        problems: [],
        notices: [expect.stringMatching(/^The model’s metadata property `columns` is not used: the /)],
      });
  });
});

describe('a declaration', () => {
  const parsed = (more: object) => parseModels({ churn: { artifact: 'a.onnx', ...more } });
  const batch = [{ input: 's3://incoming/', output: 's3://scored/' }];

  it('has columns, missing and finite only where they say something', () => {
    const [plain] = parsed({ missing: 'refuse', finite: false, batch }).models;
    for (const key of ['columns', 'missing', 'finite']) expect(plain).not.toHaveProperty(key);
    expect(plain?.batch?.entries[0]).not.toHaveProperty('missing');
    expect(parsed({ columns: 'age', finite: 'true' }).models[0]).toMatchObject({
      columns: ['age'],
      finite: true,
    });
  });

  it.each([
    ['nan', undefined, 'nan'],
    ['nan', 'refuse', undefined],
    ['refuse', 'nan', 'nan'],
    [undefined, 'nan', 'nan'],
    [undefined, undefined, undefined],
  ])('of missing %s, an entry with %s has %s', (model, entry, expected) => {
    const [first] = batch;
    const { models } = parsed({ missing: model, batch: [{ ...first, missing: entry }] });
    expect(models[0]?.batch?.entries[0]?.missing).toBe(expected);
  });

  it.each([
    [
      { columns: ['a', 'b', 'a'] },
      'models.churn.columns: names the column a twice. Give each column a name of its own. [MODELS_COLUMNS]',
    ],
    [
      { finite: true, missing: 'nan' },
      'models.churn.finite: refuses NaN, which `missing: nan` gives to the model. Leave out one of them. [MODELS_INVALID_VALUE]',
    ],
  ])('%j is refused', (more, problem) => {
    expect(parsed(more).problems.map(formatProblem)).toEqual([problem]);
  });
});

describe('the identity', () => {
  const parts = {
    source: 's',
    transform: undefined,
    runtime: '1',
    architecture: 'x86_64',
    optimize: true,
  } as const;

  it('is as before where nothing is declared of inputs, and another one for each thing that is', () => {
    const plain = identityOf({ ...parts, inputs: {} });
    expect(plain).toBe(keyOf('identity/1', 's', null, '1', 'x86_64', true));
    const others = [
      { columns: ['a', 'b'] },
      { columns: ['b', 'a'] },
      { missing: 'nan' },
      { finite: true },
      { columns: ['a', 'b'], missing: 'nan' },
    ] as const;
    const all = [plain, ...others.map((inputs) => identityOf({ ...parts, inputs }))];
    expect(new Set(all).size).toBe(all.length);
  });
});
