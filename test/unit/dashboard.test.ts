import { describe, expect, it } from 'vitest';
import { METRICS as OWN } from '../../functions/infer/contract.ts';
import { METRICS as WORKER } from '../../functions/release/contract.ts';
import { parseModels } from '../../plugins/models/parse.ts';
import { alarmsOf } from '../../plugins/models/plan/alarms.ts';
import { dashboardOf } from '../../plugins/models/plan/dashboard.ts';
import type { Host } from '../../plugins/models/plan/host.ts';

const host: Host = {
  service: 'shop',
  stage: 'dev',
  region: 'eu-central-1',
  stack: 'shop-dev',
  provider: {},
  functions: {},
  bucket: 'b',
  prefix: 'p/',
};
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
  };
};

/** What Fn::Sub makes of the body. */
function widgetsOf(of: typeof models): readonly Widget[] {
  const { DashboardBody } = dashboardOf(of, host).Properties as {
    DashboardBody: { readonly 'Fn::Sub': string };
  };
  const values: Readonly<Record<string, string>> = {
    Partition: 'aws',
    Region: 'eu-central-1',
    AccountId: '123456789012',
  };
  const text = DashboardBody['Fn::Sub'].replace(/\$\{AWS::(\w+)\}/g, (_, name) => values[name] ?? '');
  // What is left in braces without the mark would be a reference to nothing, which fails the stack.
  expect(text.match(/\$\{(?!!)/)).toBeNull();
  return JSON.parse(text.replaceAll('${!', '${')).widgets;
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
    expect(JSON.stringify(dashboardOf(declared, host, new Map([['churn', { drift }]])))).toContain(
      'alarm:shop-dev-churn-drift-monitor',
    );
    expect(alarms[0]?.properties.alarms?.[0]).toBe(
      'arn:aws:cloudwatch:eu-central-1:123456789012:alarm:shop-dev-churn-crashes',
    );
  });
});
