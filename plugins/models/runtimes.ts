/** What plugins that compile TypeScript and bundle see of our functions, which are made already. */

type Functions = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/**
 * serverless-webpack and serverless-plugin-typescript compile every function of Node.js, whatever zip it
 * names, and end at a handler that is no file of the service; the former puts its own zip in the place of
 * ours, too. Neither has a key to leave one out, but both pass over other runtimes.
 */
const COMPILERS: readonly string[] = ['ServerlessWebpack', 'TypeScriptPlugin'];

const PASSED_BY = 'provided.al2023';

/** The runtime of a function of ours while such a plugin may look; `setRuntimes` ends that. */
export function hiddenRuntime(
  { pluginManager }: { readonly pluginManager?: { readonly plugins: readonly object[] } },
  definition: object,
): { readonly runtime?: string } {
  const compiles = pluginManager?.plugins.some((plugin) => COMPILERS.includes(plugin.constructor.name));
  return compiles && 'runtime' in definition ? { runtime: PASSED_BY } : {};
}

/** Gives our functions the runtimes that they are planned with, once other plugins have compiled theirs. */
export function setRuntimes(
  { service }: { readonly service: { readonly functions: Record<string, Record<string, unknown>> } },
  planned: Functions,
): void {
  for (const [key, { runtime }] of Object.entries(planned)) {
    const there = Object.hasOwn(service.functions, key) ? service.functions[key] : undefined;
    if (there?.runtime === PASSED_BY) there.runtime = runtime;
  }
}
