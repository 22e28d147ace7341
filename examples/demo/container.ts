import { execFile, spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { x as extract } from 'tar';
import { HOST_CONFIG, HOST_GRPC_PORT } from '../../core/host/contract.ts';
import {
  configIn,
  following,
  IMAGE_USER,
  type ImageConfig,
  portsOfHost,
  runByBwrap,
  type Started,
  startByRunc,
} from '../../test/image-run.ts';
import { type Tool, toolPath } from '../../test/image-tools.ts';

const run = promisify(execFile);

/** Programs are started by their names: one that lies elsewhere is as good as absent. */
export function isThere(tool: Tool): boolean {
  const path = toolPath(tool);
  return path !== undefined && (process.env.PATH ?? '').split(delimiter).includes(dirname(path));
}

/** `runc 1.1.5` */
export async function versionOf(tool: Tool): Promise<string> {
  const { stdout } = await run(tool, ['--version']);
  return `${tool} ${/\d+(\.\d+)+/.exec(stdout)?.[0] ?? ''}`.trim();
}

/** What an image is once it is unpacked: a folder with `rootfs`, and what it is started with. */
export type Unpacked = { readonly bundle: string; readonly config: ImageConfig; readonly by: string };

/**
 * @param layout folder of an OCI layout with one image
 * @param tag its name there
 * @param isOurs its base is the one made here, which has neither links nor files that a later layer takes away
 */
export async function unpackImage(
  layout: string,
  tag: string,
  bundle: string,
  isOurs: boolean,
): Promise<Unpacked> {
  const ofImage = await configIn(layout);
  // Nothing but HTTP is open in an image where this does not say so.
  const config = { ...ofImage, Env: [...ofImage.Env, `${HOST_GRPC_PORT}=0`] };
  if (isThere('umoci')) {
    const rootless = process.getuid?.() === 0 ? [] : ['--rootless'];
    await run('umoci', ['unpack', ...rootless, '--image', `${layout}:${tag}`, bundle]);
    return { bundle, config, by: await versionOf('umoci') };
  }
  if (!isOurs) throw new Error('An image over another base is unpacked by umoci: apt install umoci.');
  const blob = (digest: string): string => join(layout, 'blobs', 'sha256', digest.slice('sha256:'.length));
  const read = async (file: string) => JSON.parse(await readFile(file, 'utf8'));
  const [{ digest }] = (await read(join(layout, 'index.json'))).manifests;
  const rootfs = join(bundle, 'rootfs');
  await mkdir(rootfs, { recursive: true });
  for (const layer of (await read(blob(digest))).layers)
    await extract({ file: blob(layer.digest), cwd: rootfs });
  return { bundle, config, by: 'tar, since umoci is not here' };
}

export type Container = {
  /** `runc 1.1.5` */
  readonly by: string;
  /** What keeps it from what, as the kernel tells: a sentence. */
  readonly rights: string;
  readonly port: number;
  /** Port of gRPC. */
  readonly grpc: number;
  /** Asks the program in it to end. */
  readonly terminate: () => Promise<void>;
  /** Its exit code, once it has ended. */
  readonly ended: Promise<number | null>;
};

const MEMORY_MB = 512;

type Running = { readonly started: Started; readonly signal: (name: 'SIGTERM') => Promise<void> };
type Way = {
  readonly tool: Tool | undefined;
  /** Why it cannot be tried here. */
  readonly lacks: () => string | undefined;
  readonly start: (unpacked: Unpacked, ending: (step: () => Promise<void>) => void) => Promise<Running>;
  /** What is so in it, or the first thing that is not. @throws */
  readonly rights: (pid: number) => Promise<string>;
  readonly pid: (started: Started) => Promise<number>;
};

const NAME = `demo-image-${process.pid}`;

const runc: Way = {
  tool: 'runc',
  lacks: () => (process.getuid?.() === 0 ? undefined : 'runc needs root for a user of its own'),
  start: async ({ bundle, config }, ending) => {
    ending(async () => {
      await run('runc', ['kill', NAME, 'KILL']).catch(() => undefined);
      await run('runc', ['delete', '--force', NAME]).catch(() => undefined);
    });
    const started = await startByRunc(bundle, config, { name: NAME, memoryMb: MEMORY_MB });
    return {
      started,
      signal: async (name) => void (await run('runc', ['kill', NAME, name.slice('SIG'.length)])),
    };
  },
  pid: async () => JSON.parse((await run('runc', ['state', NAME])).stdout).pid,
  rights: async (pid) => {
    const { stdout } = await run('runc', ['events', '--stats', NAME]);
    const { limit } = JSON.parse(stdout).data.memory?.usage ?? {};
    if (limit !== MEMORY_MB * 1024 ** 2) throw new Error(`Its limit of memory is ${limit} bytes.`);
    return `${await keptAway(pid)}, in ${MEMORY_MB} MB`;
  },
};

const bwrap: Way = {
  tool: 'bwrap',
  lacks: () => undefined,
  start: async ({ bundle, config }, ending) => {
    const started = runByBwrap(join(bundle, 'rootfs'), config, { env: { PORT: '0' }, args: ['serve'] });
    ending(() => killed(started));
    return { started, signal: async (name) => void process.kill(await childOf(started), name) };
  },
  pid: childOf,
  rights: async (pid) => `${await keptAway(pid)}; bwrap sets no limit of memory`,
};

/** Where the image has its files: it is no root here, so what it names by absolute paths is told where they are. */
const OURS = '/opt/serverless-models/';

const plain: Way = {
  tool: undefined,
  lacks: () => undefined,
  start: async ({ bundle, config: { Env, Entrypoint } }, ending) => {
    const rootfs = join(bundle, 'rootfs');
    const here = (text: string): string => text.replaceAll(OURS, join(rootfs, OURS));
    const env: Record<string, string> = { PORT: '0', TMPDIR: join(rootfs, 'tmp') };
    for (const entry of Env) {
      const [name = '', value = ''] = entry.split(/=(.*)/s);
      env[name] = here(value);
    }
    const file = env[HOST_CONFIG] ?? '';
    await writeFile(file, here(await readFile(file, 'utf8')));
    const [node = '', ...args] = Entrypoint;
    const started = following(
      spawn(join(rootfs, node), [...args.map(here), 'serve'], {
        cwd: rootfs,
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    );
    ending(() => killed(started));
    return { started, signal: async (name) => void started.child.kill(name) };
  },
  pid: async ({ child }) => child.pid ?? 0,
  rights: async (pid) => `as user ${(await statusOf(pid)).user}, with all rights of whoever started this`,
};

const WAYS = [runc, bwrap, plain];

/**
 * Starts an image by the strictest way that this machine has: runc, bwrap, or as a plain process.
 *
 * @param tell gets why a way is none here, and what comes then
 * @param ending gets what ends it at once and leaves nothing, before it is started
 * @throws where none starts it, with what it told
 */
export async function startContainer(
  unpacked: Unpacked,
  tell: (text: string) => void,
  ending: (step: () => Promise<void>) => void,
): Promise<Container> {
  for (const [index, { tool, lacks, start, rights, pid }] of WAYS.entries()) {
    const next = WAYS[index + 1]?.tool;
    const then = next === undefined ? 'it runs as a plain process' : `${next} is tried`;
    const why = tool !== undefined && !isThere(tool) ? `${tool} is not here` : lacks();
    if (why !== undefined) {
      tell(`${why}; ${then}`);
      continue;
    }
    let running: Running;
    let ports: Awaited<ReturnType<typeof portsOfHost>>;
    try {
      running = await start(unpacked, ending);
      ports = await portsOfHost(running.started);
    } catch (error) {
      // What a machine does not allow is its own affair; what is wrong with the image shows in the last way, too.
      if (tool === undefined) throw error;
      const told = (error instanceof Error ? error.message : String(error)).trim().split('\n').at(-1);
      tell(`${tool} does not start it here (${told?.replace(/^It ended: /, '')}); ${then}`);
      continue;
    }
    const { started, signal } = running;
    return {
      by: tool === undefined ? 'no container' : await versionOf(tool),
      rights: await rights(await pid(started)),
      port: ports.port,
      grpc: ports.grpc ?? 0,
      terminate: () => signal('SIGTERM'),
      ended: started.ended,
    };
  }
  throw new Error('No way is left.');
}

async function killed({ child, ended }: Started): Promise<void> {
  child.kill('SIGKILL');
  await ended;
}

/** Bubblewrap’s own process watches the program, and ends it unasked where it is ended itself. */
async function childOf({ child }: Started): Promise<number> {
  const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
  return Number(children.trim().split(' ')[0]);
}

type Status = {
  /** As it sees itself, where its numbers are others than this machine’s. */
  readonly user: number;
  readonly capabilities: string;
  readonly noNewPrivileges: string;
};

async function statusOf(pid: number): Promise<Status> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): string => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1] ?? '';
  const outside = Number(field('Uid'));
  // Rows of: first within, first outside, how many. https://man7.org/linux/man-pages/man7/user_namespaces.7.html
  const rows = (await readFile(`/proc/${pid}/uid_map`, 'utf8')).trim().split('\n');
  const maps = rows.map((row) => row.trim().split(/\s+/).map(Number));
  const map = maps.find(([, first = 0, size = 0]) => outside >= first && outside < first + size);
  return {
    user: map === undefined ? Number.NaN : outside - (map[1] ?? 0) + (map[0] ?? 0),
    capabilities: field('CapEff'),
    noNewPrivileges: field('NoNewPrivs'),
  };
}

/** @throws where the kernel tells otherwise than the sentence */
async function keptAway(pid: number): Promise<string> {
  const { user, capabilities, noNewPrivileges } = await statusOf(pid);
  // The last that is mounted there. https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
  const mounts = (await readFile(`/proc/${pid}/mountinfo`, 'utf8'))
    .split('\n')
    .map((line) => line.split(' '));
  const options = mounts.findLast(([, , , , at]) => at === '/')?.[5] ?? '';
  if (user !== IMAGE_USER) throw new Error(`It runs as user ${user}.`);
  if (!/^0+$/.test(capabilities)) throw new Error(`It has the capabilities ${capabilities}.`);
  if (noNewPrivileges !== '1') throw new Error('It may gain rights.');
  if (!options.split(',').includes('ro')) throw new Error(`Its root is mounted ${options}.`);
  return `as user ${user}, without capabilities or a way to gain rights, on a read-only root`;
}
