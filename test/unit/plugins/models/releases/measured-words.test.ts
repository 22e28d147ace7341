/** What a gate measured, as `history`, `status` and the report say it. */
import { describe, expect, it } from 'vitest';
import type { GateState } from '../../../../../core/gate/contract.ts';
import type { MetricState } from '../../../../../core/quality/contract.ts';
import { reportHtml } from '../../../../../plugins/models/drift-report/report-html.ts';
import { gateLine } from '../../../../../plugins/models/releases/words/lines.ts';

const metric: MetricState = {
  name: 'auc',
  rows: 500,
  done: 500,
  refused: [],
  result: {
    verdict: 'pass',
    estimate: { value: 0.91234, low: 0.8871, high: 0.9328 },
    limit: { is: 'min', value: 0.85, verdict: 'pass' },
    live: {
      version: '3',
      verdict: 'pass',
      value: 0.905,
      difference: { value: 0.00734, low: -0.0021, high: 0.0168 },
      margin: 0.01,
    },
    reason: 'auc 0.9123, fine.',
  },
};
const gate = (more: Partial<MetricState> = {}, verdict: GateState['verdict'] = 'pass'): GateState => ({
  verdict,
  done: 0,
  count: 0,
  failed: [],
  metric: { ...metric, ...more },
});

describe('the line of a gate that measured', () => {
  it('has the number, its interval, the limit, the live version’s number and the difference', () => {
    expect(gateLine(gate())).toBe(
      'pass: it starts; auc 0.9123 (0.8871 to 0.9328), min 0.85, live 0.905, difference 0.00734 (-0.0021 to 0.0168): pass',
    );
  });

  it('tells what is undecided, refused rows, and how far it is', () => {
    const result = { verdict: 'nodata', reason: 'auc cannot be measured.' } as const;
    expect(gateLine(gate({ result }, 'fail'))).toBe('fail: it starts; auc: no verdict');
    const { result: _, ...running } = metric;
    const under = { ...gate(), metric: { ...running, done: 128 } };
    expect(gateLine(under)).toBe('pass: it starts; auc: 128 of 500 labelled rows');
    expect(gateLine(gate({ refused: [3, 9, 12, 40, 41, 77] }, 'fail'))).toBe(
      'fail: it starts; auc: 6 of 500 labelled rows got no prediction (3, 9, 12, 40, 41, …)',
    );
  });

  it('is in the report, where a gate measured, whose times have a year', () => {
    const page = (one: GateState) =>
      reportHtml({ service: 's', stage: 'dev', region: 'eu-central-1', from: 0, to: 1 }, [
        {
          model: 'churn',
          functionName: 'f',
          releases: [
            {
              model: 'churn',
              release: 'r',
              startedAt: '2026-11-25T10:00:00.000Z',
              to: '4',
              gate: one,
              judgements: [],
              phase: 'DONE',
              outcome: 'promoted',
            },
          ],
        },
      ]);
    // A report goes back for up to 455 days, and is kept.
    expect(page(gate())).toContain('eu-central-1, 1970-01-01 00:00 to 1970-01-01 00:00 UTC');
    expect(page(gate())).toContain('<td>2026-11-25 10:00</td>');
    expect(page(gate())).toContain('Gate: pass: it starts; auc 0.9123 (0.8871 to 0.9328), min 0.85');
    const { metric: __, ...plain } = gate();
    expect(page(plain)).not.toContain('Gate:');
  });
});
