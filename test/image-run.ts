/** Starts what lies unpacked in a folder as a container would: by its configuration alone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export type Started = {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
};

/** What an image is started with. */
export type ImageConfig = { readonly Env: readonly string[]; readonly Entrypoint: readonly string[] };

/** Configuration of the one image of a layout, by reading the documents. */
export async function configIn(layout: string): Promise<ImageConfig> {
  const blob = async (digest: string): Promise<{ config: { digest: string } & ImageConfig }> =>
    JSON.parse(await readFile(join(layout, 'blobs', 'sha256', digest.slice('sha256:'.length)), 'utf8'));
  const index = JSON.parse(await readFile(join(layout, 'index.json'), 'utf8'));
  const manifest = await blob(index.manifests[0].digest);
  return (await blob(manifest.config.digest)).config;
}

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
      ...['--unshare-user', '--uid', '65532', '--gid', '65532', '--unshare-pid', '--as-pid-1'],
      ...['--cap-drop', 'ALL', '--clearenv', '--die-with-parent'],
      ...variables.flatMap(([name = '', value = '']) => ['--setenv', name, value]),
      ...Entrypoint,
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
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

/** @returns the port that the host in it listens at */
export async function portOfHost({ output, ended }: Started): Promise<number> {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  for (;;) {
    const [, port] = /\{"listening":\{"port":(\d+)/.exec(output()) ?? [];
    if (port !== undefined) return Number(port);
    if (over) throw new Error(`It ended: ${output()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
