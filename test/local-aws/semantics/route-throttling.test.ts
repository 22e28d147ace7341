import { expect, it } from 'vitest';
import type { LocalAws } from '../../../local-aws/start.ts';
import { deployService } from '../../journeys/service.ts';
import { withAndWithout } from '../lambda.ts';

/** The framework's own stage with limits for two of three routes. */
const SERVICE = `
service: narrow
provider: {name: aws, runtime: nodejs24.x, versionFunctions: false}
functions:
  hello:
    handler: handler.hello
    events: [httpApi: GET /two, httpApi: GET /one, httpApi: GET /free]
resources:
  extensions:
    HttpApiStage:
      DependsOn: [HttpApiRouteGetTwo, HttpApiRouteGetOne]
      Properties:
        RouteSettings:
          GET /two: {ThrottlingRateLimit: 0.5, ThrottlingBurstLimit: 2}
          GET /one: {ThrottlingRateLimit: 100, ThrottlingBurstLimit: 1}
`;
const files = { 'handler.mjs': 'export const hello = async () => ({statusCode: 200, body: "hi"});' };
/** Requests a second that come back to a bucket of two, as `SERVICE` has it. */
const [RATE, BURST] = [0.5, 2];
const wait = (seconds: number): Promise<void> => new Promise((done) => setTimeout(done, seconds * 1000));

type Burst = {
  readonly statuses: readonly number[];
  readonly away: readonly unknown[];
  /** When it began and was answered, in seconds. */
  readonly began: number;
  readonly ended: number;
};

/** Bursts of requests: the statuses of each, and what the gateway says to those that it turns away. */
async function bursts(aws: LocalAws) {
  const url = (await deployService({ yaml: SERVICE, files }, aws)).http();
  const burst = async (path: string, count: number): Promise<Burst> => {
    const began = performance.now() / 1000;
    const answers = await Promise.all(Array.from({ length: count }, () => fetch(`${url}${path}`)));
    const ended = performance.now() / 1000;
    const away = answers.filter(({ status }) => status === 429);
    return {
      statuses: answers.map(({ status }) => status).toSorted(),
      away: await Promise.all(away.map(async (one) => [one.headers.get('content-type'), await one.text()])),
      began,
      ended,
    };
  };
  // The function starts here, and takes none of the tokens that are counted.
  const free = await burst('/free', 6);
  const first = await burst('/two', 4);
  await wait(2.2);
  // One token came back in two seconds; a bucket of two is full after four.
  const second = await burst('/two', 4);
  await wait(6);
  const third = await burst('/two', 4);
  await burst('/one', 1);
  await wait(0.1);
  const quick = await burst('/one', 1);
  return { free: free.statuses, two: [first, second, third], quick: quick.statuses };
}

/**
 * The least and the most that each burst at `/two` may have let through. On a machine that keeps up both are
 * 2, 1 and 2; on one that was held up in between, more tokens have come back.
 */
function letThrough(all: readonly Burst[]): readonly (readonly [least: number, most: number])[] {
  let [least, most, from, to] = [BURST, BURST, 0, 0];
  return all.map(({ statuses, began, ended }) => {
    const passed = statuses.filter((status) => status === 200).length;
    least = Math.min(BURST, least + RATE * Math.max(0, began - to));
    most = Math.min(BURST, most + RATE * (began - from)) + RATE * (ended - began);
    const bounds = [Math.floor(least), Math.floor(most)] as const;
    [least, most, from, to] = [Math.max(0, least - passed), Math.max(0, most - passed), began, ended];
    return bounds;
  });
}

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
it('a route lets through its burst, then its rate, and answers 429 itself; other routes are free', async () => {
  const { on, off } = await withAndWithout('route_throttling', bursts);
  expect(on.free).toEqual([200, 200, 200, 200, 200, 200]);
  expect(on.quick).toEqual([200]);
  const bounds = letThrough(on.two);
  for (const [at, { statuses, away }] of on.two.entries()) {
    const passed = statuses.filter((status) => status === 200).length;
    const [least = 0, most = 0] = bounds[at] ?? [];
    expect(passed, JSON.stringify(on.two)).toBeGreaterThanOrEqual(least);
    expect(passed, JSON.stringify(on.two)).toBeLessThanOrEqual(most);
    const told = ['application/json', '{"message":"Too Many Requests"}'];
    expect(away).toEqual(Array(4 - passed).fill(told));
  }
  for (const { statuses } of off.two) expect(statuses).toEqual([200, 200, 200, 200]);
});
