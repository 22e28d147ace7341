/**
 * The process of one model: what Lambda's runtime is there. Whoever started it kills it where a request
 * outlasts the timeout, since `session.run` blocks the event loop and nothing inside could.
 *
 *   node child.mjs <handler.mjs>
 */
import { readSync, writeFileSync, writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { HostAsked, HostTold } from '../../core/host/contract.ts';
import { framed, frameReader } from '../../core/host/frames.ts';
import { fromAnswer, type HttpAnswer, toEvent } from '../../core/host/gateway.ts';
import { splitLines } from '../../core/host/lines.ts';
import { LINES_TAKER } from '../../core/metrics/contract.ts';
import { answerCall } from './call.ts';

type Handler = (event: unknown, context: object) => Promise<unknown>;

/** The descriptor of the pair of sockets that the host opened: it blocks, and nothing here changes that. */
const CHANNEL = 3;

/**
 * As much as the system keeps of such a pair, by default:
 * https://man7.org/linux/man-pages/man7/socket.7.html
 */
const CHUNK_BYTES = 208 * 1024;

const NOTHING = Buffer.alloc(0);

/** The longest that a timer can wait: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args */
const MOST_MS = 2 ** 31 - 1;

function tell(told: HostTold, body: Buffer = NOTHING): void {
  try {
    for (const piece of framed(told, body))
      for (let at = 0; at < piece.length; ) at += writeSync(CHANNEL, piece, at);
  } catch {
    // Nobody is there who would read it.
    process.exit(1);
  }
}

/**
 * A host that was killed cannot end an endless run; a thread of its own can, since it is not the one that is
 * blocked. Where the host is the first process of a container, the kernel ends all with it.
 */
function dieWithHost(): void {
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

/** Scores of the request that this process has, as they are written; whoever counts reads them. */
let scores: string | undefined;

function takeLines(lines: string): void {
  const read = splitLines(lines);
  scores = read.scores;
  if (read.rest !== '') process.stdout.write(read.rest);
}

function takeScores(): { readonly scores?: string } {
  const taken = scores;
  scores = undefined;
  return taken === undefined ? {} : { scores: taken };
}

async function answer(handler: Handler, asked: HostAsked, body: Buffer): Promise<void> {
  const { ordinal } = asked;
  takeScores();
  const began = performance.now();
  const context = contextOf(asked, Date.now() + asked.limit);
  const ask = async (request: HostAsked, content: Buffer): Promise<HttpAnswer> =>
    fromAnswer(await handler(toEvent({ ...request, body: content }, asked.id), context));
  try {
    const said = await (asked.grpc ? answerCall(asked, asked.grpc, body, ask) : ask(asked, body));
    const { status, headers } = said;
    const code = status < 400 ? undefined : codeOf(said.body);
    const took = performance.now() - began;
    tell({ ordinal, status, headers, took, ...(code !== undefined && { code }), ...takeScores() }, said.body);
  } catch (error) {
    tell({ ordinal, thrown: textOf(error) });
  }
}

/** Requests that have come and were not answered. */
const come: (readonly [HostAsked, Buffer])[] = [];
const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
const hear = frameReader(
  (head, body) => come.push([head as HostAsked, body]),
  // Only the host writes here.
  () => process.exit(1),
);

/** Waits for some. Bodies of those before lie where it reads: they were answered, and events are copies. */
function read(): void {
  let size = 0;
  try {
    size = readSync(CHANNEL, chunk);
  } catch {
    // The host has gone, and left unread what this process told.
  }
  if (size === 0) process.exit();
  hear(chunk.subarray(0, size));
}

const LOGS = [process.stdout, process.stderr];

/** What a log could not take at once goes on in the event loop alone. */
const isBehind = ({ writableLength, destroyed }: (typeof LOGS)[number]): boolean =>
  writableLength > 0 && !destroyed;

/**
 * One at a time, in the order in which they come. Waiting blocks all that this process does, as Lambda
 * freezes it between requests: a process that sleeps in a read is woken sooner than an event loop. Whatever
 * else a model's code has begun goes on while a request is computed, and for one turn after it.
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */
async function takeNext(handler: Handler): Promise<void> {
  const log = come.length > 0 ? undefined : LOGS.find(isBehind);
  if (log !== undefined) {
    log.write('', () => void takeNext(handler));
    return;
  }
  while (come.length === 0) read();
  const one = come.shift();
  if (one !== undefined) await answer(handler, ...one);
  setImmediate(takeNext, handler);
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
  tell({ ready: true });
  // A handler that waits for nothing that would come is to have its timeout.
  setInterval(() => {}, MOST_MS);
  setImmediate(takeNext, handler);
} catch (error) {
  process.exitCode = 1;
  tell({ broken: textOf(error) });
}
