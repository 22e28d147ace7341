/** Every id that we make up, in one place. */

/** The one alias that clients call. */
export const ALIAS = 'live';

/** Keys of our own functions in the service; no model may start with `models-`. */
export const CATALOG = 'models-catalog';
export const RELEASE = 'models-release';
