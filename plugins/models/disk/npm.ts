import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { problemError } from '../problems/errors.ts';

/**
 * Downloads a package's tarball with the user's own npm: their registry, proxy, certificates and npm's cache
 * apply, and no install script runs.
 *
 * @param spec for example `onnxruntime-node@1.30.0`
 * @param integrity npm's `sha512-<base64>`, which the tarball must have
 * @param folder an empty folder for it
 * @returns path of the tarball
 */
export async function npmPack(spec: string, integrity: string, folder: string): Promise<string> {
  await run(['pack', spec, '--pack-destination', folder, '--ignore-scripts', '--loglevel=error'], spec);
  const file = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  if (file === undefined) throw unavailable(spec, 'npm made no tarball');
  const path = join(folder, file);
  const hash = createHash('sha512');
  await pipeline(createReadStream(path), hash);
  const found = `sha512-${hash.digest('base64')}`;
  if (found !== integrity) {
    throw problemError([
      {
        code: 'MODELS_RUNTIME_TAMPERED',
        key: 'custom.models',
        message: `The npm package ${spec} has the integrity ${found}, not ${integrity}.`,
        fix: 'Find out what the npm registry in your npm configuration serves under this name.',
      },
    ]);
  }
  return path;
}

/**
 * How npm is started. Under `npx` and npm scripts it says itself where it is; elsewhere it is on the PATH,
 * on Windows as a `.cmd`. That takes a shell, for which Node quotes nothing: the folder for temporary files
 * has a space where the user's name has one.
 */
export function npmStart(
  args: readonly string[],
  { platform, cli }: { readonly platform: NodeJS.Platform; readonly cli: string | undefined },
): { readonly command: string; readonly args: readonly string[]; readonly shell: boolean } {
  if (cli?.endsWith('npm-cli.js')) return { command: process.execPath, args: [cli, ...args], shell: false };
  if (platform !== 'win32') return { command: 'npm', args, shell: false };
  return { command: 'npm', args: args.map((one) => `"${one}"`), shell: true };
}

function run(asked: readonly string[], spec: string): Promise<void> {
  const { platform, env } = process;
  const { command, args, shell } = npmStart(asked, { platform, cli: env.npm_execpath });
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'], shell });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-4000);
    });
    child.on('error', (error) => reject(unavailable(spec, error.message)));
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(unavailable(spec, errors.trim() || `npm ended with ${code}`)),
    );
  });
}

/** Characters of npm's words that are shown. */
const GIST = 300;

/** What npm says first: its code, the address and the reason; behind them it repeats itself at length. */
export function gist(errors: string): string {
  const lines = errors
    .split('\n')
    .map((line) => line.replace(/^npm (?:error|ERR!) ?/, '').trim())
    .filter((line) => line !== '' && !/^(?:A complete log of this run|\/|at )/.test(line));
  const text = [...new Set(lines)].join(' ').replace(/\.$/, '');
  return text.length > GIST ? `${text.slice(0, GIST)} …` : text;
}

function unavailable(spec: string, why: string): Error {
  return problemError([
    {
      code: 'MODELS_RUNTIME_UNAVAILABLE',
      key: 'custom.models',
      message: `\`npm pack ${spec}\` failed: ${gist(why)}.`,
      fix: 'Make this command work in this folder (registry, proxy, network), or point SERVERLESS_MODELS_CACHE to a folder that was filled elsewhere.',
    },
  ]);
}
