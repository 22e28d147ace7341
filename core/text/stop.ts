/** Somebody else's words as a sentence: with a full stop, unless they have an end of their own. */
export const withStop = (words: string): string => (/[.!?]$/.test(words) ? words : `${words}.`);
