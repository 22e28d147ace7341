/**
 * An image on a base of Debian's packages, by everything that tests use where it is there: read, kept, run
 * without rights, asked as Lambda asks, and asked for long.
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Base, baseOf, pushBase } from '../image-base.ts';
import { load, loadUntilItEnds } from '../image-load.ts';
import { dockerRegistry } from '../image-registries.ts';
import {
  configIn,
  following,
  IMAGE_USER,
  type ImageConfig,
  portOfHost,
  type Started,
  startByRunc,
} from '../image-run.ts';
import { bringTools, lackingTools, toolPath } from '../image-tools.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..', '..');
const local = join(root, '.local');

/** Requests of the long run. */
export const IMAGE_REQUESTS = 1_000_000;

const MEMORY_MB = 512;

/** @param requests of the long run */
export async function imageSoak(requests: number): Promise<string> {
  const lacks = lackingTools();
  if (lacks.length > 0) throw new Error(`needs ${lacks.join(', ')}: ${bringTools(lacks)}`);
  const folder = await mkdtemp(join(tmpdir(), 'soak-image-'));
  const registry = await dockerRegistry(join(folder, 'registry'));
  try {
    const base = await debianBase();
    const host = `127.0.0.1:${registry.port}`;
    await pushBase(`http://${host}`, 'debian-node', base);
    const reference = `${host}/debian-node@${base.manifest.digest}`;
    const service = join(folder, 'service');
    await writeService(service);
    const pushed = await makeImage(service, [
      '--base',
      reference,
      '--push',
      `${host}/churn:v1`,
      '--output',
      'image',
    ]);
    const layout = join(service, 'image');
    await readBySkopeo(`docker://${host}/churn:v1`, pushed.digest);
    const bundle = join(folder, 'bundle');
    await run('umoci', ['unpack', '--image', `${layout}:churn`, bundle]);
    const config = await configIn(layout);
    const rie = await askByRie(join(bundle, 'rootfs'), config);
    const long = await askForLong(bundle, config, requests);
    const ended = await endUnderLoad(bundle, config);
    return `image of ${(pushed.bytes / 1e6).toFixed(0)} MB, pushed and read; ${rie}; ${long}; ${ended}`;
  } finally {
    registry.child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}

const PACKAGES = ['libc6', 'libgcc-s1', 'libstdc++6', 'ca-certificates', 'base-files'];
/** What no program here reads. */
const DROPPED = ['usr/share/doc', 'usr/share/locale', 'usr/share/man', 'usr/share/zoneinfo'];

/** Made once of Debian's packages, and of npm's Node: https://wiki.debian.org/DebianRepository */
async function debianBase(): Promise<Base> {
  const kept = join(local, `image-base-${process.version}.tar`);
  if (!existsSync(kept)) {
    const work = await mkdtemp(join(tmpdir(), 'soak-base-'));
    try {
      const [debs, rootfs] = [join(work, 'debs'), join(work, 'root')];
      await mkdir(debs);
      await run('apt-get', ['download', ...PACKAGES], { cwd: debs }).catch((error: Error) => {
        throw new Error(`needs Debian's packages: apt-get update. ${error.message}`);
      });
      for (const deb of await readdir(debs)) await run('dpkg-deb', ['-x', join(debs, deb), rootfs]);
      for (const path of DROPPED) await rm(join(rootfs, path), { recursive: true, force: true });
      await mkdir(join(rootfs, 'usr', 'local', 'bin'), { recursive: true });
      await run('cp', [process.execPath, join(rootfs, 'usr', 'local', 'bin', 'node')]);
      for (const path of ['proc', 'sys', 'dev', 'tmp']) await mkdir(join(rootfs, path), { recursive: true });
      const order = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];
      await run('tar', [...order, '-C', rootfs, '-cf', join(work, 'base.tar'), '.']);
      await mkdir(local, { recursive: true });
      await run('cp', [join(work, 'base.tar'), `${kept}.part`]);
      await rename(`${kept}.part`, kept);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  return baseOf(await readFile(kept), ['PATH=/usr/local/bin:/usr/bin:/bin']);
}

async function writeService(folder: string): Promise<void> {
  await mkdir(folder);
  await run('ln', ['-s', root, join(folder, 'repository')]);
  await run('cp', [join(root, 'test', 'fixtures', 'models', 'logreg.onnx'), folder]);
  await writeFile(
    join(folder, 'serverless.yml'),
    'plugins: [./repository/plugins/models/plugin.ts]\nservice: shop\nprovider: {name: aws}\nmodels:\n  churn: {artifact: logreg.onnx}\n',
  );
}

async function makeImage(
  folder: string,
  args: readonly string[],
): Promise<{ digest: string; bytes: number }> {
  const cli = join(root, 'node_modules', 'osls', 'bin', 'serverless.js');
  const { stdout } = await run(process.execPath, [cli, 'models', 'image', '--json', ...args], {
    cwd: folder,
  });
  return JSON.parse(stdout);
}

async function readBySkopeo(place: string, digest: string): Promise<void> {
  const { stdout } = await run('skopeo', ['inspect', '--tls-verify=false', place]);
  const { Digest: found } = JSON.parse(stdout);
  if (found !== digest) throw new Error(`skopeo finds ${found}, not ${digest}`);
}

const RIE = 'github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie';
const RIE_VERSION = 'v0.0.0-20261030222936-bef5c4ba774d';

/** Lambda's own emulator, with the image's entry point as its function. */
async function askByRie(rootfs: string, { Env, Entrypoint }: ImageConfig): Promise<string> {
  const go = toolPath('go');
  if (go === undefined)
    throw new Error('needs go on the PATH, which builds Lambda’s emulator: apt install golang');
  const bin = join(local, `rie-${RIE_VERSION}`);
  const emulator = join(bin, 'aws-lambda-rie');
  if (!existsSync(emulator))
    await run(go, ['install', `${RIE}@${RIE_VERSION}`], {
      env: { ...process.env, GOBIN: bin, CGO_ENABLED: '0', GOFLAGS: '-mod=mod' },
    });
  const [port, api] = [await freePort(), await freePort()];
  const variables = Env.map((entry) => entry.split(/=(.*)/s).slice(0, 2));
  const started = following(
    spawn(
      'bwrap',
      [
        ...['--ro-bind', rootfs, '/'],
        ...['--dev', '/dev', '--proc', '/proc', '--tmpfs', '/tmp', '--ro-bind', emulator, '/tmp/rie'],
        ...[
          '--unshare-user',
          '--uid',
          String(IMAGE_USER),
          '--gid',
          String(IMAGE_USER),
          '--unshare-pid',
          '--cap-drop',
          'ALL',
        ],
        ...['--clearenv', '--die-with-parent'],
        ...variables.flatMap(([name = '', value = '']) => ['--setenv', name, value]),
        ...['/tmp/rie', '--runtime-interface-emulator-address', `127.0.0.1:${port}`],
        ...['--runtime-api-address', `127.0.0.1:${api}`, ...Entrypoint],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    ),
  );
  try {
    const url = `http://127.0.0.1:${port}/2015-03-31/functions/function/invocations`;
    const body = await bodyText();
    const began = performance.now();
    const first = await eventually(() => fetch(url, { method: 'POST', body }), started);
    const answer = (await first.json()) as { readonly outputs?: unknown };
    const took = performance.now() - began;
    if (!Array.isArray(answer.outputs))
      throw new Error(`RIE gives ${JSON.stringify(answer)}: ${started.output()}`);
    return `asked by RIE, first answer after ${took.toFixed(0)} ms`;
  } finally {
    started.child.kill('SIGKILL');
    await started.ended;
  }
}

async function eventually<T>(work: () => Promise<T>, { output }: Started): Promise<T> {
  for (let left = 200; ; left -= 1) {
    try {
      return await work();
    } catch (error) {
      if (left === 0) throw new Error(`${error}: ${output()}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function bodyText(): Promise<string> {
  const answers = JSON.parse(
    await readFile(join(root, 'test', 'fixtures', 'models', 'answers.json'), 'utf8'),
  );
  return JSON.stringify({ inputs: answers.models['logreg.onnx'].inputs });
}

const NAME = `soak-image-${process.pid}`;

async function askForLong(bundle: string, config: ImageConfig, requests: number): Promise<string> {
  const started = await startByRunc(bundle, config, { name: NAME, memoryMb: MEMORY_MB });
  try {
    const port = await portOfHost(started);
    const { pid }: { pid: number } = JSON.parse((await run('runc', ['state', NAME])).stdout);
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    for (const line of [`Uid:\t${IMAGE_USER}\t`, 'CapEff:\t0000000000000000', 'NoNewPrivs:\t1'])
      if (!status.includes(line)) throw new Error(`runs otherwise than by ${line}: ${status}`);
    const body = await bodyText();
    const atStart = await memoryOf(pid);
    const samples: number[] = [];
    const every = Math.max(1, Math.floor(requests / 20));
    const began = performance.now();
    const reading: Promise<void>[] = [];
    const { answered, lost } = await load(
      { port, model: 'churn', body },
      requests,
      () => false,
      (asked) => {
        if (asked % every !== 0) return;
        const at = asked / every - 1;
        reading.push(
          memoryOf(pid).then((bytes) => {
            samples[at] = bytes;
          }),
        );
      },
    );
    const rate = answered / ((performance.now() - began) / 1000);
    await Promise.all(reading);
    if (lost.length > 0 || answered !== requests)
      throw new Error(`${lost.length} of ${requests} lost: ${lost[0]}`);
    // Caches and compiled code have settled by a tenth.
    const early = Math.max(...samples.slice(2, 7));
    const late = Math.max(...samples.slice(-5));
    const grown = (late - early) / 1024 ** 2;
    if (grown > 32)
      throw new Error(`its memory grew by ${grown.toFixed(0)} MB: ${samples.map(mb).join(', ')}`);
    const memory = [atStart, samples[1] ?? 0, samples[9] ?? 0, samples[19] ?? 0].map(mb);
    return (
      `${answered} requests as user ${IMAGE_USER} without rights in ${MEMORY_MB} MB, none lost, ${rate.toFixed(0)}/s, ` +
      `memory ${memory[0]} MB at the start, ${memory[1]} after a tenth, ${memory[2]} in the middle, ${memory[3]} at the end`
    );
  } finally {
    await end(started);
  }
}

const mb = (bytes: number): string => (bytes / 1024 ** 2).toFixed(0);

/** Bytes that a process and its children have in memory. */
async function memoryOf(pid: number): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const own = await readFile(`/proc/${pid}/statm`, 'utf8').catch(() => '0 0');
  let sum = Number(own.split(' ')[1]) * 4096;
  for (const child of children.trim().split(' ').filter(Boolean)) sum += await memoryOf(Number(child));
  return sum;
}

async function endUnderLoad(bundle: string, config: ImageConfig): Promise<string> {
  const started = await startByRunc(bundle, config, { name: NAME, memoryMb: MEMORY_MB });
  try {
    const target = { port: await portOfHost(started), model: 'churn', body: await bodyText() };
    const { answered, lost } = await loadUntilItEnds(target, 2000, async () => {
      await run('runc', ['kill', NAME, 'TERM']);
    });
    const code = await started.ended;
    if (lost.length > 0) throw new Error(`${lost.length} requests lost at the end: ${lost[0]}`);
    if (code !== 0) throw new Error(`it ended with ${code}: ${started.output()}`);
    return `SIGTERM under load: ${answered} answered, none lost, ended with 0`;
  } finally {
    await end(started);
  }
}

async function end(started: Started): Promise<void> {
  await run('runc', ['kill', NAME, 'KILL']).catch(() => undefined);
  await started.ended;
  await run('runc', ['delete', '--force', NAME]).catch(() => undefined);
}
