import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { local, lock } from '../../../local-aws/venv.ts';

const run = promisify(execFile);

/** As go.mod beside this has it: what `/version` shall say. */
export const KUBERNETES = '1.37.2';

/** Programs of the modules in go.mod, by the packages that they are built from. */
const PROGRAMS = {
  etcd: '.',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  kubectl: 'k8s.io/kubernetes/cmd/kubectl',
} as const;
export type Programs = Readonly<Record<keyof typeof PROGRAMS, string>>;

const VERSION = 'k8s.io/component-base/version';
const [major, minor] = KUBERNETES.split('.');
const LINKED = [
  '-s -w',
  `-X ${VERSION}.gitVersion=v${KUBERNETES}`,
  `-X ${VERSION}.gitMajor=${major}`,
  `-X ${VERSION}.gitMinor=${minor}`,
].join(' ');

/**
 * Builds an API server, its store and its client once, below `.local/kubernetes`: minutes of every core, and
 * 200 MB.
 *
 * @returns absolute paths
 * @throws where there is no Go
 */
export async function kubernetesPrograms(): Promise<Programs> {
  const digest = createHash('sha256').update(LINKED);
  for (const name of ['go.mod', 'go.sum', 'main.go'])
    digest.update(await readFile(join(import.meta.dirname, name)));
  const folder = join(local, 'kubernetes', digest.digest('hex').slice(0, 16));
  await mkdir(folder, { recursive: true });
  const unlock = await lock(`${folder}.lock`);
  try {
    for (const [name, source] of Object.entries(PROGRAMS)) await build(join(folder, name), source);
  } finally {
    await unlock();
  }
  const paths = Object.keys(PROGRAMS).map((name) => [name, join(folder, name)]);
  return Object.fromEntries(paths) as Programs;
}

async function build(path: string, source: string): Promise<void> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  console.error(`Building ${source} of Kubernetes ${KUBERNETES} with Go, a few minutes …`);
  // Under another name first: one that was interrupted is made again.
  await go(['build', '-trimpath', '-ldflags', LINKED, '-o', `${path}.part`, source]);
  await rename(`${path}.part`, path);
}

/** A file of a module that is not built: the module comes by Go’s own proxy and checksums. */
export async function moduleFile(module: string, path: string): Promise<string> {
  const { Dir } = JSON.parse(await go(['mod', 'download', '-json', module])) as { readonly Dir: string };
  return readFile(join(Dir, path), 'utf8');
}

async function go(args: readonly string[]): Promise<string> {
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-buildvcs=false' };
  try {
    const { stdout } = await run('go', args, { cwd: import.meta.dirname, env, maxBuffer: 64 * 1024 ** 2 });
    return stdout;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new Error(
        'The soak of Kubernetes builds an API server and needs Go on the PATH: https://go.dev/doc/install',
      );
    throw error;
  }
}
