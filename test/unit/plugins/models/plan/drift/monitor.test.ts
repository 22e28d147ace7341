import { describe, expect, it } from 'vitest';
import type { Host } from '../../../../../../plugins/models/contracts/host.ts';
import type { DriftFacts, DriftSignal } from '../../../../../../plugins/models/declaration/model.ts';
import { parseModels } from '../../../../../../plugins/models/declaration/parse.ts';
import { driftAlarms } from '../../../../../../plugins/models/plan/drift/alarms.ts';
import { driftLines, monitorRate, sharesOf } from '../../../../../../plugins/models/plan/drift/functions.ts';
import {
  drifting,
  monitorFunction,
  monitorStatements,
} from '../../../../../../plugins/models/plan/drift/monitor.ts';
import { sampleAdvice } from '../../../../../../plugins/models/plan/drift/sample.ts';
import { planProblems } from '../../../../../../plugins/models/plan/plan.ts';
import { noticesTopic } from '../../../../../../plugins/models/plan/watch/alerts.ts';
import { HOST } from '../../../../../fixtures/service.ts';

const host: Host = { ...HOST, region: 'eu-central-1' };
const declared = (drift: object = {}, rest: object = {}) => {
  const { models, problems } = parseModels({
    churn: { artifact: 'a.onnx', drift: { baseline: 'ref.csv', ...drift }, ...rest },
  });
  expect(problems).toEqual([]);
  const [model] = drifting(models);
  if (model === undefined) throw new Error('no model');
  return model;
};
const signal = (name: string, of: 'input' | 'output', phi = 1): DriftSignal => ({
  name,
  label: name,
  of,
  kind: 'numeric',
  phi,
  m: 10_000,
});
const facts = (signals: readonly DriftSignal[], native = true): DriftFacts => ({
  sha256: 'f'.repeat(64),
  bytes: 1000,
  rows: 10_000,
  native,
  signals,
});
const four = ['age', 'income', 'tenure', 'visits'].map((name) => signal(name, 'input'));
const two = [signal('entropy', 'output'), signal('confidence', 'output')];
const classes: DriftSignal = { ...signal('label', 'output'), kind: 'category' };

type Query = { readonly Id: string; readonly Expression?: string; readonly MetricStat?: object };
const queries = (alarm: { readonly resource: { readonly Properties: object } } | undefined) =>
  (alarm?.resource.Properties as { readonly Metrics?: readonly Query[] } | undefined)?.Metrics ?? [];

describe('alarms of drift', () => {
  it('do not say that they watch what has one value only in the reference, which has no scores', () => {
    const fixed = (name: string, of: 'input' | 'output'): DriftSignal => ({
      ...signal(name, of),
      constant: true,
    });
    const words = (given: DriftFacts) =>
      driftAlarms(declared(), given, host)
        .slice(0, 2)
        .map(({ resource }) => / Watched: ([^.]*)\./.exec(JSON.stringify(resource.Properties))?.[1]);
    const mixed = [signal('age', 'input'), fixed('kind', 'input'), signal('score', 'output')];
    expect(words(facts([...mixed, fixed('k2', 'output')]))).toEqual(['age', 'score']);
    // The monitor counts it.
    expect(words(facts(mixed, false))).toEqual(['age, kind', 'score']);
    expect(words(facts([signal('age', 'input'), fixed('k2', 'output')]))).toEqual([
      'age',
      'none, since each has one value only in the reference',
    ]);
    const lines = (native: boolean) =>
      driftLines(declared({}, { traffic: '1/s' }), facts([...mixed, fixed('k2', 'output')], native)).slice(2);
    const answers =
      'k2 has one value only in the reference: the alarm of answers does not tell where that changes. `sls models drift` alone does.';
    expect(lines(true)).toEqual([
      'kind has one value only in the reference: the alarm of inputs does not tell where that changes. A notice and `sls models drift` do.',
      answers,
    ]);
    expect(lines(false)).toEqual([answers]);
  });

  it('are one of the inputs and one of the outputs, each within the ten metrics of metric math', () => {
    const alarms = driftAlarms(declared(), facts([...four, ...two]), host);
    expect(alarms.map(({ name }) => name)).toEqual([
      'shop-dev-churn-drift',
      'shop-dev-churn-drift-outputs',
      'shop-dev-churn-drift-monitor',
    ]);
    expect(alarms.map(({ metrics }) => metrics)).toEqual([10, 6, 2]);
    for (const alarm of alarms.slice(0, 2)) {
      // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
      expect(queries(alarm).filter(({ MetricStat }) => MetricStat !== undefined).length).toBeLessThanOrEqual(
        10,
      );
      for (const { Expression = '' } of queries(alarm)) expect(Expression.length).toBeLessThan(2048);
      expect(alarm.resource.Properties).toMatchObject({
        EvaluationPeriods: 2,
        DatapointsToAlarm: 2,
        EvaluationWindow: { WallClockWindow: { Timezone: 'UTC' } },
        TreatMissingData: 'notBreaching',
      });
      expect(String(alarm.resource.Properties.AlarmDescription).length).toBeLessThanOrEqual(1024);
    }
  });

  it('have a description that CloudWatch takes, however long the name of the reference is', () => {
    const long = `data/${'deeply-nested-folder/'.repeat(50)}reference.csv`;
    const many = facts(Array.from({ length: 20 }, (_, i) => signal(`${'x'.repeat(60)}${i}`, 'input')));
    const [inputs] = driftAlarms(declared({ baseline: long }), many, host);
    const text = String(inputs?.resource.Properties.AlarmDescription);
    expect(text.length).toBeLessThanOrEqual(1024);
    expect(text).toContain('reference.csv) by more than');
    expect(text).toContain(
      '`sls models drift --model churn --stage dev --region eu-central-1` shows which, and how.',
    );
  });

  it('have numbers without an exponent, of which metric math says nothing', () => {
    const [inputs] = driftAlarms(declared({ effect: 1e-4 }), facts(four), host);
    expect(queries(inputs).find(({ Id }) => Id === 'f')?.Expression).toMatch(
      /^2\+0\.00000001\*e\+[\d.]+\*\(4\+0\.00000004\*e\)\^0\.5$/,
    );
  });

  it('watch the monitor’s count where it watches the inputs', () => {
    const [inputs] = driftAlarms(declared(), facts([...four, ...two], false), host);
    expect(queries(inputs)).toEqual([
      {
        Id: 'watched',
        MetricStat: {
          Metric: {
            Namespace: 'ServerlessModels',
            MetricName: 'DriftFeatures',
            Dimensions: [{ Name: 'Model', Value: 'shop-dev-churn' }],
          },
          Period: 3600,
          Stat: 'Maximum',
        },
        ReturnData: true,
      },
    ]);
  });

  it('watch the monitor’s count of classes, beside the scores', () => {
    const alarms = driftAlarms(declared(), facts([...four, ...two, classes]), host);
    expect(alarms.map(({ name, metrics }) => [name, metrics])).toEqual([
      ['shop-dev-churn-drift', 10],
      ['shop-dev-churn-drift-outputs', 6],
      ['shop-dev-churn-drift-classes', 1],
      ['shop-dev-churn-drift-monitor', 2],
    ]);
    expect(queries(alarms[2])[0]?.MetricStat).toMatchObject({ Metric: { MetricName: 'DriftClasses' } });
  });

  it('watch the monitor itself: what it could not do, and runs that ended before they could count it', () => {
    const monitors = driftAlarms(declared(), facts(four), host).at(-1);
    expect(queries(monitors)).toMatchObject([
      { Id: 'unreadable', MetricStat: { Metric: { Namespace: 'ServerlessModels' } } },
      {
        Id: 'killed',
        MetricStat: {
          Metric: {
            Namespace: 'AWS/Lambda',
            MetricName: 'Errors',
            Dimensions: [{ Name: 'FunctionName', Value: 'shop-dev-models-drift' }],
          },
        },
      },
      { Id: 'watched', Expression: 'FILL(unreadable,0)+FILL(killed,0)', ReturnData: true },
    ]);
  });

  it('are none without outputs that can be scored', () => {
    expect(driftAlarms(declared(), facts(four), host).map(({ name }) => name)).toEqual([
      'shop-dev-churn-drift',
      'shop-dev-churn-drift-monitor',
    ]);
  });

  it('leave out what has no value in the reference', () => {
    const empty = [
      { ...signal('never', 'input'), m: 0 },
      { ...signal('nan', 'output'), m: 0 },
    ];
    expect(driftAlarms(declared(), facts(empty), host).map(({ name }) => name)).toEqual([
      'shop-dev-churn-drift-monitor',
    ]);
    const [alarm] = driftAlarms(declared(), facts([...four, ...empty]), host);
    expect(alarm?.metrics).toBe(10);
    expect(driftLines(declared({}, { traffic: '1/s' }), facts(empty))).toHaveLength(1);
  });

  it('name at most eight columns, whatever they are called', () => {
    const wide = Array.from({ length: 150 }, (_, i) => signal(`${'x'.repeat(100)}${i}`, 'input'));
    const [alarm] = driftAlarms(declared(), facts(wide, false), host);
    const text = String(alarm?.resource.Properties.AlarmDescription);
    expect(text).toContain('and 142 more');
    expect(text.length).toBeLessThanOrEqual(1024);
  });
});

describe('the budget', () => {
  it('is shared out evenly among the alarms that there are', () => {
    const { drift } = declared({ budget: 2 });
    const shares = (signals: readonly DriftSignal[], native = true) => {
      const of = sharesOf(drift, facts(signals, native));
      return [of.native, of.inputs, of.classes];
    };
    // The monitor sends a notice for inputs, whoever alarms.
    expect(shares([...four, ...two])).toEqual([1, 1, 0]);
    expect(shares([...four, ...two], false)).toEqual([1, 1, 0]);
    expect(shares(four, false)).toEqual([0, 2, 0]);
    expect(shares([...four, ...two, classes])).toEqual([2 / 3, 2 / 3, 2 / 3]);
    expect(shares([...four, ...two, classes], false)).toEqual([2 / 3, 2 / 3, 2 / 3]);
    expect(shares([...four, { ...classes, m: 0 }])).toEqual([1, 1, 0]);
    expect(shares(two)).toEqual([2, 0, 0]);
    const model = declared({ budget: 2 });
    expect(monitorRate(model, facts(four, false))).toBeCloseTo(Math.sqrt(2 / 720), 12);
    expect(monitorRate(model, facts([...two, classes]))).toBeCloseTo(Math.sqrt(1 / 720), 12);
    // Findings that alarm nobody may be as many as alarms.
    expect(monitorRate(model, facts(two))).toBeCloseTo(Math.sqrt(2 / 720), 12);
  });

  it('holds with few rows of reference, which all windows share', () => {
    const few = (signals: readonly DriftSignal[]) => ({
      ...facts(
        signals.map((one) => ({ ...one, m: 300 })),
        false,
      ),
      rows: 300,
    });
    const model = declared({}, { traffic: '3000/h' });
    expect(monitorRate(model, few(four))).toBeCloseTo(0.00373, 5);
    expect(driftLines(model, few(four))[0]).toContain(
      'At most 1 false alarms a month are expected (budget 1)',
    );
    // Nor where no column has a value: then it is asked whether one has.
    expect(monitorRate(model, { ...few([{ ...signal('never', 'input'), m: 0 }]), rows: 300 })).toBeLessThan(
      0.01,
    );
  });

  it('is told before the deploy, with what is found at the declared traffic', () => {
    const lines = driftLines(declared({}, { traffic: '1/s' }), facts([...four, ...two]));
    expect(lines[0]).toMatch(
      /^4 inputs and 2 outputs against 10000 rows of ref\.csv, in windows of 1h; inputs are watched by CloudWatch alone\. At most 0\.\d+ false alarms a month are expected \(budget 1\), if the hours of a day are alike\.$/,
    );
    // A window of a day is of all hours, as the reference is.
    expect(driftLines(declared({ window: '1d' }, { traffic: '1/s' }), facts(four))[0]).toMatch(
      /\(budget 1\)\.$/,
    );
    // Windows at night are smaller, and there chance alone is what counts.
    const at = (traffic: string) =>
      Number(
        /At most ([\d.]+)/.exec(
          driftLines(declared({}, { traffic }), facts([...four, ...two]))[0] ?? '',
        )?.[1],
      );
    expect(at('1/s')).toBeGreaterThanOrEqual(at('100/h'));
    expect(at('100/s')).toBeGreaterThanOrEqual(at('1/s'));
    expect(driftLines(declared({ budget: 0.01 }, { traffic: '1/s' }), facts(four))[0]).toContain(
      'Fewer than 0.01 false alarms a month are expected (budget 0.01)',
    );
    const few = driftLines(declared({ effect: 0 }, { traffic: '120/h' }), facts([...four, ...two]));
    const expected = Number(/At most ([\d.]+)/.exec(few[0] ?? '')?.[1]);
    expect(expected).toBeGreaterThan(0);
    expect(expected).toBeLessThanOrEqual(1);
    expect(lines[1]).toMatch(
      /^At the declared traffic \(3600 requests a window\) a shift of 0\.\d+ σ in an input, or 0\.\d+ σ in an output is found\.$/,
    );
  });

  it('says that no input is watched where none is, and where nothing is', () => {
    const [first] = driftLines(declared({}, { traffic: '1/s' }), facts(two));
    expect(first).toMatch(
      /^2 outputs against 10000 rows of ref\.csv, in windows of 1h; no input is watched\. /,
    );
    expect(driftLines(declared({}, { traffic: '1/s' }), facts([]))).toEqual([
      'nothing is watched: neither inputs nor answers of the model can be held against ref.csv. No drift will be told; leave `drift` out.',
    ]);
  });

  it('say what is told of an unsteady signal, and no size where none is declared', () => {
    const [age, ...rest] = four;
    const unsteady = facts([...(age ? [{ ...age, phi: 100 }] : []), ...rest]);
    const last = (effect: number) => driftLines(declared({ effect }, { traffic: '1/s' }), unsteady).at(-1);
    expect(last(0.1)).toContain('only shifts beyond 1 σ and more are told there.');
    expect(last(0)).toContain('by season or order: only larger shifts are told there. A longer window');
  });

  it('says what is found in signals of the median φ, where that is not 1', () => {
    const line = (...phis: readonly number[]) =>
      driftLines(
        declared({}, { traffic: '1/s' }),
        facts(phis.map((phi, index) => signal(`x${index}`, 'input', phi))),
      )[1] ?? '';
    const shift = (text: string) => Number(/of ([\d.]+) σ/.exec(text)?.[1]);
    expect(line(1, 1, 9)).toBe(line(1, 1, 1));
    expect(line(1, 1.96, 2)).toContain('σ in an input of median φ (2) is found.');
    // Both are rounded to two digits.
    expect(Math.abs(shift(line(1, 4, 4)) - 2 * shift(line(1, 1, 1)))).toBeLessThan(0.02);
  });

  it('finds less where there is less traffic, and says where there is too little', () => {
    const shift = (traffic: string) =>
      Number(/of ([\d.]+) σ/.exec(driftLines(declared({}, { traffic }), facts(four))[1] ?? '')?.[1]);
    expect(shift('150/h')).toBeGreaterThan(2 * shift('5000/h'));
    expect(driftLines(declared({}, { traffic: '20/h' }), facts(four))[1]).toContain(
      'Choose a longer window.',
    );
    const ofDay = (drift: object) =>
      driftLines(declared({ window: '1d', ...drift }, { traffic: '2/h' }), facts(four))[1];
    expect(ofDay({})).toMatch(/it is not judged\. No window is longer than 1d\.$/);
    expect(driftLines(declared(), facts(four))[1]).toContain('none is declared');
    // Each way that is named suffices, by itself unless both are named together.
    const advice = (traffic: string, drift: object) =>
      (driftLines(declared(drift, { traffic }), facts(four))[1] ?? '').replace(/^.* it is not judged\. /, '');
    expect(advice('99/day', { window: '5m' })).toBe(
      'The longest, of 1d, has 99: leave `drift` out until there is more traffic.',
    );
    expect(advice('100/day', { window: '5m' })).toBe('Choose a longer window.');
    expect(advice('150/day', { window: '1h', sample: '50%' })).toBe(
      'Choose a longer window and a larger `sample`.',
    );
    expect(advice('150/day', { window: '1d', sample: '50%' })).toBe('Choose a larger `sample`.');
    expect(advice('150/h', { sample: '50%' })).toBe('Choose a longer window, or a larger `sample`.');
    expect(advice('50/day', { window: '1d', sample: '50%' })).toBe(
      'The longest, of 1d, has 50 with all of them scored: leave `drift` out until there is more traffic.',
    );
  });

  it('goes by the rows that are scored', () => {
    const all = facts([...four, ...two]);
    const of = (traffic: string, drift: object = {}) =>
      driftLines(declared(drift, { traffic }), all)[1] ?? '';
    const shift = (line: string) => /a shift of .*/.exec(line)?.[0];
    const sampled = of('10/s', { sample: '10%' });
    expect(sampled).toMatch(/\(36000 requests a window, of which 3600 are scored\)/);
    expect(shift(sampled)).toBe(shift(of('1/s')));
    expect(of('1/s', { sample: '1%' })).toContain(
      'has 36 requests that are scored; with fewer than 100 it is not judged',
    );
    const model = declared({ sample: '10%' }, { traffic: '10/s' });
    const same = declared({}, { traffic: '1/s' });
    expect(driftAlarms(model, all, host)).toEqual(driftAlarms(same, all, host));
    expect(queries(driftAlarms(model, all, host)[1])[0]).toMatchObject({
      Id: 'n',
      MetricStat: { Metric: { MetricName: 'ScaledAnswers' }, Stat: 'SampleCount' },
    });
  });

  it('is no reason to score more than tells more: that is proposed where it costs', () => {
    const all = facts([...four, ...two]);
    const advice = (traffic: string, drift: object = {}) => sampleAdvice(declared(drift, { traffic }), all);
    const text = advice('1000/s') ?? '';
    const [, before, share, now, full, after] =
      /about \$([\d.]+) a month .* `sample: ([\d.]+)%` a shift of ([\d.]+) σ is found instead of ([\d.]+) σ, for \$([\d.]+)\.$/
        .exec(text)
        ?.map(Number) ?? [];
    expect(now).toBeLessThanOrEqual(1.15 * (full ?? 0));
    expect(share).toBeLessThanOrEqual(10);
    expect((after ?? 0) / (before ?? 0)).toBeCloseTo((share ?? 0) / 100, 2);
    // Who has done so is asked no more; nor where it costs little, or nobody knows.
    expect(advice('1000/s', { sample: `${share}%` })).toBeUndefined();
    expect(advice('5/s')).toBeUndefined();
    expect(sampleAdvice(declared(), all)).toBeUndefined();
    expect(advice('100/h')).toBeUndefined();
  });

  it('proposes no sample of which a window would have fewer rows than are judged', () => {
    // Windows of five minutes at 33 a second: 9,900 rows, of which 1 % are 99.
    const coarse = declared({ window: '5m', effect: 3 }, { traffic: '33/s' });
    const few = [signal('age', 'input'), signal('entropy', 'output')].map((one) => ({ ...one, m: 300 }));
    expect(sampleAdvice(coarse, facts(few))).toContain('`sample: 2%`');
  });

  it('warns of what differs from window to window by itself', () => {
    const lines = driftLines(declared(), facts([signal('rain', 'input', 9), signal('wind', 'input')]));
    expect(lines[2]).toMatch(/^rain \(φ 9\) differs from window to window .* beyond 0\.3 σ/);
  });
});

describe('the monitor', () => {
  it('is there where a model declares drift, and only there', () => {
    expect(monitorFunction([], host, {})).toBeUndefined();
    expect(monitorFunction([declared()], host, {})).toMatchObject({
      events: [{ schedule: 'rate(5 minutes)' }],
    });
  });

  it('may read the endpoints’ logs and baselines, and write its own documents only', () => {
    const text = JSON.stringify(
      monitorStatements([declared({}, { function: { logs: { logGroup: '/mine' } } })], host, {}),
    );
    expect(text).toContain('log-group:/mine');
    const batch = [{ input: 's3://rows', output: 's3://scored' }];
    const withJobs = JSON.stringify(monitorStatements([declared({}, { batch })], host, {}));
    expect(withJobs).toMatch(/log-group:\/aws\/lambda\/[\w-]+-batch:\*/);
    expect(text).toContain('shop/dev/drift/');
    expect(text).not.toContain('["*"]');
    expect(text.match(/s3:PutObject/g)).toHaveLength(1);
  });

  it('may tell the alerts topic, the service’s own or the user’s', () => {
    const theirs = 'arn:aws:sns:eu-central-1:123456789012:ops';
    for (const [options, to] of [
      [{}, 'shop-dev-models-alerts'],
      [{ alerts: { kind: 'topic', to: theirs } }, theirs],
    ] as const) {
      const topic = noticesTopic(options, host);
      expect(JSON.stringify(topic)).toContain(to);
      expect(monitorFunction([declared()], host, options)).toMatchObject({
        environment: { MODELS_ALERTS_TOPIC: topic },
      });
      const publish = monitorStatements([declared()], host, options).filter((one) =>
        JSON.stringify(one).includes('sns:Publish'),
      );
      expect(publish).toEqual([{ Effect: 'Allow', Action: ['sns:Publish'], Resource: [topic] }]);
      // A topic of the user's may be encrypted with a key.
      const text = JSON.stringify(monitorStatements([declared()], host, options));
      expect(text.includes('kms:EncryptionContext:aws:sns:topicArn')).toBe(to === theirs);
    }
  });

  it('is refused two models that write into one log: their lines cannot be told apart', () => {
    const batch = [{ input: 's3://rows', output: 's3://scored' }];
    const parsed = (models: Readonly<Record<string, object>>) =>
      parseModels(
        Object.fromEntries(
          Object.entries(models).map(([name, rest]) => [name, { artifact: 'a.onnx', ...rest }]),
        ),
      ).models;
    const drift = { baseline: 'r.csv' };
    const shared = { ...host, provider: { logs: { lambda: { logGroup: '/all' } } } };
    const problem = {
      code: 'MODELS_INVALID_VALUE',
      key: 'models.fraud.drift',
      message: expect.stringContaining('/all, as models.churn'),
      fix: expect.stringContaining('function.logs.logGroup'),
    };
    expect(planProblems(parsed({ churn: { drift, batch }, fraud: { drift } }), shared)).toMatchObject([
      problem,
    ]);
    expect(planProblems(parsed({ churn: { drift, batch }, fraud: { drift } }), host)).toEqual([]);
    // A model’s own jobs are of the same reference, and who has no drift writes no such line.
    expect(planProblems(parsed({ churn: { drift, batch }, fraud: { batch } }), shared)).toEqual([]);
    const own = { function: { logs: { logGroup: '/fraud' } } };
    expect(planProblems(parsed({ churn: { drift }, fraud: { drift, ...own } }), shared)).toEqual([]);
    const same = { function: { logs: { logGroup: '/all' } } };
    expect(
      planProblems(parsed({ churn: { drift, ...same }, fraud: { drift, ...same } }), host),
    ).toMatchObject([problem]);
  });

  it('cannot count where there is no log', () => {
    const { problems } = parseModels({
      churn: { artifact: 'a.onnx', drift: { baseline: 'r.csv' }, function: { disableLogs: true } },
    });
    expect(problems.map(({ key }) => key)).toEqual(['models.churn.function.disableLogs']);
  });
});

describe('a sample', () => {
  it.each([
    ['0%', '0%'],
    ['0.01%', '0.01%'],
    ['150 %', '150 %'],
    ['101', '101'],
    [0, '0%'],
  ])('of %s of the requests is refused, and told as it was written', (sample, value) => {
    const { problems } = parseModels({ churn: { artifact: 'a.onnx', drift: { baseline: 'r.csv', sample } } });
    expect(problems).toMatchObject([
      {
        code: 'MODELS_INVALID_VALUE',
        key: 'models.churn.drift.sample',
        value,
        fix: expect.stringContaining('10%'),
      },
    ]);
  });

  it('is all of them unless declared otherwise', () => {
    expect(declared().drift.sample).toBe(1);
    expect(declared({ sample: '0.1%' }).drift.sample).toBe(0.001);
    expect(declared({ sample: 25 }).drift.sample).toBe(0.25);
  });
});
