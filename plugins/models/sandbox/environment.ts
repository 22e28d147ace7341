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
 * The variables of a function as the framework merges them: the provider's, and over them the function's own.
 * What only CloudFormation can resolve is left out, also where the function writes it over a text of the
 * provider.
 *
 * @param provider `provider.environment`
 * @param own `function.environment` of the model
 */
export function variablesOf(provider: unknown, own: unknown): Record<string, string> {
  const merged: Readonly<Record<string, unknown>> = { ...entriesOf(provider), ...entriesOf(own) };
  return Object.fromEntries(
    Object.entries(merged).flatMap(([name, value]) =>
      ['string', 'number', 'boolean'].includes(typeof value) ? [[name, String(value)]] : [],
    ),
  );
}

const entriesOf = (environment: unknown): object =>
  typeof environment === 'object' && environment !== null ? environment : {};
