/** Ends of lines, and tabs. */
const BREAKS = /[\t-\r\u0085\u2028\u2029]+/g;

/**
 * What a terminal obeys, what turns the order of the letters that a person reads, and what nobody sees, which
 * makes two texts look like one: https://www.unicode.org/reports/tr36/
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]+/gu;

/**
 * A text of somebody else as people are shown it: one line, with a mark where something was that they would
 * not see. It is not left out: what looks like a known name would be that name then.
 */
export const plainText = (text: string): string => text.replace(BREAKS, ' ').replace(UNSEEN, '\uFFFD');

/** The first character that nobody sees, and its place from 1: `U+202E`. */
export function unseenIn(text: string): { readonly shown: string; readonly place: number } | undefined {
  const at = text.search(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u);
  if (at < 0) return undefined;
  const code = (text.codePointAt(at) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return { shown: `U+${code}`, place: at + 1 };
}
