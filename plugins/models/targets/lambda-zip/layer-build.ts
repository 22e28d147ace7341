import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { ArtifactRuntime } from '../../contracts/artifact-format.ts';
import type { Architecture, LayerFacts } from '../../declaration/model.ts';
import { cacheFolder, keyOf, once } from '../../disk/cache.ts';
import { type ArchiveEntry, digestOf, filesBelow, sha256Of } from '../../disk/files.ts';
import { writeZip } from '../../disk/zip.ts';
import { problemError } from '../../problems/errors.ts';
import { readElf } from './elf.ts';

/**
 * What Amazon Linux 2023 under nodejs22.x and nodejs24.x has: glibc 2.34 and the C++ library of GCC 11.
 * https://docs.aws.amazon.com/linux/al2023/ug/compare-with-al2.html,
 * https://gcc.gnu.org/onlinedocs/libstdc++/manual/abi.html
 */
const BASE = {
  libraries: /^(lib(c|m|dl|rt|pthread|stdc\+\+|gcc_s)\.so\.\d+|ld-linux-(x86-64|aarch64)\.so\.\d)$/,
  versions: { GLIBC: [2, 34], GLIBCXX: [3, 4, 29], CXXABI: [1, 3, 13], GCC: [7, 0] },
} as const;

/** Part of the cache key: raise it when the layer is built differently from the same files. */
const RECIPE = 2;

/**
 * The layer of one architecture: a runtime's packages below `nodejs/node_modules`, without what Lambda does
 * not need. Built once, then taken from the cache. `sha256` is over paths and contents, so that it is the
 * same whichever zlib compressed the zip.
 *
 * @throws ProblemError when the runtime cannot be had, or is not what is pinned
 */
export async function buildLayer(
  runtime: ArtifactRuntime,
  architecture: Architecture,
  progress: (text: string | undefined) => void = () => {},
): Promise<{ readonly zip: string; readonly facts: LayerFacts }> {
  const { name, version, onLambda } = runtime;
  const key = keyOf(onLambda.pinned, RECIPE, architecture).slice(0, 16);
  const folder = await once(cacheFolder('layers', key), async (draft) => {
    const { folder: source, machine } = await onLambda.folder(architecture, progress);
    progress(`Building the ${name} layer for ${architecture}`);
    try {
      const entries = (await filesBelow(source)).map((entry) => ({ ...entry, path: `nodejs/${entry.path}` }));
      const unzippedBytes = entries.reduce((sum, { bytes }) => sum + bytes, 0);
      const faults = [...(await layerFaults(entries, machine, onLambda.libraries))];
      if (unzippedBytes > onLambda.mostBytes)
        faults.push(`is ${unzippedBytes} bytes, over ${onLambda.mostBytes}`);
      if (faults[0] !== undefined) throw refused(name, architecture, faults);
      const files: { path: string; sha256: string }[] = [];
      for (const { path, from } of entries) files.push({ path, sha256: await sha256Of(from) });
      const bytes = await writeZip(join(draft, 'layer.zip'), entries);
      const facts: LayerFacts = {
        architecture,
        version,
        sha256: digestOf(files),
        bytes,
        unzippedBytes,
      };
      await writeFile(join(draft, 'facts.json'), JSON.stringify(facts));
    } finally {
      progress(undefined);
    }
  });
  const facts: LayerFacts = JSON.parse(await readFile(join(folder, 'facts.json'), 'utf8'));
  return { zip: join(folder, 'layer.zip'), facts };
}

/** Why these libraries would not load on Lambda; empty when they would. */
export async function layerFaults(
  entries: readonly ArchiveEntry[],
  machine: number,
  count: number,
): Promise<readonly string[]> {
  const libraries = entries.filter(({ path }) => /\.(node|so(\.\d+)*)$/.test(path));
  const inside = new Set(libraries.map(({ path }) => basename(path)));
  const faults: string[] =
    libraries.length === count ? [] : [`has ${libraries.length} libraries, not ${count}`];
  for (const { path, from } of libraries) {
    const elf = readElf(await readFile(from));
    if (elf.machine !== machine)
      faults.push(`${path} is built for ELF machine ${elf.machine}, not ${machine}`);
    for (const name of elf.needed) {
      if (!inside.has(name) && !BASE.libraries.test(name))
        faults.push(`${path} needs ${name}, which Lambda lacks`);
    }
    for (const version of elf.versions) {
      if (!isInBase(version)) faults.push(`${path} needs ${version}, which Lambda lacks`);
    }
  }
  return faults;
}

/** @param version for example `GLIBC_2.28` */
function isInBase(version: string): boolean {
  const [, family = '', numbers = ''] = /^([A-Z]+)_([\d.]+)$/.exec(version) ?? [];
  const most = Object.entries(BASE.versions).find(([name]) => name === family)?.[1];
  // Versions that the library gives to its own symbols (VERS_1.30.0) are met inside the layer.
  if (most === undefined) return family === 'VERS';
  const parts = numbers.split('.').map(Number);
  for (const [index, limit] of most.entries()) {
    const part = parts[index] ?? 0;
    if (part !== limit) return part < limit;
  }
  return true;
}

function refused(name: string, architecture: Architecture, faults: readonly string[]): Error {
  return problemError([
    {
      code: 'MODELS_RUNTIME_TAMPERED',
      key: 'custom.models',
      message: `The ${name} layer for ${architecture} ${faults.join('; ')}.`,
      fix: `Reinstall serverless-models; its list of files does not fit this build of ${name}.`,
    },
  ]);
}
