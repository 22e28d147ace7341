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

/** Variables as they would reach the function; what only CloudFormation can resolve is left out. */
export function stringsOf(environment: unknown): Record<string, string> {
  if (typeof environment !== 'object' || environment === null) return {};
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      typeof value === 'string' || typeof value === 'number' ? [[name, String(value)]] : [],
    ),
  );
}
