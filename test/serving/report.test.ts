import { expect } from 'vitest';
import type { Baseline, DriftWindow, SignalWindow } from '../../core/drift/contract.ts';
import { type ReportedModel, reportHtml } from '../../plugins/models/drift-report/report-html.ts';
import { CARDS } from '../cards.ts';
import { readableInBrowser } from '../written-page.ts';

const HOSTILE = '</svg><script>alert(1)</script>"\'&';
const HOUR = 3_600_000;
const START = Date.parse('2026-11-24T00:00:00Z');

const signal = (name: string, label: string, size: number | undefined, drifted = false): SignalWindow => ({
  name,
  label,
  n: 1000,
  cells: Array.from({ length: 10 }, (_, i) => (drifted ? 190 - 20 * i : 100)),
  nulls: 0,
  ...(size !== undefined && {
    shift: -size,
    size,
    smooth: { t: 1000 * size * size, p: Math.exp(-500 * size * size) },
    chi: { x2: 12.5, df: 9, p: 0.18 },
    psi: size / 2,
  }),
  drifted,
});
const windows: readonly DriftWindow[] = Array.from({ length: 24 }, (_, i) => ({
  schema: 1,
  model: 'churn',
  baseline: 'f'.repeat(64),
  from: new Date(START + i * HOUR).toISOString(),
  to: new Date(START + (i + 1) * HOUR).toISOString(),
  requests: 1000,
  rows: 1000,
  signals: [
    signal('income', 'income', i === 7 ? undefined : 0.03),
    signal('age', HOSTILE, 0.02 * i, i > 15),
    ...Array.from({ length: 20 }, (_, k) => signal(`x${k}`, `a_column_with_a_long_name_${k}`, 0.001 * k)),
  ],
}));
const baseline: Baseline = {
  schema: 1,
  source: '0'.repeat(64),
  rows: 10_000,
  signals: windows[0]?.signals.map(({ name, label }) => ({
    kind: 'numeric',
    value: 'element',
    name,
    label,
    of: 'input',
    tensor: 'X',
    column: 0,
    nulls: 0,
    phi: 1,
    counts: Array(10).fill(1000),
    knots: Array.from({ length: 121 }, (_, i) => i),
    mean: 0.5,
    sd: 0.29,
    skew: 0,
    spread: 0.07,
    edges: Array.from({ length: 9 }, (_, i) => 12 * (i + 1)),
  })) as Baseline['signals'],
};
const wave = (height: number) =>
  Array.from({ length: 96 }, (_, i) => (i === 40 ? undefined : height * (2 + Math.sin(i / 9))));
const subjects: readonly ReportedModel[] = [
  {
    model: 'churn',
    functionName: 'shop-dev-churn',
    traffic: {
      times: Array.from({ length: 96 }, (_, i) => START + i * 900_000),
      period: 900,
      requests: wave(400),
      errors: wave(4),
      rejected: wave(1),
      p50: wave(5),
      p95: wave(11),
      p99: wave(20),
    },
    live: {
      schema: 1,
      ...{ model: 'churn', functionName: 'shop-dev-churn', version: '3', at: '2026-11-24T09:00:00Z' },
      ...{ identity: 'i', fingerprint: 'f', layer: 'l', source: 's' },
      card: CARDS.hostile.card,
      origin: { from: 'mlflow', at: 'https://m', name: HOSTILE, version: '3', run: '0a1b' },
    },
    releases: [
      {
        model: 'churn',
        release: 'r',
        startedAt: '2026-11-24T09:00:00Z',
        from: '3',
        to: '4',
        phase: 'ROLLED_BACK',
        outcome: 'rolled back',
        judgements: [
          {
            at: '2026-11-24T09:10:00Z',
            step: 0,
            verdict: 'fail',
            reason: `errors: 20 of 100 ${HOSTILE}`,
            signals: [],
          },
        ],
        reason: 'version 4 was rolled back',
      },
    ],
    seen: { windows, cut: false },
    baseline,
  },
  {
    model: 'fraud',
    functionName: 'shop-dev-fraud',
    unreadable: 'Metrics cannot be read: AccessDenied',
    releases: [],
  },
  { model: 'risk', functionName: 'shop-dev-risk', releases: [], seen: { windows: [], cut: false } },
];

readableInBrowser(
  'report',
  () =>
    reportHtml(
      { service: 'shop', stage: 'dev', region: 'eu-central-1', from: START, to: START + 24 * HOUR },
      subjects,
    ),
  2 + 1 + 12,
  async (page) => {
    expect(await page.locator('tr.drifted th').allTextContents()).toEqual([`${HOSTILE} drifted`]);
    expect(await page.getByText(`${HOSTILE} version 3 of MLflow, run 0a1b`).count()).toBe(1);
    expect(await page.getByText('Card of version 3').count()).toBe(1);
    expect(await page.getByText('Nothing was rolled back').count()).toBe(1);
    expect(await page.getByText('Metrics cannot be read: AccessDenied').isVisible()).toBe(true);
  },
);
