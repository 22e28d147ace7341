import { afterEach, expect, it, vi } from 'vitest';
import type { TickAnswer } from '../../../../../core/release/document/worker-contract.ts';
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
  process.exitCode = undefined;
});

const CALLER =
  '<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/me</Arn><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>';
const DENIED = '<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>';

/** AWS for a role that may invoke the worker, and read neither registry nor alias. */
async function invokesOnly(
  flags: Context['flags'],
  tick: Partial<TickAnswer> = {},
): Promise<readonly string[]> {
  const said = { model: 'churn', phase: 'ROLLED_BACK', running: false, ...tick };
  server = await startServer((request, response) => {
    if (request.url?.endsWith('/invocations'))
      response.end(JSON.stringify({ done: true, text: 'version 4 is withdrawn', tick: said }));
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
  await send(context, 'rollback').catch((error: Error) => printed.push(error.message));
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

const HELD = { phase: 'HELD', reason: 'Function not found: shop-dev-churn:3' } as const;

it('ends in an error where AWS does not take the move that follows from it', async () => {
  const [told, error] = await invokesOnly({}, HELD);
  expect(told).toMatch(/^churn: version 4 is withdrawn\./);
  expect(error).toContain(
    'rollback was begun, and did not get through: Function not found: shop-dev-churn:3. See `sls models status --model churn --stage dev`.',
  );
});

it('and so it does as JSON', async () => {
  expect(await invokesOnly({ json: true }, HELD)).toHaveLength(1);
  expect(process.exitCode).toBe(1);
});
