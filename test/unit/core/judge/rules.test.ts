import { describe, expect, it } from 'vitest';
import type { Side } from '../../../../core/judge/contract.ts';
import { crashesNow } from '../../../../core/judge/crashes.ts';
import { type Minute, usable } from '../../../../core/judge/minutes.ts';
import { reversed } from '../../../../core/judge/reversed.ts';
import { exceeded, slowEdge, slowEdges, slowRow } from '../../../../core/judge/slow.ts';
import { judge, type Options, type Position, unread } from '../../../../core/judge/verdict.ts';

const at = (i: number): string => new Date(Date.UTC(2026, 0, 1, 12, i)).toISOString();
const served = (requests: number, errors = 0, more: Side = {}): Side => ({
  invocations: requests,
  crashes: 0,
  requests,
  errors,
  ...more,
});
/** Ten minutes at one weight, all alike. */
const minutes = (candidate: Side, stable: Side, weight = 0.25, length = 10): readonly Minute[] =>
  Array.from({ length }, (_, i) => ({ at: at(i), step: 0, weight, candidate, stable }));

const last: Position = { index: 0, bakeOver: true };
const options: Options = { minRequests: 100, increase: 0.01, expectedShift: 0.2, outputs: [] };
const numbersOf = (finding: ReturnType<typeof judge>, i = 0) => finding.signals[i]?.numbers ?? {};

describe('a verdict', () => {
  const healthy = minutes(served(200, 0), served(600, 0));

  it('is pass once bake, requests and bound allow it', () => {
    const finding = judge(healthy, last, options);
    expect(finding.verdict).toBe('pass');
    expect(finding.reason).toBe(
      '0 of 2,000 (0 %) candidate requests failed; errors have risen by at most 0.19 percentage points, the next weight allows 1 percentage point',
    );
    expect(judge(healthy, { ...last, bakeOver: false }, options).verdict).toBe('nodata');
  });

  it('is nodata on too few requests in this step, however many came before', () => {
    const later = [
      ...healthy,
      { ...healthy[0], at: at(10), step: 1, candidate: served(99), stable: served(300) },
    ];
    const finding = judge(later as Minute[], { index: 1, bakeOver: true }, options);
    expect(finding.verdict).toBe('nodata');
    expect(finding.reason).toMatch(/candidate 99, stable 300, each needs 100/);
  });

  it('rejected requests fill no step', () => {
    const rejected = minutes({ ...served(200), requests: 5 }, { ...served(600), requests: 15 });
    expect(judge(rejected, last, options).reason).toMatch(/candidate 50, stable 150/);
  });

  it('is nodata while the bound is above what the next weight may waste', () => {
    const some = minutes(served(38, 0), served(114, 0));
    expect(judge(some, last, options)).toMatchObject({ verdict: 'nodata' });
    expect(numbersOf(judge(some, last, options))).toMatchObject({ limit: 0.01 });
    // Rounded to two digits it would read as if it were the limit.
    expect(judge(some, last, options).reason).toContain(
      'may have risen by 1.001 percentage points, the next weight allows 1 percentage point',
    );
    // 380 requests without an error: one more would pass after the last step; half of the traffic may come at
    // 2 %.
    expect(judge(some, { ...last, nextWeight: 0.5 }, options).verdict).toBe('pass');
  });

  it('is fail from the first minutes on, and over too few requests', () => {
    const broken = minutes(served(10, 10), served(30, 0), 0.25, 2);
    const finding = judge(broken, { index: 0, bakeOver: false }, options);
    expect(finding.verdict).toBe('fail');
    expect(finding.reason).toMatch(/20 of 20 \(100 %\) of the candidate version’s requests failed, 0 of 60/);
    expect(judge(broken.slice(0, 1), last, options).verdict).not.toBe('fail');
  });

  it('takes no minute for one without errors whose own points are late: they can still come', () => {
    // Ten minutes of 8 %; AWS/Lambda is on time, what the endpoint counts itself is seven minutes late.
    const all = minutes(served(60, 5), served(540, 40), 0.1);
    const seen = all.map((minute, i) => {
      const late = ({ invocations = 0, crashes = 0 }: Side): Side => ({ invocations, crashes });
      return i < 3 ? minute : { ...minute, candidate: late(minute.candidate), stable: late(minute.stable) };
    });
    const next: Position = { ...last, nextWeight: 0.25 };
    expect(judge(all, next, options).verdict).toBe('pass');
    const waiting = judge(seen, next, options);
    expect([waiting.verdict, numbersOf(waiting).bound]).toEqual([
      'nodata',
      numbersOf(judge(all.slice(0, 3), next, options)).bound,
    ]);
    expect(waiting.reason).toContain('15 of 180');
    // A version that refuses all that it gets, or crashes, has counted.
    const refusing = minutes({ invocations: 60, crashes: 20, rejected: 40 }, served(540, 40), 0.1, 3);
    expect(numbersOf(judge([...all, ...refusing], next, options)).bound).toBe(
      numbersOf(
        judge([...all, ...refusing.map((one) => ({ ...one, candidate: served(60, 20) }))], next, options),
      ).bound,
    );
  });

  it('leaves no error out that is known, where only the points of the other version are late', () => {
    const good = { invocations: 60, crashes: 0, requests: 60, errors: 0 };
    const clean = Array.from({ length: 10 }, (_, i) => ({ ...minutes(good, good, 0.5, 1)[0], at: `m${i}` }));
    const late = { invocations: 60, crashes: 0 };
    const position = { index: 0, nextWeight: 1, bakeOver: true };
    const own = { minRequests: 100, increase: 0.01, expectedShift: 0.2, outputs: [] };
    for (const bad of [
      { ...good, errors: 5 },
      { ...good, invocations: 65, crashes: 5 },
    ]) {
      const last = { ...minutes(bad, late, 0.5, 1)[0], at: 'last' };
      const finding = judge([...clean, last] as Minute[], position, own);
      expect(finding.verdict).toBe('nodata');
      expect(finding.reason).toMatch(/ 5 of 66[05] /);
    }
  });

  it('takes more errors than requests, from points that come late, for all of them', () => {
    const late = minutes(served(10, 12), served(30, 0), 0.25, 2);
    expect(judge(late, last, options).verdict).toBe('fail');
    expect(numbersOf(judge(late, last, options))).toMatchObject({ delta: 1, bound: expect.closeTo(1.04, 1) });
  });

  it('counts crashes, which only AWS sees, beside handled errors', () => {
    const crashing = minutes({ invocations: 20, crashes: 20 }, served(60, 0), 0.25, 3);
    expect(judge(crashing, last, options).verdict).toBe('fail');
    expect(numbersOf(judge(crashing, last, options))).toMatchObject({ x1: 60, n1: 60 });
  });

  it('does not fail on one bad minute, nor on a difference below 0.1 percentage points', () => {
    const spike = minutes(served(200, 0), served(600, 0)).map((minute, i) =>
      i === 3 ? { ...minute, candidate: served(200, 12) } : minute,
    );
    expect(numbersOf(judge(spike, last, options)).lnE).toBeGreaterThan(Math.log(40));
    expect(judge(spike, last, options).verdict).not.toBe('fail');
    const rare = minutes(served(50_000, 40), served(150_000, 10));
    expect(numbersOf(judge(rare, last, options)).lnE).toBeGreaterThan(Math.log(40));
    expect(judge(rare, last, options).verdict).toBe('pass');
  });

  it('does not fail below 1.25 times as many errors, however certain they are', () => {
    const certain = minutes(served(20_000, 235), served(60_000, 600));
    const numbers = numbersOf(judge(certain, last, options));
    expect(numbers.lnE).toBeGreaterThan(Math.log(40));
    expect(numbers.steady).toBeGreaterThan(2.5);
    expect(numbers.lnE125).toBeLessThan(0);
    expect(judge(certain, last, options).verdict).toBe('pass');
  });

  it('does not fail on a trend that minutes do not share, unless it is plain', () => {
    // Bursts of a sick host: many errors in few minutes.
    const bursts = (errors: number) =>
      minutes(served(200, 0), served(600, 6)).map((minute, i) =>
        i % 4 === 1 ? { ...minute, candidate: served(200, errors) } : minute,
      );
    expect(judge(bursts(15), last, options).verdict).toBe('nodata');
    expect(judge(bursts(120), last, options).verdict).toBe('fail');
  });

  it('is error where a metric is missing, before anything else', () => {
    const blind = minutes({ invocations: 200, requests: 200, errors: 100 }, served(600, 0));
    expect(judge(blind, last, options)).toMatchObject({
      verdict: 'error',
      reason: 'AWS/Lambda has Invocations of the candidate version without Errors',
    });
    const mute = minutes({ invocations: 200, crashes: 0 }, served(600, 0));
    expect(judge(mute, last, options).reason).toMatch(
      /candidate version served 2,000 requests and counted none/,
    );
    expect(unread('throttled')).toEqual({ verdict: 'error', reason: 'throttled', signals: [] });
  });

  it('is error where a version that counted before does so no more, and the step is short of requests for that', () => {
    const begun = minutes(served(200, 0), served(600, 0));
    const on = begun.map((minute) => ({ ...minute, step: 1 }));
    const without = (side: Side): Side => ({ invocations: side.invocations ?? 0, crashes: 0 });
    const mute = on.map((minute) => ({ ...minute, candidate: without(minute.candidate) }));
    const second = { index: 1, bakeOver: true };
    expect(judge([...begun, ...mute], second, { ...options, rejected: true })).toMatchObject({
      verdict: 'error',
      reason:
        'the candidate version served 2,000 requests in minutes of this step of which it counted none itself: are its metrics not written?',
    });
    const bothMute = on.map(({ candidate, stable, ...minute }) => ({
      ...minute,
      candidate: without(candidate),
      stable: without(stable),
    }));
    expect(judge([...begun, ...bothMute], second, options)).toMatchObject({
      verdict: 'error',
      reason: expect.stringMatching(/refused \(4xx\), or are its metrics not written\?$/),
    });
    // Points of the last minute may be late, and of little traffic there is not more to know.
    expect(judge([...begun, ...on.slice(0, 1), ...mute.slice(1, 2)], second, options).verdict).toBe('pass');
    const few = minutes(served(8), served(24)).map((minute) => ({ ...minute, step: 1 }));
    const late = few.map((minute, i) =>
      i < 9 ? minute : { ...minute, candidate: without(minute.candidate) },
    );
    expect(judge([...begun, ...late], second, options).verdict).toBe('nodata');
    // What crashes, or what another signal fails, decides all the same.
    const crashing = mute.map((minute) => ({ ...minute, candidate: { invocations: 200, crashes: 100 } }));
    expect(judge([...begun, ...crashing], second, options).verdict).toBe('fail');
  });

  it('is error where the split is not what the weights say', () => {
    const skewed = minutes(served(150), served(850), 0.1);
    const finding = judge(skewed, last, options);
    expect(finding.verdict).toBe('error');
    expect(finding.reason).toMatch(
      /received 1,500 of 10,000 requests \(15 %\) where the weights say 1,000 \(10 %\)/,
    );
    // Within a tenth, or within four standard deviations, the coin may be true.
    expect(judge(minutes(served(109), served(891), 0.1), last, options).verdict).toBe('pass');
    expect(judge(minutes(served(2), served(8), 0.1), last, options).verdict).toBe('nodata');
  });

  it('takes no few requests for a wrong split: the coin gives the first one to the candidate as often as it says', () => {
    for (const [candidate, stable, weight] of [
      [1, 0, 0.05],
      [1, 4, 0.01],
      [3, 9, 0.05],
      [4, 26, 0.02],
    ] as const) {
      const seen = judge(minutes(served(candidate), served(stable), weight, 1), last, options);
      expect([seen.verdict, seen.reason]).toEqual(['nodata', expect.stringContaining('too few requests')]);
    }
    // An alias that somebody gave half in place of 5 % is told after some twenty.
    expect(judge(minutes(served(11), served(11), 0.05, 1), last, options).verdict).toBe('error');
  });
});

describe('latency', () => {
  const slow = (n: number, counts: NonNullable<Side['slow']>, more: Side = {}): Side =>
    served(n, 0, { slow: counts, ...more });

  it('holds the candidate against an edge 1.19 times higher than the stable version', () => {
    expect(slowEdges(100).map((edge) => edge.toFixed(2))).toEqual(['70.71', '84.09', '100.00', '118.92']);
    const [one] = minutes(
      slow(100, [40, 30, 20, 10], { coldStarts: 5 }),
      slow(300, [80, 60, 40, 20], { errors: 10 }),
    );
    expect(one && slowRow(one, 2)).toMatchObject({ x1: 20, n1: 95, x2: 60, n2: 290 });
  });

  it('fails where even the higher edge is passed more often, and only with an SLO', () => {
    const worse = minutes(slow(200, [80, 70, 60, 50]), slow(600, [90, 60, 30, 10]));
    expect(judge(worse, last, { ...options, slow: 2 })).toMatchObject({ verdict: 'fail' });
    expect(judge(worse, last, { ...options, slow: 2 }).reason).toMatch(
      /^latency: 600 of 2,000 \(30 %\) of the candidate version’s warm requests/,
    );
    expect(judge(worse, last, options).verdict).toBe('pass');
    const equal = minutes(slow(200, [30, 20, 10, 5]), slow(600, [90, 60, 30, 15]));
    expect(judge(equal, last, { ...options, slow: 2 }).verdict).toBe('pass');
  });

  it('is nodata where most requests are cold, and blocks nothing', () => {
    const cold = minutes(slow(200, [0, 0, 0, 0], { coldStarts: 195 }), slow(600, [90, 60, 30, 15]));
    const finding = judge(cold, last, { ...options, slow: 2 });
    expect(finding.verdict).toBe('pass');
    expect(finding.signals.map(({ signal, verdict }) => [signal, verdict])).toEqual([
      ['errors', 'pass'],
      ['slow', 'nodata'],
    ]);
  });

  it('takes the edge below which the stable version exceeds in nearest a tenth', () => {
    expect(slowEdge(slow(1000, [100, 50, 20, 5]))).toBe(1);
    expect(slowEdge(slow(1000, [400, 110, 20, 5]))).toBe(2);
    expect(slowEdge(slow(1000, [900, 400, 90, 5]))).toBe(3);
    expect(slowEdge({})).toBe(2);
    expect(exceeded(slow(1000, [400, 110, 20, 5]), 2)).toBe(0.11);
    expect(exceeded({}, 2)).toBe(0);
  });
});

describe('refused requests', () => {
  const counted: Options = { ...options, rejected: true };
  /** So many requests of which so many were refused. */
  const refusing = (n: number, rejected: number, errors = 0): Side => ({
    invocations: n,
    crashes: 0,
    ...(n > rejected && { requests: n - rejected }),
    ...(errors > 0 && { errors }),
    ...(rejected > 0 && { rejected }),
  });

  it('fail a candidate that refuses what the stable version serves', () => {
    const found = judge(minutes(refusing(97, 40), refusing(283, 0), 0.25, 6), last, counted);
    expect(found).toMatchObject({ verdict: 'fail', signals: [{ signal: 'errors' }, { signal: 'rejected' }] });
    expect(found.reason).toBe(
      'rejected: 240 of 582 (41.2 %) of the candidate version’s requests were refused, 0 of 1,698 (0 %) of the stable version’s: ' +
        '41 percentage points more at the same mix of steps; evidence over a billion to 1, 160 to 1 is needed',
    );
    // Failed it has in two minutes at least, and from the first on.
    const first = minutes(refusing(97, 40), refusing(283, 0));
    expect(judge(first.slice(0, 1), { ...last, bakeOver: false }, counted).verdict).toBe('nodata');
    expect(judge(first.slice(0, 2), { ...last, bakeOver: false }, counted).verdict).toBe('fail');
  });

  it('fail a candidate that refuses all of them, of which it counts no other request', () => {
    const all = minutes(refusing(97, 97), refusing(283, 0));
    expect(judge(all, last, counted)).toMatchObject({
      verdict: 'fail',
      reason: expect.stringMatching(/^rejected: 970 of 970 \(100 %\)/),
    });
    // By model only nobody knows whose they were.
    const unaware = minutes({ invocations: 97, crashes: 0 }, refusing(283, 0));
    expect(judge(unaware, last, options)).toMatchObject({
      verdict: 'error',
      reason: expect.stringMatching(/counted none of them itself: were all of them refused \(4xx\)/),
    });
    expect(judge(unaware, last, counted)).toMatchObject({
      verdict: 'error',
      reason: expect.stringMatching(/counted none of them itself: are its metrics not written\?$/),
    });
  });

  it('that fall to both versions alike are clients’ mistakes, however many', () => {
    const shared = minutes(refusing(200, 150), refusing(600, 450));
    const found = judge(shared, last, counted);
    expect(found.verdict).toBe('pass');
    expect(found.signals.map(({ signal, verdict }) => [signal, verdict])).toEqual([
      ['errors', 'pass'],
      ['rejected', 'pass'],
    ]);
    const fixed = minutes(refusing(200, 0), refusing(600, 240));
    expect(judge(fixed, last, counted).verdict).toBe('pass');
  });

  it('of a stable version that refuses all leave nothing to compare with', () => {
    expect(judge(minutes(refusing(200, 200), refusing(600, 600)), last, counted).verdict).toBe('error');
    expect(judge(minutes(refusing(200, 0, 2), refusing(600, 600)), last, counted)).toMatchObject({
      verdict: 'error',
      reason: expect.stringMatching(/^the stable version served 6,000 requests .* were all of them refused/),
    });
  });

  it('must differ as failed ones must: by 1.25 times, and steadily', () => {
    const near = minutes(refusing(20_000, 235), refusing(60_000, 600));
    const numbers = numbersOf(judge(near, last, counted), 1);
    expect(numbers.lnE).toBeGreaterThan(Math.log(160));
    expect(numbers.lnE125).toBeLessThan(0);
    expect(judge(near, last, counted).verdict).toBe('pass');
    const bursts = (rejected: number) =>
      minutes(refusing(200, 0), refusing(600, 6)).map((minute, i) =>
        i % 4 === 1 ? { ...minute, candidate: refusing(200, rejected) } : minute,
      );
    expect(numbersOf(judge(bursts(20), last, counted), 1).lnE).toBeGreaterThan(Math.log(160));
    expect(judge(bursts(20), last, counted).verdict).toBe('pass');
    expect(judge(bursts(120), last, counted).verdict).toBe('fail');
  });

  it('are not judged where one of the versions counts them by model only', () => {
    const found = judge(minutes(refusing(200, 80), refusing(600, 0)), last, options);
    expect(found.verdict).toBe('pass');
    expect(found.signals.map(({ signal }) => signal)).toEqual(['errors']);
  });

  it('are no matter of the reversed canary', () => {
    const live = minutes(refusing(300, 200), refusing(300, 0), 0.5);
    expect(reversed(live, { minRequests: 100, over: false })).toMatchObject({
      verdict: 'restore',
      signals: [{ signal: 'errors' }],
    });
  });
});

describe('outputs', () => {
  /** Scores of `n` answers whose mean is `shift` σ away. */
  const scores = (n: number, shift: number) => ({
    a: n * shift,
    b: 0,
    aa: n * (1 + shift ** 2),
    bb: n,
    ab: 0,
  });
  const answering = (n: number, shift: number): Side =>
    served(n, 0, { outputs: { score: scores(n, shift) } });
  const watched: Options = { ...options, outputs: ['score'] };

  it('fail when they moved further than a new model may', () => {
    const far = judge(minutes(answering(200, 1), answering(600, 0)), last, watched);
    expect(far).toMatchObject({ verdict: 'fail' });
    expect(far.reason).toMatch(/^output score: 1 σ away .* 0.2 σ are allowed/);
    expect(judge(minutes(answering(200, 0.2), answering(600, 0)), last, watched).verdict).toBe('pass');
    expect(judge(minutes(answering(200, 1), answering(600, 1)), last, watched).verdict).toBe('pass');
  });

  it('share the chance of a false alarm', () => {
    const limit = (outputs: readonly string[]) =>
      numbersOf(judge(minutes(answering(200, 0), answering(600, 0)), last, { ...options, outputs }), 1)
        .lnLimit;
    expect(limit(['score'])).toBeCloseTo(Math.log(160), 12);
    expect(limit(['score', 'label', 'class'])).toBeCloseTo(Math.log(480), 12);
  });

  it('are not judged before a hundred answers, nor across a change of the baseline', () => {
    const few = judge(minutes(answering(9, 1), answering(27, 0)), { ...last, bakeOver: false }, watched);
    expect(few.signals[1]?.verdict).toBe('nodata');
    expect(judge(minutes(answering(200, 1), answering(600, 0)), last, options).verdict).toBe('pass');
  });

  it('do not fail by one answer of a rare class: a second minute must say so', () => {
    // Two classes are −1 and 1; of the stable version one answer in a thousand is the second.
    const classes = (n: number, second: number): Side =>
      served(n, 0, { outputs: { score: { a: 2 * second - n, b: 0, aa: n, bb: 0, ab: 0 } } });
    const canary = (...seconds: readonly number[]): readonly Minute[] =>
      minutes(classes(20, 0), classes(2000, 2), 0.01, 6).map((minute, i) => ({
        ...minute,
        candidate: classes(20, seconds[i] ?? 0),
      }));
    const next = { ...last, bakeOver: false };
    // Three of 120 answers are 0.76 σ, whose evidence would be two million to 1.
    const alone = judge(canary(0, 0, 3), next, watched);
    expect(alone.signals[1]).toMatchObject({ signal: 'score', verdict: 'pass' });
    expect(numbersOf(alone, 1).shift).toBeGreaterThan(0.7);
    expect(numbersOf(alone, 1).lnE).toBeLessThan(0);
    expect(judge(canary(2, 3, 2, 3), next, watched).verdict).toBe('fail');
    // All of its traffic came in one minute.
    const [only] = minutes(answering(2000, 1), answering(6000, 0));
    expect(judge([only as Minute], next, watched).verdict).toBe('nodata');
  });

  it('nothing passes by a single minute, which outputs and slowness cannot fail in either', () => {
    const far = minutes(answering(2000, 1), answering(6000, 0), 0.25, 2);
    const slow = (count: number): Side => served(2000, 0, { slow: [count, count, count, count] });
    const late = minutes(slow(1500), slow(100), 0.5, 2);
    for (const [all, of] of [
      [far, watched],
      [late, { ...options, slow: 2 as const }],
    ] as const) {
      const first = judge(all.slice(0, 1), last, of);
      expect(first.verdict).toBe('nodata');
      expect(first.reason).toBe(
        'no regression so far, but only one minute could be judged: a second one is awaited',
      );
      expect(judge(all, last, of).verdict).toBe('fail');
    }
    expect(judge(minutes(served(2000), served(6000), 0.25, 2), last, options).verdict).toBe('pass');
    // A minute without requests says nothing.
    const silence = { ...minutes({}, {}, 0.25, 1)[0], at: at(1) } as Minute;
    expect(judge([far[0] as Minute, silence], last, watched).verdict).toBe('nodata');
  });

  it('passes where no minute has a request of both versions: one comes each minute', () => {
    const [ours, theirs] = [served(1), served(1)];
    const steady = Array.from(
      { length: 800 },
      (_, i): Minute => ({
        ...{ at: at(i), step: 0, weight: 0.5 },
        ...(i % 2 === 0 ? { candidate: ours, stable: {} } : { candidate: {}, stable: theirs }),
      }),
    );
    expect(judge(steady, last, options).verdict).toBe('pass');
    // One version has a single minute.
    const once = [
      { ...steady[0], candidate: served(400) } as Minute,
      ...steady.filter((_, i) => i % 2 === 1),
    ];
    expect(judge(once, last, options).verdict).toBe('nodata');
  });

  it('are not judged by a few answers of the stable version either, whose noise says nothing', () => {
    // 33 minutes: the candidate answers all, the stable version fails but for two requests a minute.
    const failing = { ...answering(2, 0), requests: 200, errors: 198, invocations: 200 };
    const found = judge(minutes(answering(200, 4), failing, 0.5).slice(0, 9), last, watched);
    expect(found.signals[1]).toMatchObject({ signal: 'score', verdict: 'nodata', numbers: { n2: 18 } });
    expect(found.verdict).toBe('pass');
  });

  it('of two values follow their first score alone', () => {
    // The second score is the first one: the covariance has no inverse.
    const twin = (n: number, shift: number): Side => {
      const { a, aa } = scores(n, shift);
      return served(n, 0, { outputs: { score: { a, b: a, aa, bb: aa, ab: aa } } });
    };
    const { shift } = numbersOf(judge(minutes(twin(200, 0.5), twin(600, 0)), last, watched), 1);
    expect(shift).toBeCloseTo(0.5, 12);
    const constant = (shift: number): Side =>
      served(200, 0, { outputs: { score: { a: 200 * shift, b: 0, aa: 200 * shift ** 2, bb: 0, ab: 0 } } });
    expect(numbersOf(judge(minutes(constant(0.3), constant(0), 0.5), last, watched), 1).shift).toBeCloseTo(
      0.3,
      12,
    );
  });
});

describe('minutes', () => {
  it('are judged when complete, two minutes old, and without a change of weight', () => {
    const all = minutes(served(1), served(1));
    const starts = (list: readonly Minute[]) => list.map((minute) => new Date(minute.at).getUTCMinutes());
    const now = Date.parse(at(9));
    expect(starts(usable(all, now, []))).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(starts(usable(all, now - 1, []))).toEqual([0, 1, 2, 3, 4, 5]);
    expect(starts(usable(all, now, ['2026-01-01T12:03:59.900Z', at(0)]))).toEqual([1, 2, 4, 5, 6]);
    expect(starts(usable(all, now, [at(4)]))).toEqual([0, 1, 2, 3, 5, 6]);
    expect(starts(usable([...all].reverse(), now, []))).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(usable(minutes(served(1), {}, 1), now, [])).toEqual([]);
    // Requests are counted when they have ended.
    expect(starts(usable(all, now, [], 60))).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(starts(usable(all, now, [], 300))).toEqual([0, 1, 2]);
  });
});

describe('a version that cannot answer', () => {
  const crashing = (n: number, crashes = n): Side => ({ invocations: n, crashes });

  it('is seen in the first minute that holds ten invocations', () => {
    expect(crashesNow(minutes(crashing(10), served(30), 0.25, 1))).toMatch(/10 of 10 \(100 %\) .* 0 of 30/);
    expect(crashesNow(minutes(crashing(9), served(30), 0.25, 1))).toBeUndefined();
    expect(crashesNow(minutes(crashing(9), served(30), 0.25, 2))).toBeDefined();
    expect(crashesNow(minutes(crashing(20, 10), served(30), 0.25, 1))).toBeUndefined();
    expect(crashesNow([])).toBeUndefined();
  });

  it('is not blamed for what the stable version suffers too, or where that is unknown', () => {
    expect(crashesNow(minutes(crashing(20), crashing(60, 30)))).toBeUndefined();
    expect(crashesNow(minutes(crashing(20), crashing(60, 6)))).toBeDefined();
    expect(crashesNow(minutes(crashing(20), served(2), 0.5, 2))).toBeUndefined();
  });

  it('after promotion is seen alone, in its latest minutes', () => {
    const live = minutes(crashing(20), {}, 1);
    expect(crashesNow(live)).toBe('it cannot answer: 20 of 20 (100 %) of its latest invocations crashed');
    expect(crashesNow([...live, ...minutes(served(20), {}, 1, 1)])).toBeUndefined();
    expect(crashesNow(minutes(crashing(1), {}, 1, 9))).toBeUndefined();
    expect(crashesNow(minutes(crashing(1), {}, 1, 10))).toBeDefined();
    // Old crashes are not the latest.
    expect(crashesNow([...minutes(crashing(9), {}, 1, 1), ...minutes({}, {}, 1, 10)])).toBeUndefined();
  });
});

describe('the reversed canary', () => {
  const ask = { minRequests: 100, over: false };

  it('rolls back when the live version is to blame', () => {
    const found = reversed(minutes(served(300, 15), served(300, 1), 0.5, 3), ask);
    expect(found.verdict).toBe('rollBack');
    expect(found.reason).toMatch(
      /45 of 900 \(5 %\) of the live version’s requests failed, 3 of 900 .* of the last good version’s/,
    );
    expect(reversed(minutes(served(300, 15), served(300, 1), 0.5, 1), ask).verdict).toBe('undecided');
  });

  it('restores when both suffer alike, or nothing is known in time', () => {
    const both = minutes(served(300, 90), served(300, 90), 0.5);
    expect(reversed(both.slice(0, 9), ask).verdict).toBe('undecided');
    expect(reversed(both, ask).verdict).toBe('restore');
    expect(reversed([], { ...ask, over: true }).verdict).toBe('restore');
    expect(reversed([], ask).verdict).toBe('undecided');
  });

  it('asked about latency, rolls back when the live version is slower by more than a notch', () => {
    const slow = (all: readonly [number, number, number, number]) => ({ ...served(300, 0), slow: all });
    const live = slow([200, 150, 100, 50]);
    const fast = minutes(live, slow([60, 30, 15, 5]), 0.5, 3);
    expect(reversed(fast, ask).verdict).toBe('undecided');
    const found = reversed(fast, { ...ask, slow: 2 });
    expect(found.verdict).toBe('rollBack');
    expect(found.reason).toMatch(
      /^latency: 300 of 900 .* of the live version’s warm requests .*, 90 of 900 .* of the last good version’s/,
    );
    expect(found.signals.map(({ signal, verdict }) => [signal, verdict])).toEqual([
      ['errors', 'nodata'],
      ['slow', 'fail'],
    ]);
    const notch = minutes(live, slow([150, 100, 50, 20]), 0.5);
    expect(reversed(notch, { ...ask, slow: 2 })).toMatchObject({
      verdict: 'restore',
      reason: expect.stringMatching(/^latency/),
    });
  });

  it('does not need the minutes to agree, but a true split', () => {
    const burst = minutes(served(300, 0), served(300, 1), 0.5).map((minute, i) =>
      i === 2 || i === 7 ? { ...minute, candidate: served(300, 30) } : minute,
    );
    expect(reversed(burst, ask).verdict).toBe('rollBack');
    const skewed = minutes(served(500, 50), served(100, 0), 0.5);
    expect(reversed(skewed, ask)).toMatchObject({ verdict: 'restore', signals: [{ verdict: 'error' }] });
  });
});
