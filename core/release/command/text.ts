/**
 * A text with stage and region in every command that is to be copied (`sls …` in double quotes or backticks):
 * whoever is woken by it may be in any folder, where the default stage is another one, and the service of
 * another region would be rolled back.
 *
 * @param region absent: whoever reads it has just named it, or need not
 */
export const staged = (text: string, stage: string, region?: string): string =>
  text.replace(
    /(["`])(sls [^"`]*?)\1/g,
    (_, quote: string, command: string) =>
      `${quote}${withOption(withOption(command, 'stage', stage), 'region', region)}${quote}`,
  );

/** A command with an option; unchanged where it has the option already, or there is no value. */
export const withOption = (command: string, option: string, value: string | undefined): string =>
  value === undefined || new RegExp(`(^| )--${option}( |=|$)`).test(command)
    ? command
    : `${command} --${option} ${value}`;

/** Stage and region in the scope of a registry, `models/<account>/<region>/<service>/<stage>/`. */
export function placeOfScope(scope: string): { readonly stage: string; readonly region: string } {
  const [, , region = '', , stage = ''] = scope.split('/');
  return { stage, region };
}
