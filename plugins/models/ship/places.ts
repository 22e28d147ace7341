/**
 * Places of the sources in a bundle, where a person works on a transform: a minified one has one line, and
 * says of no error where to look. Node reads them of a process with `--enable-source-maps`, as the host’s.
 */

const MARK = '//# sourceMappingURL=data:application/json;base64,';

/**
 * The last line alone: what reads such maps has the mark in its own code, where more follows than a map.
 * @returns the code, and its map in base64 where it has one
 */
function parted(code: string): readonly [string, string?] {
  const at = code.lastIndexOf(`\n${MARK}`) + 1;
  const places = at > 0 ? code.slice(at + MARK.length).trimEnd() : '';
  return /^[\w+/]+=*$/.test(places) ? [code.slice(0, at), places] : [code];
}

/** A bundle as it is without them: the same bytes as of one that was made so. */
export const withoutPlaces = (code: string): string => parted(code)[0];

/** @returns `code` below some lines, which its places, where it has them, then know of */
export function below(lines: readonly string[], code: string): string {
  const [bare, places] = parted(code);
  const whole = `${lines.join('')}${bare}`;
  if (places === undefined) return whole;
  const map = JSON.parse(Buffer.from(places, 'base64').toString());
  // Lines of the bundle are parted by semicolons.
  const moved = { ...map, mappings: `${';'.repeat(lines.length)}${map.mappings}` };
  return `${whole}${MARK}${Buffer.from(JSON.stringify(moved)).toString('base64')}\n`;
}
