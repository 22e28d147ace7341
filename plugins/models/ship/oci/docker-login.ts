import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fieldIn, textIn } from '../../../../core/json/fields.ts';
import { isObject } from '../../../../core/json/is-object.ts';
import { registryFault } from './exchange.ts';
import type { ImageReference } from './reference.ts';

/** Who asks a registry: a name and a password, or a token that another token is given for. */
export type RegistryLogin =
  | { readonly username: string; readonly password: string }
  | { readonly identityToken: string };

/** Under this address Docker keeps who it is at its own registry. */
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';

/** Milliseconds that a credential helper has: one may ask a person to unlock a keychain. */
const HELPER_MS = 60_000;

/** Milliseconds until what an ended helper has printed is here. */
const PRINTED_MS = 1000;

/**
 * Who Docker would be at a registry: by `credHelpers`, `credsStore` or `auths` of its `config.json`, in
 * `$DOCKER_CONFIG` or `~/.docker`. https://docs.docker.com/reference/cli/docker/login/#credential-stores
 *
 * @param place of an image; the repository may be empty
 * @returns undefined for nobody
 * @throws RegistryFault `refused` where the file cannot be read, or a helper fails
 */
export async function dockerLogin(
  place: Pick<ImageReference, 'host' | 'repository'>,
): Promise<RegistryLogin | undefined> {
  const { host } = place;
  const file = join(process.env.DOCKER_CONFIG || join(homedir(), '.docker'), 'config.json');
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw registryFault('refused', `cannot be asked by anybody: ${file} cannot be read (${error.code})`, {
      fix: 'Let this user read the file, or name another folder in the environment variable DOCKER_CONFIG.',
    });
  });
  if (text === undefined) return undefined;
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    throw registryFault('refused', `cannot be asked by anybody: ${file} is no JSON`, {
      fix: 'Correct the file, or name another folder in the environment variable DOCKER_CONFIG.',
    });
  }
  const keys = host === 'docker.io' ? [DOCKER_HUB_KEY, 'docker.io'] : [host];
  const helpers: unknown = fieldIn(config, 'credHelpers');
  // An empty name there is none, and no other is asked then.
  const helper =
    keys.map((key) => fieldIn(helpers, key)).find((name) => typeof name === 'string') ??
    textIn(config, 'credsStore');
  if (helper !== undefined && helper !== '') {
    const found = await askHelper(helper, keys[0] ?? host);
    if (found !== undefined) return found;
  }
  return loginAmong(fieldIn(config, 'auths'), keys, place);
}

/**
 * Who `auths` says for the most of a place: for its repository, for what that begins with, for its host
 * (containers-auth.json(5)). Docker writes whole addresses, too, and means their hosts.
 *
 * @param keys names of the host
 */
function loginAmong(
  auths: unknown,
  keys: readonly string[],
  { host, repository }: Pick<ImageReference, 'host' | 'repository'>,
): RegistryLogin | undefined {
  const parts = repository === '' ? [] : repository.split('/');
  const below = parts.map((_, last) => `${host}/${parts.slice(0, last + 1).join('/')}`).toReversed();
  const named = [...below, ...keys].map((key) => fieldIn(auths, key));
  const addresses = Object.entries(isObject(auths) ? auths : {})
    .filter(([key]) => keys.includes(hostIn(key)))
    .map(([, entry]) => entry);
  return [...named, ...addresses].map(loginOf).find((login) => login !== undefined);
}

/** A path without a scheme is a part of a registry's repositories, unless it is that of its API. */
const hostIn = (key: string): string =>
  /^https?:\/\//.test(key)
    ? key.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
    : key.replace(/\/(v[12]\/?)?$/, '');

function loginOf(entry: unknown): RegistryLogin | undefined {
  const identityToken = textIn(entry, 'identitytoken');
  if (identityToken !== undefined) return { identityToken };
  const auth = textIn(entry, 'auth');
  const [, username, password] =
    auth === undefined
      ? [auth, textIn(entry, 'username'), textIn(entry, 'password')]
      : (/^([^:]*):(.*)$/s.exec(Buffer.from(auth, 'base64').toString()) ?? []);
  return username === undefined || password === undefined ? undefined : { username, password };
}

/** https://github.com/docker/docker-credential-helpers#development */
async function askHelper(name: string, host: string): Promise<RegistryLogin | undefined> {
  const program = `docker-credential-${name}`;
  const failed = (why: string): Error =>
    registryFault('refused', `cannot be asked: ${program} ${why}`, {
      fix: 'Bring that program to work, or take it out of `credsStore` or `credHelpers` of Docker’s config.json and log in again.',
    });
  // Its name comes from a file and becomes a program's; Docker Desktop writes `desktop.exe` into that of WSL.
  if (!/^[\w.-]+$/.test(name)) throw failed('is no name of a program');
  const { code, output } = await new Promise<{ code: number | null; output: string }>((resolve, reject) => {
    const child = spawn(program, ['get'], { stdio: ['pipe', 'pipe', 'ignore'], timeout: HELPER_MS });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
    });
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(failed(error.code === 'ENOENT' ? 'is not on the PATH' : `does not start (${error.code})`)),
    );
    // One that starts an agent may leave it its stdout, which would stay open for as long as the agent runs.
    child.once('exit', () => setTimeout(() => child.stdout.destroy(), PRINTED_MS).unref());
    child.once('close', (status) => resolve({ code: status, output: said }));
    // It may end without reading.
    child.stdin.on('error', () => {});
    child.stdin.end(host);
  });
  // What it prints may be a password: it is never shown.
  if (code !== 0) {
    if (/credentials not found/i.test(output)) return undefined;
    throw failed(code === null ? `did not answer within ${HELPER_MS / 1000} s` : `ended with ${code}`);
  }
  let answer: unknown;
  try {
    answer = JSON.parse(output);
  } catch {
    throw failed('answered what is no JSON');
  }
  const [username, secret] = [textIn(answer, 'Username'), textIn(answer, 'Secret')];
  if (secret === undefined) return undefined;
  return username === '<token>' ? { identityToken: secret } : { username: username ?? '', password: secret };
}
