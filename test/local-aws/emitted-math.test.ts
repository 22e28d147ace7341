/** What this project emits of metric math is within AWS's limits, and read where its alarms are evaluated. */
import { describe, expect, it } from 'vitest';
import type { Host } from '../../plugins/models/contracts/host.ts';
import type { DriftFacts } from '../../plugins/models/declaration/model.ts';
import { parseModels } from '../../plugins/models/declaration/parse.ts';
import { driftAlarms } from '../../plugins/models/plan/drift/alarms.ts';
import { drifting } from '../../plugins/models/plan/drift/monitor.ts';
import { alarmsOf } from '../../plugins/models/plan/plan.ts';
import { ofType } from '../aws-reference/goldens.ts';
import { textOf } from '../aws-reference/intrinsics.ts';
import { HOST } from '../fixtures/service.ts';
import { type Alarm, ask, type Query, type Series } from './semantics/metric-math.ts';

const _ = null;

describe('metric math that is emitted', () => {
  it('is read and taken: every alarm of every golden template', async () => {
    const alarms = ofType('AWS::CloudWatch::Alarm').map(({ where, properties }): [string, Alarm] => [
      where,
      properties,
    ]);
    const math = alarms.flatMap(([, { Metrics = [] }]) => Metrics.filter(({ Expression }) => Expression));
    expect([alarms.length > 100, math.length > 100]).toEqual([true, true]);
    const [, refused] = await ask(
      [],
      alarms.map(([, alarm]) => alarm),
    );
    expect(alarms.flatMap(([name], index) => (refused[index] ? [`${name}: ${refused[index]}`] : []))).toEqual(
      [],
    );
  });

  it('is read and taken: every graph of every dashboard', async () => {
    const graphs = ofType('AWS::CloudWatch::Dashboard').flatMap(({ where, template, properties }) =>
      (JSON.parse(textOf(properties.DashboardBody, template)) as Dashboard).widgets.flatMap(
        ({ properties: { title = '', metrics = [] } }) =>
          metrics.length === 0 ? [] : [[`${where}: ${title}`, queriesOf(metrics)] as const],
      ),
    );
    const isMath = ({ Expression }: Query): boolean => Expression !== undefined;
    expect(graphs.flatMap(([, queries]) => queries.filter(isMath)).length).toBeGreaterThan(6);
    for (const [where, queries] of graphs) {
      const ids = queries.map(({ Id }) => Id);
      expect(new Set(ids).size, where).toBe(ids.length);
      for (const id of ids) expect(id, where).toMatch(/^[a-z]\w*$/);
    }
    const math = graphs.filter(([, queries]) => queries.some(isMath));
    const [answers] = await ask(
      math.map(([, queries]) => [
        Object.fromEntries(queries.filter((query) => !isMath(query)).map(({ Id }) => [Id, [1, 2]])),
        renamed(queries),
      ]),
    );
    expect(math.flatMap(([where], at) => (isText(answers[at]) ? [`${where}: ${answers[at]}`] : []))).toEqual(
      [],
    );
  });

  it('is so for all that a user may declare, and of traffic that stops nothing is told', async () => {
    const facts = (phi: number, m: number): DriftFacts => ({
      sha256: 'f'.repeat(64),
      bytes: 1,
      rows: m,
      native: true,
      signals: [
        ...Array.from({ length: 4 }, (_, i) => `x${i}`).map((name) => ({ name, of: 'input' as const })),
        { name: 'label', of: 'output' as const },
        { name: 'confidence', of: 'output' as const },
      ].map(({ name, of }) => ({ name, label: name, of, kind: 'numeric', phi, m })),
    });
    const host: Host = { ...HOST, service: 's', stack: 's-dev' };
    const alarms = [0, 1e-9, 1e-4, 0.1, 3].flatMap((effect) =>
      [1e-6, 1, 1000].flatMap((budget) =>
        ['5m', '1h', '1d'].flatMap((window) => {
          const parsed = parseModels({
            m: { artifact: 'a.onnx', drift: { baseline: 'r.csv', effect, budget, window } },
          });
          expect(parsed.problems).toEqual([]);
          const [model] = drifting(parsed.models);
          if (model === undefined) throw new Error('no model');
          return [1, 1e6].flatMap((phi) => driftAlarms(model, facts(phi, 300 * phi), host));
        }),
      ),
    );
    const properties = alarms.map(({ resource }) => resource.Properties as Alarm);
    const isMath = ({ Metrics = [] }: Alarm): boolean => Metrics.some(({ Expression }) => Expression);
    const [statistics, monitors] = [true, false].map((isOf) =>
      properties.filter(
        (alarm) => isMath(alarm) && (alarm.Metrics ?? []).some(({ Id }) => Id === 'n') === isOf,
      ),
    ) as [Alarm[], Alarm[]];
    expect([statistics.length, monitors.length]).toEqual([180, 90]);
    // 110 rows; no request; a request and no score; what was scored at first only.
    const ids = [0, 1, 2, 3].flatMap((i) => [`a${i}`, `b${i}`]);
    const series = Object.fromEntries([...ids, 'n'].map((id): [string, Series] => [id, [0, _, _, 9]]));
    const live = { ...series, n: [110, _, 1, 5000], r: [5, _, 0.1, 200] };
    const [answers, refused] = await ask(
      statistics.map(({ Metrics = [] }) => [live, renamed(Metrics)]),
      properties,
    );
    expect(refused.filter((why) => why !== null)).toEqual([]);
    for (const answer of answers)
      expect([
        [0, _, 0, 0],
        [0, 0, 0, 0],
      ]).toContainEqual(answer);
    // Runs that Lambda counts, each with a point, and those that count themselves when they fail.
    const runs = { killed: [0, 1, 3], unreadable: [_, 2, _] };
    const [failed] = await ask(monitors.map(({ Metrics = [] }) => [runs, renamed(Metrics)]));
    for (const answer of failed) expect(answer).toEqual([0, 3, 3]);
  });
});

describe('the alarm of a release', () => {
  const [model] = parseModels({ churn: { artifact: 'a.onnx' } }).models;
  const host = { service: 's', stage: 'dev', provider: {} } as Host;
  const alarm = (model === undefined ? [] : alarmsOf(model, host)).find(
    ({ kind }) => kind?.suffix === 'release',
  );
  const { Metrics = [], ...properties } = (alarm?.resource.Properties ?? {}) as Alarm;
  const [expression = ''] = Metrics.flatMap(({ Expression }) => Expression ?? []);
  const names = Metrics.flatMap(({ Id, MetricStat }) => (MetricStat === undefined ? [] : [Id]));
  const quiet = Object.fromEntries(names.map((name): [string, Series] => [name, [_, _, _, _]]));
  const swept = { ...quiet, swept: [2, 1, _, 2] };

  it('is on where no sweep came, and for what each of its metrics tells', async () => {
    expect(names).toEqual(['failed', 'held', 'unreadable', 'unattended', 'swept']);
    expect(properties).toMatchObject({ TreatMissingData: 'breaching', Threshold: 0 });
    const series: Record<string, Series>[] = [
      quiet,
      swept,
      { ...swept, failed: [1, _, _, _] },
      { ...swept, held: [_, 3, _, 0] },
      { ...swept, unattended: [_, _, _, 1] },
      { ...swept, unreadable: [2, 3, _, _] },
    ];
    const [answers] = await ask(series.map((one) => [one, [expression]]));
    expect(answers).toEqual([
      [1, 1, 1, 1],
      [0, 0, 1, 0],
      [1, 0, 1, 0],
      [0, 1, 1, 0],
      [0, 0, 1, 1],
      [0, 1, 1, 0],
    ]);
  });

  it('is so too should FILL give nothing of a metric that was never published', async () => {
    const never = names.filter((name) => name !== 'swept');
    const unfilled = never.reduce((text, name) => text.replace(`FILL(${name}, 0)`, name), expression);
    expect(unfilled).not.toBe(expression);
    const [answers] = await ask([
      [swept, [unfilled]],
      [{ ...swept, unattended: [1, _, _, _] }, [unfilled]],
      // No point at all is missing data, which is breaching.
      [quiet, [unfilled.replace('FILL(swept, 0)', 'swept')]],
    ]);
    expect(answers).toEqual([
      [0, 0, 1, 0],
      [1, 0, 1, 0],
      [_, _, _, _],
    ]);
  });
});

type Dashboard = {
  readonly widgets: readonly {
    readonly properties: { readonly title?: string; readonly metrics?: readonly (readonly unknown[])[] };
  }[];
};

/**
 * What a graph of a dashboard computes with: what has an id. A search finds several series, with which
 * nothing is computed: test/aws-reference/search-expressions.ts.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
 */
function queriesOf(metrics: readonly (readonly unknown[])[]): readonly Query[] {
  return metrics.flatMap((metric) => {
    const last = metric.at(-1) as { readonly id?: string; readonly expression?: string };
    if (last.id === undefined || last.expression?.startsWith('SEARCH(')) return [];
    return [
      {
        Id: last.id,
        ...(last.expression === undefined ? { MetricStat: {} } : { Expression: last.expression }),
      },
    ];
  });
}

const isText = (value: unknown): value is string => typeof value === 'string';

/** The expressions of an alarm or a graph by the ids that the program gives them. */
function renamed(metrics: readonly Query[]): readonly string[] {
  const math = metrics.flatMap(({ Id, Expression }) =>
    Expression === undefined ? [] : [{ Id, Expression }],
  );
  const names = new Map(math.map(({ Id }, index) => [Id, `e${index}`]));
  return math.map(({ Expression }) => Expression.replace(/\b[a-z]\w*/g, (id) => names.get(id) ?? id));
}
