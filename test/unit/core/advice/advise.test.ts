import { assert, constantFrom, double, option, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareAdvice } from '../../../../bench/capacity/advice.ts';
import { advise } from '../../../../core/advice/advise.ts';
import { type AdviceNeeds, type FORMS, PRIVACY, UPDATES } from '../../../../core/advice/contract.ts';
import { adviceText } from '../../../../core/advice/text.ts';
import { rateWords } from '../../../../core/advice/words.ts';
import { PRICE_LIST } from '../../../../plugins/models/plan/shared/prices.ts';

const from = <T>(value: T) => ({ value, from: '--given', isGuess: false });
const needs = (more: Partial<AdviceNeeds> = {}): AdviceNeeds => ({
  ...{ deviceUpdate: from('monthly'), burst: from(1), service: from(0.01), start: from(0.5) },
  ...{ payload: from(2048), memory: from(1769), architecture: 'arm64', http: false, batch: false },
  size: { weights: [], rest: 1e6 },
  ...more,
});
const advised = (more: Partial<AdviceNeeds>) => advise(needs(more), PRICE_LIST);
const rules = (more: Partial<AdviceNeeds>, form: (typeof FORMS)[number]) =>
  advised(more).forms.find((one) => one.form === form)?.excludedBy;

describe('latency decides first', () => {
  it.each([
    [0.0099, 'edge'],
    [0.01, 'on-demand'],
    [0.099, 'on-demand'],
    [59.9, 'on-demand'],
    [60, 'batch'],
    [28_800, 'batch'],
  ] as const)('%d s: %s', (seconds, form) => {
    expect(advised({ latency: from(seconds), traffic: from(1), service: from(0.005) }).form).toBe(form);
  });

  it('whatever batch would save', () => {
    const advice = advised({ latency: from(1), traffic: from(1) });
    const costOf = (name: string) => advice.forms.find(({ form }) => form === name)?.cost?.total ?? 0;
    expect(costOf('batch')).toBeLessThan(costOf(advice.form ?? ''));
    expect(advice.form).not.toBe('batch');
  });

  it('a network that takes more than is left rules everything out that is far away', () => {
    const latency = from(0.05);
    expect(rules({ latency, network: from(0.045) }, 'fargate')).toEqual(['network']);
    expect(rules({ latency, network: from(0.03) }, 'fargate')).toEqual([]);
  });

  it('a network is added to what each form computes: containers have whole processors', () => {
    // 100 ms at 512 MB are 29 ms of a whole processor.
    const slow = { latency: from(0.1), service: from(0.1), memory: from(512) };
    const near = { ...slow, network: from(0.05) };
    expect(rules(near, 'on-demand')).toEqual(['network']);
    expect(rules(near, 'fargate')).toEqual([]);
    expect(rules({ ...slow, network: from(0.08) }, 'fargate')).toEqual(['network']);
    const words = (network: number) =>
      advised({ ...slow, network: from(network) }).reasons.find(({ rule }) => rule === 'network')?.words;
    expect(words(0.05)).toBe('50 ms (--given) there and back and 100 ms of computing are more than 100 ms.');
    expect(words(0.08)).toBe('80 ms (--given) there and back and 28.9 ms of computing are more than 100 ms.');
  });

  it('a network is added to a cold start, too', () => {
    const seldom = { latency: from(0.6), service: from(0.05), start: from(0.5), traffic: from(1 / 3600) };
    expect(rules({ ...seldom, network: from(0.04) }, 'on-demand')).toEqual([]);
    expect(rules({ ...seldom, network: from(0.06) }, 'on-demand')).toEqual(['cold starts']);
  });

  it('batch that is declared, without HTTP and a latency, is batch', () => {
    expect(advised({ batch: true, traffic: from(1) }).form).toBe('batch');
    expect(advised({ batch: true, http: true, traffic: from(1) }).form).toBe('on-demand');
  });
});

describe('what rules a form out', () => {
  it.each([
    ['privacy', { privacy: from('local' as const) }, 'on-demand'],
    ['privacy', { privacy: from('central' as const) }, 'edge'],
    ['payload', { payload: from(12 * 1024 ** 2 + 1) }, 'provisioned'],
    ['payload', { payload: { ...from(7 * 1024 ** 2), larger: 6 * 1024 ** 2 + 1 } }, 'provisioned'],
    ['update', { update: from('weekly' as const) }, 'edge'],
    ['memory', { memory: from(10_241) }, 'on-demand'],
    ['start', { size: { weights: [], rest: 700e6 }, start: { ...from(10), isGuess: true } }, 'on-demand'],
    ['start', { start: from(10.1) }, 'on-demand'],
    ['start', { start: from(10.1) }, 'batch'],
    ['start', { start: from(901) }, 'provisioned'],
    ['computing', { service: from(901) }, 'managed'],
    ['computing', { service: from(901) }, 'batch'],
    ['computing', { latency: from(120), service: from(121) }, 'batch'],
    ['computing', { service: from(61) }, 'sagemaker'],
    ['computing', { service: from(31), http: true }, 'on-demand'],
    ['computing', { service: from(61), http: true }, 'managed'],
    ['device', { deviceMemory: from(512 * 1024) }, 'edge'],
    ['cold starts', { latency: from(0.2), traffic: from(1 / 3600) }, 'on-demand'],
    ['budget', { budget: from(10), traffic: from(1) }, 'fargate'],
  ] as const)('%s', (rule, more, form) => {
    expect(rules(more, form)).toContain(rule);
  });

  it.each([
    // A request and an answer of 6 MB each.
    [{ payload: from(12 * 1024 ** 2) }, 'on-demand'],
    [{ payload: { ...from(12 * 1024 ** 2), larger: 6 * 1024 ** 2 } }, 'on-demand'],
    // What was measured goes before what its size lets expect.
    [{ size: { weights: [], rest: 700e6 }, start: from(3) }, 'on-demand'],
    // Lambda’s ten seconds do not hold where instances are provisioned.
    [{ start: from(100) }, 'provisioned'],
    [{ memory: from(10_240) }, 'on-demand'],
    [{ service: from(30), http: true }, 'on-demand'],
    [{ service: from(31) }, 'on-demand'],
    [{ latency: from(120), service: from(120) }, 'batch'],
    [{ service: from(31), http: true }, 'fargate'],
    [{ size: { weights: [], rest: 600e6 } }, 'on-demand'],
    [{ update: from('monthly' as const) }, 'edge'],
    [{ update: from('hourly' as const), deviceUpdate: from('hourly' as const) }, 'edge'],
    [{ latency: from(0.2), traffic: from(1) }, 'on-demand'],
    [{ latency: from(2), traffic: from(1 / 3600) }, 'on-demand'],
    [{ deviceMemory: from(64 * 1024 ** 2) }, 'edge'],
  ] as const)('not %j', (more, form) => {
    expect(rules(more, form)).toEqual([]);
  });
});

it.each([
  [20_000, 'than the 10,240 MB of a function.'],
  [34_000, 'than the 10,240 MB of a function, and than the 32,768 MB of a Managed Instance’s function.'],
  [130_000, 'Managed Instance’s function, and than the 122,880 MB of a task on Fargate.'],
])('says each limit that %d MB break, and no other', (mb, words) => {
  const reason = advised({ memory: from(mb) }).reasons.find(({ rule }) => rule === 'memory');
  expect(reason?.words.endsWith(words), reason?.words).toBe(true);
});

it('says of large requests that the host refuses them, too', () => {
  const words = (payload: AdviceNeeds['payload']) => advised({ payload }).reasons[0]?.words;
  const more = 'batch, or containers with another server, since this plugin’s host takes no more either.';
  expect(words(from(20 * 1024 ** 2))).toBe(
    `20 MB (--given) of a request and its answer are more than the 6 MB that Lambda takes of each: ${more}`,
  );
  expect(words({ ...from(8 * 1024 ** 2), larger: 7 * 1024 ** 2 })).toBe(
    `7 MB (--given) of a request or its answer are more than the 6 MB that Lambda takes of each: ${more}`,
  );
});

it('says whose minute it is that a request is longer than', () => {
  expect(advised({ service: from(61) }).reasons[0]?.words).toBe(
    'a request computes 61 s (--given) by itself, which is more than the 60 s that SageMaker waits for an answer.',
  );
});

it.each([
  [31, true, 'the 30 s that an HTTP API waits for an answer.'],
  [1801, false, 'the 60 s that SageMaker waits for an answer.'],
])('of %d s, HTTP %s, says %s', (seconds, http, words) => {
  const reason = advised({ service: from(seconds), http }).reasons.find(({ rule }) => rule === 'computing');
  expect(reason?.words.endsWith(words), reason?.words).toBe(true);
});

it('says a rate in the unit in which it is a whole number', () => {
  expect([10 / 2_592_000, 1000 / 86_400, 0.05].map(rateWords)).toEqual(['10/month', '1,000/day', '3/min']);
});

it('says which needs contradict each other, and no more of them', () => {
  const { form, headline } = advised({
    ...{ privacy: from('local'), update: from('hourly'), traffic: from(1), memory: from(20_000) },
  });
  expect(form).toBeUndefined();
  expect(headline).toBe('No form keeps all of this at once: privacy, update.');
});

it('says that local data and an endpoint that is declared contradict each other', () => {
  const { reasons } = advised({ privacy: from('local'), http: true, batch: true });
  expect(reasons[0]?.words).toContain('Yet this is declared: http, batch, by which they come to AWS');
  expect(advised({ privacy: from('local') }).reasons[0]?.words).not.toContain('declared');
});

it('a budget that nothing keeps is told with the cheapest form', () => {
  const { form, headline } = advised({ budget: from(0.5), traffic: from(1), latency: from(0.1) });
  expect(form).toBeUndefined();
  expect(headline).toMatch(/\$0\.50 a month .* the cheapest, Lambda, on demand, costs \$1\.16/);
});

it('a budget that nothing keeps is not kept by a device, of whose cost nothing is known', () => {
  const { form, headline } = advised({ budget: from(0.1), traffic: from(1) });
  expect(form).toBeUndefined();
  expect(headline).toMatch(/^No form keeps the budget: .* and what devices cost is not known\.$/);
  expect(rules({ budget: from(1), traffic: from(1) }, 'edge')).toEqual([]);
});

it('about equal is within 20 %', () => {
  const { equals, form, forms } = advised({ traffic: from(500), service: from(0.05), latency: from(1) });
  const costOf = (name: string) => forms.find((one) => one.form === name)?.cost?.total ?? 0;
  expect(equals.length).toBeGreaterThan(0);
  for (const { excludedBy, form: other } of forms.filter(({ cost }) => cost !== undefined))
    if (other !== form && excludedBy.length === 0)
      expect(equals.includes(other)).toBe(costOf(other) <= 1.2 * costOf(form ?? ''));
});

it('whatever is asked: the form is one that nothing rules out and no other real-time one costs less', () => {
  const maybe = <T>(values: readonly T[]) => option(constantFrom(...values).map(from), { nil: undefined });
  const size = (min: number, max: number) =>
    option(double({ min, max, noNaN: true }).map(from), { nil: undefined });
  const anything = record({
    latency: size(0.001, 100_000),
    privacy: maybe(PRIVACY),
    update: maybe(UPDATES),
    traffic: size(0.0001, 1000),
    budget: size(0.1, 10_000),
    deviceMemory: size(1000, 1e9),
    network: size(0.001, 0.2),
  });
  assert(
    property(anything, double({ min: 0.0001, max: 20, noNaN: true }), (given, service) => {
      const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
      const whole = needs({ ...(known as Partial<AdviceNeeds>), service: from(service) });
      const advice = advise(whole, PRICE_LIST);
      const chosen = advice.forms.find(({ form }) => form === advice.form);
      expect(chosen?.excludedBy ?? []).toEqual([]);
      if (advice.form === undefined)
        expect(advice.forms.every(({ excludedBy }) => excludedBy.length > 0)).toBe(true);
      if (chosen?.cost !== undefined && chosen.form !== 'batch')
        for (const { cost, excludedBy, form } of advice.forms)
          if (excludedBy.length === 0 && form !== 'batch' && cost !== undefined)
            expect(cost.total).toBeGreaterThanOrEqual(chosen.cost.total);
      expect(adviceText('m', whole, advice, PRICE_LIST)).not.toMatch(/NaN|Infinity|undefined|\[object/);
    }),
    { numRuns: 60 },
  );
});

it('who waits a minute gets batch every minute, as who waits a little longer', () => {
  const batchAt = (seconds: number) =>
    advised({ latency: from(seconds), traffic: from(1) }).forms.find(({ form }) => form === 'batch')?.cost;
  expect(batchAt(60)?.made).toBe('43,200 runs of 1,769 MB');
  expect(batchAt(60)?.total).toBeCloseTo(batchAt(60.001)?.total ?? 0, 2);
});

it.each([
  [100, 1],
  [1000, 0.1],
  [1000, 10],
])(
  'a burst of %d times with requests of %d s is looked at up to what an account is given',
  (burst, service) => {
    const given = { traffic: from(1), burst: from(burst), service: from(service) };
    const most = advised({ latency: from(20), ...given }).curve.rates.at(-1) ?? 0;
    expect(most * burst * service).toBeCloseTo(10_000, 6);
  },
);

it('of sixty needs by chance, none has a cheapest form that a simulated month shows to be a tenth dearer', () => {
  for (let seed = 9000; seed < 9060; seed += 1)
    expect(compareAdvice(seed, 3000).ratio, `seed ${seed}`).toBeLessThanOrEqual(1.1);
});
