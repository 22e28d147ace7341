import { withOption } from '../../../core/release/command/text.ts';
import { visible } from '../problems/errors.ts';

/** What the framework gives a plugin to speak to people with. */
export type Utils = {
  readonly log: { readonly notice: (text?: string) => void; readonly warning: (text: string) => void };
  readonly writeText: (text: string) => void;
  readonly progress: {
    readonly get: (name: string) => { readonly notice: (text: string) => void; readonly remove: () => void };
  };
};

/** Command-line options by name. */
type Flags = Readonly<Record<string, unknown>>;

/** Options by which a command line names another service than the folder and the shell do by themselves. */
const OPTIONS = ['stage', 'region', 'aws-profile', 'config'] as const;

/** The profile that a command line asks in, whether `--aws-profile` or serverless.yml names it. */
export const PROFILE = 'profile';

/**
 * Commands of the AWS CLI name function and region themselves; in another profile they would be of another
 * account.
 */
const ofProfile = (text: string, profile: string | undefined): string =>
  profile === undefined
    ? text
    : text.replace(/\b(aws [a-z0-9-]+ (?:wait )?[a-z0-9-]+) (?=--|s3:)/g, `$1 --profile ${profile} `);

/**
 * A text whose commands (`sls …` in backticks, also those of a page) ask the service that this command
 * asked. Without that the one of the folder's own stage and region would be rolled back in place of it. JSON
 * stays JSON. Pure.
 *
 * @param flags command-line options by name
 */
export const sameService = (text: string, flags: Flags): string =>
  ofProfile(text, wordOf(flags[PROFILE])).replace(
    /(`|&#96;)(sls [^`]*?)\1/g,
    (_, tick: string, command: string) => {
      const repeated = OPTIONS.reduce(
        (whole, option) => withOption(whole, option, wordOf(flags[option])),
        command,
      );
      const asked = `${repeated}${paramsOf(flags.param)}`;
      return `${tick}${tick === '`' ? asked : asked.replace(/[<>]/g, (sign) => (sign === '<' ? '&lt;' : '&gt;'))}${tick}`;
    },
  );

/**
 * The names of what `--param` gave, at the end: values may be secrets, and texts end in logs. `<name>` is no
 * word for a shell, which runs nothing of the line until a value is put in its place; without its params
 * `sls deploy` would deploy another artifact.
 */
const paramsOf = (given: unknown): string =>
  [given]
    .flat()
    .flatMap((one) => (typeof one === 'string' ? (/^([\w.-]+)=/.exec(one)?.[1] ?? []) : []))
    .filter((name, at, names) => names.indexOf(name) === at)
    .map((name) => ` --param ${name}=<${name}>`)
    .join('');

/** As a shell takes it, and JSON; undefined where nothing is given, or what would have to be escaped. */
const wordOf = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[\w@%+=:,./-]+$/.test(value) ? value : undefined;

/**
 * The same, and nothing that it is given does more to a terminal than be read; commands to be copied ask whom
 * this one asked.
 */
export const visibly = ({ log, writeText, progress }: Utils, flags: Flags = {}): Utils => ({
  log: {
    notice: (text) => log.notice(text && sameService(visible(text), flags)),
    warning: (text) => log.warning(sameService(visible(text), flags)),
  },
  writeText: (text) => writeText(sameService(visible(text), flags)),
  progress: {
    get: (name) => {
      const line = progress.get(name);
      return { notice: (text) => line.notice(visible(text)), remove: () => line.remove() };
    },
  },
});
