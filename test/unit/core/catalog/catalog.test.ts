import { describe, expect, it } from 'vitest';
import { catalog, type Endpoints } from '../../../../core/catalog/catalog.ts';
import { toEvent } from '../../../../core/host/gateway.ts';
import { createCatalog } from '../../../../functions/catalog/handler.ts';
import { CARDS } from '../../../cards.ts';
import { group, manifest, model, tensor } from './models.ts';

const churn = model(
  'churn',
  { inputs: [tensor('x', 'INT64', [-1])], outputs: [tensor('y', 'BYTES', [])] },
  { card: CARDS.mlflow },
);
const here = manifest(group([churn]), group([model('a'), model('b')], { path: '/lab' }));

const answering: Endpoints = {
  invoke: async (name, version, event) => ({
    answer: { statusCode: 200, body: JSON.stringify({ name, version, event }) },
  }),
  state: async (_, version) => (version === 'live' || version === '3' ? 'Active' : undefined),
  versions: async () => ['2', '3'],
};

type Answer = { statusCode: number; headers: Record<string, string>; body: string };

async function ask(
  path: string,
  endpoints: Partial<Endpoints> = {},
  options: { method?: string; headers?: Record<string, string> } = {},
) {
  const { method = 'GET', headers = {} } = options;
  const event = toEvent({ method, target: path, headers, body: Buffer.from('') });
  const handler = createCatalog(here, '', { ...answering, ...endpoints });
  const answer = (await handler(event, { awsRequestId: 'r-1' })) as Answer;
  return { ...answer, json: () => JSON.parse(answer.body), event };
}

describe('the catalog', () => {
  it('says who answers', async () => {
    const answer = await ask('/v2');
    expect(answer.json()).toEqual({ name: 'shop-dev', version: '0.1.0', extensions: ['binary_tensor_data'] });
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it('has the card of a model beside what the protocol says of it, to be kept until the next deploy', async () => {
    const answer = await ask('/v2/models/churn/card');
    const { inputs, outputs } = churn.signature;
    expect(answer.json()).toEqual({ ...CARDS.mlflow, inputs, outputs });
    expect((await ask('/v2/models/churn')).json()).not.toHaveProperty('card');
    const { etag = '' } = answer.headers;
    const kept = await ask('/v2/models/churn/card', {}, { headers: { 'if-none-match': etag } });
    expect([kept.statusCode, kept.body]).toEqual([304, '']);
    expect((await ask('/v2/models/churn/card', {}, { method: 'POST' })).statusCode).toBe(405);
    // Packaged by an earlier plugin.
    expect((await ask('/lab/v2/models/a/card')).statusCode).toBe(404);
  });

  it('makes each description once, by the address that it has: it takes a busy host milliseconds', async () => {
    let looks = 0;
    const watched = {
      ...churn,
      get signature() {
        looks += 1;
        return churn.signature;
      },
    };
    const told = createCatalog(manifest(group([watched])), '', answering);
    const get = async (target: string, before = ''): Promise<Answer> => {
      const event = toEvent({ method: 'GET', target, headers: {}, body: Buffer.from('') });
      const rawPath = `${before}${event.rawPath}`;
      return (await told({ ...event, rawPath, routeKey: `GET ${target}` }, { awsRequestId: 'r' })) as Answer;
    };
    for (const path of ['/openapi.json', '/docs', '/v2/models/churn/card']) {
      const first = await get(path);
      const before = looks;
      expect(await get(path), path).toEqual(first);
      // A card names its model's inputs, whose text alone is made once.
      expect(looks - before, path).toBeLessThanOrEqual(1);
    }
    expect((await get('/openapi.json', '/prod')).body).not.toBe((await get('/openapi.json')).body);
    for (let i = 0; i < 200; i += 1) expect((await get('/openapi.json', `/s${i}`)).body).toContain(`/s${i}`);
  });

  it.each([
    ['a stage that has a name', 'prod', '/prod'],
    ['the mapping of a domain', '$default', '/ml/v1'],
  ])('is found behind %s, which stands before the path', async (_, stage, before) => {
    const asked = async (route: string, pathParameters?: object, path = route) => {
      const event = {
        version: '2.0',
        routeKey: `GET ${route}`,
        rawPath: `${before}${path}`,
        ...(pathParameters && { pathParameters }),
        headers: {},
        requestContext: { http: { method: 'GET', path: `${before}${path}` }, stage },
        isBase64Encoded: false,
      };
      return (await createCatalog(here, '', answering)(event, { awsRequestId: 'r-1' })) as Answer;
    };
    expect((await asked('/v2/health/ready')).statusCode).toBe(200);
    expect((await asked('/lab/v2')).statusCode).toBe(200);
    const churnOf = (proxy: string) =>
      asked('/v2/models/churn/{proxy+}', { proxy }, `/v2/models/churn/${proxy}`);
    expect((await churnOf('versions/3/ready')).statusCode).toBe(200);
    expect((await churnOf('versions/9/ready')).statusCode).toBe(404);
    expect(await asked('/docs', undefined, '/docs/')).toMatchObject({
      statusCode: 308,
      headers: { location: '../docs' },
    });
    const servers = async (path: string) => JSON.parse((await asked(path)).body).servers;
    expect(await servers('/openapi.json')).toEqual([{ url: before }]);
    expect(await servers('/lab/openapi.json')).toEqual([{ url: `${before}/lab` }]);
  });

  it('is alive', async () => expect((await ask('/v2/health/live')).json()).toEqual({ live: true }));

  it('gives a model’s metadata as the protocol has it', async () => {
    expect((await ask('/v2/models/churn')).json()).toEqual({
      name: 'churn',
      versions: ['2', '3'],
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'x', datatype: 'INT64', shape: [-1] }],
      outputs: [{ name: 'y', datatype: 'BYTES', shape: [] }],
    });
  });

  it('is ready when every version that clients reach is', async () => {
    expect((await ask('/lab/v2/health/ready')).json()).toEqual({ ready: true });
    expect((await ask('/v2/models/churn/ready')).json()).toEqual({ name: 'churn', ready: true });
    expect((await ask('/v2/models/churn/versions/3/ready')).statusCode).toBe(200);
    expect((await ask('/ping')).json()).toEqual({});
  });

  it('is not ready while Lambda prepares, after it put one aside, and before a release', async () => {
    const pending = { state: async (name: string) => (name === 'shop-dev-b' ? 'Pending' : 'Active') };
    const one = await ask('/lab/v2/health/ready', pending);
    expect(one.statusCode).toBe(503);
    expect(one.json()).toMatchObject({ code: 'NOT_READY', error: expect.stringContaining('b is not ready') });
    expect((await ask('/ping', { state: async () => 'Inactive' })).statusCode).toBe(503);
    expect((await ask('/ping', { state: async () => undefined })).statusCode).toBe(503);
    expect((await ask('/v2/models/churn/versions/9/ready')).statusCode).toBe(404);
  });

  it('passes a request for a version to that version, event and answer whole', async () => {
    const answer = await ask('/v2/models/churn/versions/3/infer', {}, { method: 'POST' });
    expect(answer.json()).toEqual({
      name: 'shop-dev-churn',
      version: '3',
      event: JSON.parse(JSON.stringify(answer.event)),
    });
    expect((await ask('/v2/models/churn/versions/2')).json()).toMatchObject({ version: '2' });
  });

  it.each([
    ['absent', 404],
    ['throttled', 429],
    ['tooLarge', 413],
    ['failed', 502],
    ['notReady', 503],
  ] as const)('says when a version is %s: %i', async (failure, status) => {
    const answer = await ask(
      '/v2/models/churn/versions/3/infer',
      { invoke: async () => ({ failure }) },
      { method: 'POST' },
    );
    expect(answer.statusCode).toBe(status);
    expect(answer.json().error).toMatch(/\S/);
  });

  it('answers 404 and 405 with an error', async () => {
    expect((await ask('/v2/models/nobody')).json()).toMatchObject({
      code: 'NOT_FOUND',
      error: expect.any(String),
    });
    const refused = await ask('/docs', {}, { method: 'POST' });
    expect(refused).toMatchObject({ statusCode: 405, headers: { allow: 'GET, HEAD' } });
  });

  it('answers 500 without the reason when Lambda refuses it', async () => {
    const denied = async () => {
      throw new Error('User arn:aws:iam::123 is not authorized');
    };
    const answer = await ask('/v2/models/churn', { versions: denied });
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain('arn:');
  });

  it('gives the request id back', async () => {
    const answer = await ask('/v2', {}, { headers: { 'x-request-id': 'abc-1' } });
    expect(answer.headers['x-request-id']).toBe('abc-1');
  });

  it('lets clients keep the docs page and OpenAPI until they change', async () => {
    for (const path of ['/docs', '/openapi.json']) {
      const first = await ask(path);
      const etag = first.headers.etag ?? '';
      expect(first).toMatchObject({ statusCode: 200, headers: { 'cache-control': 'no-cache' } });
      const again = await ask(path, {}, { headers: { 'if-none-match': etag } });
      expect(again).toMatchObject({ statusCode: 304, body: '' });
    }
  });

  it('knows its page again where something between made the mark a weak one, or the client has several', async () => {
    const { etag = '' } = (await ask('/docs')).headers;
    const status = async (mark: string) =>
      (await ask('/docs', {}, { headers: { 'if-none-match': mark } })).statusCode;
    for (const mark of [`W/${etag}`, `"other", ${etag}`, `"a,b" ,W/${etag}`, '*'])
      expect(await status(mark)).toBe(304);
    for (const mark of ['"other"', etag.slice(1, -1), `"x${etag.slice(1)}`, ''])
      expect(await status(mark)).toBe(200);
  });

  it('leads a page with a slash behind it to the one that its links are relative to', async () => {
    for (const path of ['/docs/', '/lab/docs/'])
      expect(await ask(path)).toMatchObject({ statusCode: 308, body: '', headers: { location: '../docs' } });
  });

  it('tells a direct invocation that it serves HTTP', async () => {
    const answer = await catalog(
      here,
      answering,
      '',
    )({
      source: 'direct',
      method: 'POST',
      path: '',
      id: '',
      headers: {},
      body: undefined,
      base64: false,
      event: {},
      multi: false,
    });
    expect(answer).toMatchObject({ value: { code: 'NOT_FOUND' } });
  });
});
