import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { dockerLogin as loginAt } from '../../../../../../plugins/models/ship/oci/docker-login.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serverless-models-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(() => vi.stubEnv('DOCKER_CONFIG', folder));
afterEach(() => vi.unstubAllEnvs());

const config = (value: unknown): Promise<void> =>
  writeFile(join(folder, 'config.json'), typeof value === 'string' ? value : JSON.stringify(value));
const dockerLogin = (host: string, repository = '') => loginAt({ host, repository });
const auth = (text: string) => ({ auth: Buffer.from(text).toString('base64') });

it('is nobody without the file, or where the file does not know the registry', async () => {
  vi.stubEnv('DOCKER_CONFIG', join(folder, 'nowhere'));
  expect(await dockerLogin('example.com')).toBeUndefined();
  vi.stubEnv('DOCKER_CONFIG', folder);
  await config({ auths: { 'example.com.evil.example': auth('me:word'), 'other.example': {} } });
  expect(await dockerLogin('example.com')).toBeUndefined();
  expect(await dockerLogin('other.example')).toBeUndefined();
});

it('is found by the host, however it is written', async () => {
  await config({
    auths: {
      'https://one.example/v2/': auth('me:wo:rd'),
      'two.example:5000': { username: 'you', password: 'word' },
      'three.example': { identitytoken: 'token' },
      'https://index.docker.io/v1/': auth('hub:word'),
    },
  });
  expect(await dockerLogin('one.example')).toEqual({ username: 'me', password: 'wo:rd' });
  expect(await dockerLogin('two.example:5000')).toEqual({ username: 'you', password: 'word' });
  expect(await dockerLogin('two.example')).toBeUndefined();
  expect(await dockerLogin('three.example')).toEqual({ identityToken: 'token' });
  expect(await dockerLogin('docker.io')).toEqual({ username: 'hub', password: 'word' });
});

it('is who is named for the most of the place, and nobody of another repository', async () => {
  await config({
    auths: {
      'ghcr.io/org-a': auth('a:word'),
      'ghcr.io/org-b/x': auth('b:word'),
      'https://ghcr.io/v2/': auth('address:word'),
      'ghcr.io': auth('all:word'),
      'one.example/org': auth('org:word'),
      'two.example/v1/': auth('two:word'),
      'docker.io/me': auth('mine:word'),
      'https://index.docker.io/v1/': auth('hub:word'),
    },
  });
  const who = async (host: string, repository?: string) => {
    const login = await dockerLogin(host, repository);
    return login !== undefined && 'username' in login ? login.username : undefined;
  };
  expect(await who('ghcr.io')).toBe('all');
  expect(await who('ghcr.io', 'other/x')).toBe('all');
  expect(await who('ghcr.io', 'org-a/x')).toBe('a');
  expect(await who('ghcr.io', 'org-abc/x')).toBe('all');
  expect(await who('ghcr.io', 'org-b')).toBe('all');
  expect(await who('ghcr.io', 'org-b/x')).toBe('b');
  expect(await who('one.example', 'org/x')).toBe('org');
  expect(await who('one.example', 'other')).toBeUndefined();
  expect(await who('two.example', 'x')).toBe('two');
  expect(await who('docker.io', 'me/x')).toBe('mine');
  expect(await who('docker.io', 'library/node')).toBe('hub');
});

it('refuses a file that is none', async () => {
  await config('{');
  await expect(dockerLogin('example.com')).rejects.toMatchObject({
    kind: 'refused',
    message: expect.stringMatching(/config.json is no JSON$/),
    fix: expect.stringMatching(/^Correct the file/),
  });
});

/** A program that is found on the PATH is a shell's script here. */
const helpers = it.skipIf(process.platform === 'win32');

/** @param body of a shell script, which finds the host in $host */
async function helper(name: string, body: string): Promise<void> {
  const file = join(folder, `docker-credential-${name}`);
  await writeFile(file, `#!/bin/sh\nread -r host\n[ "$1" = get ] || exit 9\n${body}\n`);
  await chmod(file, 0o755);
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env.PATH}`);
}

helpers('asks the helper of the registry, else that of all', async () => {
  await helper('one', 'printf \'{"Username":"%s","Secret":"word"}\' "$host"');
  await helper('all', 'printf \'{"Username":"<token>","Secret":"token"}\'');
  await config({ credHelpers: { 'example.com': 'one' }, credsStore: 'all' });
  expect(await dockerLogin('example.com')).toEqual({ username: 'example.com', password: 'word' });
  expect(await dockerLogin('other.example')).toEqual({ identityToken: 'token' });
});

helpers('does not wait for what a helper leaves behind', async () => {
  const pid = join(folder, 'agent');
  await helper(
    'agent',
    `sleep 3600 & echo $! > '${pid}'; printf '{"Username":"%s","Secret":"word"}' "$host"`,
  );
  await config({ credsStore: 'agent' });
  try {
    expect(await dockerLogin('example.com')).toEqual({ username: 'example.com', password: 'word' });
  } finally {
    process.kill(Number(await readFile(pid, 'utf8')));
  }
});

helpers('asks Docker Desktop’s, whose name has a dot where Windows is around Linux', async () => {
  await helper('desktop.exe', 'printf \'{"Username":"me","Secret":"word"}\'');
  await config({ credsStore: 'desktop.exe' });
  expect(await dockerLogin('example.com')).toEqual({ username: 'me', password: 'word' });
});

it('asks no helper where an empty name turns it off, and reads the file', async () => {
  const auths = { 'example.com': auth('me:word') };
  await config({ auths, credsStore: '' });
  expect(await dockerLogin('example.com')).toEqual({ username: 'me', password: 'word' });
  await config({ auths, credsStore: 'absent-helper', credHelpers: { 'example.com': '' } });
  expect(await dockerLogin('example.com')).toEqual({ username: 'me', password: 'word' });
});

helpers('goes on with the file where a helper knows nobody', async () => {
  await helper('empty', 'echo "credentials not found in native keychain"; exit 1');
  await config({ credsStore: 'empty', auths: { 'example.com': auth('me:word') } });
  expect(await dockerLogin('example.com')).toEqual({ username: 'me', password: 'word' });
});

helpers.each([
  ['broken', 'echo "word-of-somebody"; exit 3', /docker-credential-broken ended with 3$/],
  ['odd', 'echo "word-of-somebody"', /docker-credential-odd answered what is no JSON$/],
])('says what a helper does wrong, and never what it printed: %s', async (name, body, why) => {
  await helper(name, body);
  await config({ credsStore: name });
  await expect(dockerLogin('example.com')).rejects.toMatchObject({
    kind: 'refused',
    message: expect.stringMatching(why),
    fix: expect.stringMatching(/^Bring that program to work/),
  });
});

helpers.each([
  ['absent-helper', /docker-credential-absent-helper is not on the PATH$/],
  ['../one', /is no name of a program$/],
])('does not start %s', async (name, why) => {
  await config({ credsStore: name });
  await expect(dockerLogin('example.com')).rejects.toThrow(why);
});
