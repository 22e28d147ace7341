// Writes down what clients of the AWS SDK for JavaScript are asked to send, before it is serialised: what a service does not
// know is dropped by then, and nobody would hear of it. Preloaded with --import where MODELS_AWS_CALLS names a folder. A line is
// written once a process. `python -m semantics.calls` holds the lines against AWS's service models.
import { appendFileSync, mkdirSync } from 'node:fs';
import Module from 'node:module';
import { join } from 'node:path';

const folder = process.env.MODELS_AWS_CALLS;
/** The class that every client extends. */
const CLIENTS =
  /[\\/]@smithy[\\/](?:core[\\/]dist-cjs[\\/]submodules[\\/]client|smithy-client[\\/]dist-cjs)[\\/]index\.js$/;
/** What a caller sends, not how: its length is enough. */
const CONTENTS = new Set(['Body', 'Payload', 'TemplateBody', 'ZipFile']);
const LONGEST = 1024;
const MOST = 50;

if (folder && !globalThis[Symbol.for('local-aws.calls')]) {
  globalThis[Symbol.for('local-aws.calls')] = true;
  const load = Module._extensions['.js'];
  Module._extensions['.js'] = function (module, file, ...rest) {
    load.call(this, module, file, ...rest);
    if (CLIENTS.test(file)) watch(module.exports.Client);
  };
}

/** In a test runner, test and adapter may share a client, and each call has an asker of its own. */
const inTests = /vitest/.test(process.argv[1] ?? '');

function watch(Client) {
  const { send } = Client.prototype;
  const askers = new WeakMap();
  Client.prototype.send = function (command, ...rest) {
    if (!askers.has(this)) {
      // Last of what looks at the input: clients of ours add to it.
      this.middlewareStack.add(
        (next, { commandName, __smithy_context: { commandInstance } = {} }) =>
          (asked) => {
            const by = askers.get(inTests ? commandInstance : this);
            note(by, this.config.serviceId, commandName.replace(/Command$/, ''), asked.input);
            return next(asked);
          },
        { step: 'initialize', priority: 'low', name: 'localAwsCalls' },
      );
      askers.set(this, caller());
    }
    if (inTests) askers.set(command, caller());
    return send.call(this, command, ...rest);
  };
}

/**
 * Who uses a client: the first on the stack that is no SDK. A test's own clients are nobody's; what a test has an adapter of `aws/`
 * do is the adapter's.
 */
function caller() {
  const name = process.env.AWS_LAMBDA_FUNCTION_NAME;
  if (name !== undefined) return 'function';
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 40;
  const { stack = '' } = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  const frames = stack
    .replaceAll('\\', '/')
    .split('\n')
    .filter(
      (line) =>
        /\.[cm]?[jt]s/.test(line) &&
        !/node_modules\/@(?:aws-sdk|smithy)\/|semantics\/calls\/record\.mjs|node:internal/.test(line),
    );
  const [first = ''] = frames;
  if (/node_modules\/(?:osls|serverless)\//.test(first)) return 'framework';
  // In a test runner the SDK's own waiting may leave nothing else of the stack.
  if (/vitest/.test(process.argv[1] ?? ''))
    return /\/(?:aws|functions|plugins)\/[\w./-]+:\d/.test(first) ? 'adapter' : 'test';
  return /\/(?:test|bench|examples|local-aws)\/[\w./-]+:\d/.test(first) ? 'test' : 'command';
}

const written = new Set();
let file;

function note(by, service, operation, input) {
  if (by === 'test') return;
  const line = `${JSON.stringify({ by, service, operation, input: plain(input ?? {}) })}\n`;
  if (written.has(line)) return;
  written.add(line);
  if (file === undefined) {
    mkdirSync(folder, { recursive: true });
    file = join(
      folder,
      `sdk-${process.pid}-${Date.now().toString(36)}${Math.random().toString(36).slice(2, 6)}.jsonl`,
    );
  }
  // At once: processes of tests are killed.
  appendFileSync(file, line);
}

/** As JSON. What JSON has no form for, and what is long, is `{"$type": …}`, with its length where it has one. */
function plain(value, name = '') {
  if (value === undefined || value === null || typeof value === 'boolean') return value;
  if (typeof value === 'string')
    return CONTENTS.has(name) || value.length > LONGEST ? { $type: 'text', length: value.length } : value;
  if (typeof value === 'number')
    return Number.isFinite(value) ? value : { $type: 'number', text: String(value) };
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Date) return { $type: 'timestamp', valid: !Number.isNaN(value.getTime()) };
  if (ArrayBuffer.isView(value)) return { $type: 'blob', length: value.byteLength };
  if (typeof value !== 'object') return { $type: typeof value };
  if (
    typeof value.pipe === 'function' ||
    typeof value.getReader === 'function' ||
    typeof value.arrayBuffer === 'function'
  )
    return { $type: 'blob' };
  if (Array.isArray(value)) {
    const items = value.slice(0, MOST).map((item) => plain(item));
    return value.length > MOST ? { $type: 'list', length: value.length, items } : items;
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, key)]));
}
