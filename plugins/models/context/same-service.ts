import { withOption } from '../../../core/release/command/text.ts';

/** Options by which a command line names another service than the folder and the shell do by themselves. */
const OPTIONS = ['region', 'aws-profile'] as const;

/**
 * A text whose commands (`sls …` in backticks) ask the service that this command asked. Without that the one
 * in the folder's own region would be rolled back in place of it. JSON stays JSON. Pure.
 *
 * @param flags command-line options by name
 */
export const sameService = (text: string, flags: Readonly<Record<string, unknown>>): string =>
  text.replace(/`(sls [^`]*?)`/g, (_, command: string) => {
    const repeated = OPTIONS.reduce(
      (whole, option) => withOption(whole, option, wordOf(flags[option])),
      command,
    );
    return `\`${repeated}\``;
  });

/** As a shell takes it, and JSON; undefined where nothing is given, or what would have to be escaped. */
const wordOf = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[\w@%+=:,./-]+$/.test(value) ? value : undefined;
