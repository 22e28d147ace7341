import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { lambdaEndpoints } from '../../../../aws/lambda/invoke-version.ts';
import type { Endpoints } from '../../../../core/catalog/catalog.ts';

/**
 * Lambda's HTTP API, as far as the catalog asks it:
 * https://docs.aws.amazon.com/lambda/latest/api/welcome.html
 */
type Answer = {
  readonly status?: number;
  readonly error?: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
};
let answers: Record<string, Answer> = {};
let asked: string[] = [];
/** Requests that are out, and how many of them Lambda takes; refusals that are left, whatever is out. */
let [out, most, refusals] = [0, 0, 0];
const THROTTLED = { status: 429, error: 'TooManyRequestsException' } as const;
const server = createServer(async (request, response) => {
  for await (const _ of request);
  asked.push(`${request.method} ${request.url}`);
  out += 1;
  if (most > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const isRefused = refusals > 0 || (most > 0 && out > most);
  out -= 1;
  if (isRefused) {
    refusals -= 1;
    return reply(response, THROTTLED);
  }
  const found = answers[`${request.method} ${(request.url ?? '').split('?')[0]}`] ?? answers['*'] ?? {};
  reply(response, found);
});
function reply(response: ServerResponse, { status = 200, error, headers = {}, body = {} }: Answer): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(error && { 'x-amzn-errortype': error }),
    ...headers,
  });
  response.end(JSON.stringify(body));
}

let endpoints: Endpoints;
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  answers = {};
  asked = [];
  [most, refusals] = [0, 0];
  endpoints = lambdaEndpoints(
    new LambdaClient({
      region: 'eu-west-1',
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      maxAttempts: 1,
    }),
  );
});

describe('endpoints as Lambda functions', () => {
  it('gives a version’s answer', async () => {
    answers['*'] = { body: { statusCode: 200 } };
    expect(await endpoints.invoke('f', '3', { a: 1 })).toEqual({ answer: { statusCode: 200 } });
    expect(asked).toEqual(['POST /2015-03-31/functions/f/invocations?Qualifier=3']);
  });

  it.each([
    [{ status: 404, error: 'ResourceNotFoundException' }, 'absent'],
    [{ status: 429, error: 'TooManyRequestsException' }, 'throttled'],
    [{ status: 413, error: 'RequestTooLargeException' }, 'tooLarge'],
    [{ status: 409, error: 'ResourceConflictException' }, 'notReady'],
    [{ status: 502, error: 'ResourceNotReadyException' }, 'notReady'],
    [{ headers: { 'x-amz-function-error': 'Unhandled' } }, 'failed'],
  ])('knows what %j means', async (answer, failure) => {
    answers['*'] = answer;
    expect(await endpoints.invoke('f', '3', {})).toEqual({ failure });
  });

  it('throws what is nobody’s answer', async () => {
    answers['*'] = { status: 403, error: 'AccessDeniedException' };
    await expect(endpoints.invoke('f', '3', {})).rejects.toThrow();
    await expect(endpoints.state('f', 'live')).rejects.toThrow();
  });

  it('reads the state of a version, and that there is none', async () => {
    answers['*'] = { body: { State: 'Pending' } };
    expect(await endpoints.state('f', 'live')).toBe('Pending');
    expect(asked).toEqual(['GET /2015-03-31/functions/f/configuration?Qualifier=live']);
    answers['*'] = { status: 404, error: 'ResourceNotFoundException' };
    expect(await endpoints.state('g', 'live')).toBeUndefined();
    expect(await endpoints.state('f', '9')).toBeUndefined();
  });

  it('asks for the state of a number only where a version has it, and lists versions once', async () => {
    answers['GET /2015-03-31/functions/f/versions'] = { body: { Versions: [{ Version: '7' }] } };
    answers['GET /2015-03-31/functions/f/configuration'] = { body: { State: 'Active' } };
    for (let number = 1; number <= 50; number += 1)
      expect(await endpoints.state('f', String(number))).toBe(number === 7 ? 'Active' : undefined);
    expect(asked).toEqual([
      'GET /2015-03-31/functions/f/versions',
      'GET /2015-03-31/functions/f/configuration?Qualifier=7',
    ]);
  });

  it('lists the published versions, oldest first', async () => {
    const at = 'GET /2015-03-31/functions/f/versions';
    const versions = [
      { Version: '$LATEST', LastModified: '2026-11-03T10:00:00.000+0000' },
      { Version: '10', LastModified: '2026-11-03T10:00:00.000+0000' },
      { Version: '9', LastModified: '2026-11-02T10:00:00.000+0000' },
      // Its number says nothing of when it was published.
      { Version: '11', LastModified: '2026-11-01T10:00:00.000+0000' },
    ];
    answers[at] = { body: { Versions: versions } };
    expect(await endpoints.versions('f')).toEqual(['11', '9', '10']);
  });

  it('asks Lambda’s control plane once for many polls, and again after a failure', async () => {
    answers['*'] = { body: { State: 'Active' } };
    await Promise.all([1, 2, 3].map(() => endpoints.state('f', 'live')));
    await endpoints.state('g', 'live');
    expect(asked.length).toBe(2);
    answers['*'] = { status: 400, error: 'InvalidParameterValueException' };
    await expect(endpoints.versions('f')).rejects.toThrow();
    await expect(endpoints.versions('f')).rejects.toThrow();
    expect(asked.length).toBe(4);
  });

  it('asks for the states of many functions a few at a time: the account’s control plane is for deploys, too', async () => {
    answers['*'] = { body: { State: 'Active' } };
    most = 4;
    const names = Array.from({ length: 50 }, (_, i) => `f${i}`);
    const states = await Promise.all(names.map((name) => endpoints.state(name, 'live')));
    expect(new Set(states)).toEqual(new Set(['Active']));
    expect(asked.length).toBe(50);
  });

  it('keeps the states of many functions longer than those of few', async () => {
    answers['*'] = { body: { State: 'Active' } };
    const clock = vi.spyOn(Date, 'now');
    try {
      const start = clock();
      const at = (milliseconds: number) => clock.mockReturnValue(start + milliseconds);
      at(0);
      await endpoints.state('f', 'live');
      at(6000);
      await endpoints.state('f', 'live');
      expect(asked.length).toBe(2);
      await Promise.all(Array.from({ length: 50 }, (_, i) => endpoints.state(`g${i}`, 'live')));
      at(26_000);
      await endpoints.state('g49', 'live');
      expect(asked.length).toBe(52);
      at(36_000);
      await endpoints.state('g49', 'live');
      expect(asked.length).toBe(53);
    } finally {
      clock.mockRestore();
    }
  });

  it('asks for a state again where that was throttled', async () => {
    answers['*'] = { body: { State: 'Active' } };
    refusals = 2;
    expect(await endpoints.state('f', 'live')).toBe('Active');
    expect(asked.length).toBe(3);
  });
});
