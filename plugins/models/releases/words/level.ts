/** What a status says to a person: shapes, and which of two levels is worse. */

/** `ok`: sleep on. `look`: at daytime. `act`: now. */
export type Level = 'ok' | 'look' | 'act';

const LEVELS: readonly Level[] = ['ok', 'look', 'act'];

/** The one of both that asks more of a person. */
export const worse = (one: Level, other: Level): Level =>
  LEVELS.indexOf(one) > LEVELS.indexOf(other) ? one : other;

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
