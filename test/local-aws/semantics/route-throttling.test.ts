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
const wait = (seconds: number): Promise<void> => new Promise((done) => setTimeout(done, seconds * 1000));

/** Bursts of requests: the statuses of each, and what the gateway says to those that it turns away. */
async function bursts(aws: LocalAws) {
  const url = (await deployService({ yaml: SERVICE, files }, aws)).http();
  const burst = async (path: string, count: number) => {
    const answers = await Promise.all(Array.from({ length: count }, () => fetch(`${url}${path}`)));
    const away = answers.filter(({ status }) => status === 429);
    return {
      statuses: answers.map(({ status }) => status).toSorted(),
      away: await Promise.all(away.map(async (one) => [one.headers.get('content-type'), await one.text()])),
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
  return { free: free.statuses, first, later: [second.statuses, third.statuses], quick: quick.statuses };
}

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
it('a route lets through its burst, then its rate, and answers 429 itself; other routes are free', async () => {
  const { on, off } = await withAndWithout('route_throttling', bursts);
  expect(on).toEqual({
    free: [200, 200, 200, 200, 200, 200],
    first: {
      statuses: [200, 200, 429, 429],
      away: Array(2).fill(['application/json', '{"message":"Too Many Requests"}']),
    },
    later: [
      [200, 429, 429, 429],
      [200, 200, 429, 429],
    ],
    quick: [200],
  });
  expect(off.first.statuses).toEqual([200, 200, 200, 200]);
});
