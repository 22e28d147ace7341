/**
 * Lambda’s side of its Runtime API, as its page describes it:
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { endsWithUs } from '../ends-with-us.ts';

/** What the runtime answered, in turn: the path says of which invocation, and whether it failed. */
type Told = { readonly path: string; readonly value: unknown };

type Events = readonly { readonly event: unknown; readonly context?: object }[];
type Answers = { readonly told: readonly Told[]; readonly output: string; readonly code: number | null };

/**
 * Asks a runtime that is a program of Node.
 * @param program path of it
 * @param env beside the API’s address
 */
export const askRuntime = (
  program: string,
  env: Readonly<Record<string, string>>,
  events: Events,
): Promise<Answers> =>
  askStarted((api) => spawn(process.execPath, [program], { env: { ...env, ...api } }), events);

/**
 * Starts a runtime, gives it events in turn, and then keeps it waiting, as Lambda does, until it is ended.
 * @param start given the variable with the API’s address
 */
export async function askStarted(
  start: (api: Readonly<Record<string, string>>) => ChildProcess,
  events: Events,
): Promise<Answers> {
  const told: Told[] = [];
  let given = 0;
  let over: () => void = () => {};
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const path = (request.url ?? '').replace('/2018-06-01/runtime/', '');
    if (path !== 'invocation/next') {
      told.push({ path, value: JSON.parse(Buffer.concat(chunks).toString()) });
      response.writeHead(202).end();
      return;
    }
    const next = events[given++];
    if (next === undefined) return over();
    response.writeHead(200, {
      'lambda-runtime-aws-request-id': `id-${given}`,
      'lambda-runtime-deadline-ms': String(Date.now() + 60_000),
      'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:us-east-1:000000000000:function:m:live',
      ...(next.context && { 'lambda-runtime-client-context': JSON.stringify(next.context) }),
    });
    response.end(JSON.stringify(next.event));
  };
  const server = createServer((request, response) => void answer(request, response)).listen(0);
  const { port } = server.address() as AddressInfo;
  const child = start({ AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}` });
  endsWithUs(child, () => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const waits = new Promise<void>((resolve) => {
    over = resolve;
  });
  await Promise.race([waits, ended]);
  child.kill('SIGKILL');
  const code = await ended;
  server.closeAllConnections();
  server.close();
  return { told, output, code };
}
