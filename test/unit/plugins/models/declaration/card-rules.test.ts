import { describe, expect, it } from 'vitest';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';

const problems = (card: unknown) =>
  parseModels({ churn: { artifact: 'a.onnx', card } }).problems.map(
    ({ key, message, fix }) => `${key}: ${message} ${fix}`,
  );

describe('a card', () => {
  it('is read with numbers of variables, digests in any case, and no key that has no value', () => {
    const card = {
      dataset: { file: 'data/t.csv', sha256: 'AB'.repeat(32), name: null },
      metrics: { auc: { value: '0.91', min: 0.88, on: 'eval' } },
      licence: 'Apache-2.0',
    };
    expect(parseModels({ churn: { artifact: 'a.onnx', card } })).toMatchObject({
      problems: [],
      models: [
        {
          card: {
            dataset: { file: 'data/t.csv', sha256: 'ab'.repeat(32) },
            metrics: { auc: { value: 0.91, min: 0.88, on: 'eval' } },
            licence: 'Apache-2.0',
          },
        },
      ],
    });
  });

  it('knows the nearest key, also below a metric', () => {
    expect(problems({ license: 'MIT', metrics: { auc: { minimum: 1, vale: 2 } } })).toEqual([
      'models.churn.card.metrics.auc.minimum: is not a key that exists here. Use one of value, on, min.',
      'models.churn.card.metrics.auc.vale: is not a key that exists here. Did you mean `value`?',
      'models.churn.card.license: is not a key that exists here. Did you mean `licence`?',
    ]);
  });

  it('names some data where it has a dataset', () => {
    expect(problems({ dataset: {} })).toEqual([
      'models.churn.card.dataset: names no data. Write `file`, `name` or `sha256`, or leave it out.',
    ]);
    expect(problems({ dataset: { sha256: 'abc' } })[0]).toMatch(/Write the 64 hexadecimal digits/);
  });

  it('has texts of one line and 200 characters: they are shown in tables, and told short', () => {
    const [long = ''] = problems({ owner: 'x'.repeat(1e6) });
    expect(long).toContain('… of 1000000 characters, not at most 200 characters.');
    expect(long.length).toBeLessThan(500);
    for (const owner of [
      'a\nb',
      '\u001b[31mred',
      'a\u2028b',
      '\u202Enna',
      'a\u200Bb',
      'a\uFEFF',
      'a\u{E0041}',
    ])
      expect(problems({ owner })).toHaveLength(1);
    expect(problems({ owner: '<b>Ann & Bob</b> | `x`' })).toEqual([]);
  });

  it('has up to twenty metrics, of names that MLflow takes, too', () => {
    const many = Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`m${i}`, { value: 1 }]));
    expect(problems({ metrics: many })).toEqual([
      'models.churn.card.metrics: has 21 metrics; a card shows 20. Leave out those that decide nothing.',
    ]);
    expect(problems({ metrics: { 'val/auc @5: x-y.z': { value: 1 } } })).toEqual([]);
    expect(problems({ metrics: { '<script>': { value: 1 } } })[0]).toContain('"<script>", which is no name');
    expect(problems({ metrics: { auc: 0.91 } })).toEqual([
      'models.churn.card.metrics.auc: is 0.91, not a map. Write {value: 0.91}, and `on` which data; or {min: 0.88}, where others know the value.',
    ]);
    const proto = JSON.parse('{"__proto__": {"value": 1}}');
    expect(problems({ metrics: proto })[0]).toContain('"__proto__", which is no name');
  });
});
