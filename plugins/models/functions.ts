/** What other plugins see of our functions, which are made already, and what of theirs stays on them. */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { isObject } from '../../core/json/is-object.ts';
import { zipOf } from './plan/own-zips.ts';
import {
  type FrameworkFunction,
  functionSchema,
  packageFolder,
  type Serverless,
  zippedIn,
} from './serverless.ts';

type Definition = Readonly<Record<string, unknown>>;
type Functions = Readonly<Record<string, Definition>>;

/**
 * Plugins that compile, or look through, the handler of every function of Node.js, whatever zip it names, and
 * end at one that is no file of the service; serverless-webpack puts its own zip in the place of ours, too.
 * None has a key to leave one out, but all pass over other runtimes; serverless-plugin-include-dependencies
 * not over `provided`.
 */
const COMPILERS: readonly string[] = ['ServerlessWebpack', 'TypeScriptPlugin', 'IncludeDependencies'];

const PASSED_BY = 'java21';

/** The class of a plugin, and what it extends: serverless-bundle’s extends that of serverless-webpack. */
function classesOf(plugin: object): readonly string[] {
  const above: object | null = Object.getPrototypeOf(plugin);
  return above === null ? [] : [above.constructor.name, ...classesOf(above)];
}

/** The runtime of a function of ours while such a plugin may look; `settleFunctions` ends that. */
function hiddenRuntime(
  { pluginManager }: { readonly pluginManager?: { readonly plugins: readonly object[] } },
  definition: object,
): { readonly runtime?: string } {
  const compiles = pluginManager?.plugins.some((plugin) =>
    classesOf(plugin).some((name) => COMPILERS.includes(name)),
  );
  return compiles && 'runtime' in definition ? { runtime: PASSED_BY } : {};
}

/**
 * Where plugins that wrap handlers have their files: in folders that they make in the service’s, or among its
 * packages. None of them is in a zip of ours. What a layer has is named by `/opt/`, or by its package.
 */
const OF_SERVICE = /^(?:[._]|node_modules\/)/;

/**
 * Gives our functions what they are planned with, once other plugins have compiled theirs: runtimes, and
 * handlers in place of those that no zip of ours has, with which no instance would start.
 * @returns what to say of it
 */
export function settleFunctions(
  { service }: { readonly service: { readonly functions: Record<string, Record<string, unknown>> } },
  planned: Functions,
): readonly string[] {
  return Object.entries(planned).flatMap(([key, { runtime, handler }]) => {
    const there = Object.hasOwn(service.functions, key) ? service.functions[key] : undefined;
    if (there === undefined) return [];
    if (there.runtime === PASSED_BY) there.runtime = runtime;
    const other = there.handler;
    if (handler === undefined || typeof other !== 'string' || !OF_SERVICE.test(other)) return [];
    there.handler = handler;
    return [
      `functions.${key}: another plugin wraps its handler by ${other}, a file of the service, which is not in its zip. So it keeps its own, without that plugin.`,
    ];
  });
}

/**
 * Keys by which plugins leave a function alone, each where its plugin has made it known to the framework:
 * serverless-esbuild bundles every function that does not say `skipEsbuild`, whatever zip it names, and fails
 * at a handler that is no file of the service. serverless-plugin-warmup asks `$LATEST`, which answers no
 * client of a model; batch and release worker would end with an error at each of its events, and the drift
 * monitor would run for each.
 * @param known properties of the framework's schema of functions
 * @param custom the service's `custom`
 * @param definition whoever writes `function.warmup` for a model, with `alias: live`, has that
 */
function aloneKeys(known: object, custom: unknown, definition: object): Definition {
  const warmers = isObject(custom) && isObject(custom.warmup) ? Object.keys(custom.warmup) : [];
  return {
    ...('skipEsbuild' in known && { skipEsbuild: true }),
    ...('warmup' in known &&
      !('warmup' in definition) &&
      warmers.length > 0 && {
        warmup: Object.fromEntries(warmers.map((warmer) => [warmer, { enabled: false }])),
      }),
  };
}

/**
 * A definition of ours with more known, and with what other plugins did to it in between, whichever of the
 * two comes first in the list of plugins: what they changed stays where we have nothing new, and of lists and
 * objects what they added.
 * @param before what we set at first @param there what it is now @param next what we would set
 */
function merged(before: Definition, there: Definition, next: Definition): Record<string, unknown> {
  const keys = new Set([...Object.keys(there), ...Object.keys(next)]);
  return Object.fromEntries(
    [...keys].flatMap((key) => {
      const value = mergedValue(before[key], there[key], next[key]);
      return value === undefined ? [] : [[key, value]];
    }),
  );
}

function mergedValue(before: unknown, there: unknown, next: unknown): unknown {
  if (isDeepStrictEqual(there, before)) return next;
  if (isDeepStrictEqual(next, before)) return there;
  if (Array.isArray(there) && Array.isArray(next)) {
    const known = [...(Array.isArray(before) ? before : []), ...next];
    return [...next, ...there.filter((one) => !known.some((other) => isDeepStrictEqual(one, other)))];
  }
  if (isObject(there) && isObject(next)) return merged(isObject(before) ? before : {}, there, next);
  return next;
}

/**
 * Shows functions to every command of the framework. Called again with more known it adds to those there, so
 * that what other plugins have done to them in between stays.
 * @param before what they were shown as the first time, where this is the second
 */
export function setFunctions(
  serverless: Serverless,
  functions: Readonly<Record<string, object>>,
  before: Readonly<Record<string, object>> = {},
): void {
  const { service, configurationInput } = serverless;
  const known = objectOf(objectOf(functionSchema(serverless)).properties);
  const shown = (key: string, definition: object): FrameworkFunction => {
    // From the start: serverless 4 would else bundle the handler itself, before us.
    const artifact = join(packageFolder(serverless), zipOf(key, zippedIn(serverless)));
    return {
      events: [],
      package: { individually: true, artifact },
      ...structuredClone(definition),
      ...aloneKeys(known, service.custom, definition),
      ...hiddenRuntime(serverless, definition),
    };
  };
  for (const [key, definition] of Object.entries(functions)) {
    const next = shown(key, definition);
    // A model may be called `constructor`.
    const there = Object.hasOwn(service.functions, key) ? service.functions[key] : undefined;
    const first = Object.hasOwn(before, key) ? before[key] : undefined;
    if (there === undefined) service.functions[key] = next;
    else {
      const was: FrameworkFunction = first === undefined ? {} : shown(key, first);
      Object.assign(there, merged(was, there, next), {
        // Also where there is none: a version's fingerprint has it so.
        environment: merged(
          objectOf(was.environment),
          objectOf(there.environment),
          objectOf(next.environment),
        ),
        // Whatever another plugin has packaged: the zip is ours.
        package: next.package,
      });
    }
  }
  // `sls print` shows the configuration as read; without functions of its own it has no such key.
  if (Object.keys(functions).length > 0) configurationInput.functions ??= service.functions;
}

const objectOf = (value: unknown): Definition => (isObject(value) ? value : {});
