/**
 * Runs a framework's own command line again and again in one process: `node warm-sls.cjs <bin>`, asked by
 * IPC. What stays warm is Node, packages without state, and what the framework compiles of its schema (half a
 * second, which it keeps by the schema's hash to speed up tests, as it says). All else of the framework is
 * loaded anew for each command, and so are the service's own files. A command ends as a process does: when
 * its event loop has nothing left.
 */
const Module = require('node:module');
const { existsSync } = require('node:fs');
const { dirname, join, sep } = require('node:path');

const bin = process.argv[2];
const root = dirname(dirname(bin));
const VALIDATORS = join(root, 'lib', 'classes', 'config-schema-handler', 'resolve-ajv-validate.js');
/** Packages that know of the process that they are in: who writes, who asked, which credentials there are. */
const STATEFUL =
  /[\\/]node_modules[\\/](?:@serverless[\\/]utils|log|log-node|cli-progress-footer|uni-global|signal-exit)[\\/]/;

/** The service of the command before: its files may have changed since. */
let service;
const isOfService = (file) =>
  service !== undefined &&
  file.startsWith(service + sep) &&
  !file.slice(service.length).includes(`${sep}node_modules${sep}`);

const isAnew = (file) =>
  STATEFUL.test(file) ||
  isOfService(file) ||
  (file.startsWith(root + sep) &&
    !file.slice(root.length).includes(`${sep}node_modules${sep}`) &&
    file !== VALIDATORS);

// esbuild starts its program in the folder in which it was loaded. That must not be the first command's: it
// may be gone by then, and each bundle would fail from then on.
process.chdir(dirname(__dirname));
require('esbuild');

/**
 * Frameworks save a service as a copy without cycles. Theirs looks through all objects for each, and catches
 * an exception for each value: a quarter of a command. This is the same copy.
 */
if (existsSync(VALIDATORS))
  require(require.resolve('json-cycle', { paths: [root] })).stringify = (object, replacer, space) =>
    JSON.stringify(copy(object, '$', new Map()), replacer, space);
function copy(value, path, paths) {
  const own = typeof value?.toJSON === 'function' ? value.toJSON() : value;
  if (typeof own !== 'object' || own === null) return own;
  const before = paths.get(own);
  if (before !== undefined) return { $ref: before };
  paths.set(own, path);
  if (Array.isArray(own)) return own.map((one, at) => copy(one, `${path}[${at}]`, paths));
  return Object.fromEntries(
    Object.entries(own).map(([name, one]) => [name, copy(one, `${path}[${JSON.stringify(name)}]`, paths)]),
  );
}

/** Where frameworks and their packages keep what a process has once, beside their modules. */
const STATE = Symbol.for('serverless/serverless/202110');
const SHARED = Symbol.for('$uniGlobal202109');
const resolve = { ...Module };
/** As if nothing had run here. */
function reset() {
  for (const file of Object.keys(require.cache)) if (isAnew(file)) delete require.cache[file];
  for (const name of ['_resolveFilename', '_load', '_findPath', '_extensions']) Module[name] = resolve[name];
  // Writers and reporters, of which a process has one.
  for (const state of [globalThis[STATE], EvalError[SHARED]])
    for (const key of Reflect.ownKeys(state ?? {})) delete state[key];
  delete EvalError.$serverlessCommandStartTime;
  for (const event of process.eventNames()) {
    for (const listener of process.rawListeners(event))
      if (!listeners.get(event)?.includes(listener)) process.removeListener(event, listener);
  }
  process.exitCode = undefined;
}

process.on('disconnect', () => process.exit());
process.on('message', ({ cwd, args, env }) => {
  reset();
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
  const clock = globalThis[Symbol.for('local-aws.clock')];
  if (clock)
    Object.assign(clock, { speed: Number(env.MODELS_AWS_SPEED), epoch: Number(env.MODELS_AWS_EPOCH) });
  process.chdir(cwd);
  service = process.cwd();
  process.argv = [process.execPath, bin, ...args];
  process.channel.unref();
  process.once('beforeExit', () => {
    process.channel.ref();
    const code = process.exitCode ?? 0;
    for (const stream of [process.stdout, process.stderr]) stream.write('\u0000');
    process.send({ code });
  });
  require(bin);
});
const listeners = new Map(process.eventNames().map((event) => [event, process.rawListeners(event)]));
