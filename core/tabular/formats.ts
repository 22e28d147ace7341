import type { TabularFormat } from './cells/tabular-format.ts';
import { csv } from './csv/csv.ts';
import { jsonl } from './jsonl/jsonl.ts';
import { npy } from './npy/npy.ts';
import { parquet } from './parquet/parquet.ts';

/**
 * The formats of tables, by the names that are declared. A new one is a folder beside these and an entry
 * here: what may be declared, the JSON Schema and the docs read this list.
 */
export const TABULAR_FORMATS: Readonly<Record<string, TabularFormat>> = { csv, jsonl, npy, parquet };

/** @param name one of the list's */
export function formatOf(name: string): TabularFormat {
  const found = Object.hasOwn(TABULAR_FORMATS, name) ? TABULAR_FORMATS[name] : undefined;
  if (found === undefined) throw new Error(`There is no format ${name}.`);
  return found;
}

/** Endings of its files: what is packed with gzip says so behind its own one. */
export const endingsOf = ({ suffix, streams }: TabularFormat): readonly string[] =>
  streams ? [suffix, `${suffix}.gz`] : [suffix];

/** @returns the name of the format whose files end so, in capitals or not; undefined for another file */
export const formatOfFile = (file: string): string | undefined =>
  Object.keys(TABULAR_FORMATS).find((name) =>
    endingsOf(formatOf(name)).some((ending) => file.toLowerCase().endsWith(ending)),
  );
