/**
 * Standard deviations of a difference of two counts, beyond which one in a thousand is chance: the variance
 * of a count is the count (Poisson), and those of two are added.
 */
export const CHANCE = 3.1;
