/**
 * The release worker and a server of MLflow: what is written, and what becomes of one that is down or
 * strange.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { MlflowFailure, MlflowPort, MlflowWrite } from '../../core/ports/mlflow.ts';
import { headersBy, mlflowRegistry } from '../../functions/release/mlflow.ts';
import { calm } from '../fakes/chaos.ts';
import { type FakeMlflow, fakeMlflow } from '../fakes/mlflow.ts';
import { fakeRegistered } from '../fakes/registered.ts';

const ARN = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:mlflow-AbCdEf';
const KEY = 'serverless-models.us-east-1.shop-dev-churn';

let server: FakeMlflow;
beforeAll(async () => {
  server = await fakeMlflow();
  server.register('churn', {});
  server.register('churn', {});
});
afterEach(() => {
  server.calm();
  server.guard();
});
afterAll(() => server?.stop());

const live = (version: string): readonly MlflowWrite[] => [
  { set: 'alias', name: 'churn', version, alias: 'production' },
  { set: 'tag', name: 'churn', version, key: KEY, value: 'live' },
];
/** With a secret that says, one after the other, these; the last one again and again. */
function writer(at = server.address, ...secrets: readonly (string | Error)[]) {
  const reads: string[] = [];
  const read = async (arn: string): Promise<string> => {
    const secret = secrets[Math.min(reads.length, secrets.length - 1)] ?? '';
    reads.push(arn);
    if (typeof secret !== 'string') throw secret;
    return secret;
  };
  const port = mlflowRegistry({
    at,
    alias: 'production',
    headers: headersBy(secrets.length === 0 ? undefined : ARN, read),
  });
  return { port, reads };
}
const named = (name: string): Error => Object.assign(new Error(`${ARN} is denied to arn:role`), { name });

/** What the one in memory does, too, by which the engine is tested. */
const subjects: Readonly<
  Record<string, () => { port: MlflowPort; aliased: () => string | undefined; tags: () => unknown }>
> = {
  'by HTTP': () => ({
    port: writer().port,
    aliased: () => server.aliased('churn', 'production'),
    tags: () => server.tags('churn', '2')[KEY],
  }),
  'in memory': () => {
    const fake = fakeRegistered(calm);
    fake.gone.add('churn/9');
    return {
      port: fake.port,
      aliased: () => fake.aliases.get('churn@production'),
      tags: () => fake.tags.get(`churn/2 ${KEY}`),
    };
  },
};

describe.each(Object.entries(subjects))('%s', (_, made) => {
  it('an alias and a tag are written, and again, and nothing else', async () => {
    const { port, aliased, tags } = made();
    expect(await port.write(live('1'))).toBe('ok');
    expect(await port.write(live('2'))).toBe('ok');
    expect(await port.write(live('2'))).toBe('ok');
    expect([aliased(), tags()]).toEqual(['2', 'live']);
  });

  it('a version that is gone is refused, but where it may be', async () => {
    const { port, aliased } = made();
    await port.write(live('1'));
    const gone = { set: 'tag', name: 'churn', version: '9', key: KEY, value: 'previous' } as const;
    expect(await port.write([{ ...gone, mayBeGone: true }, ...live('2')])).toBe('ok');
    expect(await port.write([gone, ...live('1')])).toMatchObject({ refuses: true });
    expect(aliased()).toBe('2');
  });
});

describe('who asks', () => {
  it('is told by the secret, which is read once', async () => {
    server.guard('Bearer t0ken');
    const { port, reads } = writer(server.address, '{"token": "t0ken"}');
    expect(await port.write(live('1'))).toBe('ok');
    expect(await port.write(live('2'))).toBe('ok');
    expect(reads).toEqual([ARN]);
  });

  it('is read again where it is refused: it may have been rotated', async () => {
    server.guard('Bearer new');
    const { port, reads } = writer(server.address, 'old', 'new');
    expect(await port.write(live('1'))).toBe('ok');
    expect(reads).toHaveLength(2);
  });

  it('and is refused all the same, in plain text', async () => {
    server.guard('Bearer other');
    const { port, reads } = writer(server.address, 't0ken');
    expect(await port.write(live('1'))).toEqual({
      failed:
        'refuses 401: You are not authenticated. Please see https://www.mlflow.org/docs/latest/auth/index.html#authenticating-to-mlflow on how to authenticate',
      refuses: true,
    });
    expect(reads).toHaveLength(2);
  });

  it.each([
    [named('AccessDeniedException'), true],
    [named('ResourceNotFoundException'), true],
    [named('TimeoutError'), false],
  ])('is not known where the secret cannot be read: %s', async (error, refuses) => {
    server.asked();
    expect(await writer(server.address, error).port.write(live('1'))).toEqual({
      failed: `is not asked, since its secret cannot be read (${error.name})`,
      refuses,
    });
    expect(server.asked()).toEqual([]);
  });

  it('is not known where the secret is something else, and that is not repeated', async () => {
    const failure = await writer(server.address, '{"user": "ann", "pass": "hunter2"}').port.write(live('1'));
    expect(failure).toMatchObject({ refuses: true });
    expect(JSON.stringify(failure)).not.toMatch(/ann|hunter2/);
  });

  it('is not repeated where the server repeats it', async () => {
    const answer = { kind: 'answers', status: 403, type: 'text/plain' } as const;
    server.trouble('alias', { ...answer, text: 'hunter2 may not write' });
    expect(await writer(server.address, 'hunter2').port.write(live('1'))).toEqual({
      failed: 'refuses 403',
      refuses: true,
    });
    // By name and password, what is sent is another text than what is secret.
    const pair = '{"username": "ann", "password": "hunter2"}';
    server.trouble('alias', { ...answer, text: 'ann: hunter2 is no password' });
    expect(await writer(server.address, pair).port.write(live('1'))).toEqual({
      failed: 'refuses 403',
      refuses: true,
    });
    // Cut in its middle it would still be half told.
    server.trouble('alias', { ...answer, text: `${'x'.repeat(196)}hunter2` });
    expect(await writer(server.address, pair).port.write(live('1'))).toEqual({
      failed: 'refuses 403',
      refuses: true,
    });
    server.trouble('alias', { ...answer, text: 'Permission denied' });
    expect(await writer(server.address, 'hunter2').port.write(live('1'))).toEqual({
      failed: 'refuses 403: Permission denied',
      refuses: true,
    });
  });
});

describe('a server', () => {
  it.each([
    [503, 'text/plain', 'down', { failed: 'answers 503: down', refuses: false }],
    [429, 'text/plain', '', { failed: 'answers 429', refuses: false }],
    [502, 'text/html', '<html>Bad Gateway</html>', { failed: 'answers 502', refuses: false }],
    [
      200,
      'text/html',
      '<html>Log in</html>',
      { failed: 'answers with something that is no JSON, as a login page or a proxy would', refuses: true },
    ],
    [
      400,
      'application/json',
      '{"error_code": "INVALID_PARAMETER_VALUE", "message": "Version alias name \'v1\' is reserved."}',
      { failed: "refuses 400: Version alias name 'v1' is reserved", refuses: true },
    ],
  ])('that answers %s %s %s', async (status, type, text, failure: MlflowFailure) => {
    server.trouble('alias', { kind: 'answers', status, type, text });
    expect(await writer().port.write(live('1'))).toEqual(failure);
  });

  it('that closes, or is not there, may come back', async () => {
    server.trouble('alias', { kind: 'closed' });
    expect(await writer().port.write(live('1'))).toMatchObject({ refuses: false });
    expect(await writer('http://127.0.0.1:9').port.write(live('1'))).toMatchObject({
      failed: expect.stringMatching(/^cannot be reached: /),
      refuses: false,
    });
  });

  it('that hangs is given two seconds', async () => {
    server.trouble('alias', { kind: 'silent' });
    const began = performance.now();
    expect(await writer().port.write(live('1'))).toEqual({
      failed: 'does not answer within 2 s',
      refuses: false,
    });
    expect(performance.now() - began).toBeLessThan(30_000);
  });

  describe('that leads elsewhere', () => {
    let elsewhere: Server;
    const asked: (string | undefined)[] = [];
    beforeAll(async () => {
      elsewhere = createServer((request, response) => {
        asked.push(request.headers.authorization);
        response
          .writeHead(307, { location: `${server.address}/api/2.0/mlflow/registered-models/alias` })
          .end();
      }).listen(0, '127.0.0.1');
      await once(elsewhere, 'listening');
    });
    afterAll(() => elsewhere?.close());

    it('is not followed: who asks is told to no other server', async () => {
      server.asked();
      const at = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`;
      expect(await writer(at, 't0ken').port.write(live('1'))).toEqual({
        failed: 'leads elsewhere (307), and is not followed',
        refuses: true,
      });
      expect(asked).toEqual(['Bearer t0ken']);
      expect(server.asked()).toEqual([]);
    });
  });
});
