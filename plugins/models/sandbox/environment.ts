import { createRequire } from 'node:module';

/** What a process cannot do without, on each system. */
export function inherited(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'TMP', 'SystemRoot', 'USERPROFILE'];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

/** Where Node would look for the SDK that Lambda's runtime has. */
export function sdkFolders(): readonly string[] {
  return createRequire(import.meta.url).resolve.paths('@aws-sdk/client-s3') ?? [];
}

/**
 * What Node loads before all else, in `NODE_OPTIONS`: https://nodejs.org/api/cli.html#node_optionsoptions. On
 * Lambda it lies in a layer, as that of who collects traces or errors; here no layer is, and Node ends
 * without it.
 */
const PRELOADS =
  /(?<!\S)(?:-r|--require|--import|--loader|--experimental-loader)(?:=|\s+)(?:"(?:\\.|[^"\\])*"|\S+)/g;

/**
 * The variables of a function as the framework merges them: the provider's, and over them the function's own.
 * What only CloudFormation can resolve is left out, also where the function writes it over a text of the
 * provider; and so is what a layer has.
 *
 * @param provider `provider.environment`
 * @param own `function.environment` of the model
 */
export function variablesOf(provider: unknown, own: unknown): Record<string, string> {
  const merged: Readonly<Record<string, unknown>> = { ...entriesOf(provider), ...entriesOf(own) };
  const { NODE_OPTIONS: options, ...others } = Object.fromEntries(
    Object.entries(merged).flatMap(([name, value]) =>
      ['string', 'number', 'boolean'].includes(typeof value) ? [[name, String(value)]] : [],
    ),
  );
  const left = options?.replace(PRELOADS, '').trim() ?? '';
  return { ...others, ...(left !== '' && { NODE_OPTIONS: left }) };
}

const entriesOf = (environment: unknown): object =>
  typeof environment === 'object' && environment !== null ? environment : {};
