/** What a status says to a person. Shapes only. */

/** `ok`: sleep on. `look`: at daytime. `act`: now. */
export type Level = 'ok' | 'look' | 'act';

export type Advice = {
  readonly level: Level;
  /** What is so, in sentences. */
  readonly summary: string;
  /** What to do, a sentence each. */
  readonly todo: readonly string[];
  /** What happens by itself, and when. */
  readonly next?: string;
};

/** An alarm that is on. */
export type AlarmOn = { readonly alarm: string; readonly since: string };

/**
 * Commands to be copied: `sls models <verb>` with model and stage; `sls`: any other one, with the stage;
 * `aws`: with the region.
 */
export type Say = {
  (verb: string): string;
  readonly sls: (command: string) => string;
  readonly aws: (command: string) => string;
};
