import { configureGlobal, readConfigureGlobal } from 'fast-check';

/**
 * What tests make up at random is the same in each run: whether they pass is no matter of luck.
 * `npm run soak -- properties` has them make up something else.
 */
configureGlobal({ ...readConfigureGlobal(), seed: Number(process.env.FC_SEED ?? 12) });
