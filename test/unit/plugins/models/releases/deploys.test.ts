import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { registry } from '../../../../../core/registry/registry.ts';
import type { Release } from '../../../../../core/release/document/contract.ts';
import type { TickAnswer } from '../../../../../core/release/document/worker-contract.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import {
  forceMark,
  gateFailure,
  latencyLine,
  superseded,
} from '../../../../../plugins/models/releases/deployment.ts';
import { readHistory } from '../../../../../plugins/models/releases/history/history.ts';
import { historyText } from '../../../../../plugins/models/releases/history/text.ts';
import { ulid } from '../../../../../plugins/models/releases/history/ulid.ts';
import {
  autoLine,
  forecastLines,
  forecastWarning,
} from '../../../../../plugins/models/releases/words/forecast.ts';
import {
  answerLine,
  gateLine,
  problemOf,
  releaseLine,
  untouchedLine,
} from '../../../../../plugins/models/releases/words/lines.ts';
import { clockOf, moment, span } from '../../../../../plugins/models/releases/words/time.ts';
import { followReleases, isSettled } from '../../../../../plugins/models/releases/worker/follow.ts';
import { CANARY } from '../../../../fakes/settings.ts';
import { FUNCTION, SCOPE } from '../../../../fakes/world.ts';
import {
  alarm,
  deploy,
  deployed,
  live,
  MINUTE,
  minute,
  minutes,
  promoted,
  rollBack,
  until,
  type World,
} from '../../../core/release/traffic.ts';

const GOOD = { 3: 0.01, 4: 0.01 };
const offer = (fingerprint: string) => ({
  model: 'churn',
  identity: 'i',
  source: 'feedfacecafebeef',
  layer: 'l',
  fingerprint,
});
const there = (w: World): ReadonlyMap<string, Release> => new Map([['churn', w.state() as Release]]);

describe('what a deploy supersedes', () => {
  it('is a release on its way, told with where it stands', async () => {
    const w = await deployed();
    await minutes(w, 3, GOOD);
    expect(superseded([offer('c')], there(w))).toEqual([
      {
        model: 'churn',
        text: 'the release of version 4 (JUDGING, step 1 of 3, 5 %) is superseded; version 3 gets all traffic back',
      },
    ]);
  });

  it('is one that is held, too', async () => {
    const w = await deployed();
    await minutes(w, 3, GOOD);
    await w.command('hold');
    expect(superseded([offer('c')], there(w))).toHaveLength(1);
  });

  it('is one whose alias somebody moved, and then traffic stays there', async () => {
    const w = await deployed();
    await minutes(w, 3, GOOD);
    w.aliases.byHand(FUNCTION, 'live', { version: '2', weights: {} });
    await minute(w, GOOD);
    expect(superseded([offer('c')], there(w))).toEqual([
      {
        model: 'churn',
        text: 'the release of version 4 (HELD, step 1 of 3, 5 %) is superseded; traffic stays where the alias was moved',
      },
    ]);
  });

  it('is the test that an alarm asked for, unless what is live comes again', async () => {
    const w = await promoted();
    await alarm(w);
    await minutes(w, 1, GOOD);
    expect(w.target()).toEqual({ version: '4', weights: { '3': 0.5 } });
    expect(superseded([offer('b')], there(w))).toEqual([]);
    expect(superseded([offer('c')], there(w))).toEqual([
      {
        model: 'churn',
        text: 'the test of version 3 beside version 4, which shop-dev-churn-errors asked for, is given up; version 4 gets all traffic back',
      },
    ]);
    await deploy(w, '5', 'c', { before: '4' });
    expect(w.target()).toEqual({ version: '4', weights: {} });
  });

  it('is nothing where the same comes again, where nothing runs, or where the model was never released', async () => {
    const w = await deployed();
    await minutes(w, 3, GOOD);
    expect(superseded([offer('b')], there(w))).toEqual([]);
    expect(superseded([offer('c')], new Map())).toEqual([]);
    await until(w, 'BAKING', GOOD);
    expect(superseded([offer('c')], there(w))).toEqual([]);
  });
});

describe('latency', () => {
  const line = async (stable?: number, candidate?: number) => {
    const w = await live({ ...CANARY, ...(stable !== undefined && { p95: stable }) });
    const settings = { ...CANARY, ...(candidate !== undefined && { p95: candidate }) };
    await deploy(w, '4', 'b', { settings });
    expect(latencyLine(w.state() as Release)).toBeUndefined();
    w.stack.state = 'done';
    await minutes(w, 2, GOOD);
    return latencyLine(w.state() as Release);
  };

  it('that is not judged is told, with why', async () => {
    expect(await line()).toBe('churn: latency is not judged, since no objective (latency.p95) is declared');
    expect(await line(100, 200)).toContain('counts by another objective, or by none');
    expect(await line(100, 100)).toBeUndefined();
  });

  it('of which little will be seen is told, too', async () => {
    const seen = async (slow: readonly [number, number, number, number]) => {
      const w = await live({ ...CANARY, p95: 100 });
      await minutes(w, 60, GOOD);
      const did = { invocations: 10_000, crashes: 0, requests: 10_000, errors: 0, slow };
      w.metrics.add(FUNCTION, 'live', '3', w.clock.now - 30 * MINUTE, did);
      await deploy(w, '4', 'b', { settings: { ...CANARY, p95: 100 } });
      w.stack.state = 'done';
      await minutes(w, 2, GOOD);
      return latencyLine(w.state() as Release);
    };
    expect(await seen([9000, 5000, 900, 100])).toBeUndefined();
    expect(await seen([70_000, 70_000, 70_000, 70_000])).toContain('nearly all of the stable version’s');
    expect(await seen([10, 5, 1, 0])).toContain('hardly any of the stable version’s');
  });
});

describe('a gate that failed', () => {
  it('is told by case, expected, got, difference, and what to do', () => {
    const evidence = {
      schema: 1,
      model: 'churn',
      release: 'r',
      functionName: 'shop-dev-churn',
      version: '8',
      at: '2026-01-01T00:00:00.000Z',
      gate: { verdict: 'fail', done: 4, count: 4, failed: [3], reason: '1 of 4 cases failed: 3.' },
      failures: [
        {
          case: 3,
          kind: 'different',
          differences: [{ at: 'probabilities[0, 1]', expected: '0.91', got: '0.088', difference: -0.822 }],
          more: 0,
        },
      ],
    } as const;
    expect(gateFailure(evidence, '7')).toMatchInlineSnapshot(`
      "models.churn.gate: version 8 did not pass. 1 of 4 cases failed: 3.

      case  where                expected  got    difference
      3     probabilities[0, 1]  0.91      0.088  -0.822

      Version 7 keeps all traffic. Fix the model, or the case that expects something else, and deploy again; a failed gate leaves no refusal.
      On this machine: \`sls models gate --model churn --local\`"
    `);
    expect(gateFailure(evidence, undefined)).toContain('Nothing was exposed.');
  });
});

describe('ticking after a deploy', () => {
  const target = { model: 'churn', functionName: 'f', alias: 'live' };
  const answers = (...phases: readonly TickAnswer['phase'][]) => {
    const left = [...phases];
    const asked: object[] = [];
    return {
      asked,
      worker: {
        tick: async (tick: object): Promise<TickAnswer> => {
          asked.push(tick);
          const phase = left.length > 1 ? (left.shift() ?? 'DONE') : (left[0] ?? 'DONE');
          const running = ['SHIFTING', 'JUDGING', 'PROMOTING', 'REVERSING'].includes(phase);
          return { model: 'churn', phase, running };
        },
      },
    };
  };

  it('ends where the release goes on by itself', async () => {
    const { worker, asked } = answers('SHIFTING', 'SHIFTING', 'JUDGING');
    const [last] = await followReleases(worker, [{ ...target, deployment: 'd' }], () => {}, { pause: 1 });
    expect(last?.phase).toBe('JUDGING');
    expect(asked).toEqual(Array(3).fill({ ...target, deployment: 'd' }));
  });

  it('with --wait ends where nothing happens any more', async () => {
    const { worker } = answers('SHIFTING', 'JUDGING', 'JUDGING', 'PROMOTING', 'BAKING');
    const seen: string[] = [];
    await followReleases(worker, [target], ({ phase }) => seen.push(phase), {
      pause: 1,
      done: isSettled,
      limit: Number.POSITIVE_INFINITY,
    });
    expect(seen).toEqual(['SHIFTING', 'JUDGING', 'JUDGING', 'PROMOTING', 'BAKING']);
  });

  describe('where AWS lets no tick through', () => {
    const refusal = (name: string, httpStatusCode: number) =>
      Object.assign(new Error(`${name}.`), { name, $metadata: { httpStatusCode } });
    const unreached = Object.assign(new Error('getaddrinfo EAI_AGAIN'), { code: 'EAI_AGAIN' });

    /** A canary of an hour, in which each tick of some minutes fails. */
    async function follow(error: Error, from: number, to: number) {
      let [now, asked] = [0, 0];
      const worker = {
        tick: async (): Promise<TickAnswer> => {
          asked += 1;
          if (now >= from * MINUTE && now < to * MINUTE) throw error;
          const running = now < 60 * MINUTE;
          return { model: 'churn', phase: running ? 'JUDGING' : 'BAKING', running };
        },
      };
      const wait = async (milliseconds: number): Promise<void> => {
        now += milliseconds;
      };
      const options = { done: isSettled, limit: 90 * MINUTE, clock: () => now, wait };
      const followed = followReleases(worker, [target], () => {}, options);
      return { followed, minutes: () => now / MINUTE, asked: () => asked };
    }

    it.each([
      ['Lambda throttles', refusal('TooManyRequestsException', 429)],
      ['Lambda fails', refusal('ServiceException', 500)],
      ['the network is away', unreached],
    ])('for some minutes, the release is followed on: %s', async (_, error) => {
      const { followed } = await follow(error, 20, 24);
      expect(await followed).toMatchObject([{ phase: 'BAKING' }]);
    });

    it('after a tick that took minutes itself, or while this machine slept, it is asked again', async () => {
      let [now, asked] = [0, 0];
      const tick = async (): Promise<TickAnswer> => {
        asked += 1;
        if (asked === 2) {
          now += 20 * MINUTE;
          throw unreached;
        }
        return { model: 'churn', phase: asked < 3 ? 'JUDGING' : 'BAKING', running: asked < 3 };
      };
      const wait = async (milliseconds: number): Promise<void> => {
        now += milliseconds;
      };
      const options = { done: isSettled, limit: 90 * MINUTE, clock: () => now, wait };
      const followed = followReleases({ tick }, [target], () => {}, options);
      expect(await followed).toMatchObject([{ phase: 'BAKING' }]);
    });

    it('for longer, nobody waits on', async () => {
      const { followed, minutes: waited } = await follow(unreached, 20, 90);
      await expect(followed).rejects.toThrow('getaddrinfo EAI_AGAIN');
      expect(waited()).toBeGreaterThan(24);
      expect(waited()).toBeLessThan(26);
    });

    it.each([
      refusal('AccessDeniedException', 403),
      // A token’s file, which is read again for each call.
      Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' }),
    ])('since the caller may not ask, it is said at once: %s', async (error) => {
      const { followed, asked } = await follow(error, 0, 90);
      await expect(followed).rejects.toThrow(error.message);
      expect(asked()).toBe(1);
    });
  });

  it('leaves what takes longer than its limit', async () => {
    const { worker } = answers('SHIFTING');
    let now = 0;
    const clock = () => (now += 100);
    const [last] = await followReleases(worker, [target], () => {}, { pause: 1, limit: 250, clock });
    expect(last).toMatchObject({ phase: 'SHIFTING', running: true });
  });

  it.each<[string, TickAnswer, boolean, string]>([
    [
      'promoted',
      { model: 'churn', phase: 'BAKING', running: false, version: '8' },
      true,
      'churn: version 8 is live',
    ],
    [
      'at a step',
      {
        model: 'churn',
        phase: 'JUDGING',
        running: true,
        version: '7',
        candidate: '8',
        weight: 5,
        reason: 'so far so good',
        step: { number: 1, of: 3, since: '', until: '', latest: '' },
      },
      true,
      'churn: version 7 is stable; version 8 has 5 % (step 1 of 3) and goes on by itself: so far so good',
    ],
    [
      'rolled back',
      {
        model: 'churn',
        phase: 'ROLLED_BACK',
        running: false,
        version: '7',
        reason: 'version 8 was rolled back: errors',
      },
      false,
      'churn: version 7 is live; version 8 was rolled back: errors',
    ],
    [
      'given up',
      { model: 'churn', phase: 'ABORTED', running: false, version: '7', reason: 'no instances' },
      false,
      'churn: version 7 is live; the release is aborted: no instances',
    ],
    [
      'trying the last good version',
      {
        model: 'churn',
        phase: 'REVERSING',
        running: true,
        version: '4',
        tried: { version: '3', half: true },
        reason: 'no verdict yet',
      },
      true,
      'churn: version 4 is live; an alarm came on, and half of the traffic tests whether version 3 does better: no verdict yet',
    ],
    [
      'about to try it',
      {
        model: 'churn',
        phase: 'REVERSING',
        running: true,
        version: '4',
        tried: { version: '3', half: false },
      },
      true,
      'churn: version 4 is live; an alarm came on, and version 3 is checked before it gets half of the traffic',
    ],
    [
      'not recorded',
      { model: 'churn', phase: 'NONE', running: false },
      false,
      'churn: has no alias; no release is recorded',
    ],
  ])('says where a release stands: %s', (_, answer, good, text) => {
    expect(releaseLine(answer)).toEqual({ good, text });
  });

  it.each([
    [
      { phase: 'ABORTED', running: false, version: '4', candidate: '5', reason: 'the gate failed' },
      'churn: version 4 is live, which this deploy does not change; an earlier release of version 5 was aborted: the gate failed',
    ],
    [
      { phase: 'ROLLED_BACK', running: false, version: '4', reason: 'version 5 was rolled back: errors' },
      'churn: version 4 is live, which this deploy does not change; before it, version 5 was rolled back: errors',
    ],
    [
      { phase: 'HELD', running: false, version: '4', candidate: '5' },
      'churn: version 4 is live, which this deploy does not change; an earlier release of version 5 is held',
    ],
    [{ phase: 'DONE', running: false, version: '4' }, 'churn: version 4 is live'],
    [
      { phase: 'GATING', running: true, version: '4', candidate: '5' },
      'churn: version 4 is live; the release of version 5 goes on',
    ],
  ] as const)('says whose end it is where the deploy did not touch the model: %j', (answer, line) => {
    expect(untouchedLine({ model: 'churn', ...answer })).toBe(line);
  });

  it('tells times as all the rest does', () => {
    const now = Date.parse('2026-01-01T12:00:00.000Z');
    const answer: TickAnswer = {
      model: 'churn',
      phase: 'BAKING',
      running: false,
      version: '8',
      reason: 'version 8 is watched until 2026-01-01T14:30:00.000Z',
    };
    const text = 'version 8 is watched until 14:30:00 UTC (in 2 h 30 min)';
    expect(releaseLine(answer, now).text).toBe(`churn: version 8 is live (${text})`);
    expect(untouchedLine(answer, now)).toBe(`churn: version 8 is live (${text})`);
    expect(answerLine(answer, now).line).toBe(`churn: baking: ${text}`);
  });

  it.each([
    [{ is: 'refused', why: 'it is refused' }, ['sls deploy --force --stage prod']],
    [
      { is: 'none', why: 'it is gone' },
      ['sls models status --model churn --stage prod', 'sls deploy --stage prod'],
    ],
    [{ is: 'onItsWay', held: false }, ['sls models status --watch --model churn --stage prod']],
    [
      { is: 'onItsWay', held: true },
      [
        'sls models promote --model churn --stage prod',
        'sls models rollback --model churn --stage prod',
        'sls models resume --model churn --stage prod',
      ],
    ],
  ] as const)(
    'an end that is not what was asked for names the stage in what is to be copied: %j',
    (outcome, commands) => {
      const answer = { model: 'churn', phase: 'HELD', running: false, version: '7', candidate: '8' } as const;
      const problem = problemOf(answer, outcome, true, 'prod');
      expect(problem?.fix.match(/sls [^`.]*/g)).toEqual(commands);
      expect(problem?.message).toContain('version 7 is');
    },
  );

  it('a line is new when the step or the verdict is, not when a minute passes', () => {
    const at = (reason: string, verdict: 'nodata' | 'pass'): TickAnswer => ({
      model: 'churn',
      phase: 'JUDGING',
      running: true,
      candidate: '8',
      weight: 5,
      step: { number: 1, of: 3, since: '', until: '', latest: '' },
      judgement: { at: '', step: 0, verdict, reason, signals: [] },
      reason,
    });
    expect(answerLine(at('one', 'nodata')).key).toBe(answerLine(at('two', 'nodata')).key);
    expect(answerLine(at('one', 'nodata')).key).not.toBe(answerLine(at('one', 'pass')).key);
    expect(answerLine(at('one', 'pass')).line).toBe('churn: version 8 judging, step 1 of 3 (5 %), pass: one');
  });
});

describe('what a canary can see', () => {
  const model = (release: object) => {
    const { models } = parseModels({ churn: { artifact: 'churn.onnx', release } }, {});
    const [found] = models;
    if (found === undefined) throw new Error('no model');
    return found;
  };

  it('is told with where the traffic is known from', () => {
    expect(forecastLines(model({}), { perSecond: 40 / 3600, from: 'measured' })).toMatchInlineSnapshot(`
      [
        "churn: what the canary can see at the traffic of the last 24 hours:",
        "  at 40 req/h a 5 % canary needs 381 h to see errors rise from 1 % to 3 %",
        "  step 1 (5 %) can pass after 50 h, when errors may have risen by less than 4 percentage points; its bake and maxWait end after 2.2 h",
        "  step 2 (25 %) can pass after 10 h, when errors may have risen by less than 2 percentage points; its bake and maxWait end after 2.2 h",
        "  step 3 (50 %) can pass after 9.1 h, when errors may have risen by less than 1 percentage point; its bake and maxWait end after 2.2 h",
        "  the whole plan sees errors rise from 1 % to 3 % in 2 % of releases",
        "  that is little: larger weights, longer bakes or a synthetic load in the gate would show more",
      ]
    `);
  });

  it('is less where errors are usual: the bound waits for more requests', () => {
    const passes = (errorRate: number): readonly string[] =>
      forecastLines(model({}), { perSecond: 1, errorRate, from: 'measured' }).flatMap(
        (line) => /can pass after [\d.]+ \w+/.exec(line) ?? [],
      );
    const minutesOf = (errorRate: number) =>
      passes(errorRate).map((text) => text.replace('can pass after ', ''));
    expect([minutesOf(0), minutesOf(0.05)]).toMatchInlineSnapshot(`
      [
        [
          "37 min",
          "10 min",
          "10 min",
        ],
        [
          "107 min",
          "65 min",
          "2.1 h",
        ],
      ]
    `);
    expect(forecastLines(model({}), { perSecond: 1, errorRate: 0.05, from: 'measured' }).at(1)).toContain(
      'errors rise from 5 % to 15 %',
    );
  });

  it('is not known where the traffic is not', () => {
    expect(forecastLines(model({}), { unknown: 'its traffic cannot be read (denied)' })).toEqual([
      'churn: what the canary can see is not known: its traffic cannot be read (denied); declare `traffic` to have it told.',
    ]);
  });

  it('is nothing without steps', () => {
    expect(forecastLines(model({ strategy: 'allAtOnce' }), { perSecond: 5, from: 'declared' })).toEqual([]);
  });

  it('strategy auto says what it will do', () => {
    expect(autoLine(model({}), 5)).toBe('churn: with this traffic strategy auto takes the steps');
    expect(autoLine(model({}), 0.001)).toContain('releases all at once');
    expect(autoLine(model({}), 0)).toContain('releases all at once');
    expect(autoLine(model({ strategy: 'canary' }), 5)).toBeUndefined();
  });
});

describe('a forecast when packaging', () => {
  const warning = (release: object, traffic?: string) => {
    const { models } = parseModels(
      { churn: { artifact: 'c.onnx', release, ...(traffic && { traffic }) } },
      {},
    );
    return models.map(forecastWarning)[0];
  };

  it('warns where a step gets no verdict in time, and says what then', () => {
    expect(warning({ strategy: 'canary' }, '40/h')).toMatch(/step 1 gets no verdict .*, and is held;/);
    expect(warning({ strategy: 'canary', onNoData: 'pass' }, '40/h')).toContain('passes all the same');
    expect(warning({}, '40/h')).toContain('releases all at once');
  });

  it('warns of steps that are over before they can be judged, whatever the traffic', () => {
    const steps = [{ weight: '25%', bake: '2m' }];
    const never = (more: object, traffic?: string) => warning({ steps, maxWait: '1m', ...more }, traffic);
    const words =
      'models.churn.release: step 1 gets no verdict within its bake and maxWait, since 5 min may go by until there are two minutes to judge, and';
    expect(never({ strategy: 'canary' })).toContain(`${words} is held;`);
    expect(never({ strategy: 'canary', onNoData: 'rollback' }, '500/s')).toContain(
      `${words} is rolled back;`,
    );
    expect(never({})).toContain(`${words} strategy auto releases all at once;`);
    expect(never({ maxWait: '3m' })).toBeUndefined();
    // A later step needs one minute more than those before.
    const later = { steps: [{ weight: '5%', bake: '1h' }, ...steps] };
    expect(never(later)).toContain(
      'step 2 gets no verdict within its bake and maxWait, since 4 min may go by until there is a minute to judge',
    );
    expect(never({ ...later, maxWait: '2m' })).toBeUndefined();
    // By time alone.
    expect(never({ strategy: 'canary', dryRun: true }, '40/h')).toBeUndefined();
  });

  it('says nothing where all is well, where traffic is not declared, and without steps', () => {
    expect(warning({}, '50/s')).toBeUndefined();
    expect(warning({})).toBeUndefined();
    expect(warning({ strategy: 'blueGreen' }, '40/h')).toBeUndefined();
  });
});

describe('history', () => {
  it('is newest first: who, what, what was found, how it ended', async () => {
    const w = await live();
    const { world } = w;
    const at = (milliseconds: number) => new Date(milliseconds).toISOString();
    const id = ulid(w.clock.now, new Uint8Array(10));
    await world.registry.deploy({
      schema: 1,
      id,
      at: at(w.clock.now),
      by: 'arn:aws:iam::1:user/jane',
      plugin: '1.2.3',
      models: [offer('b')],
    });
    w.clock.now += 1000;
    await deploy(w, '4', 'b');
    w.stack.state = 'done';
    await w.send({ tick: { model: 'churn', functionName: 'shop-dev-churn', alias: 'live', deployment: id } });
    await until(w, 'BAKING', GOOD);
    await deploy(w, '5', 'c', { before: '4' });
    w.stack.state = 'done';
    await until(w, 'ROLLED_BACK', { 4: 0.01, 5: 0.3 });
    const pasts = await readHistory(world.registry, 'churn', 10);
    expect(historyText('churn', pasts)).toMatchInlineSnapshot(`
      "churn
        2026-01-01 00:30:01 UTC  version 4 → 5  rolled back after 6 min
            by        not known
            artifact  sha256 source
            gate      pass: it starts
            step 1    fail: errors: 30 of 100 (30 %) of the candidate version’s requests failed, 20 of 1,900 (1.1 %) of the stable version’s: 29 percentage points more at the same mix of steps; evidence over a billion to 1, 40 to 1 is needed
            traffic   5 % in step 1 of 3
        2026-01-01 00:00:01 UTC  version 3 → 4  promoted after 30 min
            by        arn:aws:iam::1:user/jane, plugin 1.2.3
            artifact  sha256 source
            gate      pass: it starts
            step 1    pass: 7 of 350 (2 %) candidate requests failed; errors have risen by at most 3 percentage points, the next weight allows 4 percentage points
            step 2    pass: 30 of 2,200 (1.4 %) candidate requests failed; errors have risen by at most 0.91 percentage points, the next weight allows 2 percentage points
            step 3    pass: 71 of 6,200 (1.1 %) candidate requests failed; errors have risen by at most 0.47 percentage points, the next weight allows 1 percentage point
            traffic   all, after step 3 of 3
        2026-01-01 00:00:00 UTC  first version 3  promoted after 0 s
            by        not known
            artifact  sha256 source
            gate      pass: it starts
            traffic   all at once"
    `);
    expect(await readHistory(world.registry, 'churn', 1)).toHaveLength(1);
    expect(pasts.map(({ deployment }) => deployment)).toEqual([undefined, id, undefined]);
    expect(JSON.stringify(pasts)).not.toContain('signature');
  });

  it('a deploy that failed is found by the release that its record names', async () => {
    const w = await live();
    const id = ulid(w.clock.now - 1, new Uint8Array(10));
    const models = [offer('a')];
    await w.world.registry.deploy({ schema: 1, id, at: 'x', by: 'jane', plugin: '1', models });
    const same = ulid(w.clock.now, new Uint8Array(10));
    await w.world.registry.deploy({ schema: 1, id: same, at: 'x', by: 'joe', plugin: '1', models });
    const [only] = await readHistory(w.world.registry, 'churn', 5);
    expect(only?.by).toBe('joe');
    const release = w.state()?.release ?? '';
    await w.world.registry.ended(id, 'churn', { release, phase: 'ABORTED', at: 'y', judgements: [] });
    const [now] = await readHistory(w.world.registry, 'churn', 5);
    expect(now?.by).toBe('jane');
  });

  it('keeps the gate that passed, where the stack rolled back for something else', async () => {
    const w = await live();
    await deploy(w, '4', 'b');
    await rollBack(w, '3', 'a', '4');
    await minute(w);
    const [only] = await readHistory(w.world.registry, 'churn', 1);
    expect(only).toMatchObject({
      to: '4',
      outcome: 'given up',
      gate: { verdict: 'pass' },
      reason: 'the stack rolled back; version 3 keeps all traffic',
    });
  });

  it('has no gate of a version whose verdict never came', async () => {
    const w = await live();
    w.gates.set('4', [{ state: { done: 1, count: 9, failed: [] }, failures: [] }]);
    await deploy(w, '4', 'b');
    await rollBack(w, '3', 'a', '4');
    await minute(w);
    expect((await readHistory(w.world.registry, 'churn', 1))[0]?.gate).toBeUndefined();
  });

  it('has the words of the status for a look without a verdict', async () => {
    const w = await deployed();
    await minutes(w, 3, GOOD);
    const pasts = await readHistory(w.world.registry, 'churn', 1);
    expect(historyText('churn', pasts)).toMatch(/step 1 {4}no verdict: no regression so far/);
  });

  it('nothing recorded is told', () => {
    expect(historyText('churn', [])).toBe('churn: no release is recorded.');
  });
});

describe('records of deploys', () => {
  it('lie where the layout says, are written once, and tell that the deploy failed', async () => {
    const w = await live();
    const documents = registry(w.objects.port, SCOPE);
    const deployment = { schema: 1, id: '01A', at: 'x', by: 'jane', plugin: '1', models: [] } as const;
    await documents.deploy(deployment);
    expect(w.objects.objects.has(`${SCOPE}deployments/01A.json`)).toBe(true);
    await expect(documents.deploy({ ...deployment, by: 'ann' })).rejects.toThrow('is there');
    await documents.failed('01A', { at: 'y', reason: 'the gate' });
    await documents.failed('none', { at: 'y', reason: 'the gate' });
    expect(await documents.deployments()).toEqual(['01A']);
    expect(await documents.deployment('01A')).toEqual({
      ...deployment,
      failed: { at: 'y', reason: 'the gate' },
    });
    expect(await documents.deployment('none')).toBeUndefined();
  });

  it('former releases are told without the live one and without what gates found', async () => {
    const w = await deployed();
    const documents = registry(w.objects.port, SCOPE);
    expect(await documents.archives('churn')).toHaveLength(1);
    await documents.evidence('churn', 'r', () => ({ schema: 1 }) as never);
    expect(await documents.archives('churn')).toHaveLength(1);
    const [name = ''] = await documents.archives('churn');
    expect((await documents.archived('churn', name))?.phase).toBe('DONE');
    expect(await documents.archived('churn', 'none')).toBeUndefined();
    expect(await documents.found('churn', 'r')).toEqual({ schema: 1 });
    expect(await documents.found('churn', 'none')).toBeUndefined();
  });

  it('ids sort by time, and hold it', () => {
    expect(ulid(0, new Uint8Array(10))).toBe('0'.repeat(26));
    // https://github.com/ulid/spec: the largest one.
    expect(ulid(2 ** 48 - 1, new Uint8Array(10).fill(255))).toBe('7ZZZZZZZZZZZZZZZZZZZZZZZZZ');
    const time = fc.integer({ min: 0, max: 2 ** 47 });
    const random = fc.uint8Array({ minLength: 10, maxLength: 10 });
    fc.assert(
      fc.property(time, time, random, random, (a, b, r, s) => {
        const [x, y] = [ulid(a, r), ulid(b, s)];
        expect(x).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
        if (a < b) expect(x < y).toBe(true);
      }),
    );
  });
});

describe('words', () => {
  const noon = Date.parse('2026-01-02T12:00:00Z');

  it.each([
    [0, '0 s'],
    [89_000, '89 s'],
    [90_000, '2 min'],
    [59 * 60_000, '59 min'],
    [60 * 60_000, '1 h'],
    [125 * 60_000, '2 h 5 min'],
    [24 * 60 * 60_000, '1 d'],
    [100 * 60 * 60_000, '4 d 4 h'],
  ])('%i ms are %s', (milliseconds, text) => {
    expect(span(milliseconds)).toBe(text);
  });

  it('a time has its date where it is of another day', () => {
    expect(clockOf('2026-01-02T03:04:05.678Z', noon)).toBe('03:04:05 UTC');
    expect(moment('2026-01-03T12:00:00Z', noon)).toBe('2026-01-03 12:00:00 UTC (in 1 d)');
    expect(moment('2026-01-02T11:55:00Z', noon)).toBe('11:55:00 UTC (5 min ago)');
  });

  it('what a gate found is one line', () => {
    const load = { sent: 600, errors: 2, cold: 1, p50: 8, p95: 12.4, p99: 20 };
    expect(gateLine({ verdict: 'pass', done: 40, count: 40, failed: [], load, memory: 210 })).toBe(
      'pass: 40 of 40 cases; 600 requests, p95 12 ms, 2 errors; 210 MB at most',
    );
    expect(gateLine({ verdict: 'fail', done: 40, count: 40, failed: [1, 2, 3, 4, 5, 6] })).toBe(
      'fail: 6 of 40 cases failed (1, 2, 3, 4, 5, …)',
    );
  });
});

describe('the mark of --force', () => {
  it('forces what was refused before, also where the clock of who deploys is behind', async () => {
    const w = await deployed();
    await until(w, 'ROLLED_BACK', { 3: 0.01, 4: 0.5 });
    const before = new Map([['churn', w.state() as Release]]);
    const behind = w.clock.now - 30 * MINUTE;
    const forced = new Date(behind).toISOString();
    await deploy(w, '5', 'b', { before: '4', forced });
    expect(w.answers.at(-1)).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining('is older') });
    await deploy(w, '5', 'b', { before: '4', forced: forceMark(before, behind) });
    expect(w.answers.at(-1)).toMatchObject({ Status: 'SUCCESS' });
  });

  it('is the time, and another one at each deploy', () => {
    const now = Date.parse('2026-01-01T00:00:00.123Z');
    expect(forceMark(new Map(), now)).toBe('2026-01-01T00:00:00.123Z');
    const refused = [{ fingerprint: 'b', version: '4', at: '2026-01-01T00:10:00.000Z', reason: 'worse' }];
    const before = new Map([['churn', { refused } as unknown as Release]]);
    const marks = [0, 1, 60_000 * 11].map((later) => forceMark(before, now + later));
    expect(marks).toEqual([
      '2026-01-01T00:10:00.123Z',
      '2026-01-01T00:10:00.124Z',
      '2026-01-01T00:11:00.123Z',
    ]);
  });
});
