import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openRegistry } from '../../../../../plugins/models/releases/open.ts';
import { type Listening, startServer } from '../../../../fakes/hanging.ts';

/** A document has AWS’s times: whether anybody ticks a release is not told by a clock that is wrong. */

let server: Listening | undefined;
beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server?.close();
});

const CALLER =
  '<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/me</Arn><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>';

/** @param away how far AWS's clock is from that of this machine, in milliseconds */
async function nowAt(away: number): Promise<number> {
  server = await startServer((request, response) => {
    response.setHeader('date', new Date(Date.now() + away).toUTCString());
    if (request.method === 'POST') response.end(CALLER);
    else response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>');
  });
  vi.stubEnv('AWS_ENDPOINT_URL', server.url);
  const service = { name: 'shop', stage: 'dev', region: 'us-east-1' };
  const { documents, now, close } = await openRegistry({ region: 'us-east-1' }, service, '127.0.0.1');
  expect(await documents.release('churn')).toBeUndefined();
  const found = now() - Date.now();
  close();
  return found;
}

it.each([10 * 60_000, -10 * 60_000])('is the registry’s, %i ms from that of this machine', async (away) => {
  expect(Math.abs((await nowAt(away)) - away)).toBeLessThan(300_000);
});

it('is that of this machine, where they differ by seconds', async () => {
  expect(Math.abs(await nowAt(5000))).toBeLessThan(2000);
});
