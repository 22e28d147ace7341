import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, nearest } from '../../../../../plugins/models/declaration/issues.ts';
import { parseModels, type Surroundings } from '../../../../../plugins/models/declaration/parse.ts';
import { formatProblem } from '../../../../../plugins/models/problems/errors.ts';

const problems = (raw: unknown, around?: Surroundings) =>
  parseModels(raw, around).problems.map(({ code, key }) => `${key} ${code}`);
const one = (declaration: unknown, around?: Surroundings) => parseModels({ churn: declaration }, around);
const churn = { artifact: 'churn.onnx' };

describe('a declaration', () => {
  it('of one key has every default', () => {
    expect(one(churn).models).toEqual([
      {
        name: 'churn',
        artifact: { reference: 'churn.onnx', path: 'churn.onnx' },
        package: 'zip',
        memory: 1769,
        timeout: 10,
        architecture: 'x86_64',
        optimize: true,
        function: {},
        iam: { statements: [], managedPolicies: [] },
        release: {
          strategy: 'auto',
          steps: [5, 25, 50].map((weight) => ({ weight, bake: 600 })),
          minRequests: 100,
          increase: 0.01,
          maxWait: 7200,
          onNoData: 'hold',
          rollbackWindow: 86_400,
          dryRun: false,
        },
      },
    ]);
  });

  it('a key without a value counts as not written, and is told where it would guard or watch', () => {
    const parsed = parseModels({
      churn: { ...churn, audit: null, signed: null, memory: null },
      fraud: null,
      offers: { ...churn, audit: {} },
    });
    expect(parsed.empty).toEqual(['models.churn.signed', 'models.churn.audit']);
    expect(parsed.models.map(({ name, audit }) => [name, audit])).toEqual([
      ['churn', undefined],
      ['offers', { predictions: false }],
    ]);
  });

  it('opens nothing by accident: http is guarded by IAM', () => {
    expect(one({ ...churn, http: {} }).models[0]?.http).toEqual({
      auth: 'iam',
      path: '/',
      throttle: { rate: 100, burst: 200 },
    });
  });

  it('takes the provider’s architecture unless it names one', () => {
    expect(one(churn, { architecture: 'arm64' }).models[0]?.architecture).toBe('arm64');
    expect(one({ ...churn, architecture: 'x86_64' }, { architecture: 'arm64' }).models[0]?.architecture).toBe(
      'x86_64',
    );
  });

  it('takes numbers and flags as the texts that variables give', () => {
    const [model] = one({ ...churn, memory: '512', timeout: '5', optimize: 'false' }).models;
    expect(model).toMatchObject({ memory: 512, timeout: 5, optimize: false });
  });

  it('treats null as absent, as the framework does', () => {
    const [model] = one({ ...churn, http: null, memory: null, traffic: null }).models;
    expect(model).toMatchObject({ memory: 1769 });
    expect(model).not.toHaveProperty('http');
    expect(parseModels(null)).toMatchObject({ models: [], problems: [] });
    const entry = { input: 's3://incoming/x/', output: 's3://scored/', create: null, ids: null };
    expect(
      one({ ...churn, batch: [entry], iam: { statements: null }, release: { steps: null } }).problems,
    ).toEqual([]);
    // What IAM takes for a value stays one.
    const kept = one({ ...churn, iam: { statements: [{ Effect: 'Allow', Action: 'x', Resource: null }] } });
    expect(JSON.stringify(kept)).toContain('"Resource":null');
  });

  it.each([
    ['5/s', 5],
    ['30/min', 0.5],
    ['36/h', 0.01],
    ['864/day', 0.01],
    ['2592 / month', 0.001],
  ])('reads traffic %s as requests a second', (traffic, expected) => {
    expect(one({ ...churn, traffic }).models[0]?.traffic).toBeCloseTo(expected, 12);
  });

  it('takes s3:// with bucket and key, which is no path', () => {
    expect(one({ artifact: 's3://models/a/b.onnx' }).models[0]?.artifact).toEqual({
      reference: 's3://models/a/b.onnx',
    });
    expect(problems({ churn: { artifact: 's3://models' } })).toEqual([
      'models.churn.artifact MODELS_INVALID_VALUE',
    ]);
  });

  it('takes tables that are packed with gzip by their names, but for those that are read from anywhere', () => {
    const metric = { cases: 'labelled.csv.gz', name: 'auc', min: 0.8 };
    const packed = (baseline: string) => ({ ...churn, drift: { baseline }, gate: { metric } });
    for (const name of ['a.csv.gz', 'b.JSONL.GZ']) expect(problems({ churn: packed(name) })).toEqual([]);
    for (const name of ['a.parquet.gz', 'b.npy.gz', 'c.gz'])
      expect(problems({ churn: packed(name) })).toEqual(['models.churn.drift.baseline MODELS_INVALID_VALUE']);
  });

  it('takes a base by its digest, of a host that there can be, and shows no password in it', () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const of = (base: string) => one({ ...churn, package: 'image', image: { base } });
    for (const base of ['library/node', 'example.com:65535/a', '10.0.0.1/a', '[::1]:5000/a'])
      expect(of(`${base}@${digest}`).problems).toEqual([]);
    for (const base of ['example.com:99999/a', '300.1.1.1/a', '[:::::]/a'])
      expect(of(`${base}@${digest}`).problems).toMatchObject([
        { code: 'MODELS_INVALID_VALUE', key: 'models.churn.image.base', value: `${base}@${digest}` },
      ]);
    for (const rest of ['host', `host/a@${digest}`])
      expect(of(`user:s3cretpw@${rest}`).problems).toEqual([
        expect.objectContaining({ value: `…@${rest}`, message: expect.not.stringContaining('s3cretpw') }),
      ]);
  });

  it('is frozen, and shares nothing with what the framework will write into', () => {
    const event = { sqs: 'arn:aws:sqs:us-east-1:123456789012:work' };
    const [model] = one({ ...churn, function: { events: [event] } }).models;
    expect(Object.isFrozen(model?.function)).toBe(true);
    expect(Object.isFrozen(event)).toBe(false);
  });
});

describe('what is wrong', () => {
  it('is all reported at once, rules between keys included', () => {
    const { problems, models } = one({
      artefact: 'a.onnx',
      memory: 64,
      timeout: 60,
      http: { auth: 'nobody' },
      function: { handler: 'x' },
    });
    expect(models).toEqual([]);
    expect(problems.map(({ key }) => key)).toEqual([
      'models.churn.artifact',
      'models.churn.memory',
      'models.churn.http.auth',
      'models.churn.artefact',
      'models.churn.timeout',
      'models.churn.function.handler',
    ]);
  });

  // The defaults stand in its place meanwhile.
  it.each([
    [{ release: { steps: [{ weight: 10, bake: 'x' }], maxWait: '5d' } }, ['release.steps.0.bake']],
    [{ release: { strategy: 'blue-green', maxWait: '5d' } }, ['release.strategy']],
    [{ timeout: 1000, latency: { p95: 60_000 } }, ['timeout']],
    [{ package: 'Image', image: { repository: 'models' } }, ['package']],
    [{ package: 'Image', function: { layers: [1, 2, 3, 4, 5] } }, ['package']],
    [{ batch: { input: 's3://incoming/' }, concurrency: { batch: 5 } }, ['batch.0.output']],
  ])('is not told of what stands in the place of a wrong value, which nobody wrote: %j', (given, wrong) => {
    expect(one({ ...churn, ...given }).problems.map(({ key }) => key)).toEqual(
      wrong.map((key) => `models.churn.${key}`),
    );
  });

  it('counts a list that is too short', () => {
    const [problem] = one({
      ...churn,
      gate: { metric: { cases: 'a.csv', name: 'auc', min: 0.8, classes: ['a'] } },
    }).problems;
    expect(problem?.message).toBe('has 1, not at least 2.');
  });

  it('show no control character to a terminal', () => {
    const problem = { code: 'MODELS_REFERENCE', key: 'models.a.drift', fix: 'Rename it.' } as const;
    expect(formatProblem({ ...problem, message: 'Its column \u001b[2Jé\u0000\u009b\r is\n\todd.' })).toBe(
      'models.a.drift: Its column \\u001b[2Jé\\u0000\\u009b\\u000d is\n\todd. Rename it. [MODELS_REFERENCE]',
    );
  });

  it('names the key, the value, the limit and the remedy', () => {
    expect(one({ ...churn, memory: 64 }).problems.map(formatProblem)).toEqual([
      'models.churn.memory: is 64, not at least 128. Write a whole number of MB from 128 to 10,240. [MODELS_INVALID_VALUE]',
    ]);
    expect(one({ ...churn, timout: 5 }).problems.map(formatProblem)).toEqual([
      'models.churn.timout: is not a key that exists here. Did you mean `timeout`? [MODELS_UNKNOWN_KEY]',
    ]);
  });

  it.each([
    [{ http: true }, 'http: is true, not a map. Write {} for signed requests, or {auth: none}'],
    [{ drift: 'r.csv' }, 'drift: is "r.csv", not a map. Write {baseline: '],
    [{ gate: 'c.jsonl' }, 'gate: is "c.jsonl", not a map. Write {cases: '],
    [{ release: 'canary' }, 'release: is "canary", not a map. Write {strategy: canary}'],
    [{ concurrency: 5 }, 'concurrency: is 5, not a map. Write {provisioned: 2}'],
    // A list of one needs no brackets, so what is no item stands in no list.
    [{ batch: true }, 'batch: is true, not a map. Write entries, for example {input: '],
    [{ batch: [true] }, 'batch.0: is true, not a map. Write entries'],
    [{ columns: 5 }, 'columns: is 5, not a text.'],
    [{ columns: ['a', 5] }, 'columns.1: is 5, not a text.'],
    [{ release: { steps: '5%' } }, 'release.steps: is "5%", not a map. Write steps, for example'],
  ])('tells of %o what it is, and what to write', (given, start) => {
    const [told = '', ...others] = one({ ...churn, ...given }).problems.map(formatProblem);
    expect([told.slice(0, `models.churn.${start}`.length), others]).toEqual([`models.churn.${start}`, []]);
  });

  it.each(['models-x', '1churn', 'ch_urn', '', 'a'.repeat(41), 'ch urn'])('includes the name %j', (name) => {
    expect(problems({ [name]: churn })).toEqual([`models.${name} MODELS_INVALID_NAME`]);
  });

  it.each(['Models-catalog', 'Models-release', 'modelsDashdrift'])(
    'includes %s, which is ours to ids',
    (name) => {
      expect(problems({ [name]: churn })).toEqual([`models.${name} MODELS_NAME_TAKEN`]);
      expect(problems({ 'Models-churn': churn })).toEqual([]);
    },
  );

  it.each([
    ['churn', 'Churn'],
    ['a-b', 'aDashb'],
    ['a-b', 'A-B'],
  ])('includes names that differ in nothing that ids keep: %s and %s', (a, b) => {
    expect(problems({ [a]: churn, [b]: churn })).toEqual([`models.${b} MODELS_NAME_TAKEN`]);
    expect(problems({ [b]: churn }, { functions: [a] })).toEqual([`models.${b} MODELS_NAME_TAKEN`]);
  });

  it.each([
    [{ traffic: `${'9'.repeat(400)}/s` }, 'traffic'],
    [{ traffic: '1000001/s' }, 'traffic'],
    [{ drift: { baseline: 'x.csv', window: `${'9'.repeat(400)}h` } }, 'drift.window'],
    [
      { gate: { metric: { cases: 'x.csv', name: 'auc', worseThanLive: '1e400' } } },
      'gate.metric.worseThanLive',
    ],
  ])('includes numbers that are none any more: %o', (given, key) => {
    expect(problems({ churn: { ...churn, ...given } })).toContain(`models.churn.${key} MODELS_INVALID_VALUE`);
  });

  it('includes a timeout that the HTTP API would not wait for, and limits on an API of another stack', () => {
    expect(problems({ churn: { ...churn, timeout: 30, http: {} } })).toEqual([
      'models.churn.timeout MODELS_INVALID_VALUE',
    ]);
    expect(problems({ churn: { ...churn, timeout: 900 } })).toEqual([]);
    const external = { externalApi: true };
    expect(problems({ churn: { ...churn, http: {} } }, external)).toEqual([]);
    expect(problems({ churn: { ...churn, http: { throttle: {} } } }, external)).toEqual([
      'models.churn.http.throttle MODELS_INVALID_VALUE',
    ]);
  });

  it.each(['/..', '/a/./b', '/../x', '/a/..'])('includes the path %s', (path) => {
    expect(problems({ churn: { ...churn, http: { path } } })).toEqual([
      'models.churn.http.path MODELS_INVALID_VALUE',
    ]);
    for (const good of ['/.well', '/a..b', '/...', '/a./.b/'])
      expect(problems({ churn: { ...churn, http: { path: good } } })).toEqual([]);
  });

  it('includes numbers that JSON does not have, and dates that YAML makes, by what they are', () => {
    const told = (declaration: object) =>
      one({ ...churn, ...declaration }).problems.map(({ key, message }) => `${key} ${message}`);
    expect(told({ memory: Number.NaN })).toEqual(['models.churn.memory is NaN, not a number.']);
    expect(told({ memory: Number.POSITIVE_INFINITY })).toEqual([
      'models.churn.memory is Infinity, not a number.',
    ]);
    const date = new Date('2026-11-01');
    const why = 'which YAML makes of a day or time without quotes.';
    const said = `is a date, 2026-11-01T00:00:00.000Z, ${why}`;
    expect(told({ card: { metrics: { auc: { value: 1, on: date } } } })).toEqual([
      `models.churn.card.metrics.auc.on ${said}`,
    ]);
    expect(told({ card: date, artifact: date, columns: ['a', date] })).toEqual([
      `models.churn.artifact ${said}`,
      `models.churn.card ${said}`,
      `models.churn.columns.1 ${said}`,
    ]);
    expect(told({ card: new Date(Number.NaN) })).toEqual([`models.churn.card is a date, ${why}`]);
    expect(parseModels({}, { options: { alerts: date } }).problems).toMatchObject([
      { key: 'custom.models.alerts', value: date },
    ]);
    // A date of the framework’s own.
    expect(told({ function: { tags: { since: date } } })).toEqual([]);
  });

  it.each(['1.2.3.4', 'a..b', 'xn--models', 'models-s3alias'])('includes the registry %s', (bucket) => {
    const found = parseModels({}, { options: { registry: { bucket } } }).problems;
    expect(found).toMatchObject([{ code: 'MODELS_INVALID_VALUE', value: bucket }]);
    expect(found[0]?.key).toBe('custom.models.registry.bucket');
    expect(found[0]?.message).toMatch(/^is "[^"]+", but .+\.$/);
  });

  it('includes more layers than a function takes', () => {
    const layers = (count: number) => ({
      churn: { ...churn, function: { layers: Array(count).fill('arn:x') } },
    });
    expect(problems(layers(4))).toEqual([]);
    expect(problems(layers(5))).toEqual(['models.churn.function.layers MODELS_LIMIT']);
  });

  it('includes what custom.models does not have', () => {
    expect(problems({}, { options: { registry: 'my-models' } })).toEqual([
      'custom.models.registry MODELS_INVALID_VALUE',
    ]);
    expect(problems({}, { options: { dashbord: true } })).toEqual([
      'custom.models.dashbord MODELS_UNKNOWN_KEY',
    ]);
    expect(parseModels({}, { options: { registry: { bucket: 'my-models' } } }).options).toEqual({
      registry: { bucket: 'my-models' },
    });
  });

  it('never throws, whatever is written: either a model or a problem comes of every entry', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.anything()), (raw) => {
        const { models, problems } = parseModels(raw);
        for (const name of Object.keys(raw)) {
          const known =
            models.some((model) => model.name === name) ||
            problems.some(({ key }) => key.startsWith(`models.${name}`));
          expect(known).toBe(true);
        }
      }),
    );
    fc.assert(fc.property(fc.anything(), (raw) => Array.isArray(parseModels(raw).problems)));
  });
});

describe('the nearest name', () => {
  it.each([
    ['artefact', 'artifact'],
    ['memori', 'memory'],
    ['timout', 'timeout'],
    ['htpp', 'http'],
    ['Function', 'function'],
  ])('of %s is %s', (wrong, right) => {
    expect(nearest(wrong, ['artifact', 'memory', 'timeout', 'http', 'function'])).toBe(right);
  });

  it('is none for what is like nothing', () => {
    expect(nearest('banana', ['artifact', 'memory', 'timeout'])).toBeUndefined();
  });

  it('follows a distance: zero for equal, the same both ways, never longer than the longer text', () => {
    const word = fc.string({ maxLength: 12 });
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(editDistance(a, a)).toBe(0);
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
        if (a !== b) expect(editDistance(a, b)).toBeGreaterThan(0);
      }),
    );
  });
});

describe('who must have signed', () => {
  const who = { identity: 'ann@example.com', issuer: 'https://accounts.example.com' };
  it.each([
    [{ key: 'k.pub' }],
    [{ key: 'k.pub', file: 'a.sig' }],
    [{ ca: 'c.pem', subject: 'CN=a' }],
    [who],
    [{ ...who, root: 'r.json', file: 'a.sig' }],
  ])('is told by %j', (signed) => {
    expect(one({ ...churn, signed })).toMatchObject({ models: [{ signed }], problems: [] });
  });

  it.each([
    [{}],
    [{ file: 'a.sig' }],
    [{ ca: 'c.pem' }],
    [{ subject: 'CN=a' }],
    [{ key: 'k.pub', ca: 'c.pem', subject: 'CN=a' }],
    [{ key: 'k.pub', subject: 'CN=a' }],
    [{ identity: 'ann@example.com' }],
    [{ issuer: 'https://accounts.example.com' }],
    [{ root: 'r.json' }],
    [{ key: 'k.pub', root: 'r.json' }],
    [{ ...who, key: 'k.pub' }],
    [{ ...who, ca: 'c.pem', subject: 'CN=a' }],
    [{ ...who, subject: 'CN=a' }],
  ])('is not told by %j', (signed) => {
    expect(problems({ churn: { ...churn, signed } })).toEqual(['models.churn.signed MODELS_INVALID_VALUE']);
  });

  it.each([
    [{ signed: { key: '' } }, 'signed.key'],
    [{ signed: { key: 5 } }, 'signed.key'],
    [{ signed: { ca: 'c.pem', subject: [] } }, 'signed.subject'],
    [{ card: { dataset: { name: '' } } }, 'card.dataset.name'],
    [{ card: { dataset: { fille: 'a.csv' } } }, 'card.dataset.fille'],
  ])('%o is told once, and no other fault that follows from it', (given, key) => {
    const told = new Set(one({ ...churn, ...given }).problems.map((problem) => problem.key));
    expect([...told]).toEqual([`models.churn.${key}`]);
  });

  it('a path alone is answered with what to write', () => {
    expect(one({ ...churn, signed: 'keys/ml.pub' }).problems[0]?.fix).toContain('Write {key: keys/ml.pub}');
  });
});
