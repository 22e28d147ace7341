import { describe, expect, it } from 'vitest';
import { tick } from '../../fakes/world.ts';
import { deployed, MINUTE, minute } from './traffic.ts';

describe('a canary', () => {
  it('goes through its steps and is promoted, then watched for its window', async () => {
    const w = await deployed();
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
    expect(w.gated).toEqual(['3', '4']);
    const weights: (number | undefined)[] = [];
    for (let minutes = 0; minutes < 45 && w.state()?.phase !== 'BAKING'; minutes += 1) {
      await minute(w, { 3: 0.01, 4: 0.01 });
      const weight = w.alias()?.weights['4'];
      if (weight !== weights.at(-1)) weights.push(weight);
    }
    expect(weights).toEqual([0.05, 0.25, 0.5, undefined]);
    expect(w.alias()).toMatchObject({ version: '4', weights: {} });
    expect(w.state()?.judgements.map(({ step, verdict }) => [step, verdict])).toEqual([
      [0, 'pass'],
      [1, 'pass'],
      [2, 'pass'],
    ]);
    expect(w.notices.map(({ subject }) => subject)).toEqual(['churn: version 4 has all traffic']);
    expect(await w.send(tick())).toMatchObject({ phase: 'BAKING', running: false, version: '4' });
    w.clock.now += 24 * 60 * MINUTE;
    await minute(w);
    expect(w.state()?.phase).toBe('DONE');
    expect(w.schedules.size).toBe(0);
  });

  it('that errs more often is rolled back, refused, and told', async () => {
    const w = await deployed();
    for (let minutes = 0; minutes < 20 && w.state()?.phase !== 'ROLLED_BACK'; minutes += 1)
      await minute(w, { 3: 0.01, 4: 0.2 });
    expect(w.alias()).toMatchObject({ version: '3', weights: {} });
    expect(w.state()).toMatchObject({ phase: 'ROLLED_BACK', refused: [{ fingerprint: 'b', version: '4' }] });
    expect(w.notices).toHaveLength(1);
    expect(w.notices[0]?.text).toContain('Decided by: errors');
    expect(w.counted).toEqual(['ReleaseFailed']);
    expect(w.schedules.size).toBe(0);
  });
});
