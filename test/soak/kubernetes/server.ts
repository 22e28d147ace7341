import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { kubernetesPrograms } from './built.ts';

const START_MS = 120_000;

export type ApiAnswer = {
  readonly status: number;
  /** What is wrong, where it refuses. */
  readonly message: string;
  /** What it takes and warns of. */
  readonly warnings: readonly string[];
};

/** A real API server with its store: no nodes, no controllers; all that objects are checked by. */
export type ApiServer = {
  /** @param body YAML or JSON */
  readonly ask: (method: string, path: string, body?: string) => Promise<ApiAnswer>;
  /** @returns what it wrote; @throws with that where it fails */
  readonly kubectl: (args: readonly string[]) => Promise<string>;
  readonly stop: () => Promise<void>;
};

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

export async function startApiServer(): Promise<ApiServer> {
  const programs = await kubernetesPrograms();
  const folder = await mkdtemp(join(tmpdir(), 'soak-kubernetes-'));
  const children: ChildProcess[] = [];
  const logs: string[] = [];
  const start = (program: string, args: readonly string[]): void => {
    const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.on('data', (chunk: Buffer) => {
      logs.push(chunk.toString());
      if (logs.length > 200) logs.shift();
    });
    children.push(child);
  };
  const kill = (): void => {
    for (const child of children) child.kill('SIGKILL');
  };
  process.once('exit', kill);
  const stop = async (): Promise<void> => {
    kill();
    await Promise.all(children.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const [store, peers, port] = [await freePort(), await freePort(), await freePort()];
    const stores = `http://127.0.0.1:${store}`;
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    await writeFile(join(folder, 'accounts.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const token = randomBytes(16).toString('hex');
    await writeFile(join(folder, 'tokens.csv'), `${token},tester,1,"system:masters"\n`);
    start(programs.etcd, [
      ...['--data-dir', 'etcd', '--listen-client-urls', stores, '--advertise-client-urls', stores],
      ...['--listen-peer-urls', `http://127.0.0.1:${peers}`, '--unsafe-no-fsync'],
    ]);
    start(programs['kube-apiserver'], [
      `--etcd-servers=${stores}`,
      ...['--bind-address=127.0.0.1', `--secure-port=${port}`, '--cert-dir=certificates'],
      ...[
        '--token-auth-file=tokens.csv',
        '--authorization-mode=RBAC',
        '--service-cluster-ip-range=10.0.0.0/24',
      ],
      ...['--service-account-issuer=https://kubernetes.default', '--service-account-key-file=accounts.pem'],
      '--service-account-signing-key-file=accounts.pem',
      // Nobody makes the accounts that pods would have.
      '--disable-admission-plugins=ServiceAccount',
    ]);
    const url = `https://127.0.0.1:${port}`;
    const certificate = join(folder, 'certificates', 'apiserver.crt');
    const ask = async (method: string, path: string, body?: string): Promise<ApiAnswer> => {
      const ca = await readFile(certificate);
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/yaml' };
      return new Promise((resolve, reject) => {
        const asked = request(`${url}${path}`, { method, headers, ca, agent: false }, (response) => {
          text(response).then((said) => {
            const warning = response.headers.warning ?? '';
            const warnings = [...String(warning).matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)].map(
              ([, words = '']) => words,
            );
            resolve({ status: response.statusCode ?? 0, message: messageIn(said), warnings });
          }, reject);
        });
        asked.on('error', reject);
        asked.end(body);
      });
    };
    const end = Date.now() + START_MS;
    for (;;) {
      const { status } = await ask('GET', '/readyz').catch(() => ({ status: 0 }));
      if (status === 200) break;
      if (Date.now() > end || children.some(({ exitCode }) => exitCode !== null))
        throw new Error(`The API server does not start: ${logs.join('').slice(-2000)}`);
      await sleep(200);
    }
    const known = ['--server', url, '--token', token, '--certificate-authority', certificate];
    return {
      ask,
      kubectl: async (args) => {
        const env = { PATH: process.env.PATH ?? '', HOME: folder };
        const { stdout, stderr } = await promisify(execFile)(programs.kubectl, [...known, ...args], { env });
        return `${stdout}${stderr}`;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function messageIn(said: string): string {
  try {
    const { message, kind } = JSON.parse(said);
    return kind === 'Status' && typeof message === 'string' ? message : '';
  } catch {
    return said.slice(0, 200);
  }
}
