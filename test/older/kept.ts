/** What `make.ts` beside it keeps of main before. Shapes and names only. */

export const KEPT = new URL('./kept.json.br', import.meta.url);

export type Kept = {
  readonly commit: string;
  /** Modules: the plan of the release worker’s stack and the worker’s inner part; the plugin. */
  readonly pure: string;
  readonly plugin: string;
  /** The demo service’s package, by paths below its folder: texts, and of each zip the modules. */
  readonly files: Readonly<Record<string, string>>;
  readonly zips: Readonly<Record<string, Readonly<Record<string, string>>>>;
};

/** In the texts: where the package lies, and a zip’s digest as Lambda tells it. */
export const FOLDER_MARK = '<folder>';
export const digestMark = (zip: string): string => `<sha256 of ${zip}>`;
