import type { ObjectPort } from '../shared/aws/ports.ts';
import type { DriftWindow } from './contract.ts';
import { type History, nameOf, startOf, type Window } from './windows.ts';

/** The monitor's documents in the registry, below the scope: `drift/<model>/<window's start>.json`. */
export type Documents = {
  /** @returns the names of those windows, in a row, that have a document */
  readonly written: (model: string, windows: readonly Window[]) => Promise<ReadonlySet<string>>;
  /** Lists all of them. @returns undefined where there is none */
  readonly history: (model: string) => Promise<History | undefined>;
  /** @returns what was found in a window; undefined where nothing is kept, or it is of another schema */
  readonly read: (model: string, window: Window) => Promise<DriftWindow | undefined>;
  /** Writes what was found in a window. `changed`: there is a document already, and it stays. */
  readonly write: (window: DriftWindow) => Promise<'ok' | 'changed'>;
};

export function driftDocuments(objects: ObjectPort, scope: string): Documents {
  const folder = (model: string): string => `${scope}drift/${model}/`;
  const names = async (model: string, begin = ''): Promise<readonly string[]> => {
    const keys = await objects.list(`${folder(model)}${begin}`);
    return keys
      .map((key) => key.slice(folder(model).length).replace(/\.json$/, ''))
      .filter((name) => startOf(name) !== undefined);
  };
  return {
    written: async (model, windows) => {
      const wanted = new Set(windows.map(nameOf));
      const lists = await Promise.all(beginnings(windows).map((begin) => names(model, begin)));
      return new Set(lists.flat().filter((name) => wanted.has(name)));
    },
    history: async (model) => {
      // Names are in the order of time.
      const all = await names(model);
      const [first, last] = [all[0], all.at(-1)].map((name) => startOf(name ?? ''));
      return first === undefined || last === undefined ? undefined : { first, last };
    },
    read: async (model, window) => {
      const kept = await objects.get(`${folder(model)}${nameOf(window)}.json`);
      const found = kept && (JSON.parse(kept.text) as DriftWindow);
      return found?.schema === 1 ? found : undefined;
    },
    write: (window) => {
      const name = nameOf({ from: Date.parse(window.from), to: Date.parse(window.to) });
      return objects.create(`${folder(window.model)}${name}.json`, `${JSON.stringify(window)}\n`);
    },
  };
}

const DAY = 86_400_000;

/** Days, or months, that the windows' names begin with: years of other windows are not listed. */
function beginnings(windows: readonly Window[]): readonly string[] {
  const days = windows.every(({ from, to }) => to - from < DAY);
  return [...new Set(windows.map((window) => nameOf(window).slice(0, days ? 10 : 7)))];
}
