import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import layer from '../../../../layers/onnxruntime/layer.json' with { type: 'json' };
import { cacheFolder, keyOf, once } from '../../disk/cache.ts';
import { inFolder } from '../../disk/folder.ts';
import { npmPack } from '../../disk/npm.ts';
import { tarFiles } from '../../disk/tar.ts';
import { problemError } from '../../problems/errors.ts';
import { joinedBytes, joinFiles } from './join.ts';

export type Progress = (text: string | undefined) => void;

type Pinned = Readonly<Record<string, { readonly sha256: string; readonly bytes: number }>>;
type Target = {
  readonly lambda?: { readonly architecture: string; readonly machine: number };
  readonly files: Pinned;
};
const targets: Readonly<Record<string, Target>> = layer.targets;
const packages: Readonly<
  Record<string, { readonly integrity: string; readonly bytes: number; readonly files: Pinned }>
> = layer.packages;
const NODE = 'onnxruntime-node';
const COMMON = 'onnxruntime-common';
/** The files of onnxruntime-common that become one. */
const JOINED = 'dist/cjs/';
/** Part of the cache key: raise it when other folders are made of the same files. */
const RECIPE = 2;

/** The pinned version of ONNX Runtime: on Lambda, on this machine, and in every identity. */
export const ORT_VERSION: string = layer.version;

/** A binding, and the library that it loads. */
export const ON_LAMBDA = { pinned: layer, mostBytes: layer.unzippedLimit, libraries: 2 } as const;

/**
 * ONNX Runtime for this machine, downloaded with npm on first use (113 MB) and cached.
 *
 * @returns absolute path of a `node_modules` folder, for NODE_PATH; undefined where ONNX Runtime has no build
 * for this platform
 * @throws ProblemError `MODELS_RUNTIME_UNAVAILABLE`, `MODELS_RUNTIME_TAMPERED`
 */
export async function hostRuntime(progress: Progress = () => {}): Promise<string | undefined> {
  const target = `${process.platform}-${process.arch}`;
  if (targets[target] === undefined || usesMusl()) return undefined;
  return join(await obtain(progress), target, 'node_modules');
}

/** The folder that becomes the layer of `architecture`, and the ELF machine its libraries must have. */
export async function lambdaRuntime(
  architecture: string,
  progress: Progress,
): Promise<{ readonly folder: string; readonly machine: number }> {
  for (const [target, { lambda }] of Object.entries(targets)) {
    if (lambda?.architecture === architecture) {
      return { folder: join(await obtain(progress), target), machine: lambda.machine };
    }
  }
  throw new Error(`layer.json has no target for ${architecture}`);
}

/** @returns size of the layer of `architecture`, unzipped, in bytes. */
export function layerBytes(architecture: string): number {
  const target = Object.values(targets).find(({ lambda }) => lambda?.architecture === architecture);
  const sets = [target?.files ?? {}, ...Object.values(packages).map(({ files }) => files)];
  const licences = Object.keys(packages).length * Buffer.byteLength(layer.licence);
  const files = sets.flatMap((set) => Object.entries(set).map(([path, { bytes }]) => ({ path, bytes })));
  const isJoined = ({ path }: { path: string }): boolean => path.startsWith(JOINED) && path.endsWith('.js');
  const joined = joinedBytes(
    files.filter(isJoined).map(({ path, bytes }) => ({ name: path.slice(JOINED.length), bytes })),
  );
  return files.filter((file) => !isJoined(file)).reduce((sum, { bytes }) => sum + bytes, licences + joined);
}

/** ONNX Runtime is linked against glibc; Alpine's musl cannot load it. */
function usesMusl(): boolean {
  if (process.platform !== 'linux') return false;
  // Else the report looks up the names of all peers, which can take seconds.
  Object.assign(process.report, { excludeNetwork: true });
  const report: unknown = process.report.getReport();
  const header =
    typeof report === 'object' && report !== null && 'header' in report ? report.header : undefined;
  return !(typeof header === 'object' && header !== null && 'glibcVersionRuntime' in header);
}

/** One folder with a `<platform>-<arch>/node_modules` for each Lambda architecture and for this machine. */
async function obtain(progress: Progress): Promise<string> {
  const host = `${process.platform}-${process.arch}`;
  const wanted = Object.keys(targets).filter((name) => name === host || targets[name]?.lambda !== undefined);
  const folder = cacheFolder('onnxruntime', keyOf(layer, wanted, RECIPE).slice(0, 16));
  return once(folder, async (draft) => {
    for (const [name, { integrity, bytes, files }] of Object.entries(packages)) {
      const places = new Map<string, { to: string[]; sha256: string }>();
      const place = (target: string, pinned: Pinned): void => {
        for (const [path, { sha256 }] of Object.entries(pinned)) {
          const to = join(draft, target, 'node_modules', name, path);
          places.set(path, { to: [...(places.get(path)?.to ?? []), to], sha256 });
        }
      };
      for (const target of wanted) {
        place(target, files);
        if (name === NODE) place(target, targets[target]?.files ?? {});
        const licence = join(draft, target, 'node_modules', name, 'LICENSE');
        await mkdir(dirname(licence), { recursive: true });
        await writeFile(licence, layer.licence);
      }
      await cut(`${name}@${layer.version}`, integrity, bytes, places, progress);
    }
    for (const target of wanted) await joinFiles(join(draft, target, 'node_modules', COMMON, JOINED));
  });
}

/** Downloads one package and writes just the wanted files of it, each with the pinned digest. */
async function cut(
  spec: string,
  integrity: string,
  bytes: number,
  places: ReadonlyMap<string, { readonly to: readonly string[]; readonly sha256: string }>,
  progress: Progress,
): Promise<void> {
  const started = Date.now();
  const say = (): void => {
    const seconds = Math.round((Date.now() - started) / 1000);
    progress(`Downloading ${spec} (${Math.ceil(bytes / 1e6)} MB, once; ${seconds} s)`);
  };
  say();
  const timer = setInterval(say, 1000);
  // Whoever waits for so much may well interrupt it.
  await inFolder(async (work) => {
    const tarball = await npmPack(spec, integrity, work);
    const missing = new Set(places.keys());
    for await (const { path, body } of tarFiles(createReadStream(tarball).pipe(createGunzip()))) {
      const inside = path.replace(/^[^/]+\//, ''); // npm's tarballs have one folder, mostly `package/`.
      const place = places.get(inside);
      const [first, ...others] = place?.to ?? [];
      if (place === undefined || first === undefined) continue;
      const hash = createHash('sha256');
      await mkdir(dirname(first), { recursive: true });
      await pipeline(
        body,
        async function* (source: AsyncIterable<Uint8Array>) {
          for await (const chunk of source) {
            hash.update(chunk);
            yield chunk;
          }
        },
        createWriteStream(first),
      );
      if (hash.digest('hex') !== place.sha256) throw tampered(spec, inside);
      for (const other of others) {
        await mkdir(dirname(other), { recursive: true });
        await pipeline(createReadStream(first), createWriteStream(other));
      }
      missing.delete(inside);
    }
    const [absent] = missing;
    if (absent !== undefined) throw tampered(spec, absent);
  }).finally(() => {
    clearInterval(timer);
    progress(undefined);
  });
}

function tampered(spec: string, path: string): Error {
  return problemError([
    {
      code: 'MODELS_RUNTIME_TAMPERED',
      key: 'custom.models',
      message: `The file ${path} of ${spec} is missing or has another sha256 than the pinned one.`,
      fix: 'Reinstall serverless-models; its list of files does not fit this package.',
    },
  ]);
}
