/** What this project emits of metric math is within AWS's limits, and read where its alarms are evaluated. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Host } from '../../plugins/models/contracts/host.ts';
import type { DriftFacts } from '../../plugins/models/declaration/model.ts';
import { parseModels } from '../../plugins/models/declaration/parse.ts';
import { driftAlarms } from '../../plugins/models/plan/drift/alarms.ts';
import { drifting } from '../../plugins/models/plan/drift/monitor.ts';
import { alarmsOf } from '../../plugins/models/plan/plan.ts';
import { HOST } from '../fixtures/service.ts';
import { type Alarm, ask, type Query, type Series } from './semantics/metric-math.ts';

const _ = null;

describe('metric math that is emitted', () => {
  const golden = join(import.meta.dirname, '..', 'golden');

  it('is read and taken: every alarm of every golden template', async () => {
    const alarms: [name: string, alarm: Alarm][] = [];
    for (const entry of await readdir(golden, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      const text = await readFile(join(golden, entry.name, 'template.json'), 'utf8').catch(() => '{}');
      const { Resources = {} } = JSON.parse(text) as { Resources?: Record<string, Resource> };
      for (const [id, { Type, Properties }] of Object.entries(Resources))
        if (Type === 'AWS::CloudWatch::Alarm') alarms.push([`${entry.name}: ${id}`, Properties]);
    }
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
    const math = properties.filter(({ Metrics = [] }) => Metrics.some(({ Expression }) => Expression));
    expect(math.length).toBe(180);
    // 110 rows; no request; a request and no score; what was scored at first only.
    const ids = [0, 1, 2, 3].flatMap((i) => [`a${i}`, `b${i}`]);
    const series = Object.fromEntries([...ids, 'n'].map((id): [string, Series] => [id, [0, _, _, 9]]));
    const live = { ...series, n: [110, _, 1, 5000], r: [5, _, 0.1, 200] };
    const [answers, refused] = await ask(
      math.map(({ Metrics = [] }) => [live, renamed(Metrics)]),
      properties,
    );
    expect(refused.filter((why) => why !== null)).toEqual([]);
    for (const answer of answers)
      expect([
        [0, _, 0, 0],
        [0, 0, 0, 0],
      ]).toContainEqual(answer);
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

type Resource = { readonly Type: string; readonly Properties: Alarm };

/** The expressions of an alarm by the ids that the program gives them. */
function renamed(metrics: readonly Query[]): readonly string[] {
  const math = metrics.flatMap(({ Id, Expression }) =>
    Expression === undefined ? [] : [{ Id, Expression }],
  );
  const names = new Map(math.map(({ Id }, index) => [Id, `e${index}`]));
  return math.map(({ Expression }) => Expression.replace(/\b[a-z]\w*/g, (id) => names.get(id) ?? id));
}
