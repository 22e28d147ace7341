import { readFile } from 'node:fs/promises';

let known: Promise<string> | undefined;

/** Version of this plugin, for the record of a deploy: of the package that this file is in, built or not. */
export function pluginVersion(): Promise<string> {
  known ??= readVersion();
  return known;
}

async function readVersion(): Promise<string> {
  for (const path of ['../../../package.json', '../../../../package.json']) {
    const text = await readFile(new URL(path, import.meta.url), 'utf8').catch(() => undefined);
    const { name, version } =
      text === undefined ? {} : (JSON.parse(text) as { name?: string; version?: string });
    if (name === 'serverless-models' && version !== undefined) return version;
  }
  return 'unknown';
}
