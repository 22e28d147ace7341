import { connect } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import type { Bodies } from '../../../../functions/host/bodies.ts';
import { type Front, openFront } from '../../../../functions/host/front.ts';
import type { Pool } from '../../../../functions/host/pool.ts';
import { answering, CROWDED, catalog, stopTime } from './crowded.ts';

let front: Front;
afterEach(async () => {
  vi.useRealTimers();
  await front.close();
});

it('a model that is not up while the host starts is 503 with Retry-After, at each of its paths', async () => {
  front = await openFront(
    {
      ...{ catalog: () => catalog, page: '', local: false, state: () => 'starting' },
      ...{ pool: () => undefined, pools: () => [] },
    },
    0,
    '127.0.0.1',
  );
  for (const path of [
    'v2/models/m/infer',
    'v2/models/m/versions/1/infer',
    'models/m/invocations',
    'invocations',
  ]) {
    const url = `http://127.0.0.1:${front.port}/${path}`;
    const answer = await fetch(url, { method: 'POST', body: '{"inputs": []}' });
    expect([answer.status, answer.headers.get('retry-after')], path).toEqual([503, '1']);
    expect(await answer.json()).toMatchObject({ code: 'NOT_READY' });
  }
  // Nobody knows yet which version it will be.
  const metadata = await fetch(`http://127.0.0.1:${front.port}/v2/models/m`);
  expect(await metadata.json()).toMatchObject({ name: 'm', versions: [] });
});

it('a model that never came up is 503 after the host was told to end, not a fault of the model', async () => {
  front = await openFront(
    { ...CROWDED, pool: () => undefined, pools: () => [], state: () => 'draining' },
    0,
    '127.0.0.1',
  );
  const url = `http://127.0.0.1:${front.port}/v2/models/m/infer`;
  const answer = await fetch(url, { method: 'POST', body: '{"inputs": []}' });
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await answer.json()).toMatchObject({ code: 'NOT_READY' });
});

it('a path that infers takes POST alone, and says so, whichever of its paths it is', async () => {
  front = await openFront(answering(Buffer.from('{}')), 0, '127.0.0.1');
  const paths = ['invocations', 'models/m/invocations', 'v2/models/m/infer', 'v2/models/m/versions/1/infer'];
  for (const path of paths)
    for (const method of ['GET', 'PUT']) {
      const answer = await fetch(`http://127.0.0.1:${front.port}/${path}?x`, { method });
      expect([answer.status, answer.headers.get('allow')], `${method} ${path}`).toEqual([405, 'POST']);
      expect(await answer.json()).toMatchObject({ code: 'METHOD_NOT_ALLOWED' });
    }
  expect((await fetch(`http://127.0.0.1:${front.port}/models/other/invocations`)).status).toBe(404);
});

it('a model that is not up is told in words of the host: it has no state of Lambda’s', async () => {
  front = await openFront({ ...CROWDED, pool: () => undefined, pools: () => [] }, 0, '127.0.0.1');
  const answer = await fetch(`http://127.0.0.1:${front.port}/v2/models/m/ready`);
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await answer.json()).toEqual({ code: 'NOT_READY', error: 'm has no worker that is up.' });
});

it('a host that ends says so also of each model, as long as its port is open', async () => {
  const parts = answering(Buffer.from('{}'));
  let state: 'serving' | 'draining' = 'serving';
  front = await openFront({ ...parts, state: () => state }, 0, '127.0.0.1');
  const paths = ['v2/health/ready', 'v2/models/m/ready', 'v2/models/m/versions/1/ready', 'models/m/ping'];
  const statuses = (): Promise<number[]> =>
    Promise.all(paths.map(async (path) => (await fetch(`http://127.0.0.1:${front.port}/${path}`)).status));
  expect(await statuses()).toEqual([200, 200, 200, 200]);
  state = 'draining';
  expect(await statuses()).toEqual([503, 503, 503, 503]);
  const answer = await fetch(`http://127.0.0.1:${front.port}/v2/models/m/ready`);
  expect(await answer.json()).toEqual({ code: 'NOT_READY', error: 'The host is ending.' });
});

/** All that comes until the host closes. */
async function sent(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1');
  socket.write(text);
  let heard = '';
  for await (const chunk of socket) heard += chunk;
  return heard;
}

const LAST = 'Host: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}';

it('a request line may have scheme and host, as one to a proxy has', async () => {
  front = await openFront(answering(Buffer.from('{}')), 0, '127.0.0.1');
  const asked = (line: string): Promise<string> => sent(front.port, `${line} HTTP/1.1\r\n${LAST}`);
  expect(await asked(`POST http://127.0.0.1:${front.port}/v2/models/m/infer`)).toMatch(/^HTTP\/1.1 200 /);
  expect(await asked('GET http://x/v2/health/live?now')).toMatch(/^HTTP\/1.1 200 .*"live":true/s);
  expect(await asked('GET HTTP://x/v2')).toMatch(/^HTTP\/1.1 200 .*"extensions"/s);
  expect(await asked('GET http://x')).toMatch(/^HTTP\/1.1 404 /);
});

it('HTTP/1.0 knows no interim answer: nothing is said before the one that is asked for', async () => {
  front = await openFront(answering(Buffer.from('{}')), 0, '127.0.0.1');
  const expecting = `Expect: 100-continue\r\n${LAST}`;
  expect(await sent(front.port, `${FIRST} HTTP/1.0\r\n${expecting}`)).toMatch(/^HTTP\/1.1 200 /);
  expect(await sent(front.port, `${FIRST} HTTP/1.1\r\n${expecting}`)).toMatch(/^HTTP\/1.1 100 .*200 /s);
});

it('what HTTP has refused of each server has a code and words, as all refusals have', async () => {
  front = await openFront(answering(Buffer.from('{}')), 0, '127.0.0.1');
  const refused = /^HTTP\/1.1 400 .*"code":"INVALID_REQUEST"/s;
  expect(await sent(front.port, 'GET /v2 HTTP/1.1\r\nConnection: close\r\n\r\n')).toMatch(refused);
  expect(await sent(front.port, 'GET /v2 HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 200 /);
  expect(await sent(front.port, 'CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n')).toMatch(refused);
  const answers = await sent(front.port, `${REQUEST}CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n`);
  expect(answers).toMatch(/^HTTP\/1.1 200 .*HTTP\/1.1 400 .*"INVALID_REQUEST"/s);
  // A server may do as if it was not there: https://www.rfc-editor.org/rfc/rfc9110#section-10.1.1
  const unknown = await sent(front.port, `${FIRST} HTTP/1.1\r\nExpect: more\r\n${LAST}`);
  expect(unknown).toMatch(/^HTTP\/1.1 200 /);
});

it('who asks for a proxy and goes away, before the answer that it is owed, ends nothing', async () => {
  const here = answering(Buffer.from('{}'));
  const [pool] = here.pools();
  if (pool === undefined) throw new Error('There is no model.');
  let wasAsked = (): void => {};
  const asked = new Promise<void>((resolve) => {
    wasAsked = resolve;
  });
  const slow: Pool = {
    ...pool,
    ask(_asked, _body, done) {
      wasAsked();
      setTimeout(done, 50, { status: 200, headers: {}, code: undefined, body: Buffer.from('{}') });
      return () => {};
    },
  };
  front = await openFront({ ...here, pool: () => slow, pools: () => [slow] }, 0, '127.0.0.1');
  const gone = connect(front.port, '127.0.0.1');
  gone.write(`${REQUEST}CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n`);
  await asked;
  gone.resetAndDestroy();
  expect(await sent(front.port, `${FIRST} HTTP/1.1\r\n${LAST}`)).toMatch(/^HTTP\/1.1 200 /);
});

it('what is no request is told after the answers to those before it, and ends the connection', async () => {
  front = await openFront(answering(Buffer.from('{}')), 0, '127.0.0.1');
  const statuses = async (text: string): Promise<readonly string[]> =>
    [...(await sent(front.port, text)).matchAll(/HTTP\/1.1 (\d+) /g)].map(([, status = '']) => status);
  // As where a client says fewer bytes than it sends.
  expect(await statuses(`${REQUEST}, "and": "more"}`)).toEqual(['200', '400']);
  expect(await statuses(`${REQUEST}${REQUEST}no request\r\n\r\n`)).toEqual(['200', '200', '400']);
  const unclear = `${FIRST} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnone\r\n`;
  expect(await statuses(unclear)).toEqual(['400']);
  expect(await statuses(`${REQUEST}${unclear}`)).toEqual(['200', '400']);
  expect(await statuses('no request\r\n\r\n')).toEqual(['400']);
});

it('a host that ends answers all that a connection asked at once, and closes it with the last answer', async () => {
  front = await openFront({ ...answering(Buffer.from('{}')), state: () => 'draining' }, 0, '127.0.0.1');
  const heard = await sent(front.port, REQUEST.repeat(3));
  expect(heard.match(/HTTP\/1.1 200 /g)).toHaveLength(3);
  expect(heard.split('HTTP/1.1 ').map((answer) => /^connection: close/im.test(answer))).toEqual([
    ...[false, false, false, true],
  ]);
});

it('answers at the version that it tells, whatever that looks like: an image’s is no number of Lambda’s', async () => {
  const here = answering(Buffer.from('{"outputs":[]}'));
  const [pool] = here.pools();
  if (pool === undefined) throw new Error('There is no model.');
  const named = { ...pool, standing: () => ({ ...pool.standing(), version: 'a1b2c3d4e5f6' }) };
  front = await openFront({ ...here, pool: () => named, pools: () => [named] }, 0, '127.0.0.1');
  const url = `http://127.0.0.1:${front.port}/v2/models/m`;
  const { versions } = (await (await fetch(url)).json()) as { versions: readonly string[] };
  expect(versions).toEqual(['a1b2c3d4e5f6']);
  const statusOf = async (path: string, method = 'GET'): Promise<number> =>
    (await fetch(`${url}/versions/${path}`, { method })).status;
  const own = versions[0] ?? '';
  expect(await statusOf(`${own}/infer`, 'POST')).toBe(200);
  expect(await statusOf(own)).toBe(200);
  expect(await statusOf(`${own}/ready`)).toBe(200);
  expect(await statusOf(`${own}/card`)).toBe(404);
  expect(await statusOf('a1b2c3d4e5f7/infer', 'POST')).toBe(404);
  expect(await statusOf('a1b2c3d4e5f7')).toBe(404);
});

it('a body that comes slowly, while its model is put in another’s place, is computed by what is there now', async () => {
  const [stopped] = CROWDED.pools();
  const after = answering(Buffer.from('{"outputs":[]}'));
  let places = 1;
  // It has ended once nobody has a place of it.
  let here = stopped && { ...stopped, enter: () => places-- > 0 };
  const bodies: Bodies = {
    dropSlowCall: () => false,
    async read(request, _most, _begin, slow) {
      slow();
      here = after.pool('m');
      for await (const _ of request);
      return { body: Buffer.from('{}'), release: () => {} };
    },
  };
  front = await openFront({ ...CROWDED, pool: () => here }, 0, '127.0.0.1', bodies);
  const url = `http://127.0.0.1:${front.port}/v2/models/m/infer`;
  expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(200);
});

const FIRST = 'POST /v2/models/m/infer';
const REQUEST = `${FIRST} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}`;

/** A connection that is kept. */
function kept(port: number): { readonly ask: (line?: string) => Promise<string> } {
  const socket = connect(port, '127.0.0.1');
  let heard = '';
  let settle = { resolve: (_: string): void => {}, reject: (_: Error): void => {} };
  socket.on('error', (error) => settle.reject(error)).on('close', () => settle.reject(new Error('closed')));
  socket.on('data', (chunk: Buffer) => {
    heard += chunk.toString('latin1');
    const at = heard.indexOf('\r\n\r\n');
    const size = Number(/content-length: (\d+)/.exec(heard)?.[1]);
    if (at < 0 || heard.length < at + 4 + size) return;
    settle.resolve(heard);
    heard = '';
  });
  return {
    ask: (line = FIRST) =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject };
        socket.write(REQUEST.replace(FIRST, line));
      }),
  };
}

const crowded = (): Promise<Front> => openFront(CROWDED, 0, '127.0.0.1');

it('where refusals are many, who was refused is not read for a while; all others are', async () => {
  stopTime();
  front = await crowded();
  const caller = kept(front.port);
  expect(await caller.ask()).toMatch(/^HTTP\/1.1 503 .*\r\nretry-after: 1\r\n.*"OVERLOADED"/s);
  // Refusals are few yet: it may ask again at once, on the same connection.
  expect(await caller.ask()).toMatch(/^HTTP\/1.1 503 /);
  const many = connect(front.port, '127.0.0.1').resume();
  many.on('error', () => {}).write(REQUEST.repeat(700));
  await new Promise((resolve) => many.once('data', resolve));
  expect(await caller.ask()).toMatch(/^HTTP\/1.1 503 /);

  const order: string[] = [];
  const again = caller.ask().then((answer) => order.push(answer.slice(9, 12)));
  const probe = kept(front.port).ask('GET /v2/health/live');
  order.push((await probe).slice(9, 12));
  // What waits is read before the front ends.
  vi.useRealTimers();
  await front.close();
  await again;
  expect(order).toEqual(['200', '503']);
});

it('where refusals are many, a caller with a new connection for each request is told later', async () => {
  stopTime();
  front = await crowded();
  const many = connect(front.port, '127.0.0.1').resume();
  many.on('error', () => {}).write(REQUEST.repeat(700));
  await new Promise((resolve) => many.once('data', resolve));
  const order: string[] = [];
  const late = Array.from({ length: 3 }, () =>
    kept(front.port)
      .ask()
      .then((answer) => order.push(answer.slice(9, 12))),
  );
  order.push((await kept(front.port).ask('GET /v2/health/live')).slice(9, 12));
  // What waits is told before the front ends.
  vi.useRealTimers();
  await front.close();
  await Promise.all(late);
  expect(order).toEqual(['200', '503', '503', '503']);
});
