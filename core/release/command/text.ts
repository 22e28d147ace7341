/**
 * A text with the stage in every command that is to be copied (`sls …` in double quotes or backticks):
 * whoever is woken by it may be in any folder, where the default stage is another one.
 */
export const staged = (text: string, stage: string): string =>
  text.replace(/(["`])(sls [^"`]*?)\1/g, (whole, quote: string, command: string) =>
    /(^| )--stage( |$)/.test(command) ? whole : `${quote}${command} --stage ${stage}${quote}`,
  );

/** The stage in the scope of a registry, `models/<account>/<region>/<service>/<stage>/`. */
export const stageOf = (scope: string): string => scope.split('/')[4] ?? '';
