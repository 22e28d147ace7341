import { expect, it } from 'vitest';
import { type Ask, askHttp } from '../../../../../plugins/models/serve/ask.ts';

const ask = (answer: Ask, patience = 1000) => askHttp(answer).invoke('churn', '1', '{"a":1}', patience);

it('an answer is an answer, the endpoint’s refusals and failures too', async () => {
  expect(await ask(async (body) => ({ status: 200, body: `got ${body}` }))).toEqual({
    payload: 'got {"a":1}',
  });
  expect(await ask(async () => ({ status: 400, body: '{"error":"no"}' }))).toEqual({
    payload: '{"error":"no"}',
  });
  expect(await ask(async () => ({ status: 500, body: '{"error":"the transform"}' }))).toEqual({
    payload: '{"error":"the transform"}',
  });
});

it('what the gateway says of a dead function is a crash', async () => {
  const crashed = await ask(async () => ({ status: 500, body: '{"message":"Internal Server Error"}' }));
  expect(crashed?.crashed).toBe('Unhandled');
  expect(JSON.parse(crashed?.payload ?? '')).toMatchObject({ errorType: 'HTTP 500' });
});

it('waits no longer than asked, also for what cannot be ended', async () => {
  expect(await ask(() => new Promise(() => {}), 20)).toBeUndefined();
  const cut: Ask = (_, signal) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
  expect(await ask(cut, 20)).toBeUndefined();
});

it('an address that does not answer is an exception', async () => {
  await expect(ask(() => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
});
