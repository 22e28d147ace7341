import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAYS, daysOf, seconds, written } from '../../../../../plugins/models/declaration/keys/units.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { formatProblem } from '../../../../../plugins/models/problems/errors.ts';

const parse = (rest: object) => parseModels({ churn: { artifact: 'churn.onnx', ...rest } });
const model = (rest: object) => {
  const { models, problems } = parse(rest);
  expect(problems).toEqual([]);
  return models[0];
};
const problems = (rest: object): readonly string[] =>
  parse(rest).problems.map((problem) => formatProblem(problem).replace('models.churn.', ''));
const metric = { cases: 'rows.csv', name: 'auc', min: 0.8 };
const measured = (more: object) => ({ gate: { metric: { ...metric, ...more } } });
const window = { days: 'mon-fri', from: '08:00', to: '20:00', timezone: 'Europe/Berlin', min: 10, max: 50 };
const provisioned = { min: 2, max: 20 };

describe('durations', () => {
  it.each([
    ['30s', 30],
    ['10m', 600],
    ['2h', 7200],
    ['1d', 86_400],
    ['1.5h', 5400],
    ['90', 90],
    ['0', 0],
  ])('%s is %d seconds', (text, expected) => {
    expect(seconds(text)).toBe(expected);
  });

  it('are read back as they are shown', () => {
    fc.assert(fc.property(fc.nat(1e7), (duration) => seconds(written(duration)) === duration));
  });
});

describe('days', () => {
  it.each([
    ['daily', DAYS],
    ['mon-fri', ['MON', 'TUE', 'WED', 'THU', 'FRI']],
    ['sat', ['SAT']],
    ['fri-mon', ['MON', 'FRI', 'SAT', 'SUN']],
    ['Wed, mon', ['MON', 'WED']],
  ])('%s', (text, expected) => {
    expect(daysOf(text)).toEqual(expected);
  });
});

describe('concurrency', () => {
  it('takes a number, or a range with a target', () => {
    expect(model({ concurrency: { provisioned: '4' } })?.concurrency).toEqual({
      provisioned: { min: 4, max: 4, target: 0.7 },
      schedule: [],
    });
    expect(model({ concurrency: { provisioned, reserved: 100, schedule: window } })?.concurrency).toEqual({
      provisioned: { min: 2, max: 20, target: 0.7 },
      reserved: 100,
      schedule: [
        {
          days: ['MON', 'TUE', 'WED', 'THU', 'FRI'],
          from: 480,
          to: 1200,
          timezone: 'Europe/Berlin',
          min: 10,
          max: 50,
        },
      ],
    });
  });

  it.each<[string, object, readonly string[]]>([
    [
      'a range the wrong way round',
      { provisioned: { min: 3, max: 2 } },
      ['concurrency.provisioned.min: is above `max`, 2. Write at most 2. [MODELS_INVALID_VALUE]'],
    ],
    [
      'a range without an end',
      { provisioned: { min: 3 } },
      ['concurrency.provisioned.max: is missing. Write a number. [MODELS_INVALID_VALUE]'],
    ],
    [
      'nothing warm',
      { provisioned: 0 },
      [
        'concurrency.provisioned: is 0, not at least 1. Write a number of instances, or {min: 2, max: 20}. [MODELS_INVALID_VALUE]',
      ],
    ],
    [
      'a reservation that a release does not fit into',
      { provisioned, reserved: 39 },
      [
        'concurrency.reserved: reserves 39 instances, but both versions of a release hold up to 20 each. Reserve 40 or more, or provision 19 at most. [MODELS_CAPACITY]',
      ],
    ],
    [
      'a reservation that a release in the busy hours does not fit into',
      { provisioned, reserved: 99, schedule: [window] },
      [
        'concurrency.reserved: reserves 99 instances, but both versions of a release hold up to 50 each. Reserve 100 or more, or provision 49 at most. [MODELS_CAPACITY]',
      ],
    ],
    [
      'a reservation of which nothing can be kept warm',
      { provisioned: 1, reserved: 1 },
      [
        'concurrency.reserved: reserves 1 instances, but both versions of a release hold up to 1 each. Reserve 2 or more, or leave `provisioned` out. [MODELS_CAPACITY]',
      ],
    ],
    [
      'a schedule of nothing',
      { schedule: [window] },
      [
        'concurrency.schedule: changes a range, but none is set. Write `concurrency.provisioned`, the range at all other times. [MODELS_INVALID_VALUE]',
      ],
    ],
    [
      'a window over midnight',
      { provisioned, schedule: [{ ...window, from: '20:00', to: '06:00' }] },
      [
        'concurrency.schedule.0.to: is not after `from`, 20:00. Write a later time of the same day; a window over midnight is two of them. [MODELS_INVALID_VALUE]',
      ],
    ],
    [
      'a time zone that is none',
      { provisioned, schedule: [{ ...window, timezone: 'Berlin' }] },
      [
        'concurrency.schedule.0.timezone: is "Berlin", which is not a time zone. Write an IANA name, for example Europe/Berlin or UTC. [MODELS_INVALID_VALUE]',
      ],
    ],
    [
      'an offset, which Node takes and AWS does not',
      { provisioned, schedule: [{ ...window, timezone: '+01:00' }] },
      [
        'concurrency.schedule.0.timezone: is "+01:00", which is not a time zone. Write an IANA name, for example Europe/Berlin or UTC. [MODELS_INVALID_VALUE]',
      ],
    ],
    ...['europe/berlin', 'EUROPE/BERLIN', 'Europe/berlin'].map((timezone): [string, object, string[]] => [
      `the time zone ${timezone}, which Node takes and AWS does not`,
      { provisioned, schedule: [{ ...window, timezone }] },
      [
        `concurrency.schedule.0.timezone: is "${timezone}", and AWS knows it as Europe/Berlin: capitals count. Write Europe/Berlin. [MODELS_INVALID_VALUE]`,
      ],
    ]),
    [
      'another name of a time zone in small letters',
      { provisioned, schedule: [{ ...window, timezone: 'asia/kolkata' }] },
      [
        'concurrency.schedule.0.timezone: is "asia/kolkata", which is not a time zone. Write an IANA name, for example Europe/Berlin or UTC. [MODELS_INVALID_VALUE]',
      ],
    ],
    [
      'windows that touch',
      { provisioned, schedule: [window, { ...window, days: 'fri', from: '20:00', to: '21:00' }] },
      [
        'concurrency.schedule.1: touches `schedule.0`: which range holds then would be chance. Leave at least a minute between them. [MODELS_INVALID_VALUE]',
      ],
    ],
    [
      'windows of two time zones, which may or may not touch',
      {
        provisioned,
        schedule: [
          { ...window, days: 'mon' },
          { ...window, days: 'tue', timezone: 'UTC' },
        ],
      },
      [
        'concurrency.schedule.1.timezone: is of another time zone than `schedule.0`: how far they are apart changes with summer time, so whether they touch cannot be told for the whole year. Write both in one time zone. [MODELS_INVALID_VALUE]',
      ],
    ],
    [
      'a time zone that is none, and no other fault that follows from it',
      {
        provisioned,
        schedule: [
          { ...window, days: 'mon' },
          { ...window, days: 'tue', timezone: 'Berln' },
        ],
      },
      [
        'concurrency.schedule.1.timezone: is "Berln", which is not a time zone. Write an IANA name, for example Europe/Berlin or UTC. [MODELS_INVALID_VALUE]',
      ],
    ],
    [
      'a part of an instance, and no other fault that follows from it',
      { provisioned: 1.5, schedule: [window] },
      [
        'concurrency.provisioned: is 1.5, not a whole number or a map. Write a number of instances, or {min: 2, max: 20}. [MODELS_INVALID_VALUE]',
      ],
    ],
    [
      'a target in percent',
      { provisioned: { ...provisioned, target: '70%' } },
      [
        'concurrency.provisioned.target: is "70%", not a number. Write a share of the instances from 0.1 to 0.9, for example 0.7. [MODELS_INVALID_VALUE]',
      ],
    ],
    [
      'a time without quotes, which YAML reads as a number',
      { provisioned, schedule: [{ ...window, from: 480 }] },
      [
        'concurrency.schedule.0.from: is 480, not a text. Write a time of the day as "HH:MM", in quotes. [MODELS_INVALID_VALUE]',
      ],
    ],
  ])('refuses %s', (_, concurrency, expected) => {
    expect(problems({ concurrency })).toEqual(expected);
  });

  it('shows what was written of a list of one without brackets, too', () => {
    expect(problems({ concurrency: { provisioned, schedule: { ...window, days: 'workdays' } } })).toEqual([
      'concurrency.schedule.0.days: is "workdays", not a value of the form that is expected here. Write days, for example mon-fri, sat or mon,wed,fri, or daily. [MODELS_INVALID_VALUE]',
    ]);
  });

  it('takes windows on other days, or at other hours', () => {
    const schedule = [
      window,
      { ...window, days: 'sat' },
      { ...window, days: 'daily', from: '21:00', to: '23:00' },
    ];
    expect(problems({ concurrency: { provisioned, schedule } })).toEqual([]);
  });

  it('knows the framework’s reservation and provisioned concurrency', () => {
    expect(problems({ concurrency: { reserved: 5 }, function: { reservedConcurrency: 5 } }).join()).toContain(
      'is declared twice',
    );
    expect(
      problems({ concurrency: { provisioned: 5 }, function: { reservedConcurrency: 9 } }).join(),
    ).toContain('MODELS_CAPACITY');
    expect(problems({ concurrency: { provisioned: 5 }, function: { reservedConcurrency: 10 } })).toEqual([]);
    expect(problems({ function: { provisionedConcurrency: 5 } }).join()).toContain(
      'Write `concurrency.provisioned`',
    );
  });
});

describe('gate and latency', () => {
  it('have the units of the model', () => {
    const gate = {
      cases: 'c.jsonl',
      reference: 'sagemaker:churn-prod',
      tolerance: '1e-3',
      load: { rate: 5 },
    };
    expect(model({ gate, latency: { p95: '100' } })).toMatchObject({
      gate: { cases: 'c.jsonl', reference: 'churn-prod', tolerance: 1e-3, load: { rate: 5, duration: 30 } },
      latency: { p95: 100 },
    });
    expect(model({ gate: { cases: 'c.jsonl' } })?.gate).toEqual({ cases: 'c.jsonl', tolerance: 1e-4 });
    // Labelled rows need no cases, and margins are in the metric's own unit.
    const given = { label: 'label', onNoData: 'refuse', ...metric };
    expect(model({ gate: { metric } })?.gate).toEqual({ metric: given, tolerance: 1e-4 });
    expect(model(measured({ worseThanLive: '2.5%' }))?.gate?.metric?.worseThanLive).toEqual({
      by: 0.025,
      percent: true,
    });
    expect(model(measured({ worseThanLive: 0.01 }))?.gate?.metric?.worseThanLive).toEqual({
      by: 0.01,
      percent: false,
    });
    // The card's floor is the gate's, where that has none; the same one may stand in both.
    const card = { metrics: { auc: { min: 0.88 } } };
    const { min: _, ...without } = metric;
    expect(model({ card, gate: { metric: without } })?.gate?.metric?.min).toBe(0.88);
    expect(model({ card, ...measured({ min: 0.88 }) })?.gate?.metric?.min).toBe(0.88);
    const loss = { ...without, name: 'logLoss', max: 0.4 };
    const lossCard = { metrics: { logLoss: { min: 0.1 } } };
    expect(model({ card: lossCard, gate: { metric: loss } })?.gate?.metric?.min).toBeUndefined();
    expect(model(measured({ name: 'r2', min: -0.5 }))?.gate?.metric?.min).toBe(-0.5);
  });

  it.each<[string, object, RegExp]>([
    ['a gate without cases', { gate: {} }, /^gate: has no cases/],
    [
      'cases without a name, and nothing that follows from it',
      { gate: { cases: '' } },
      /^gate\.cases: is an empty text\. Write the path/,
    ],
    ['a reference without cases', { gate: { reference: 'sagemaker:a' } }, /^gate: has no cases/],
    ['a load without cases', { gate: { load: { rate: 5 } } }, /^gate: has no cases/],
    [
      'a load beyond what the worker can send',
      { gate: { cases: 'c', load: { rate: 101 } } },
      /^gate\.load\.rate: .*100/,
    ],
    ['another kind of reference', { gate: { cases: 'c', reference: 'a' } }, /Write sagemaker:<name/],
    [
      'a load beyond the worker’s run',
      { gate: { cases: 'c', load: { rate: 5, duration: '5m' } } },
      /is 5m; a load may take 3m/,
    ],
    [
      'a load of a few requests',
      { gate: { cases: 'c', load: { rate: 1, duration: 19 } } },
      /sends 19 requests; a p95 needs 20/,
    ],
    ['a load without cases, beside a metric', { gate: { metric, load: { rate: 5 } } }, /^gate: has no cases/],
    [
      'a metric without rows',
      { gate: { metric: { name: 'auc', min: 1 } } },
      /^gate\.metric\.cases: is missing/,
    ],
    [
      'a metric that there is not',
      measured({ name: 'f1' }),
      /^gate\.metric\.name: .*accuracy, auc, logLoss, mae, rmse, r2/,
    ],
    [
      'a metric that nothing can miss',
      measured({ min: undefined }),
      /^gate\.metric: has nothing that a version could miss\. Write `min`, or `worseThanLive`, or both/,
    ],
    [
      'a floor of a loss',
      measured({ name: 'mae' }),
      /^gate\.metric\.min: does not go with mae, of which less is better\. Write `max` in its place/,
    ],
    [
      'a ceiling of a share',
      measured({ min: undefined, max: 0.9 }),
      /^gate\.metric\.max: does not go with auc, of which more is better\. Write `min`/,
    ],
    [
      'a share in percent',
      measured({ min: 85 }),
      /^gate\.metric\.min: is 85; auc is at most 1\. Write 0\.85/,
    ],
    ['a share in percent with a fraction', measured({ min: 99.9 }), /Write 0\.999(?!\d)/],
    ['a share below nothing', measured({ min: -0.1 }), /^gate\.metric\.min: is -0\.1/],
    [
      'a loss below nothing',
      measured({ name: 'rmse', min: undefined, max: -1 }),
      /^gate\.metric\.max: is -1; rmse is never below 0/,
    ],
    [
      'a floor beside another one of the card',
      { card: { metrics: { auc: { min: 0.88 } } }, gate: { metric } },
      /^gate\.metric\.min: is 0\.8, and card\.metrics\.auc\.min is 0\.88\. Leave it out/,
    ],
    [
      'percent of the label’s unit',
      measured({ name: 'mae', min: undefined, worseThanLive: '1%' }),
      /^gate\.metric\.worseThanLive: is in percent, but mae has the label’s unit\. Write a number, for example 0\.01/,
    ],
    [
      'a margin that is all',
      measured({ worseThanLive: 2 }),
      /^gate\.metric\.worseThanLive: is 2, and auc is at most 1\. Write 2%/,
    ],
    [
      'a margin that is none',
      measured({ worseThanLive: 'little' }),
      /^gate\.metric\.worseThanLive: .*0\.01, or 1%/,
    ],
    [
      'an array, which has no names',
      measured({ cases: 'rows.npy' }),
      /^gate\.metric\.cases: is an array.*\.csv, \.jsonl or \.parquet/,
    ],
    [
      'another kind of file',
      measured({ cases: 'rows.xlsx' }),
      /^gate\.metric\.cases: is of no format that can be read/,
    ],
    [
      'classes of numbers',
      measured({ name: 'mae', min: undefined, max: 1, classes: ['a', 'b'] }),
      /^gate\.metric\.classes: do not go with mae/,
    ],
    ['a class twice', measured({ classes: ['a', 'a'] }), /^gate\.metric\.classes: have a name twice/],
    [
      'three classes of auc',
      measured({ classes: ['a', 'b', 'c'] }),
      /^gate\.metric\.classes: are 3; auc takes two/,
    ],
    ['a single class', measured({ classes: ['a'] }), /^gate\.metric\.classes: /],
    ['another word for no data', measured({ onNoData: 'hold' }), /^gate\.metric\.onNoData: .*refuse, pass/],
    ['an objective beyond the timeout', { latency: { p95: 10_001 } }, /^latency\.p95: is 10001 ms.*10000/],
    ['no objective', { latency: {} }, /^latency\.p95: is missing/],
  ])('refuse %s', (_, rest, expected) => {
    const found = problems(rest);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(expected);
  });
});

describe('a limit of a metric', () => {
  it.each(['min', 'worseThanLive'])('that is none is told alone: %s', (name) => {
    const { min: _, ...rest } = metric;
    const found = problems({ gate: { metric: { ...rest, [name]: 'high' } } });
    expect(found).toEqual([expect.stringMatching(new RegExp(`^gate\\.metric\\.${name}: is "high", not `))]);
  });
});

it('a margin in percent is told as it is written', () => {
  const metric = { cases: 'rows.csv', name: 'mae', max: 1, worseThanLive: '7%' };
  expect(parse({ gate: { metric } }).problems).toMatchObject([
    { key: 'models.churn.gate.metric.worseThanLive', value: '7%' },
  ]);
});

describe('release', () => {
  const release = (rest: object) => model({ release: rest })?.release;

  it('spells out linear, and keeps no steps where there are none', () => {
    expect(release({ strategy: 'linear' })?.steps.map(({ weight }) => weight)).toEqual([
      10, 20, 30, 40, 50, 60, 70, 80, 90,
    ]);
    expect(release({ strategy: 'linear', steps: [{ weight: '33%', bake: '5m' }] })?.steps).toEqual([
      { weight: 33, bake: 300 },
      { weight: 66, bake: 300 },
      { weight: 99, bake: 300 },
    ]);
    // A step of 99.9 % leaves the stable version too little for a verdict in time.
    for (const [weight, weights] of [
      ['33.3%', [33.3, 66.6]],
      ['49.9%', [49.9]],
      ['12.3%', [12.3, 24.6, 36.9, 49.2, 61.5, 73.8, 86.1, 98.4]],
      ['99%', [99]],
    ] as const)
      expect(
        release({ strategy: 'linear', steps: [{ weight, bake: '5m' }] })?.steps.map((step) => step.weight),
      ).toEqual(weights);
    for (const strategy of ['blueGreen', 'allAtOnce']) expect(release({ strategy })?.steps).toEqual([]);
  });

  it('takes percents and durations as texts and numbers', () => {
    expect(
      release({ steps: [{ weight: 5, bake: 60 }], increase: 2, maxWait: '30m', rollbackWindow: 0 }),
    ).toMatchObject({
      steps: [{ weight: 5, bake: 60 }],
      increase: 0.02,
      maxWait: 1800,
      rollbackWindow: 0,
    });
  });

  it.each<[string, object, RegExp]>([
    [
      'falling weights',
      { steps: [25, 5].map((weight) => ({ weight, bake: '10m' })) },
      /steps\.1\.weight: is 5 %, not above the 25 % before it/,
    ],
    ['no weight', { steps: [{ weight: 0, bake: '10m' }] }, /is 0 %, not 1 to 99/],
    ['all the weight', { steps: [{ weight: 100, bake: '10m' }] }, /is 100 %, not 1 to 99/],
    [
      'linear steps of nothing',
      { strategy: 'linear', steps: [{ weight: 0, bake: '10m' }] },
      /is 0 %, not 1 to 99/,
    ],
    [
      'less than a minute',
      { steps: [{ weight: 5, bake: '30s' }] },
      /steps\.0\.bake: is 30s; the judge counts/,
    ],
    ['a word for a duration', { maxWait: 'soon' }, /maxWait: is "soon".*90s, 10m/],
    [
      'a share for percent',
      { increase: 0.01 },
      /is 0\.01 % of all requests.*Write percent from 0\.1% to 100%/,
    ],
    [
      'linear with two steps',
      { strategy: 'linear', steps: [1, 2].map((weight) => ({ weight, bake: '10m' })) },
      /are 2, but linear/,
    ],
    [
      'steps of a strategy without',
      { strategy: 'blueGreen', steps: [{ weight: 5, bake: '10m' }] },
      /steps: do not go with/,
    ],
    [
      'no steps',
      { steps: [] },
      /steps: is an empty list\. Write steps, for example \{weight: 5%, bake: 10m\}, or leave the key out/,
    ],
    [
      'a bake beyond what metrics remember',
      { steps: [{ weight: 5, bake: '400d' }] },
      /steps\.0\.bake: is 400d; metrics by the minute last 14 days\. Write 14d or less/,
    ],
    [
      'bakes beyond that together',
      { strategy: 'linear', steps: [{ weight: 1, bake: '6h' }] },
      /release\.steps: bake for 24\.8 days together/,
    ],
    ['an increase that is no percent', { increase: '-5%' }, /increase: is "-5%".*from 0\.1% to 100%/],
    ['steps beyond what metrics remember', { maxWait: '5d' }, /15\.0 days.*last 14/],
    ['a window beyond that', { rollbackWindow: '15d' }, /rollbackWindow: is 15d/],
    ['another strategy', { strategy: 'blue-green' }, /not one of auto, canary, linear, blueGreen, allAtOnce/],
  ])('refuses %s', (_, rest, expected) => {
    const found = problems({ release: rest });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(expected);
  });

  it('never makes a step below 1 % or above 99 %, or one that does not rise, of what it accepts', () => {
    const step = fc.record({
      weight: fc
        .double({ min: -10, max: 110, noNaN: true })
        .map((weight) => `${Math.abs(weight).toFixed(2)}%`),
      bake: fc.integer({ min: 0, max: 900 }).map((bake) => `${bake}s`),
    });
    const strategy = fc.constantFrom('auto', 'canary', 'linear');
    fc.assert(
      fc.property(strategy, fc.array(step, { minLength: 1, maxLength: 4 }), (strategy, steps) => {
        const { models } = parse({ release: { strategy, steps } });
        const weights = [0, ...(models[0]?.release.steps.map(({ weight }) => weight) ?? []), 100];
        for (const [index, weight] of weights.slice(1).entries())
          expect(weight).toBeGreaterThan(weights[index] ?? 0);
      }),
    );
  });
});

describe('alerts', () => {
  const options = (alerts: unknown) => parseModels({}, { options: { alerts } });

  it('are an e-mail address or a topic', () => {
    expect(options('ops@example.com').options).toEqual({ alerts: { kind: 'email', to: 'ops@example.com' } });
    const topic = 'arn:aws:sns:eu-central-1:123456789012:ops';
    expect(options(topic).options).toEqual({ alerts: { kind: 'topic', to: topic } });
  });

  it.each([
    'ops',
    'arn:aws:sns:eu-central-1:123456789012:ops.fifo',
    'arn:aws:sqs:eu-central-1:123456789012:ops',
    5,
  ])('are not %s', (alerts) => {
    expect(options(alerts).problems.map(({ key }) => key)).toEqual(['custom.models.alerts']);
  });
});

it('a fault in one key hides none in others', () => {
  expect(
    parse({
      release: { steps: [{ weight: 'x', bake: '1s' }], increase: '0.01%' },
      latency: {},
      gate: {},
      concurrency: { provisioned: {}, reserved: 1 },
      timeout: 60,
      http: {},
    }).problems.map(({ key }) => key.replace('models.churn.', '')),
  ).toEqual([
    'concurrency.provisioned.min',
    'concurrency.provisioned.max',
    'latency.p95',
    'release.steps.0.weight',
    'timeout',
    'gate',
    'release.increase',
  ]);
});
