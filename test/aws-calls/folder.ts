import { join } from 'node:path';
import { root } from '../unit/docs/pages.ts';

/** Where `npm test` has all calls written to, for those who look at them afterwards. */
export const CALLS = join(root, '.local', 'aws-calls');
