/**
 * The process of one model: what Lambda's runtime is there. Whoever started it kills it where a request
 * outlasts the timeout, since `session.run` blocks the event loop and nothing inside could.
 *
 *   node child.mjs <handler.mjs>
 */
import { writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { HostAsked, HostTold } from '../../core/host/contract.ts';
import { framed, frameReader } from '../../core/host/frames.ts';
import { fromAnswer, type HttpAnswer, toEvent } from '../../core/host/gateway.ts';
import { readLines } from '../../core/host/lines.ts';
import { LINES_TAKER } from '../../core/metrics/contract.ts';
import { answerCall } from './call.ts';

type Handler = (event: unknown, context: object) => Promise<unknown>;

/** The descriptor of the pair of sockets that the host opened. */
const CHANNEL = 3;

const NOTHING = Buffer.alloc(0);

const channel = new Socket({ fd: CHANNEL, readable: true, writable: true });

function tell(told: HostTold, body: Buffer = NOTHING): void {
  const pieces = framed(told, body);
  if (pieces.length > 1) channel.cork();
  for (const piece of pieces) channel.write(piece);
  if (pieces.length > 1) channel.uncork();
}

/**
 * A host that was killed cannot end an endless run; a thread of its own can, since it is not the one that is
 * blocked. Where the host is the first process of a container, the kernel ends all with it.
 */
function dieWithHost(): void {
  channel.once('close', () => process.exit());
  if (process.ppid === 1) return;
  const watch = `const host = process.ppid; setInterval(() => { if (process.ppid !== host) process.kill(process.pid, 'SIGKILL'); }, 500);`;
  new Worker(watch, { eval: true }).unref();
}

/** Where memory runs out, the kernel is to take the process whose request it was, and not the host. */
function beFirstToGo(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Another system, or a container that forbids it.
  }
}

const { env } = process;
const { AWS_LAMBDA_FUNCTION_NAME: functionName = '', AWS_LAMBDA_FUNCTION_VERSION: functionVersion = '' } =
  env;

/** The same for all requests: each look into the environment asks the system. */
const FUNCTION = {
  functionName,
  functionVersion,
  invokedFunctionArn: `arn:aws:lambda:${env.AWS_REGION}:000000000000:function:${functionName}:live`,
  memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? '',
  logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME ?? '',
  logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME ?? '',
  callbackWaitsForEmptyEventLoop: true,
};

const contextOf = ({ id }: HostAsked, deadline: number): object => ({
  ...FUNCTION,
  awsRequestId: id,
  getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
});

/** Scores of the request that this process has, once its lines are written. */
let sums: Readonly<Record<string, number>> | undefined;

function takeLines(lines: string): void {
  const read = readLines(lines);
  sums = read.sums;
  if (read.rest !== '') process.stdout.write(read.rest);
}

function takeSums(): { readonly sums?: Readonly<Record<string, number>> } {
  const taken = sums;
  sums = undefined;
  return taken === undefined ? {} : { sums: taken };
}

async function answer(handler: Handler, asked: HostAsked, body: Buffer): Promise<void> {
  const { ordinal } = asked;
  takeSums();
  const began = performance.now();
  const now = Date.now();
  const context = contextOf(asked, now + asked.limit);
  const ask = async (request: HostAsked, content: Buffer): Promise<HttpAnswer> =>
    fromAnswer(await handler(toEvent({ ...request, body: content }, asked.id, new Date(now)), context));
  try {
    const said = await (asked.grpc ? answerCall(asked, asked.grpc, body, ask) : ask(asked, body));
    const { status, headers } = said;
    const code = status < 400 ? undefined : codeOf(said.body);
    const took = performance.now() - began;
    tell({ ordinal, status, headers, took, ...(code !== undefined && { code }), ...takeSums() }, said.body);
  } catch (error) {
    tell({ ordinal, thrown: textOf(error) });
  }
}

/** Requests that have come; the first one is being answered. */
const come: (readonly [HostAsked, Buffer])[] = [];

/** One at a time, in the order in which they come. */
async function take(handler: Handler, ...one: readonly [HostAsked, Buffer]): Promise<void> {
  if (come.push(one) > 1) return;
  for (let next = come[0]; next !== undefined; next = come[0]) {
    await answer(handler, ...next);
    come.shift();
  }
}

/** The code of an answer that is an error. */
function codeOf(body: Buffer): string | undefined {
  try {
    const { code } = JSON.parse(body.toString());
    return typeof code === 'string' ? code : undefined;
  } catch {
    return undefined;
  }
}

const textOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

// A terminal's Ctrl-C and a service manager's end go to the whole group: the host ends this process once its
// request is answered.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
dieWithHost();
beFirstToGo();
Object.assign(globalThis, { [Symbol.for(LINES_TAKER)]: takeLines });
try {
  const { handler } = (await import(pathToFileURL(process.argv[2] ?? '').href)) as { handler: Handler };
  channel.on(
    'data',
    frameReader(
      (head, body) => void take(handler, head as HostAsked, body),
      // Only the host writes here.
      () => process.exit(1),
    ),
  );
  tell({ ready: true });
} catch (error) {
  process.exitCode = 1;
  tell({ broken: textOf(error) });
  channel.end();
}
