/** A name and a password may stand there; behind the last @ of a whole reference is its digest. */
const BEFORE_AT = /^.*@(?!sha256:[^@/]*$)/s;

/**
 * What somebody wrote for an image, as it may be shown: a password may stand before an @ that has more than a
 * digest behind it.
 */
export const shownReference = (text: string): string => text.replace(BEFORE_AT, '…@');
