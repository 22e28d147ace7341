/** Starts what lies unpacked in a folder as a container would: by its configuration alone. */
import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { endsWithUs } from './ends-with-us.ts';

/** Whom images run as here: nobody whom a machine knows. */
export const IMAGE_USER = 65_532;

export type Started = {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
};

/** What an image is started with. */
export type ImageConfig = { readonly Env: readonly string[]; readonly Entrypoint: readonly string[] };

/** What an image consists of, the lowest first: each layer packed, and its tar. */
export type ImageLayer = { readonly digest: string; readonly diffId: string };

export const blobIn = (layout: string, digest: string): string =>
  join(layout, 'blobs', 'sha256', digest.slice('sha256:'.length));

/** The one image of a layout, by reading the documents. */
export async function imageIn(
  layout: string,
): Promise<{ readonly config: ImageConfig; readonly layers: readonly ImageLayer[] }> {
  const document = async (digest: string) => JSON.parse(await readFile(blobIn(layout, digest), 'utf8'));
  const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8'));
  const manifest: { config: { digest: string }; layers: { digest: string }[] } = await document(
    index.manifests[0].digest,
  );
  const { config, rootfs }: { config: ImageConfig; rootfs: { diff_ids: string[] } } = await document(
    manifest.config.digest,
  );
  if (rootfs.diff_ids.length !== manifest.layers.length)
    throw new Error(`${manifest.layers.length} layers, and ${rootfs.diff_ids.length} are told`);
  const layers = manifest.layers.map(({ digest }, index) => ({
    digest,
    diffId: rootfs.diff_ids[index] ?? '',
  }));
  return { config, layers };
}

/** Configuration of the one image of a layout. */
export const configIn = async (layout: string): Promise<ImageConfig> => (await imageIn(layout)).config;

/**
 * By bubblewrap: user 65532, no capability, the root read-only, /tmp of its own, no way to gain rights.
 * @param env beside that of the image
 */
export function runByBwrap(
  root: string,
  { Env, Entrypoint }: ImageConfig,
  {
    env = {},
    args = [],
  }: { readonly env?: Readonly<Record<string, string>>; readonly args?: readonly string[] } = {},
): Started {
  const variables = [...Env.map((entry) => entry.split(/=(.*)/s).slice(0, 2)), ...Object.entries(env)];
  const child = spawn(
    'bwrap',
    [
      ...['--ro-bind', root, '/', '--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp'],
      ...['--unshare-user', '--uid', String(IMAGE_USER), '--gid', String(IMAGE_USER)],
      ...['--unshare-pid', '--as-pid-1'],
      ...['--cap-drop', 'ALL', '--clearenv', '--die-with-parent'],
      ...variables.flatMap(([name = '', value = '']) => ['--setenv', name, value]),
      ...Entrypoint,
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  return following(child);
}

/**
 * By runc, as a manifest for Kubernetes would have it, in the network of this machine, which gives the port.
 * Only root may.
 *
 * @param bundle folder with `rootfs`; it gets a `config.json` where it has none
 */
export async function startByRunc(
  bundle: string,
  { Env, Entrypoint }: ImageConfig,
  { name, memoryMb }: { readonly name: string; readonly memoryMb: number },
): Promise<Started> {
  const file = join(bundle, 'config.json');
  if (!existsSync(file)) await promisify(execFile)('runc', ['spec', '--bundle', bundle]);
  const spec = JSON.parse(await readFile(file, 'utf8'));
  const none = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] };
  spec.process = {
    ...spec.process,
    terminal: false,
    user: { uid: IMAGE_USER, gid: IMAGE_USER },
    args: [...Entrypoint, 'serve'],
    env: [...Env, 'PORT=0'],
    cwd: '/',
    capabilities: none,
    noNewPrivileges: true,
  };
  spec.root.readonly = true;
  spec.linux.namespaces = spec.linux.namespaces.filter(({ type }: { type: string }) => type !== 'network');
  spec.linux.resources = { ...spec.linux.resources, memory: { limit: memoryMb * 1024 * 1024 } };
  spec.mounts = spec.mounts.filter(({ destination }: { destination: string }) => destination !== '/sys');
  await writeFile(file, JSON.stringify(spec));
  const child = spawn('runc', ['run', '--bundle', bundle, name], { stdio: ['ignore', 'pipe', 'pipe'] });
  // The container is no child of ours.
  endsWithUs(child, () => spawnSync('runc', ['delete', '--force', name]));
  return following(child);
}

export function following(child: ChildProcess): Started {
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  return {
    child,
    output: () => output,
    ended: new Promise((resolve) => child.once('close', resolve)),
  };
}

/** @returns the port that the host in it listens at for HTTP */
export const portOfHost = async (started: Started): Promise<number> => (await portsOfHost(started)).port;

/** @returns the ports that the host in it listens at; of gRPC where that is open */
export async function portsOfHost({
  output,
  ended,
}: Started): Promise<{ readonly port: number; readonly grpc?: number }> {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  for (;;) {
    const [line] = /^\{"listening":.*\}$/m.exec(output()) ?? [];
    if (line !== undefined) return JSON.parse(line).listening;
    if (over) throw new Error(`It ended: ${output()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
