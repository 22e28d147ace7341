import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { type Deployment, deployService, everythingLeft, type Service } from '../../journeys/service.ts';

/** What a plain service of the framework may count on; the plugin's own services build on it. */
describe('a plain service', () => {
  let aws: LocalAws;
  let service: Service & Deployment;
  beforeAll(async () => {
    aws = await startAws();
    service = await deployService(
      {
        yaml: `
service: plain
provider:
  name: aws
  runtime: nodejs24.x
  httpApi:
    cors: true
functions:
  hello:
    handler: handler.hello
    events:
      - httpApi: GET /hello
      - httpApi: ANY /x/{proxy+}
      - httpApi: {method: POST, path: /guarded, authorizer: {type: aws_iam}}
`,
        files: {
          'handler.mjs': `export const hello = async (event) => {
  console.log('said hello');
  return {statusCode: 200, body: JSON.stringify({path: event.rawPath, proxy: event.pathParameters?.proxy})};
};`,
        },
      },
      aws,
    );
  });
  afterAll(() => aws?.stop());

  it('answers by HTTP API, greedy paths included', async () => {
    expect(await (await fetch(`${service.http()}/hello`)).json()).toEqual({ path: '/hello' });
    const greedy = await fetch(`${service.http()}/x/a/b`, { method: 'PUT' });
    expect(await greedy.json()).toEqual({ path: '/x/a/b', proxy: 'a/b' });
    expect((await fetch(`${service.http()}/nothing`)).status).toBe(404);
  });

  it('answers to invoke and keeps its log', async () => {
    const { answer, log, version } = await service.invoke('hello', { rawPath: '/direct' }, '');
    expect(answer).toEqual({ statusCode: 200, body: '{"path":"/direct"}' });
    expect(version).toBe('$LATEST');
    expect(log).toMatch(/\tINFO\tsaid hello\n/);
    expect(
      (await service.logs('hello')).filter((line) => line.includes('said hello')).length,
    ).toBeGreaterThan(0);
  });

  // https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
  it('answers CORS preflights before any authorizer', async () => {
    const preflight = await fetch(`${service.http()}/guarded`, {
      method: 'OPTIONS',
      headers: { origin: 'http://a.example', 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
    const answer = await fetch(`${service.http()}/hello`, { headers: { origin: 'http://a.example' } });
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  });

  it('leaves nothing after sls remove', async () => {
    expect(await everythingLeft(aws)).toContain('function plain-dev-hello');
    await service.remove();
    expect(await everythingLeft(aws)).toEqual([]);
  });
});
