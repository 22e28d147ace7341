/**
 * What Node loads before all else, in `NODE_OPTIONS`: https://nodejs.org/api/cli.html#node_optionsoptions. On
 * Lambda it lies in a layer, as that of who collects traces or errors; Node ends where it is not there.
 */
const PRELOADS =
  /(?<!\S)(?:-r|--require|--import|--loader|--experimental-loader)(?:=|\s+)("(?:\\.|[^"\\])*"|\S+)/g;

/** @returns paths, addresses and names of packages, as they are written, without quotes */
export const preloadsIn = (options: string): readonly string[] =>
  [...options.matchAll(PRELOADS)].map(([, file = '']) => file.replace(/^"(.*)"$/s, '$1'));

/**
 * The variables of a function for a machine that has no layers.
 *
 * @returns all of them, `NODE_OPTIONS` with what is left of it, if anything is
 */
export function withoutPreloads(variables: Readonly<Record<string, string>>): Record<string, string> {
  const { NODE_OPTIONS: options = '', ...others } = variables;
  const left = options.replace(PRELOADS, '').trim();
  return { ...others, ...(left !== '' && { NODE_OPTIONS: left }) };
}
