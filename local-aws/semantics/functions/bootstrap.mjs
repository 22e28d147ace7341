// What AWS's Node.js runtime does around a handler: loads it, gives it events one after another, reports
// answers, errors and exits. Events come as one JSON line each on one descriptor, reports go out the same way
// on another; stdout and stderr are the function's own and become its log.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-nodejs.html
import { createReadStream, existsSync, writeSync } from 'node:fs';
import { createRequire, enableCompileCache, flushCompileCache, registerHooks } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';

const env = process.env;
const [eventsFd, reportsFd, compiled] = process.argv.splice(2);
const [events, reports] = [Number(eventsFd), Number(reportsFd)];
const fromPath = createRequire(join(env.LAMBDA_TASK_ROOT, 'any.js'));

// Lambda resolves ES modules through NODE_PATH too (layers, the runtime's SDK); Node itself does so for
// require() only.
registerHooks({
  resolve(specifier, context, next) {
    try {
      return next(specifier, context);
    } catch (error) {
      if (error?.code !== 'ERR_MODULE_NOT_FOUND' || /^(?:[./]|[a-z]+:)/.test(specifier)) throw error;
      try {
        return next(pathToFileURL(fromPath.resolve(specifier)).href, context);
      } catch {
        throw error;
      }
    }
  },
});

// A function's limit is in real seconds. What is left of it is told by the clock that the function's own
// timers have, an accelerated one included: a timer of what is left fires when the limit is reached.
const now = Date.now;
const speed = globalThis[Symbol.for('local-aws.clock')]?.speed ?? 1;
let requestId = '';

// One line an entry, with time, request and level, as Lambda's text log format has it.
for (const [method, level] of Object.entries({
  log: 'INFO',
  info: 'INFO',
  debug: 'DEBUG',
  warn: 'WARN',
  error: 'ERROR',
  trace: 'TRACE',
})) {
  console[method] = (...parts) =>
    writeAll(
      1,
      `${new Date().toISOString()}\t${requestId}\t${level}\t${format(...parts).replaceAll('\n', '\r')}\n`,
    );
}

/** Pipes may be full for a moment; the descriptor may also be non-blocking. */
function writeAll(fd, text) {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

function report(kind, value) {
  writeAll(1, '\u0000.\n'); // all of the log up to here belongs to this report
  writeAll(reports, `${JSON.stringify({ kind, requestId, ...value })}\n`);
}

function describe(error) {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
}

function fail(error, type) {
  const body = describe(error);
  if (type) {
    body.errorMessage = `${body.errorType}: ${body.errorMessage}`;
    body.errorType = type;
  }
  console.error(type ? 'Uncaught Exception' : 'Invoke Error', JSON.stringify(body));
  report(requestId ? 'error' : 'initError', { body });
}

process.on('uncaughtException', (error) => {
  fail(error);
  process.exit(129);
});
process.on('unhandledRejection', (reason) => {
  fail(reason, 'Runtime.UnhandledPromiseRejection');
  process.exit(128);
});

async function load() {
  const file = env._HANDLER.slice(0, env._HANDLER.lastIndexOf('.'));
  const name = env._HANDLER.slice(file.length + 1);
  const path = resolve(env.LAMBDA_TASK_ROOT, dirname(file), basename(file));
  const found = ['.js', '.mjs', '.cjs'].map((extension) => path + extension).find(existsSync);
  if (!found)
    throw Object.assign(new Error(`Error: Cannot find module '${basename(file)}'`), {
      name: 'Runtime.ImportModuleError',
    });
  const module = await import(pathToFileURL(found).href);
  const handler = module[name] ?? module.default?.[name];
  if (typeof handler !== 'function')
    throw Object.assign(new Error(`${env._HANDLER} is undefined or not exported`), {
      name: 'Runtime.HandlerNotFound',
    });
  if (handler.length >= 3)
    throw Object.assign(new Error('Callback-based handlers are not supported since nodejs24.x.'), {
      name: 'Runtime.CallbackHandlerDeprecated',
    });
  return handler;
}

// Not by its variable, which the function would see. An environment ends by a kill, so what the first event
// needed is kept once that is answered.
enableCompileCache(compiled);
let kept = false;
function keep() {
  if (kept) return;
  kept = true;
  flushCompileCache();
}

let handler;
try {
  handler = await load();
} catch (error) {
  fail(error);
  process.exit(1);
}
report('ready', {});

// Ends with the emulator, which holds the other end.
const input = createReadStream('', { fd: events });
input.on('close', () => process.exit(0));
let parts = [];
input.on('data', (chunk) => {
  let rest = chunk;
  // Split at newlines only: readline takes U+2028, which JSON strings may hold, for one.
  for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
    const line = Buffer.concat([...parts, rest.subarray(0, end)]).toString();
    parts = [];
    rest = rest.subarray(end + 1);
    void run(line);
  }
  if (rest.length > 0) parts.push(rest);
});

async function run(line) {
  const { event, context } = JSON.parse(line);
  requestId = context.awsRequestId;
  if (context.traceId) env._X_AMZN_TRACE_ID = context.traceId;
  const deadline = now() + context.remaining * speed;
  try {
    const result = await handler(event, {
      callbackWaitsForEmptyEventLoop: true,
      functionName: env.AWS_LAMBDA_FUNCTION_NAME,
      functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
      memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
      logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
      logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
      invokedFunctionArn: context.invokedFunctionArn,
      awsRequestId: requestId,
      ...(context.clientContext ? { clientContext: context.clientContext } : {}),
      getRemainingTimeInMillis: () => deadline - now(),
    });
    // JSON has no undefined: a handler that returns nothing answers null.
    report('ok', { text: JSON.stringify(result) ?? 'null' });
    setImmediate(keep);
  } catch (error) {
    fail(error);
  }
  // What fails at once when the answer is there, a promise that nobody awaited for example, comes before.
  setImmediate(() => report('next', {}));
}
