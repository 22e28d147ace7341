import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { command } from '../../../../../plugins/models/commands/plan.ts';
import { type Context, runCommand } from '../../../../../plugins/models/context/context.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { FACTS, HOST } from '../../../../fixtures/service.ts';

let folder = '';
let server: Server | undefined;
/** From when on CloudWatch was asked, in milliseconds since the epoch. */
const starts: number[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plan-capacity-'));
});
afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
  starts.length = 0;
  await rm(folder, { recursive: true, force: true });
});

type Points = readonly (readonly [at: number, value: number])[];

/** An AWS that says what the account may have and what CloudWatch has counted, and nothing else. */
async function awsOf(
  limit: object,
  counted: { requests: Points; busy: Points } = { requests: [], busy: [] },
) {
  const series = (id: string, points: Points) => ({
    ...{ Id: id, StatusCode: 'Complete' },
    Timestamps: points.map(([at]) => at / 1000),
    Values: points.map(([, value]) => value),
  });
  server = createServer((request, response) => {
    const isMetrics = String(request.headers['x-amz-target']).endsWith('.GetMetricData');
    const isAccount = /account-settings/.test(request.url ?? '');
    const results = Object.entries(counted).map(([id, points]) => series(id, points));
    const body = isMetrics ? { MetricDataResults: results } : isAccount ? { AccountLimit: limit } : {};
    let asked = '';
    request.on('data', (chunk) => {
      asked += chunk;
    });
    request.on('end', () => {
      const at = isMetrics ? JSON.parse(asked).StartTime : undefined;
      if (at !== undefined) starts.push(1000 * at);
    });
    response.writeHead(isMetrics || isAccount ? 200 : 404, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((done) => server?.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const LIMIT = { ConcurrentExecutions: 3000, UnreservedConcurrentExecutions: 700 };

type Flags = Readonly<Record<string, string | boolean>>;

async function planned(flags: Flags, declared: object = { churn: { traffic: '100/s' } }, endpoint?: string) {
  const { models, problems } = parseModels(
    Object.fromEntries(
      Object.entries(declared).map(([name, more]) => [name, { artifact: 'a.onnx', ...more }]),
    ),
  );
  expect(problems).toEqual([]);
  const printed: string[] = [];
  const context = {
    ...{ models, problems, flags },
    aws: {
      region: 'us-east-1',
      credentials: async () => {
        if (endpoint === undefined) throw new Error('none here');
        return { accessKeyId: 'test', secretAccessKey: 'test' };
      },
      ...(endpoint && { endpoint }),
    },
    bucket: async () => {
      throw new Error('Stack with id shop-dev does not exist');
    },
    service: { dir: folder, stage: 'dev', region: 'us-east-1', name: 'shop', stack: 'shop-dev' },
    plan: { models, options: {}, host: HOST, built: new Map(), zips: new Map() },
    progress: () => {},
    print: (text: string) => printed.push(text),
    facts: async (some: readonly { name: string }[]) => new Map(some.map(({ name }) => [name, FACTS])),
  } as unknown as Context;
  await runCommand(command, context);
  return printed.join('\n');
}
const refused = (flags: Flags, declared?: object) =>
  planned({ capacity: true, ...flags }, declared).then(
    (text) => expect.fail(`not refused: ${text}`),
    (error: { problems: readonly object[] }) => error.problems[0],
  );

describe('sls models plan --capacity', () => {
  it('without AWS takes what AWS gives by default, and says so', async () => {
    const text = await planned({ capacity: true });
    expect(text).toMatch(
      /^Capacity of shop-dev in us-east-1\n\nchurn: at most 0\.1 % of the requests may start cold \(p99\.9 warm\)\n/,
    );
    expect(text).toContain('at all times             5     14     36 %          0.047 %');
    expect(text).toContain(
      "quota      the account has 1,000 instances, 1,000 of them unreserved (AWS's default, assumed, since there are no credentials of AWS: none here), which all its functions share",
    );
    expect(text).toContain('50 ms (assumed), and 500 ms of INIT where it starts cold (assumed)');
  });

  it('takes the account’s quota from Lambda', async () => {
    const endpoint = await awsOf(LIMIT);
    const flags = { capacity: true, json: true, burst: '900', duration: '20', cold: '1%', idle: '600' };
    const { models, stack } = JSON.parse(await planned(flags, undefined, endpoint));
    expect(stack).toBe('shop-dev');
    expect(models).toMatchObject([
      {
        model: 'churn',
        promised: 0.01,
        duration: { ms: 20, from: '--duration' },
        idle: { seconds: 600, isGiven: true },
        traffic: { from: 'declared', rate: expect.closeTo(100, 9) },
        parts: [{ kept: 10, isByRate: true, load: expect.closeTo(2, 9) }],
        crowd: { requests: 900, served: 700, throttled: 200, meets: 'limit' },
        quota: { limit: 700, of: 'account', account: { all: 3000, unreserved: 700, from: 'Lambda' } },
      },
    ]);
  });

  it('a reservation is the limit, whatever the account has', async () => {
    const declared = { churn: { traffic: '100/s', concurrency: { reserved: 50 } } };
    const { models } = JSON.parse(await planned({ capacity: true, json: true }, declared));
    expect(models[0].quota).toMatchObject({ limit: 50, of: 'reserved', account: { all: 1000 } });
    expect(models[0].proposal.concurrency).toMatchObject({ reserved: 50 });
  });

  it('replays a file', async () => {
    // Five at once each two seconds, from any time on.
    const times = Array.from({ length: 20_000 }, (_, i) => 1e9 + 2 * Math.floor(i / 5));
    await writeFile(join(folder, 'times.txt'), `# seconds\n${times.join('\n')}\n`);
    const text = await planned({ capacity: true, arrivals: 'times.txt' }, { churn: {} });
    expect(text).toContain(
      '2.5 requests/s: 20,000 arrivals of times.txt, within 2.22 h, at times of no clock',
    );
    expect(text).toMatch(/replayed {3}20,000 arrivals of times.txt, 2.22 h\n/);
    const { models } = JSON.parse(
      await planned({ capacity: true, arrivals: 'times.txt', json: true }, { churn: {} }),
    );
    expect(models[0]).toMatchObject({
      parts: [{ kept: 5, erlang: { kept: 3 } }],
      replayed: { proposed: { kept: 20_000 } },
    });
  });

  it('replays the minutes of CloudWatch, and says what it takes them for', async () => {
    const now = Math.floor(Date.now() / 60_000) * 60_000;
    // Five hours of 60 a minute, and each twentieth minute 600: bursts of a minute.
    const requests: Points = Array.from({ length: 300 }, (_, i) => [
      now - (302 - i) * 60_000,
      i % 20 === 0 ? 600 : 60,
    ]);
    const busy: Points = requests.map(([at, count]) => [at, 200 * count]);
    const endpoint = await awsOf(LIMIT, { requests, busy });
    const flags = { capacity: true, arrivals: 'cloudwatch', since: '6h' };
    const text = await planned(flags, undefined, endpoint);
    const all = 285 * 60 + 15 * 600;
    expect(text).toContain(`CloudWatch, ${all.toLocaleString('en-US')} requests in `);
    expect(text).toContain('200 ms (measured by CloudWatch)');
    expect(text).toContain('within a minute they are taken to know nothing of each other (Poisson)');
    expect(text).toMatch(/times as many: they come in bursts, whose number in 60 s varies \d+ times as much/);
    const { models } = JSON.parse(await planned({ ...flags, json: true }, undefined, endpoint));
    const [{ parts, replayed, traffic }] = models;
    expect(replayed.requests).toBe(all);
    expect(traffic).toMatchObject({ from: 'cloudwatch', timezone: 'UTC' });
    expect(parts[0].kept).toBeGreaterThan(parts[0].erlang.kept);
    // What is given counts before what was measured.
    const given = JSON.parse(await planned({ ...flags, json: true, duration: '20' }, undefined, endpoint));
    expect(given.models[0].duration).toEqual({ ms: 20, from: '--duration' });
  });

  it('asks for no minute that CloudWatch has no more, however long it takes', async () => {
    const now = Math.floor(Date.now() / 60_000) * 60_000;
    const requests: Points = [3, 2].map((ago) => [now - ago * 60_000, 60]);
    const endpoint = await awsOf(LIMIT, { requests, busy: [] });
    const text = await planned({ capacity: true, arrivals: 'cloudwatch', since: '15d' }, undefined, endpoint);
    expect(text).toContain('120 requests in ');
    expect(text).toContain('since the first of them');
    expect(starts.length).toBeGreaterThan(0);
    for (const at of starts) expect(at).toBeGreaterThanOrEqual(now - 15 * 86_400_000);
  });

  it('an alias that nobody asked has no traffic to replay', async () => {
    const endpoint = await awsOf(LIMIT);
    await expect(
      planned({ capacity: true, arrivals: 'cloudwatch' }, undefined, endpoint),
    ).rejects.toMatchObject({
      problems: [
        {
          code: 'MODELS_USAGE',
          key: '--arrivals',
          message: 'CloudWatch knows no request of shop-dev-churn:live in us-east-1 in 7 days.',
        },
      ],
    });
  });

  it('takes a curve of a day, and of a week', async () => {
    const day = Array.from({ length: 24 }, (_, hour) => (hour >= 8 && hour < 20 ? 50 : 1));
    await writeFile(join(folder, 'day.txt'), day.join('\n'));
    await writeFile(join(folder, 'week.txt'), Array(7).fill(day.join('\n')).join('\n'));
    const flags = { capacity: true, json: true, duration: '200' };
    const [first, second] = [
      JSON.parse(await planned({ ...flags, curve: 'day.txt' }, { churn: {} })),
      JSON.parse(await planned({ ...flags, curve: 'week.txt' }, { churn: {} })),
    ];
    expect(first.models[0].parts).toEqual(second.models[0].parts);
    expect(first.models[0].proposal.concurrency.schedule).toMatchObject([
      { days: 'daily', from: '08:00', to: '20:00' },
    ]);
    expect(first.models[0].traffic).toMatchObject({ busiest: 50, rate: 25.5 });
  });

  it('says of whom it knows nothing', async () => {
    const text = await planned({ capacity: true }, { churn: { traffic: '5/s' }, fraud: {} });
    expect(text).toContain('churn: at most');
    expect(text).toContain('fraud: not known: no traffic is declared');
    expect(
      await planned({ capacity: true, model: 'fraud' }, { churn: { traffic: '5/s' }, fraud: {} }),
    ).not.toContain('churn');
  });

  it.each<[string, Flags, object]>([
    [
      'a share of nothing',
      { cold: '0' },
      {
        key: '--cold',
        message: expect.stringContaining('0 is not a share of the requests from 0.0001% to 50%'),
      },
    ],
    ['a share that is none', { cold: 'few' }, { key: '--cold' }],
    ['a share of all', { cold: '100%' }, { key: '--cold' }],
    ['a negative share', { cold: '-1%' }, { key: '--cold' }],
    [
      'no requests at once',
      { burst: '0' },
      { key: '--burst', message: '0 is not a number of requests from 1 to 1000000.' },
    ],
    [
      'half a request',
      { burst: '1.5' },
      { key: '--burst', message: '1.5 is not a whole number of requests.' },
    ],
    ['no life', { idle: '0' }, { key: '--idle', message: '0 is not a number of seconds from 1 to 86400.' }],
    [
      'a file that is not there',
      { arrivals: 'gone.txt' },
      { key: '--arrivals', message: expect.stringContaining('gone.txt cannot be read') },
    ],
    [
      'arrivals out of order',
      { arrivals: 'disorder.txt' },
      {
        key: '--arrivals',
        message: 'disorder.txt, line 3: 1.5 is before 2, the time of the request before it.',
      },
    ],
    [
      'arrivals that are no times',
      { arrivals: 'words.txt' },
      { key: '--arrivals', message: 'words.txt, line 1: now is no number of seconds.' },
    ],
    [
      'no arrivals',
      { arrivals: 'empty.txt' },
      { key: '--arrivals', message: 'empty.txt, line 1: the file has no time at all.' },
    ],
    [
      'one arrival',
      { arrivals: 'one.txt' },
      { key: '--arrivals', message: expect.stringContaining('which makes no rate') },
    ],
    [
      'arrivals in milliseconds since the epoch',
      { arrivals: 'epoch.txt' },
      {
        key: '--arrivals',
        message:
          'epoch.txt, line 1: 1795910400000 is beyond 100,000,000,000 s, the year 5138: divide times in milliseconds by 1,000.',
      },
    ],
    [
      'arrivals in milliseconds of a day and a half',
      { arrivals: 'ms.txt' },
      {
        key: '--arrivals',
        message:
          'ms.txt lasts 129,600,000 s; 31,622,400 s, which are 366 days, are the most that is replayed.',
        fix: 'Write seconds: divide times in milliseconds by 1,000; or name a part of it.',
      },
    ],
    [
      'a rate beyond any',
      { curve: 'fast.txt' },
      { key: '--curve', message: 'fast.txt, line 24: 1000001 is no rate from 0 to 1,000,000.' },
    ],
    [
      'more requests at once than are counted',
      { curve: 'most.txt', duration: '900000' },
      {
        key: '--curve',
        message:
          '1,000,000 requests a second of 900,000 ms each (--duration) are 900,000,000 at once; 100,000 are the most that is counted.',
        fix: 'Check the unit of both: rates are a second, times in milliseconds.',
      },
    ],
    [
      'a curve of 23 hours',
      { curve: 'short.txt' },
      { key: '--curve', message: 'short.txt has 23 rates, not 24 or 168.' },
    ],
    [
      'a negative rate',
      { curve: 'negative.txt' },
      { key: '--curve', message: 'negative.txt, line 24: -1 is no rate from 0 to 1,000,000.' },
    ],
    [
      'a curve of nothing',
      { curve: 'zeros.txt' },
      { key: '--curve', message: 'zeros.txt has no request at any time.' },
    ],
    [
      'both',
      { curve: 'short.txt', arrivals: 'one.txt' },
      { key: '--curve', message: expect.stringContaining('does not go with --arrivals') },
    ],
    ['a time back without CloudWatch', { since: '2d' }, { key: '--since' }],
    [
      'a time back of minutes that are gone',
      { since: '16d', arrivals: 'cloudwatch' },
      { key: '--since', message: expect.stringContaining('16d is not between 2m and 15d') },
    ],
    [
      'a time back that is none',
      { since: 'long', arrivals: 'cloudwatch' },
      { key: '--since', message: 'long is not a length of time.' },
    ],
    [
      'CloudWatch without credentials',
      { arrivals: 'cloudwatch' },
      {
        code: 'MODELS_AWS',
        key: '--arrivals',
        message: expect.stringContaining(
          'CloudWatch cannot be asked for the requests of shop-dev-churn:live: none here',
        ),
      },
    ],
    ['a model that is none', { model: 'nobody' }, { key: '--model' }],
  ])('refuses %s', async (_, flags, problem) => {
    const files = {
      'disorder.txt': '1\n2\n1.5\n',
      'words.txt': 'now\n',
      'empty.txt': '# nothing\n',
      'one.txt': '5\n',
      'short.txt': Array(23).fill(1).join('\n'),
      'negative.txt': [...Array(23).fill(1), -1].join('\n'),
      'zeros.txt': Array(24).fill(0).join('\n'),
      'epoch.txt': '1795910400000\n1798502400000\n',
      'ms.txt': '0\n129600000\n',
      'fast.txt': [...Array(23).fill(1), 1_000_001].join('\n'),
      'most.txt': Array(24).fill(1_000_000).join('\n'),
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    expect(await refused(flags)).toMatchObject({ code: 'MODELS_USAGE', fix: expect.any(String), ...problem });
  });

  it('arrivals are of one model', async () => {
    await writeFile(join(folder, 'times.txt'), '1\n2\n');
    expect(await refused({ arrivals: 'times.txt' }, { churn: {}, fraud: {} })).toMatchObject({
      key: '--model',
      message: 'is missing.',
    });
  });
});

describe('sls models plan', () => {
  it.each(['cold', 'arrivals', 'curve', 'since', 'idle', 'burst', 'model'])(
    '--%s goes with --capacity alone',
    async (name) => {
      await expect(planned({ [name]: '1' })).rejects.toMatchObject({
        problems: [{ code: 'MODELS_USAGE', key: `--${name}`, message: 'goes with --capacity alone.' }],
      });
    },
  );

  it('counts what runs of the monitor of drift cost, where there is one', async () => {
    const drift = { baseline: 'a.csv' };
    expect(await planned({}, { churn: { drift } })).toMatch(/, \$0\.150 for the monitor of drift$/m);
    expect(await planned({}, { churn: {} })).not.toContain('monitor of drift');
    const { cost } = JSON.parse(await planned({ json: true }, { churn: { drift } }));
    expect(cost.monitor).toBeCloseTo(0.1457, 4);
  });

  it('counts INIT of the requests that start an instance, and says how many those are', async () => {
    const text = await planned({}, { churn: { traffic: '100/day', memory: 1024 } });
    expect(text).toMatch(
      /churn +\$\d\.\d\d at 0\.00116 requests\/s: requests \$0\.00060, compute \$0\.003, cold starts \$0\.018, /,
    );
    expect(text).toContain(
      '50 ms a request (assumed); 70.7 % of them start an instance, which bills 500 ms of INIT more (assumed),',
    );
    const { cost } = JSON.parse(
      await planned(
        { json: true, duration: '10', init: '2000' },
        { churn: { traffic: '100/day', memory: 1024 } },
      ),
    );
    expect(cost.models).toMatchObject([
      {
        duration: { ms: 10, from: '--duration' },
        init: { ms: 2000, from: '--init' },
        coldShare: expect.closeTo(0.7066, 3),
        coldStarts: expect.closeTo(3000 * 0.7066 * 2 * 0.0000166667, 4),
      },
    ]);
  });
});
