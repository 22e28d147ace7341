import { createReadStream } from 'node:fs';
import { posix } from 'node:path';
import { lookIntoTar, type TarLook } from '../../disk/tar-look.ts';

/** What a base runs our host with. */
export type BaseNode = {
  /** As it is called: a folder of the PATH, and `node`. */
  readonly path: string;
  /** Without the `v`. */
  readonly version: string;
  /** Is there `/opt`, in which our files lie? */
  readonly hasOpt: boolean;
};

/** Where Node may be beside the PATH: Lambda's image, and images without a shell. */
const OTHERS = ['/var/lang/bin', '/usr/local/bin', '/usr/bin', '/bin', '/nodejs/bin'];

type Place = TarLook & { readonly layer: number };

/**
 * Finds Node in an image as a container would see it: layers over layers, with what a later one takes away.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts
 *
 * @param layers files of its layers, packed, the lowest first
 * @param env of its configuration
 * @returns or the end of a sentence about the image
 */
export async function nodeIn(
  layers: readonly string[],
  env: readonly string[],
): Promise<BaseNode | { readonly wrong: string }> {
  const places = new Map<string, Place>();
  for (const [layer, file] of layers.entries()) {
    const gone: Gone = { whole: new Set(), below: new Set() };
    const here: Place[] = [];
    await lookIntoTar(createReadStream(file), (entry) => {
      const [folder, name] = [posix.dirname(entry.path), posix.basename(entry.path)];
      if (name === '.wh..wh..opq') gone.below.add(folder);
      else if (name.startsWith('.wh.')) gone.whole.add(posix.join(folder, name.slice('.wh.'.length)));
      else here.push({ ...entry, layer });
      return undefined;
    });
    // What becomes a file has nothing below it any more.
    for (const { path, kind } of here)
      if (kind !== 'folder' && places.get(path)?.kind === 'folder') gone.below.add(path);
    if (gone.whole.size + gone.below.size > 0)
      for (const path of places.keys()) if (isGone(path, gone)) places.delete(path);
    for (const place of here) places.set(place.path, place);
  }
  if ([...places.keys()].some((path) => /(^|\/)ld-musl-[\w]+\.so/.test(path)))
    return { wrong: 'is built on musl, and ONNX Runtime needs glibc' };
  const [, path = ''] = env.map((entry) => /^PATH=(.*)$/.exec(entry)).find((found) => found !== null) ?? [];
  const folders = [...path.split(':').filter((folder) => folder.startsWith('/')), ...OTHERS];
  for (const folder of folders) {
    const found = resolved(places, posix.join(folder, 'node').slice(1));
    if (found === undefined) continue;
    const version = await versionIn(layers[found.layer] ?? '', found.path);
    if (version === undefined)
      return { wrong: `has ${folder}/node, whose version cannot be read: it is no program of Node’s own` };
    const opt = places.get('opt')?.kind;
    return { path: posix.join(folder, 'node'), version, hasOpt: opt === 'folder' || opt === 'link' };
  }
  return { wrong: `has no node in ${[...new Set(folders)].join(', ')}` };
}

/** What a layer takes away of those before: with all that is below, or this alone. */
type Gone = { readonly whole: Set<string>; readonly below: Set<string> };

/** Each path is looked up, not held against all: a layer may take away as many files as another one has. */
function isGone(path: string, { whole, below }: Gone): boolean {
  if (whole.has(path)) return true;
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    const folder = path.slice(0, end);
    if (whole.has(folder) || below.has(folder)) return true;
  }
  return false;
}

/** As many links as Linux follows. */
const LINKS = 40;

/** The file that a path leads to, through links of any part of it. */
function resolved(places: ReadonlyMap<string, Place>, path: string): Place | undefined {
  let rest = path.split('/');
  let at = '';
  for (let left = LINKS; left > 0; ) {
    const [part, ...others] = rest;
    if (part === undefined) return undefined;
    if (part === '' || part === '.' || part === '..') {
      if (part === '..') at = posix.dirname(at).replace(/^\.$/, '');
      rest = others;
      continue;
    }
    const next = at === '' ? part : `${at}/${part}`;
    const place = places.get(next);
    if (place?.kind === 'link' && place.to !== undefined) {
      left -= 1;
      if (place.to.startsWith('/')) at = '';
      rest = [...place.to.split('/'), ...others];
      continue;
    }
    if (others.length > 0) {
      at = next;
      rest = others;
      continue;
    }
    if (place?.kind === 'hardlink' && place.to !== undefined) {
      left -= 1;
      at = '';
      rest = place.to.replace(/^(\.?\/)+/, '').split('/');
      continue;
    }
    return place?.kind === 'file' ? place : undefined;
  }
  return undefined;
}

/** Bytes of a chunk that the next one may go on with. */
const OVERLAP = 32;

/**
 * Node says to debuggers who it is: `Browser` of https://nodejs.org/en/learn/getting-started/debugging#json
 */
async function versionIn(layer: string, path: string): Promise<string | undefined> {
  let tail = '';
  const found = new Set<string>();
  const look = (text: string): void => {
    for (const [, version = ''] of text.matchAll(/node\.js\/v(\d+\.\d+\.\d+)(?=\D)/g)) found.add(version);
  };
  await lookIntoTar(createReadStream(layer), (entry) => {
    if (entry.path !== path || entry.kind !== 'file') return undefined;
    return (chunk) => {
      const text = tail + chunk.toString('latin1');
      // What ends the chunk may go on in the next one.
      look(text);
      tail = text.slice(-OVERLAP);
    };
  });
  look(`${tail}\0`);
  const [version, second] = found;
  return second === undefined ? version : undefined;
}
