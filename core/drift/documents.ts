import type { ObjectPort } from '../ports/aws.ts';
import { DAY_MS, HOUR_MS } from '../units/time.ts';
import type { DriftWindow } from './contract.ts';
import { driftWindowIn } from './window-document.ts';
import { type History, type Named, oldNameOf, type Span, windowName, windowNamed } from './windows.ts';

/** Told the key of a document that nobody can read. It counts as none, and its window as judged. */
export type Damaged = (key: string) => void;

/**
 * The monitor's documents in the registry, below the scope: `drift/<model>/<window's start>-<its
 * seconds>.json`. Those of before have the start alone: how long such a window is only the document says.
 */
export type DriftDocuments = {
  /**
   * @param windows in a row, of one length
   * @returns windows of documents of any length that begin within these, or two days before, since a day may
   * be the last that was judged. Documents with old names: those that begin with one of these, and the latest
   */
  readonly kept: (model: string, windows: readonly Span[], damaged: Damaged) => Promise<readonly Span[]>;
  /** Lists all of them. @returns undefined where there is none */
  readonly history: (model: string, damaged: Damaged) => Promise<History | undefined>;
  /** @returns what was found in a window; undefined where nothing is kept, or it is of another schema */
  readonly read: (model: string, window: Span, damaged: Damaged) => Promise<DriftWindow | undefined>;
  /** Writes what was found in a window. `changed`: there is a document already, and it stays. */
  readonly write: (window: DriftWindow) => Promise<'ok' | 'changed'>;
};

export function driftDocuments(objects: ObjectPort, scope: string): DriftDocuments {
  const folder = (model: string): string => `${scope}drift/${model}/`;
  const named = async (model: string, begin = ''): Promise<readonly Named[]> => {
    const keys = await objects.list(`${folder(model)}${begin}`);
    return keys.flatMap((key) => windowNamed(key.slice(folder(model).length).replace(/\.json$/, '')) ?? []);
  };
  const document = async (
    model: string,
    name: string,
    damaged: Damaged,
  ): Promise<DriftWindow | undefined> => {
    const key = `${folder(model)}${name}.json`;
    const kept = await objects.get(key);
    const found = kept && driftWindowIn(kept.text);
    if (found === 'damaged') damaged(key);
    return found === 'damaged' ? undefined : found;
  };
  /** @param length of what cannot be read: it is done, whatever it says */
  const whole = async (
    model: string,
    { from, to }: Named,
    length: number,
    damaged: Damaged,
  ): Promise<Span> => {
    if (to !== undefined) return { from, to };
    const found = await document(model, oldNameOf({ from, to: from }), damaged);
    return { from, to: found === undefined ? from + length : Date.parse(found.to) };
  };
  return {
    kept: async (model, windows, damaged) => {
      const [oldest] = windows;
      if (oldest === undefined) return [];
      const starts = new Set(windows.map(({ from }) => from));
      const listed = (await Promise.all(beginnings(windows).map((begin) => named(model, begin)))).flat();
      const since = dayOf(oldest.from - 2 * DAY_MS);
      const found = listed.filter(({ from }) => from >= since);
      const latest = Math.max(...found.filter(({ to }) => to === undefined).map(({ from }) => from));
      return Promise.all(
        found
          .filter(({ from, to }) => to !== undefined || starts.has(from) || from === latest)
          .map((one) => whole(model, one, oldest.to - oldest.from, damaged)),
      );
    },
    history: async (model, damaged) => {
      // Names are in the order of time.
      const all = await named(model);
      const [first, last] = [all[0], all.at(-1)];
      if (first === undefined || last === undefined) return undefined;
      return { first: await whole(model, first, 0, damaged), last: await whole(model, last, 0, damaged) };
    },
    read: async (model, window, damaged) => {
      const found = await document(model, windowName(window), damaged);
      if (found !== undefined) return found;
      const old = await document(model, oldNameOf(window), damaged);
      return old !== undefined && Date.parse(old.to) === window.to ? old : undefined;
    },
    write: (window) => {
      const name = windowName({ from: Date.parse(window.from), to: Date.parse(window.to) });
      return objects.create(`${folder(window.model)}${name}.json`, `${JSON.stringify(window)}\n`);
    },
  };
}

const dayOf = (at: number): number => Math.floor(at / DAY_MS) * DAY_MS;

/**
 * Days, or months, that names of these windows begin with, and of those two days before: years of others are
 * not listed. Each list costs, in every run and of every model: a month by the hour fits into a page of one.
 */
function beginnings(windows: readonly Span[]): readonly string[] {
  const days = windows.every(({ from, to }) => to - from < HOUR_MS);
  const [first = 0] = windows.map(({ from }) => from);
  const starts = [
    ...[2, 1].map((day) => Math.max(0, first - day * DAY_MS)),
    ...windows.map(({ from }) => from),
  ];
  return [...new Set(starts.map((from) => oldNameOf({ from, to: from }).slice(0, days ? 10 : 7)))];
}
