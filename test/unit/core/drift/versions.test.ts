/**
 * What the alarm that one version declares says of rows that others scored against their own reference data.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DRIFT_METRICS, LEAST_ROWS, type NumericSignal } from '../../../../core/drift/contract.ts';
import { smooth } from '../../../../core/drift/statistics/smooth.ts';
import { effectiveRows, sharedPart, smoothThreshold } from '../../../../core/drift/statistics/threshold.ts';
import { createDrift } from '../../../../functions/runtime/drift.ts';
import type { Host } from '../../../../plugins/models/contracts/host.ts';
import type { DriftFacts, DriftSignal } from '../../../../plugins/models/declaration/model.ts';
import { parseModels } from '../../../../plugins/models/declaration/parse.ts';
import { driftAlarms } from '../../../../plugins/models/plan/drift/alarms.ts';
import { alphaOf, falseAlarms, pairChance } from '../../../../plugins/models/plan/drift/budget.ts';
import { nativeBudget } from '../../../../plugins/models/plan/drift/functions.ts';
import { drifting } from '../../../../plugins/models/plan/drift/monitor.ts';
import { sumsOf } from '../../../emf.ts';
import { HOST } from '../../../fixtures/service.ts';
import { alarmValues, type Point } from '../../../metric-expression.ts';
import { numericSignal } from '../../../reference.ts';

const EFFECT = 0.1;
const NAMES = ['age', 'income'] as const;
const host: Host = { ...HOST, region: 'eu-central-1' };
const [model] = drifting(
  parseModels({ churn: { artifact: 'a.onnx', drift: { baseline: 'r.csv', budget: 2, effect: EFFECT } } })
    .models,
);
if (model === undefined) throw new Error('no model');
const declared = model;

/** A version's reference: rows, and φ by signal. */
type Reference = { readonly m: number; readonly phis: readonly number[] };
const DECLARED: Reference = { m: 10_000, phis: [1, 3] };
const factsOf = ({ m, phis }: Reference): DriftFacts => ({
  sha256: 'f'.repeat(64),
  bytes: 1,
  rows: m,
  native: true,
  signals: NAMES.map(
    (name, i): DriftSignal => ({ name, label: name, of: 'input', kind: 'numeric', phi: phis[i] ?? 1, m }),
  ),
});
const alpha = alphaOf(nativeBudget(declared, factsOf(DECLARED)));
const queriesOf = (reference: Reference): readonly object[] => {
  const [alarm] = driftAlarms(declared, factsOf(reference), host);
  return (alarm?.resource.Properties.Metrics ?? []) as readonly object[];
};
const queries = queriesOf(DECLARED);

/** What a version's rows add up to, and what its endpoint publishes of that. */
type Part = { readonly reference: Reference; readonly n: number; readonly sums: readonly Sum[] };
type Sum = { readonly a: number; readonly b: number };
function published(parts: readonly Part[]): Readonly<Record<string, Point>> {
  const total: Record<string, { Sum: number }> = {};
  const add = (name: string, value: number): void => {
    total[name] = { Sum: (total[name]?.Sum ?? 0) + value };
  };
  for (const { reference, n, sums } of parts) {
    add(DRIFT_METRICS.rows, n);
    add(DRIFT_METRICS.rowsNoise, n / Math.sqrt(reference.m));
    sums.forEach(({ a, b }, i) => {
      const scale = 1 / Math.sqrt(reference.phis[i] ?? 1);
      add(`${DRIFT_METRICS.score}${NAMES[i]}_a`, a * scale);
      add(`${DRIFT_METRICS.score}${NAMES[i]}_b`, b * scale);
    });
  }
  return total;
}

const reference = fc.record({
  m: fc.integer({ min: 300, max: 1_000_000 }),
  phis: fc.tuple(fc.double({ min: 1, max: 60, noNaN: true }), fc.double({ min: 1, max: 60, noNaN: true })),
});
const mean = fc.double({ min: -0.6, max: 0.6, noNaN: true });
const part = fc
  .record({
    reference,
    n: fc.integer({ min: LEAST_ROWS, max: 100_000 }),
    means: fc.array(mean, { minLength: 4, maxLength: 4 }),
  })
  .map(({ means, n, ...rest }): Part => {
    const sums = [0, 2].map((i) => ({ a: n * (means[i] ?? 0), b: n * (means[i + 1] ?? 0) }));
    return { ...rest, n, sums };
  });

describe('the alarm', () => {
  it('has no number of a reference', () => {
    expect(queriesOf({ m: 300, phis: [7, 1.5] })).toEqual(queries);
  });

  it('judges the rows of any version by that version’s own m and φ', () => {
    fc.assert(
      fc.property(part, (one) => {
        const { n, reference, sums } = one;
        const { m, phis } = reference;
        const known = alarmValues(queries, published([one]));
        const limit = smoothThreshold(effectiveRows(n, m), EFFECT, alpha, sharedPart(n, m));
        expect((known.e ?? 0) / effectiveRows(n, m)).toBeCloseTo(1, 9);
        expect((known.c ?? 0) / limit).toBeCloseTo(1, 8);
        let beyond = 0;
        sums.forEach((sum, i) => {
          const phi = phis[i] ?? 1;
          const t = smooth({ n, ...sum }, m, phi)?.t ?? Number.NaN;
          const own = ((known[`a${i}`] ?? 0) ** 2 + (known[`b${i}`] ?? 0) ** 2) / (known.v ?? 0);
          expect(own).toBeCloseTo(t / phi, 9 - Math.ceil(Math.log10(1 + t)));
          if (t > phi * limit) beyond += 1;
        });
        expect(known.watched).toBe(beyond);
      }),
      { numRuns: 500 },
    );
  });

  it('takes rows of two versions for no more certain than they are, and of one reference for as certain', () => {
    fc.assert(
      fc.property(part, part, (one, other) => {
        const [v, alone] = [
          alarmValues(queries, published([one, other])).v ?? 0,
          [one, other].map(({ n, reference: { m } }) => n + (n * n) / m),
        ];
        // References may have rows in common: then their errors add up.
        const both = (alone[0] ?? 0) + (alone[1] ?? 0);
        const together = (2 * one.n * other.n) / Math.sqrt(one.reference.m * other.reference.m);
        expect(v / (both + together)).toBeCloseTo(1, 9);
        const same = { ...other, reference: one.reference };
        const known = alarmValues(queries, published([one, same]));
        const { m } = one.reference;
        expect((known.e ?? 0) / effectiveRows(one.n + other.n, m)).toBeCloseTo(1, 9);
      }),
    );
  });

  it('does not take a mixture of what is no drift for drift', () => {
    // Each at the effect that is to be overlooked, times √φ: so is their mixture, at most.
    fc.assert(
      fc.property(part, part, (one, other) => {
        const still = [one, other].map(
          ({ reference, n }): Part => ({
            reference,
            n,
            sums: reference.phis.map((phi) => ({ a: n * EFFECT * Math.sqrt(phi), b: 0 })),
          }),
        );
        expect(alarmValues(queries, published(still)).watched).toBe(0);
      }),
    );
  });

  it('watches the columns that a version has, though it lacks others', () => {
    const reference = { m: 5000, phis: [1, 1] };
    const all = published([
      {
        reference,
        n: 1000,
        sums: [
          { a: 400, b: 0 },
          { a: 0, b: 0 },
        ],
      },
    ]);
    const { Scaled_income_a: _, Scaled_income_b: __, ...own } = all;
    expect(alarmValues(queries, own).watched).toBe(1);
    expect(alarmValues(queries, {}).watched).toBeUndefined();
  });

  it('does not see sums of before they were scaled', () => {
    const old = { Rows: { Sum: 1000 }, Drift_age_a: { Sum: 900 }, Drift_age_b: { Sum: 900 } };
    expect(alarmValues(queries, old).watched).toBeUndefined();
    // Beside them it judges its own rows alone.
    const part = {
      reference: DECLARED,
      n: 1000,
      sums: [
        { a: 2, b: 1 },
        { a: 5, b: 5 },
      ],
    };
    expect(alarmValues(queries, { ...old, ...published([part]) }).watched).toBe(0);
  });
});

describe('the budget', () => {
  const { budget, signals, windows } = nativeBudget(declared, factsOf(DECLARED));

  it('is kept by versions of any reference, whichever declared the alarm', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 300, max: 10_000_000 }),
        fc.integer({ min: LEAST_ROWS, max: 10_000_000 }),
        fc.constantFrom(0, 0.05, EFFECT, 0.3),
        (m, n, effect) => {
          const expected = falseAlarms({ signals, windows, m, effect }, alpha, n);
          expect(expected).toBeLessThanOrEqual(budget * (1 + 1e-9));
        },
      ),
    );
  });

  it('is all spent where nothing is shared, and where all is; between them, less', () => {
    const spent = (n: number, m: number): number =>
      falseAlarms({ signals, windows, m, effect: 0 }, alpha, n) / budget;
    expect(spent(100, 1e9)).toBeCloseTo(1, 5);
    expect(spent(1e7, 300)).toBeGreaterThan(0.95);
    expect(spent(1000, 1000)).toBeGreaterThan(0.3);
    // By the limit of independent windows the same would be many times the budget.
    expect(signals * windows * pairChance(-2 * Math.log(alpha), 1e6, 300)).toBeGreaterThan(30 * budget);
  });
});

it('an endpoint publishes what its own reference makes of its rows', () => {
  const values = Array.from({ length: 5000 }, (_, i) => i / 5000);
  const own = (name: string, column: number, phi: number): NumericSignal => ({
    ...numericSignal({ name, of: 'input', tensor: 'X', column }, values),
    phi,
  });
  const phis = [1.7, 4];
  const signals = NAMES.map((name, column) => own(name, column, phis[column] ?? 1));
  const drift = createDrift(
    { baseline: 'ab'.repeat(32), native: true, signals },
    { inputs: [{ name: 'X', datatype: 'FP32', shape: [-1, 2] }], outputs: [] },
    {},
  );
  const lines: string[] = [];
  const total = NAMES.map(() => ({ a: 0, b: 0 }));
  for (let request = 0; request < 40; request++) {
    const data = Float32Array.from({ length: 20 }, (_, i) => ((request * 20 + i) * 0.618_033_988_75) % 0.9);
    const found = drift({ X: { datatype: 'FP32', shape: [10, 2], data } }, {});
    const { a, b } = JSON.parse(`${found?.line}}`);
    total.forEach((sum, i) => {
      sum.a += a[i];
      sum.b += b[i];
    });
    lines.push(`{"_aws":{"CloudWatchMetrics":[${found?.directives.slice(1)}]},"Model":"m"${found?.members}}`);
  }
  const sums = Object.fromEntries(
    Object.entries(sumsOf(lines)).map(([key, Sum]) => [key.replace(' Model=m', ''), { Sum }]),
  );
  const known = alarmValues(queries, sums);
  expect((known.e ?? 0) / effectiveRows(400, 5000)).toBeCloseTo(1, 8);
  total.forEach((sum, i) => {
    const t = smooth({ n: 400, ...sum }, 5000, phis[i] ?? 1)?.t ?? Number.NaN;
    const published = ((known[`a${i}`] ?? 0) ** 2 + (known[`b${i}`] ?? 0) ** 2) / (known.v ?? 0);
    // Each request's sums are rounded to four digits.
    expect(published).toBeCloseTo(t / (phis[i] ?? 1), 2);
  });
});
