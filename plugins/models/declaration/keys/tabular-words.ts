import { formatOf, TABULAR_FORMATS } from '../../../../core/tabular/formats.ts';

/** What may be declared of tabular files, as the list of formats has it. */

/** Words of `batch[].format` and `outputFormat`. */
export const TABULAR_WORDS: readonly string[] = Object.keys(TABULAR_FORMATS);
/** Those that hold texts, too. */
export const FORMATS_OF_TEXTS = TABULAR_WORDS.filter((name) => !formatOf(name).isArray);
/** Endings of reference data. */
export const SUFFIXES: readonly string[] = TABULAR_WORDS.map((name) => formatOf(name).suffix);

/** `a, b or c` */
export const anyOf = (words: readonly string[]): string =>
  words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
