import { describe, expect, it } from 'vitest';
import { DRIFT_METRICS as DRIFT } from '../../../../../../core/drift/contract.ts';
import { smooth } from '../../../../../../core/drift/statistics/smooth.ts';
import { METRICS as OWN } from '../../../../../../core/metrics/contract.ts';
import { WORKER_METRICS as WORKER } from '../../../../../../core/release/document/worker-contract.ts';
import type { Host } from '../../../../../../plugins/models/contracts/host.ts';
import type { DriftFacts } from '../../../../../../plugins/models/declaration/model.ts';
import { parseModels } from '../../../../../../plugins/models/declaration/parse.ts';
import { dashboardOf, keptDashboard } from '../../../../../../plugins/models/plan/dashboard/dashboard.ts';
import { FEATURES } from '../../../../../../plugins/models/plan/features.ts';
import { foldOf } from '../../../../../../plugins/models/plan/fold.ts';
import { alarmsOf } from '../../../../../../plugins/models/plan/plan.ts';
import { HOST } from '../../../../../fixtures/service.ts';
import { evaluated, type Point } from '../../../../../metric-expression.ts';

const host: Host = { ...HOST, region: 'eu-central-1' };
const { models } = parseModels({
  churn: {
    artifact: 'a.onnx',
    latency: { p95: 80 },
    concurrency: { provisioned: 2, reserved: 10 },
  },
  fraud: { artifact: 'b.onnx' },
});

type Widget = {
  readonly type: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: {
    readonly title?: string;
    readonly metrics?: readonly (readonly unknown[])[];
    readonly alarms?: readonly string[];
    readonly annotations?: object;
    readonly markdown?: string;
  };
};

/** What Fn::Sub makes of the body. */
function widgetsOf(of: typeof models, drift?: DriftFacts): readonly Widget[] {
  const known = new Map(drift === undefined ? [] : of.map(({ name }) => [name, { drift }]));
  const { DashboardBody } = dashboardOf(of, host, foldOf(FEATURES, host, known), known).Properties as {
    DashboardBody: { readonly 'Fn::Sub': readonly [string, Readonly<Record<string, string>>] };
  };
  const values: Readonly<Record<string, string>> = {
    Partition: 'aws',
    Region: 'eu-central-1',
    AccountId: '123456789012',
  };
  const [body, own] = DashboardBody['Fn::Sub'];
  // An emulator reads the escape `${!…}` as a reference to nothing, and fails the stack.
  const text = body.replace(/\$\{([^}]*)\}/g, (found, name: string) => {
    const value = own[name] ?? values[name.replace(/^AWS::/, '')];
    if (value === undefined) throw new Error(`${found} is a reference to nothing.`);
    return value;
  });
  return JSON.parse(text).widgets;
}

describe('the dashboard', () => {
  const widgets = widgetsOf(models);
  const graph = (title: string) => widgets.find(({ properties }) => properties.title?.startsWith(title));

  it('has a band a model, in which nothing lies over another and nothing beyond 24 columns', () => {
    for (const one of widgets) {
      expect(one.x + one.width).toBeLessThanOrEqual(24);
      for (const other of widgets)
        if (one !== other)
          expect(
            one.x + one.width <= other.x ||
              other.x + other.width <= one.x ||
              one.y + one.height <= other.y ||
              other.y + other.height <= one.y,
          ).toBe(true);
    }
    expect(widgets.filter(({ type }) => type === 'text')).toHaveLength(2);
  });

  it('has commands that ask its own stage and region, from whatever folder', () => {
    const texts = (of: readonly Widget[]) => of.flatMap(({ properties: { markdown = [] } }) => markdown);
    const status = '`sls models status --stage dev --region eu-central-1`';
    expect(texts(widgets)).toEqual([
      `## churn (shop-dev-churn:live)\n${status}`,
      `## fraud (shop-dev-fraud:live)\n${status}`,
    ]);
  });

  it('shows only metrics that endpoint, worker or Lambda publish', () => {
    const known = new Set<unknown>([...Object.values(OWN).flat(), ...Object.values(WORKER)]);
    const named = widgets.flatMap(({ properties }) => properties.metrics ?? []);
    const own = named.filter(([space]) => space === OWN.namespace).map(([, name]) => name);
    expect(own.length).toBeGreaterThan(8);
    expect(own.filter((name) => !known.has(name))).toEqual([]);
    const lambda = named.filter(([space]) => space === 'AWS/Lambda').map(([, name]) => name);
    // https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    expect([...new Set(lambda)].sort()).toEqual([
      'ConcurrentExecutions',
      'Errors',
      'ProvisionedConcurrencySpilloverInvocations',
      'ProvisionedConcurrentExecutions',
      'Throttles',
    ]);
  });

  it('tells versions apart by what answered, and names them', () => {
    const [search] = graph('churn: which version')?.properties.metrics ?? [];
    expect(search).toEqual([
      {
        expression: `SEARCH('{AWS/Lambda,ExecutedVersion,FunctionName,Resource} MetricName="Invocations" FunctionName="shop-dev-churn" Resource="shop-dev-churn:live"', 'Sum', 60)`,
        id: 'share',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudWatch's own form of a dynamic label
        label: "version ${PROP('Dim.ExecutedVersion')}",
      },
    ]);
  });

  it('draws what a model must keep to, where it says so', () => {
    expect(graph('churn: milliseconds')?.properties.annotations).toMatchObject({
      horizontal: [{ value: 80 }],
    });
    expect(graph('churn: instances')?.properties.annotations).toMatchObject({ horizontal: [{ value: 10 }] });
    expect(graph('fraud: milliseconds')?.properties.annotations).toBeUndefined();
    expect(JSON.stringify(graph('fraud: instances'))).not.toContain('Provisioned');
  });

  it('has every alarm of the model by its name', () => {
    const alarms = widgets.filter(({ type }) => type === 'alarm');
    expect(alarms.map(({ properties }) => properties.alarms?.length)).toEqual(
      models.map((model) => alarmsOf(model, host).length),
    );
    const drift = { sha256: '', bytes: 0, rows: 0, native: true, signals: [] };
    const declared = parseModels({ churn: { artifact: 'a.onnx', drift: { baseline: 'r.csv' } } }).models;
    const known = new Map([['churn', { drift }]]);
    expect(JSON.stringify(dashboardOf(declared, host, foldOf(FEATURES, host, known), known))).toContain(
      'alarm:shop-dev-churn-drift-monitor',
    );
    expect(alarms[0]?.properties.alarms?.[0]).toBe(
      'arn:aws:cloudwatch:eu-central-1:123456789012:alarm:shop-dev-churn-crashes',
    );
  });
});

describe('the graph of drift', () => {
  const { models: watched } = parseModels({
    churn: { artifact: 'a.onnx', drift: { baseline: 'r.csv', window: '5m', effect: 0.2 } },
  });
  const signals: DriftFacts['signals'] = [
    { name: 'age', label: 'age', of: 'input', kind: 'numeric', phi: 1.3, m: 10_000 },
    { name: 'income', label: 'in come', of: 'input', kind: 'numeric', phi: 1, m: 9000 },
    { name: 'empty', label: 'empty', of: 'input', kind: 'numeric', phi: 1, m: 0 },
    { name: 'prediction', label: 'prediction', of: 'output', kind: 'numeric', phi: 2.5, m: 10_000 },
  ];
  const graphOf = (native: boolean, of = signals) =>
    widgetsOf(watched, { sha256: '', bytes: 0, rows: 10_000, native, signals: of }).find(({ properties }) =>
      properties.title?.startsWith('churn: drift'),
    )?.properties;

  /** The graph's lines at one time. */
  function drawn(native: boolean, metrics: Readonly<Record<string, Point>>) {
    const known: Record<string, number | undefined> = {};
    const lines: Record<string, number | undefined> = {};
    for (const line of graphOf(native)?.metrics ?? []) {
      const how = line.at(-1) as {
        id?: string;
        expression?: string;
        label?: string;
        visible?: boolean;
        stat?: string;
      };
      const value =
        how.expression === undefined
          ? metrics[line[1] as string]?.[how.stat ?? '']
          : evaluated(how.expression, known);
      if (how.id !== undefined) known[how.id] = value;
      if (how.visible !== false) lines[how.label ?? ''] = value;
    }
    return lines;
  }

  it('has what the statistics say, for inputs that CloudWatch watches and for outputs', () => {
    // A live version has other reference data than what is declared: 4000 rows, φ of 1.7, 1.7 and 3.
    const [m, phis] = [4000, { age: 1.7, income: 1.7, prediction: 3 }];
    const scaled = (name: keyof typeof phis, a: number, b: number): Readonly<Record<string, Point>> => ({
      [`Scaled_${name}_a`]: { Sum: a / Math.sqrt(phis[name]) },
      [`Scaled_${name}_b`]: { Sum: b / Math.sqrt(phis[name]) },
    });
    const sums = {
      ScaledRows: { Sum: 240 },
      ScaledRowsNoise: { Sum: 240 / Math.sqrt(m) },
      ...scaled('age', 55, -31),
      ...scaled('income', 2, 1),
      ScaledAnswers: { Sum: 150 / Math.sqrt(m), SampleCount: 150 },
      ...scaled('prediction', -90, 12),
    };
    const sizeOf = (name: keyof typeof phis, n: number, a: number, b: number): number =>
      (smooth({ n, a, b }, m, phis[name])?.size ?? Number.NaN) / Math.sqrt(phis[name]);
    const lines = drawn(true, sums);
    expect(Object.keys(lines)).toEqual(['age', 'income', 'prediction']);
    expect(lines.age).toBeCloseTo(sizeOf('age', 240, 55, -31), 9);
    expect(lines.age).toBeGreaterThan(0.1);
    // Less than noise alone would bring is 0, not a root that is none.
    expect(lines.income).toBe(0);
    expect(lines.prediction).toBeCloseTo(sizeOf('prediction', 150, -90, 12), 9);
    expect(drawn(true, { ...sums, ScaledRows: { Sum: 99 } }).age).toBeUndefined();
    expect(drawn(true, {}).age).toBeUndefined();
  });

  it('has the monitor’s largest for inputs that it alone sees, and the effect that is asked for', () => {
    const lines = drawn(false, { [DRIFT.max]: { Maximum: 0.4 }, [DRIFT.signals]: { Maximum: 2 } });
    expect(lines).toEqual({
      'largest of the inputs, σ': 0.4,
      'inputs that drifted': 2,
      prediction: undefined,
    });
    expect(graphOf(false)).toMatchObject({
      period: 300,
      annotations: { horizontal: [{ value: 0.2 }] },
    });
    const [text] = widgetsOf(watched, { sha256: '', bytes: 0, rows: 1, native: false, signals });
    expect(text?.properties.markdown).toMatch(
      /, `sls models drift --model churn --stage dev --region eu-central-1`$/,
    );
  });

  it('has the monitor’s count of classes where an output has them', () => {
    const label = { ...signals[3], name: 'label', label: 'label', of: 'output', kind: 'category' } as const;
    const last = graphOf(true, [...signals, { ...label, phi: 1, m: 1000 }])?.metrics?.at(-1);
    expect(last?.slice(1)).toMatchObject([DRIFT.classes, 'Model', 'shop-dev-churn', { stat: 'Maximum' }]);
    expect(JSON.stringify(graphOf(true))).not.toContain(DRIFT.classes);
  });

  it('has fewer metrics than a graph may have, and ids that CloudWatch takes', () => {
    const many = Array.from({ length: 24 }, (_, i): DriftFacts['signals'][number] => ({
      name: `s${i}`,
      label: `s${i}`,
      of: i < 4 ? 'input' : 'output',
      kind: 'numeric',
      phi: 1,
      m: 1000,
    }));
    const metrics = graphOf(true, many)?.metrics ?? [];
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
    expect(metrics.length).toBeLessThanOrEqual(500);
    const ids = metrics.flatMap((line) => (line.at(-1) as { id?: string }).id ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z][A-Za-z0-9_]*$/);
  });

  it('is not there for a model that declares no drift', () => {
    expect(widgetsOf(models).some(({ properties }) => properties.title?.includes('drift'))).toBe(false);
  });
});

// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-cloudwatch-dashboard.html
it('a service in two regions has a dashboard in each stack, and none takes the place of another', () => {
  const named = (region: string) => {
    const at = { ...host, region };
    return dashboardOf(models, at, foldOf(FEATURES, at, new Map()), new Map()).Properties.DashboardName;
  };
  expect([named('eu-central-1'), named('us-east-1')]).toEqual([
    'shop-dev-models-eu-central-1',
    'shop-dev-models-us-east-1',
  ]);
});

it('a dashboard that was made without its region in the name keeps it', () => {
  const template = (DashboardName: string) => ({
    ModelsDashboard: {
      Type: 'AWS::CloudWatch::Dashboard',
      Properties: { DashboardName, DashboardBody: 'b' },
    },
  });
  const next = template('shop-dev-models-eu-central-1');
  expect(keptDashboard(next, template('shop-dev-models'), host)).toEqual(template('shop-dev-models'));
  expect(keptDashboard(next, next, host)).toEqual({});
  expect(keptDashboard(next, {}, host)).toEqual({});
  expect(keptDashboard({}, template('shop-dev-models'), host)).toEqual({});
});
