import fc from 'fast-check';
import { expect, it } from 'vitest';
import { evenScale, xyChart } from '../../../../../plugins/models/page/xy-chart.ts';

it('a scale holds whatever is measured, nothing included', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1e300, noNaN: true }), (most) => {
      const scale = evenScale('ms', most, String);
      expect(scale.ticks.length).toBeGreaterThan(1);
      expect(scale.ticks.length).toBeLessThan(8);
      expect(scale.to).toBeGreaterThanOrEqual(most * (1 - 1e-9));
      expect(scale.to).toBeGreaterThan(0);
    }),
  );
});

it('a picture of nothing has no coordinate that is none', () => {
  const scale = evenScale('ms', 0, String);
  const x = { label: 'share', ticks: [], from: 0, to: 1 };
  const line = { label: 'warm requests', colour: 'accent', points: [[0, 0] as const] };
  expect(xyChart('Latency', x, scale, [line])).not.toMatch(/NaN|Infinity/);
});
