import { type FSWatcher, statSync, watch } from 'node:fs';
import { basename, dirname, resolve, sep } from 'node:path';
import type { Model } from '../declaration/model.ts';
import { type BeingWritten, SETTLE_MS, settledFiles, writtenAt } from './settled.ts';

/**
 * Calls `changed` after a model's files have been written: its folder's, since external data and the
 * transform lie beside the graph. What lies elsewhere is not watched. Something else that is written there
 * without a pause does not put it off for good.
 * @param serviceDir absolute
 * @param lost called once for a model whose changes the system does not tell, or no longer: it has a limit of
 * what is watched
 * @returns a function that ends it
 */
export function watchModels(
  models: readonly Model[],
  serviceDir: string,
  changed: (model: Model) => void,
  lost: (model: Model, error: NodeJS.ErrnoException) => void,
): () => void {
  const ends: (() => void)[] = [];
  for (const model of models) {
    if (model.artifact.path === undefined) continue;
    const path = resolve(serviceDir, model.artifact.path);
    const isFolder = statSync(path).isDirectory();
    // A file may lie at the service's root, beside node_modules: only a folder that is the artifact is
    // watched to its depths.
    const folder = isFolder ? path : dirname(path);
    const settling = settlingFiles(() => changed(model));
    ends.push(settling.end);
    const heard: Heard = (_, file) => {
      if (file?.startsWith('.') !== true) settling.written(file ?? '');
    };
    let isLost = false;
    const failed: Failed = (error) => {
      if (!isLost) lost(model, error);
      isLost = true;
    };
    try {
      ends.push(follow(folder, foldersAbove(folder, serviceDir), isFolder, heard, failed));
    } catch (error) {
      failed(error as NodeJS.ErrnoException);
    }
  }
  return () => {
    for (const end of ends) end();
  };
}

/** Tells of files once they rest. */
function settlingFiles(tell: () => void): { written(file: string): void; end(): void } {
  const files = new Map<string, BeingWritten>();
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const now = performance.now();
    const settled = settledFiles(files, now);
    for (const file of settled) files.delete(file);
    const last = Math.max(...[...files.values()].map((file) => file.last));
    timer = files.size === 0 ? undefined : setTimeout(look, Math.max(1, last + SETTLE_MS - now));
    if (settled.length > 0) tell();
  };
  return {
    written(file) {
      files.set(file, writtenAt(files.get(file), performance.now()));
      timer ??= setTimeout(look, SETTLE_MS);
    },
    end: () => clearTimeout(timer),
  };
}

/** Those that it lies in: up to the service's own, or the nearest one where it lies elsewhere. */
function foldersAbove(folder: string, serviceDir: string): readonly string[] {
  if (folder === serviceDir) return [];
  const parent = dirname(folder);
  return folder.startsWith(`${serviceDir}${sep}`) ? [parent, ...foldersAbove(parent, serviceDir)] : [parent];
}

type Heard = (event: string, file: string | null) => void;
type Failed = (error: NodeJS.ErrnoException) => void;

/** What the system says where it watches no more: https://man7.org/linux/man-pages/man7/inotify.7.html */
const LIMITS: ReadonlySet<unknown> = new Set(['ENOSPC', 'EMFILE', 'ENFILE', 'ENOMEM']);

/**
 * Watches a folder by its name. Exporters remove it and make it again, and a watcher hears nothing of the new
 * one: the folder above, which is followed as this one is, tells when to open another.
 *
 * @param above its parent, and those above that
 * @returns a function that ends it
 */
function follow(
  folder: string,
  [parent, ...higher]: readonly string[],
  recursive: boolean,
  heard: Heard,
  failed: Failed,
): () => void {
  // Any other error is that of a folder which has gone.
  const failedAtLimit: Failed = (error) => {
    if (LIMITS.has(error.code)) failed(error);
  };
  const opened = (): FSWatcher => {
    const watcher = watch(folder, { recursive }, heard);
    // A folder that goes away ends its watching, not the serving.
    return watcher.on('error', (error) => {
      watcher.close();
      failedAtLimit(error);
    });
  };
  let own: FSWatcher | undefined = opened();
  const again: Heard = (event, file) => {
    if (event !== 'rename' || (file !== null && file !== basename(folder))) return;
    own?.close();
    own = whereItMay(opened, failedAtLimit);
    heard('rename', null);
  };
  const end = parent && whereItMay(() => follow(parent, higher, false, again, failed));
  return () => {
    own?.close();
    if (end) end();
  };
}

/** A folder may be gone, and one that lies above may be somebody else's. */
function whereItMay<T>(work: () => T, failed: Failed = () => {}): T | undefined {
  try {
    return work();
  } catch (error) {
    failed(error as NodeJS.ErrnoException);
    return undefined;
  }
}
