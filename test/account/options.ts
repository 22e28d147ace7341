/** What was asked for on the command line. Pure. */

export type Options = {
  /** Names of checks; absent: all. */
  readonly only?: readonly string[];
  readonly region?: string;
  readonly profile?: string;
  readonly yes: boolean;
  readonly rehearse: boolean;
  readonly clean: boolean;
};

const FLAGS = ['yes', 'rehearse', 'clean'] as const;
const VALUES = ['region', 'profile'] as const;
const EXIST = ['--only <check…>', '--region <name>', '--profile <name>', '--yes', '--rehearse', '--clean'];

/** @returns a sentence where something is wrong */
export function optionsOf(args: readonly string[], checks: readonly string[]): Options | string {
  let options: Options = { yes: false, rehearse: false, clean: false };
  for (let at = 0; at < args.length; ) {
    const [word = '', glued] = (args[at] ?? '').split(/=(.*)/s);
    const name = word.replace(/^--/, '');
    at += 1;
    const isFlag = (FLAGS as readonly string[]).includes(name);
    const isValue = (VALUES as readonly string[]).includes(name);
    if (!word.startsWith('--') || (!isFlag && !isValue && name !== 'only'))
      return `${word} is no option of npm run account; there are ${EXIST.join(', ')}.`;
    if (isFlag) {
      if (glued !== undefined) return `${word} takes no value, and got ${glued}.`;
      options = { ...options, [name]: true };
      continue;
    }
    const rest = args.slice(at);
    const end = rest.findIndex((next) => next.startsWith('--'));
    const words = glued === undefined ? rest.slice(0, end < 0 ? rest.length : end) : [glued];
    const taken = isValue ? words.slice(0, 1) : words;
    if (glued === undefined) at += taken.length;
    const values = taken.flatMap((value) => value.split(',')).filter((value) => value !== '');
    if (values.length === 0) return `${word} needs a value, for example ${exampleOf(name, checks)}.`;
    const unknown = name === 'only' ? values.find((value) => !checks.includes(value)) : undefined;
    if (unknown !== undefined) return `--only: there is no check ${unknown}; there are ${checks.join(', ')}.`;
    options = { ...options, [name]: name === 'only' ? [...(options.only ?? []), ...values] : values[0] };
  }
  return clash(options) ?? options;
}

function clash({ clean, rehearse, only, region, profile }: Options): string | undefined {
  if (clean && rehearse)
    return '--clean and --rehearse exclude each other: a rehearsal’s AWS ends with the rehearsal.';
  if (clean && only !== undefined) return '--clean takes no --only: it removes whatever is left.';
  if (rehearse && (region !== undefined || profile !== undefined))
    return `--rehearse takes no ${region === undefined ? '--profile' : '--region'}: it uses no account.`;
  return undefined;
}

const exampleOf = (name: string, checks: readonly string[]): string =>
  ({ region: '--region eu-central-1', profile: '--profile sandbox' })[name] ??
  `--only ${checks.slice(0, 2).join(' ')}`;
