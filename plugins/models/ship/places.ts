/**
 * Places of the sources in a bundle, where a person works on a transform: a minified one has one line, and
 * says of no error where to look. Node reads them of a process with `--enable-source-maps`, as the host’s.
 */

const MARK = '//# sourceMappingURL=data:application/json;base64,';

/** A bundle as it is without them: the same bytes as of one that was made so. */
export const withoutPlaces = (code: string): string => code.split(MARK, 1)[0] as string;

/** @returns `code` below some lines, which its places, where it has them, then know of */
export function below(lines: readonly string[], code: string): string {
  const [bare = '', places] = code.split(MARK);
  const whole = `${lines.join('')}${bare}`;
  if (places === undefined) return whole;
  const map = JSON.parse(Buffer.from(places, 'base64').toString());
  // Lines of the bundle are parted by semicolons.
  const moved = { ...map, mappings: `${';'.repeat(lines.length)}${map.mappings}` };
  return `${whole}${MARK}${Buffer.from(JSON.stringify(moved)).toString('base64')}\n`;
}
