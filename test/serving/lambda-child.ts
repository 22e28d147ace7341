/**
 * The process of one endpoint: what Lambda's runtime is there. Its parent kills it where a request outlasts
 * the timeout, since `session.run` blocks the event loop and nothing inside could.
 */
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

/** From the parent: one request. */
export type ServeTask = {
  readonly id: number;
  readonly event: unknown;
  readonly requestId: string;
  readonly deadline: number;
};
/** What the parent is told: ready to serve (`id` absent), an answer, or what was thrown. */
export type Report =
  | { readonly ready: true }
  | { readonly id: number; readonly answer: unknown }
  | { readonly id?: number; readonly error: string };

type Handler = (event: unknown, context: object) => Promise<unknown>;

const report = (message: Report): void => {
  process.send?.(message);
};
const text = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

/**
 * A parent that was killed cannot end an endless run; a thread of its own can, since it is not the one that
 * is blocked.
 */
function dieWithParent(): void {
  const watch = `const parent = process.ppid; setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL'); }, 500);`;
  new Worker(watch, { eval: true }).unref();
}

function contextOf({ requestId, deadline }: ServeTask): object {
  const { AWS_LAMBDA_FUNCTION_NAME: name = '', AWS_LAMBDA_FUNCTION_VERSION: version = '' } = process.env;
  return {
    functionName: name,
    functionVersion: version,
    invokedFunctionArn: `arn:aws:lambda:${process.env.AWS_REGION}:000000000000:function:${name}:live`,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE ?? '',
    awsRequestId: requestId,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME ?? '',
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME ?? '',
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

async function main(file: string): Promise<void> {
  dieWithParent();
  process.once('disconnect', () => process.exit());
  // Ctrl-C goes to the whole group; the parent ends this process when its request is answered.
  process.on('SIGINT', () => {});
  try {
    const { handler } = (await import(pathToFileURL(file).href)) as { handler: Handler };
    process.on('message', async (task: ServeTask) => {
      try {
        report({ id: task.id, answer: await handler(task.event, contextOf(task)) });
      } catch (error) {
        report({ id: task.id, error: text(error) });
      }
    });
    report({ ready: true });
  } catch (error) {
    report({ error: text(error) });
    process.exitCode = 1;
    process.disconnect?.();
  }
}

await main(process.argv[2] ?? '');
