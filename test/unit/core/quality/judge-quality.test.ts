import { describe, expect, it } from 'vitest';
import { best } from '../../../../core/quality/best.ts';
import type { Label, LiveVersion, MetricSettings } from '../../../../core/quality/contract.ts';
import { judgeQuality } from '../../../../core/quality/judge-quality.ts';
import { scoreRows } from '../../../../core/quality/score-rows.ts';
import { randomFrom } from './random.ts';

const cases = { sha256: 'a', bytes: 1, rows: 1, requests: 1 };
const LIVE: LiveVersion = { version: '3' };
/** `wrong` of `n` rows, the first ones, or from a place on. */
const rights = (n: number, wrong: number, from = 0): readonly number[] =>
  Array.from({ length: n }, (_, i) => +(i < from || i >= from + wrong));

function judge(
  settings: Partial<MetricSettings>,
  own: readonly number[],
  {
    theirs,
    live,
    labels,
  }: {
    theirs?: readonly number[];
    live?: LiveVersion;
    labels?: readonly Label[];
  } = {},
) {
  return judgeQuality(
    { cases, name: 'accuracy', output: 'label', ...settings },
    { own, ...(theirs && { live: { version: '3', scores: theirs } }) },
    labels ?? own.map(() => 1),
    live,
  );
}

describe('a limit', () => {
  it.each([
    // 950 of 1000: 0.9347 to 0.9619.
    [0.93, 'pass'],
    [0.94, 'nodata'],
    [0.96, 'nodata'],
    [0.97, 'fail'],
  ] as const)('of 0.95 on 1000 rows min %s is %s', (min, verdict) => {
    expect(judge({ min }, rights(1000, 50))).toMatchObject({
      verdict,
      limit: { is: 'min', value: min, verdict },
    });
  });

  it.each([
    [0.6, 'pass'],
    [0.5, 'nodata'],
    [0.4, 'fail'],
  ] as const)('of a mae of 0.5 max %s is %s', (max, verdict) => {
    const own = Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? 0.25 : -0.75));
    expect(judge({ name: 'mae', max }, own)).toMatchObject({ verdict, limit: { is: 'max', verdict } });
  });

  it('tells how many rows would decide, and that it is none where the value itself is beyond', () => {
    expect(judge({ min: 0.94 }, rights(1000, 50)).reason).toBe(
      'accuracy 0.95 (95 % interval 0.9347 to 0.9619) on 1000 rows; the interval lies across min 0.94, so these rows cannot decide; some 2350 rows would, if the value stays.',
    );
    expect(judge({ min: 0.94 }, rights(2350, 117)).verdict).toBe('pass');
    expect(judge({ min: 0.96 }, rights(1000, 50)).reason).toContain(
      'so these rows cannot decide, and the value itself does not keep to it.',
    );
    // More than may be labelled are no way out.
    expect(judge({ min: 0.949 }, rights(1000, 50)).reason).toMatch(
      /so these rows cannot decide, and neither could the 100000 that a gate asks at most\.$/,
    );
    expect(judge({ min: 0.948 }, rights(1000, 50)).reason).toMatch(
      /; some \d+ rows would, if the value stays\.$/,
    );
    // Right at the limit it does keep to it, and no number of rows would show that.
    expect(judge({ min: 0.95 }, rights(1000, 50)).reason).toMatch(
      /lies across min 0.95, so these rows cannot decide, and the value is the limit itself\.$/,
    );
    expect(judge({ min: 0.7 }, rights(10, 3)).reason).toMatch(/, and the value is the limit itself\.$/);
  });
});

describe('errors whose squares no number holds', () => {
  const labels = Array.from({ length: 100 }, (_, i) => i);
  const wild = (size: number) => labels.map((_, i) => (i % 2 === 0 ? size : -size / 3));
  const usual = labels.map((_, i) => (i % 2 === 0 ? 0.5 : -0.25));

  it.each([
    ['mae', { max: 10 }, 1e160],
    ['mae', { max: 10 }, 1e308],
    ['rmse', { max: 10 }, 1e160],
    ['r2', { min: 0.5 }, 1e100],
    ['r2', { min: 0.5 }, 1e160],
  ] as const)('fail by %s, whatever is allowed where rows cannot decide', (name, limit, size) => {
    const found = judge({ name, ...limit, worseThanLive: 1 }, wild(size), {
      theirs: usual,
      live: LIVE,
      labels,
    });
    expect(found).toMatchObject({ verdict: 'fail', limit: { verdict: 'fail' }, live: { verdict: 'fail' } });
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
    expect(found.reason).not.toMatch(/NaN|Infinity/);
    // It may be live, too: then another is better.
    const better = judge({ name, worseThanLive: 1 }, usual, { theirs: wild(size), live: LIVE, labels });
    expect(better).toMatchObject({ verdict: 'pass', live: { verdict: 'pass' } });
  });

  it('are not told from labels that have none', () => {
    expect(judge({ name: 'r2', min: 0.5 }, usual, { labels: labels.map((label) => label * 1e200) })).toEqual({
      verdict: 'nodata',
      reason: 'r2 cannot be measured: the squares of its labels are beyond all numbers.',
    });
  });
});

describe('the live version', () => {
  const margin = { worseThanLive: 0.01 };

  it('is not needed for a first version', () => {
    expect(judge(margin, rights(100, 10))).toMatchObject({
      verdict: 'pass',
      reason: expect.stringMatching(/there is no live version to compare with\.$/),
    });
  });

  it.each([
    ['a better one', rights(1000, 40), rights(1000, 80), 'pass'],
    ['one that errs elsewhere, as often', rights(1000, 50), rights(1000, 50, 500), 'nodata'],
    ['a much worse one', rights(1000, 200), rights(1000, 50), 'fail'],
  ] as const)('%s', (_, own, theirs, verdict) => {
    const result = judge(margin, own, { theirs, live: LIVE });
    expect(result).toMatchObject({ verdict, live: { version: '3', verdict, margin: 0.01 } });
  });

  it('of the same artifact that answers the same is not worse, on however few rows', () => {
    const own = rights(20, 1);
    expect(judge(margin, own, { theirs: own, live: { ...LIVE, same: true } }).verdict).toBe('pass');
    // 20 rows show nothing of another artifact.
    expect(judge(margin, own, { theirs: own, live: LIVE }).verdict).toBe('nodata');
    // A transform may have changed.
    const other = judge(margin, own, { theirs: rights(20, 2), live: { ...LIVE, same: true } });
    expect(other.verdict).toBe('nodata');
  });

  it('that gives the same order by other scores is as good', () => {
    const labels = Array.from({ length: 100 }, (_, i) => i % 2);
    const theirs = labels.map((label, i) => ((i * 37) % 100) + 40 * label);
    const auc = { name: 'auc', min: 0.6, ...margin } as const;
    const result = judge(
      auc,
      theirs.map((score) => 2 * score),
      { theirs, live: LIVE, labels },
    );
    expect(result).toMatchObject({
      verdict: 'pass',
      live: { verdict: 'pass', difference: { value: 0, low: 0, high: 0 } },
    });
    // Without a fault there is no variance to go by, and each may be a little worse than that.
    const [flawless, alike] = [labels, labels.map((label) => 3 * label)];
    expect(judge(auc, flawless, { theirs: alike, live: LIVE, labels }).live?.verdict).toBe('nodata');
  });

  it('that cannot be asked leaves nothing decided', () => {
    const result = judge(margin, rights(1000, 5), { live: { ...LIVE, fault: 'row 1: WRONG_SHAPE' } });
    expect(result).toMatchObject({ verdict: 'nodata', live: { verdict: 'nodata' } });
    expect(result.reason).toMatch(/the live version 3 cannot be compared: row 1: WRONG_SHAPE\.$/);
  });

  it('counts the other way round where less is better', () => {
    const small = Array.from({ length: 200 }, (_, i) => (i % 2 ? 1 : 1.2));
    const large = small.map((error) => 2 * error);
    expect(judge({ name: 'mae', ...margin }, small, { theirs: large, live: LIVE }).verdict).toBe('pass');
    expect(judge({ name: 'mae', ...margin }, large, { theirs: small, live: LIVE }).verdict).toBe('fail');
  });

  it('fails what the limit lets pass, and the other way round', () => {
    const [own, theirs] = [rights(1000, 200), rights(1000, 50)];
    expect(judge({ min: 0.5, ...margin }, own, { theirs, live: LIVE }).verdict).toBe('fail');
    expect(judge({ min: 0.99, ...margin }, theirs, { theirs: own, live: LIVE }).verdict).toBe('fail');
  });
});

describe('too little', () => {
  it.each([
    ['no row', 'accuracy', [], [], 'there is no row'],
    // Their mean is another double than 0.1.
    ['labels of 0.1 alone', 'r2', Array(40).fill(0.2), Array(40).fill(0.1), 'all labels are equal'],
    ['one class only', 'auc', [1, 2, 3], [1, 1, 1], 'only 0 rows are not of the class'],
    [
      'nine rows of a class',
      'auc',
      Array(40).fill(1),
      Array.from({ length: 40 }, (_, i) => +(i < 9)),
      'only 9 rows are of the class',
    ],
    ['29 rows', 'logLoss', Array(29).fill(0.1), Array(29).fill(1), 'there are 29 rows, and logLoss needs 30'],
    ['labels that are all equal', 'r2', Array(30).fill(0.1), Array(30).fill(7), 'all labels are equal'],
  ] as const)('%s measures nothing, and that is no pass', (_, name, own, labels, lacks) => {
    const result = judge({ name, min: 0.5 }, own, { labels });
    expect(result.verdict).toBe('nodata');
    expect(result.reason).toContain(lacks);
    expect(result.estimate).toBeUndefined();
  });

  it('a single row has an interval that says so', () => {
    expect(judge({ min: 0.5 }, [1])).toMatchObject({ verdict: 'nodata', estimate: { value: 1, high: 1 } });
  });

  it('is known before anybody is asked', () => {
    expect(best('accuracy', Array(30).fill(1))).toMatchObject({ value: 1, low: expect.closeTo(0.8865, 4) });
    expect(
      best(
        'auc',
        Array.from({ length: 20 }, (_, i) => i % 2),
      ),
    ).toMatchObject({ value: 1 });
    expect(best('auc', [1, 1, 1])).toHaveProperty('lacks');
    expect(best('mae', Array(40).fill(1))).toEqual({ value: 0, low: 0, high: 0 });
  });
});

describe('what a row comes to', () => {
  const scores = (
    name: Parameters<typeof scoreRows>[0],
    datatype: string,
    data: readonly unknown[],
    labels: readonly Label[],
  ) => scoreRows(name, { datatype, shape: [data.length], data }, labels);

  it.each([
    ['classes', 'accuracy', 'INT64', [1, 0, 2n ** 60n], [1, 1, 2n ** 60n], [1, 0, 1]],
    ['texts', 'accuracy', 'BYTES', ['yes', '1'], ['yes', '01'], [1, 0]],
    ['flags', 'accuracy', 'BOOL', [true, false], [true, true], [1, 0]],
    [
      'the greatest column, the first of equal ones',
      'accuracy',
      'FP32',
      [0.2, 0.8, 0.5, 0.5],
      [1, 1],
      [1, 0],
    ],
    ['one probability', 'accuracy', 'FP32', [0.7, 0.5], [1, 0], [1, 1]],
    ['scores of the second class', 'auc', 'FP32', [0.2, 0.8, 0.9, 0.1], [1, 0], [0.8, 0.1]],
    ['one score, of any size', 'auc', 'FP32', [-3, 12], [1, 0], [-3, 12]],
    ['a probability as it is', 'auc', 'FP32', [0.7, 0.30000001192092896], [1], [0.30000001192092896]],
    ['logits of any size', 'auc', 'FP64', [-1.5e308, 1.5e308], [1], [1.5e308]],
    ['probabilities', 'logLoss', 'FP64', [0.25, 0.75, 1, 0], [1, 1], [-Math.log(0.75), -Math.log(2 ** -52)]],
    ['one probability, clipped as its floats are', 'logLoss', 'FP32', [1], [0], [-Math.log(2 ** -23)]],
    ['errors', 'rmse', 'FP32', [3, 5], [4, 4], [-1, 1]],
    [
      'one of as many classes as a vocabulary has',
      'accuracy',
      'FP32',
      Array.from({ length: 150_000 }, (_, i) => (i === 149_999 ? 2 : 1)),
      [149_999],
      [1],
    ],
  ] as const)('%s', (_, name, datatype, data, labels, wanted) => {
    const found = scores(name, datatype, data, labels);
    expect(found).toHaveLength(wanted.length);
    for (const [i, score] of wanted.entries()) expect((found as number[])[i]).toBeCloseTo(score, 12);
  });

  it.each([
    ['NaN', 'rmse', 'FP32', [Number.NaN, 1], [1, 1], /no finite number/],
    ['NaN among classes', 'accuracy', 'FP32', [Number.NaN, 1, 0, 1], [1, 1], /no finite number/],
    ['null, which JSON has for NaN', 'auc', 'FP32', [null, 1], [1, 0], /no finite number/],
    ['a logit', 'logLoss', 'FP32', [-2.5, 0.5], [1, 1], /no probability/],
    ['a logit, for a class', 'accuracy', 'FP32', [-2.5, 0.5], [1, 1], /no probability/],
    ['scores that are no distribution', 'logLoss', 'FP32', [0.9, 0.9, 0.5, 0.5], [1, 1], /add up to 1/],
    [
      'a class without a column',
      'logLoss',
      'FP32',
      [0.5, 0.5, 0.5, 0.5],
      [2, 1],
      /no class of an output of 2/,
    ],
    [
      'a class without a column, for accuracy',
      'accuracy',
      'FP32',
      [0.5, 0.5, 0.5, 0.5],
      [2, 1],
      /of 2 columns/,
    ],
    ['three classes', 'auc', 'FP32', [1, 2, 3, 4, 5, 6], [1, 0], /two classes/],
  ] as const)('%s has no score, and the others have', (_, name, datatype, data, labels, fault) => {
    const [first, second] = scores(name, datatype, data, labels) as (number | string)[];
    expect(first).toMatch(fault);
    if (name !== 'auc' || labels.length !== data.length / 3) expect(typeof second).toBe('number');
  });

  it('two logits rank the rows as the probability that they stand for, answer by answer', () => {
    const random = randomFrom(11);
    const labels = Array.from({ length: 400 }, (_, i) => i % 2);
    // Both logits move together from row to row, as a bias does: alone the second says little.
    const logits = labels.map((label) => {
      const both = 3 * random.normal();
      return [both, both + 1.5 * label - 0.75 + random.normal()] as const;
    });
    const probabilities = logits.map(([a, b]) => [1 / (1 + Math.exp(b - a)), 1 / (1 + Math.exp(a - b))]);
    const ranked = (pairs: readonly (readonly number[])[]) =>
      judge(
        { name: 'auc', min: 0.5 },
        pairs.flatMap((pair) => scores('auc', 'FP64', pair, [1])) as number[],
        {
          labels,
        },
      ).estimate?.value;
    expect(ranked(probabilities)).toBeGreaterThan(0.8);
    expect(ranked(logits)).toBeCloseTo(ranked(probabilities) as number, 12);
  });

  it('an answer that has not one for each row has none', () => {
    expect(scores('mae', 'FP32', [1, 2, 3], [1, 2])).toBe('The answer has 3 elements for 2 rows.');
    expect(scores('mae', 'FP32', [], [1, 2])).toBe('The answer has 0 elements for 2 rows.');
  });
});

/** A thousandth of what `npm run soak -- quality` does, so that a wrong formula is seen in each run. */
describe('an interval', () => {
  it('of auc has the truth in about 95 of 100 samples', () => {
    const random = randomFrom(5);
    const truth = 0.8023;
    let held = 0;
    for (let i = 0; i < 300; i++) {
      const labels = Array.from({ length: 80 }, (_, j) => j % 2);
      const own = labels.map((label) => 1.2 * label + random.normal());
      const { estimate } = judge({ name: 'auc', min: 0.5 }, own, { labels });
      held += +(estimate !== undefined && estimate.low <= truth && truth <= estimate.high);
    }
    expect(held).toBeGreaterThan(270);
    expect(held).toBeLessThan(298);
  });
});
