import { type FSWatcher, statSync, watch } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Model } from '../declaration/model.ts';

/** Exporters write a model in several steps; what is read between them is half of it. */
const SETTLE_MS = 400;

/**
 * Calls `changed` after a model's files have been written: its folder's, since external data and the
 * transform lie beside the graph. What lies elsewhere is not watched.
 * @param serviceDir absolute
 * @returns a function that ends it
 */
export function watchModels(
  models: readonly Model[],
  serviceDir: string,
  changed: (model: Model) => void,
): () => void {
  const watchers: FSWatcher[] = [];
  const timers = new Map<string, NodeJS.Timeout>();
  for (const model of models) {
    if (model.artifact.path === undefined) continue;
    const path = resolve(serviceDir, model.artifact.path);
    const isFolder = statSync(path).isDirectory();
    // A file may lie at the service's root, beside node_modules: only a folder that is the artifact is
    // watched to its depths.
    const watcher = watch(isFolder ? path : dirname(path), { recursive: isFolder }, (_, file) => {
      if (file?.startsWith('.') === true) return;
      clearTimeout(timers.get(model.name));
      timers.set(
        model.name,
        setTimeout(() => changed(model), SETTLE_MS),
      );
    });
    // A folder that goes away ends its watching, not the serving.
    watcher.on('error', () => watcher.close());
    watchers.push(watcher);
  }
  return () => {
    for (const watcher of watchers) watcher.close();
    for (const timer of timers.values()) clearTimeout(timer);
  };
}
