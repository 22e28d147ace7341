import { spawn } from 'node:child_process';
import { copyFile, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fixtures, repository } from './endpoint.ts';

/** A running `sls models serve` or `proxy`, started as a person would, with `--json` on a free port. */
export type Running = {
  readonly url: string;
  /** Port of gRPC; 0 where it was not asked for. */
  readonly grpc: number;
  readonly pid: number;
  /** What it printed for people so far, whole. */
  readonly output: () => string;
  /** Waits until it has printed this. Throws after two minutes. */
  readonly until: (text: RegExp) => Promise<void>;
  /** Ctrl-C. @returns the exit code */
  readonly interrupt: () => Promise<number | null>;
};

/**
 * A service in a folder of its own: its serverless.yml (the plugin is added) and fixtures copied beside it.
 */
export async function serviceFolder(yaml: string, models: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'serverless-models-'));
  // The framework takes a path only inside the service's folder.
  await symlink(repository, join(folder, 'repository'));
  await writeFile(
    join(folder, 'serverless.yml'),
    `plugins: [./repository/plugins/models/plugin.ts]\n${yaml}`,
  );
  for (const file of models) await copyFile(join(fixtures, file), join(folder, basename(file)));
  return folder;
}

export const removeFolder = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true });

/** @param env beside a machine's own; every AWS_ variable of this process is kept away */
export async function startSls(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Running> {
  const sls = join(repository, 'node_modules', 'osls', 'bin', 'serverless.js');
  const machine = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_')),
  );
  const child = spawn(process.execPath, [sls, 'models', ...args, '--port', '0', '--json'], {
    cwd: folder,
    env: { ...machine, AWS_EC2_METADATA_DISABLED: 'true', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const heard: (() => void)[] = [];
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    for (const look of heard) look();
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));

  const { url, grpc } = await new Promise<{ url: string; grpc?: { port: number } }>((resolve, reject) => {
    let printed = '';
    createInterface({ input: child.stdout }).on('line', (line) => {
      printed += `${line}\n`;
      if (line !== '}') return;
      // Else it is a problem, and it ends.
      const found = JSON.parse(printed);
      if (found.url !== undefined) resolve(found);
    });
    ended.then((code) => reject(new Error(`It ended with ${code}: ${printed}${output}`)));
  });
  return {
    url,
    grpc: grpc?.port ?? 0,
    pid: child.pid ?? 0,
    output: () => output,
    until: (text) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => reject(new Error(`It never printed ${text}, only: ${output}`)),
          120_000,
        );
        const look = (): void => {
          if (!text.test(output)) return;
          clearTimeout(timer);
          resolve();
        };
        heard.push(look);
        look();
      }),
    interrupt: () => {
      child.kill('SIGINT');
      return ended;
    },
  };
}
