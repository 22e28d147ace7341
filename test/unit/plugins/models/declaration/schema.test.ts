import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { percentOf, seconds } from '../../../../../plugins/models/declaration/keys/units.ts';
import {
  frameworkSchema,
  options,
  optionsOfService,
  optionTable,
} from '../../../../../plugins/models/declaration/options.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';

/** As osls 4 compiles the schema of a whole service: one union of plain types, and every command dies. */
const strict = () =>
  new Ajv({ allErrors: true, coerceTypes: 'array', verbose: true, strict: true, strictRequired: false });

describe('the schema for the framework', () => {
  it.each(['models', 'any'] as const)('compiles in AJV’s strict mode: %s', (of) => {
    expect(() => strict().compile(frameworkSchema(of))).not.toThrow();
  });

  it('leaves names and values to parseModels, which reports them all at once', () => {
    const validate = strict().compile(frameworkSchema('models'));
    const scalar = fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.array(fc.string()));
    const model = fc.dictionary(
      fc.oneof(fc.constantFrom('http', 'iam', 'artifact'), fc.string()).filter((key) => key !== 'function'),
      scalar,
    );
    fc.assert(
      fc.property(fc.dictionary(fc.string(), model), (models) => validate(structuredClone(models)) === true),
    );
    const validateOptions = strict().compile(frameworkSchema('any'));
    fc.assert(fc.property(fc.anything(), (value) => validateOptions(value) === true));
  });

  it('checks `function` as the framework checks functions', () => {
    const functionSchema = {
      type: 'object',
      properties: { vpc: { type: 'object' } },
      additionalProperties: false,
    };
    const validate = strict().compile(frameworkSchema('models', functionSchema));
    expect(validate({ churn: { artifact: 'a.onnx', function: { vpc: {} } } })).toBe(true);
    expect(validate({ churn: { artifact: 'a.onnx', function: { vcp: {} } } })).toBe(false);
  });

  it('has no words of its own but those of JSON Schema', () => {
    const words = new Set<string>();
    const walk = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      for (const [key, entry] of Object.entries(value)) {
        words.add(key);
        if (key === 'properties') for (const property of Object.values(entry as object)) walk(property);
        else walk(entry);
      }
    };
    walk(frameworkSchema('models'));
    walk(frameworkSchema('any'));
    expect([...words].sort()).toEqual(['additionalProperties', 'description', 'properties', 'type']);
  });
});

describe('the option table', () => {
  it('has a row for every key, each with a description, and the defaults that parsing gives', () => {
    const table = optionTable();
    for (const { key, description } of [...options(), ...optionsOfService()]) {
      expect(table).toContain(`${key}\` |`);
      expect(description, key).not.toBe('');
    }
    const concurrency = { provisioned: { min: 1, max: 2 } };
    const metric = { cases: 'labelled.csv', name: 'auc', min: 0.8 };
    const gate = { cases: 'cases.jsonl', metric, load: { rate: 5 } };
    const drift = { baseline: 'reference.csv' };
    const batch = [{ input: 's3://incoming/a/', output: 's3://scored/a/' }];
    const { models } = parseModels({
      churn: { artifact: 'a.onnx', http: {}, concurrency, gate, drift, batch, audit: {} },
    });
    const at = (key: string): unknown =>
      key
        .replace('batch[]', 'batch.entries.0')
        .split('.')
        .reduce((here: unknown, part) => (here as Record<string, unknown>)[part], models[0]);
    for (const option of options()) {
      if (option.default === undefined) continue;
      const text = option.default.slice(1, -1);
      const value = at(option.key);
      const read: Readonly<Record<string, unknown>> = {
        duration: seconds(text),
        percent: percentOf(text) / 100,
        // One of a few durations.
        '`5m` \\| `1h` \\| `1d`': seconds(text),
      };
      expect(read[option.type] ?? text, option.key).toEqual(
        typeof value === 'string' || option.type in read ? value : JSON.stringify(value),
      );
    }
  });

  it('says of every duration what a plain number is', () => {
    const durations = options().filter(({ type }) => type === 'duration');
    expect(durations.length).toBeGreaterThan(3);
    for (const { key, description } of durations)
      expect(description, key).toMatch(/ A plain number is seconds\.$/);
    const { models } = parseModels({ churn: { artifact: 'a.onnx', release: { maxWait: 90 } } });
    expect(models[0]?.release.maxWait).toBe(90);
  });

  it('says of every percentage that a plain number is one: 1 is not all', () => {
    const shares = options().filter(({ type }) => type === 'percent');
    expect(shares.length).toBeGreaterThan(3);
    for (const { key, description } of shares)
      expect(description, key).toMatch(/ A plain number is percent: `1` is `1%`\.$/);
    const drift = { baseline: 'a.csv', sample: 1 };
    expect(parseModels({ churn: { artifact: 'a.onnx', drift } }).models[0]?.drift?.sample).toBe(0.01);
  });

  it('is a table: the same number of columns in every row', () => {
    const columns = optionTable()
      .split('\n')
      .map((row) => row.replaceAll('\\|', '').split('|').length);
    expect(new Set(columns).size).toBe(1);
  });
});
