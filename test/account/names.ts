/** What a run calls its things, so that a later one finds them without any memory of it. Pure. */

/** Stage of the service. */
export const STAGE = 'dev';
/** Key of the tag on everything that takes one; its value is the run's name. */
export const TAG = 'serverless-models-account';
/** Key of the tag that says in which region: roles are of the whole account. */
export const REGION_TAG = `${TAG}-region`;
const PREFIX = 'smcheck-';
const NAME = new RegExp(`^${PREFIX}[0-9a-f]{8}(?=-|$)`);

/** @param random eight hexadecimal digits */
export const nameOf = (random: string): string => `${PREFIX}${random}`;

/** The run that something belongs to, by its name; undefined where it is none of ours. */
export const runIn = (name: string): string | undefined => NAME.exec(name)?.[0];

/** What all runs' names begin with, for calls that filter by it: what they find goes through `runIn`. */
export const ANY = PREFIX;

export const stackOf = (name: string): string => `${name}-${STAGE}`;
/** The demo's own model. */
export const functionOf = (name: string): string => `${stackOf(name)}-employment`;
/** A second one, whose name does not begin with service and stage. */
export const asideOf = (name: string): string => `${name}-aside`;
export const bucketsOf = (name: string): { readonly rows: string; readonly scored: string } => ({
  rows: `${name}-rows`,
  scored: `${name}-scored`,
});
export const newsOf = (name: string): string => `${name}-news`;
