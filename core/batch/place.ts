import { createHash } from 'node:crypto';
import type { Entry } from './contract.ts';

/** What an entry takes, in letters and digits: in a name, where the place itself would be too long. */
export const placeDigest = ({ bucket, prefix, suffix }: Entry['input']): string =>
  createHash('sha256')
    .update(JSON.stringify([bucket, prefix, suffix]))
    .digest('hex')
    .slice(0, 10);
