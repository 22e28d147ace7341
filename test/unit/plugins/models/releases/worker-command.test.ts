import { afterEach, expect, it, vi } from 'vitest';
import type { Context } from '../../../../../plugins/models/context/context.ts';
import type { PlanInput } from '../../../../../plugins/models/contracts/input.ts';
import { send } from '../../../../../plugins/models/releases/worker-command.ts';
import { type Listening, startServer } from '../../../../fakes/hanging.ts';

/** A command that the worker has done is told as done, whatever cannot be read after it. */

let server: Listening | undefined;
afterEach(async () => {
  vi.unstubAllEnvs();
  await server?.close();
  server = undefined;
});

const CALLER =
  '<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/me</Arn><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>';
const DENIED = '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>';

/** AWS for a role that may invoke the worker, and read neither registry nor alias. */
async function invokesOnly(flags: Context['flags']): Promise<readonly string[]> {
  server = await startServer((request, response) => {
    if (request.url?.endsWith('/invocations')) response.end('{"done":true,"text":"version 4 is withdrawn"}');
    else if (request.method === 'POST' && request.url === '/') response.end(CALLER);
    else response.writeHead(403, { 'x-amzn-errortype': 'AccessDeniedException' }).end(DENIED);
  });
  vi.stubEnv('AWS_ENDPOINT_URL', server.url);
  const printed: string[] = [];
  const context = {
    aws: { region: 'us-east-1', credentials: async () => ({ accessKeyId: 'a', secretAccessKey: 'b' }) },
    bucket: async () => '127.0.0.1',
    declared: ['churn'],
    flags,
    plan: { models: [], host: { service: 'shop', stage: 'dev' } } as unknown as PlanInput,
    print: (text: string) => printed.push(text),
    progress: () => {},
    service: { name: 'shop', stage: 'dev', region: 'us-east-1', dir: '.', stack: 'shop-dev' },
  } as unknown as Context;
  await send(context, 'rollback');
  return printed;
}

it('for a person', async () => {
  expect(await invokesOnly({})).toEqual([
    'churn: version 4 is withdrawn.\n\nHow it stands now cannot be read: Access Denied. It was done all the same.',
  ]);
});

it('as JSON', async () => {
  expect((await invokesOnly({ json: true })).map((text) => JSON.parse(text))).toEqual([
    { done: 'version 4 is withdrawn', unreadable: 'Access Denied' },
  ]);
});
