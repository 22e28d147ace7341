import { createHash } from 'node:crypto';
import type { ObjectPort } from '../ports/aws.ts';
import type { Baseline } from './contract.ts';

/**
 * Bytes of a baseline: 200 columns take one or two million. Whoever writes into the log names the file, and
 * weights have gigabytes.
 */
const MOST = 64 * 1024 * 1024;

/**
 * Baselines from the registry's files by content, kept while the instance lives: what has a digest never
 * changes.
 * @param files key prefix ending in `files/`
 * @returns undefined where there is no such file, or it is none; throws where that cannot be told
 */
export function baselinesIn(
  objects: ObjectPort,
  files: string,
): (digest: string) => Promise<Baseline | undefined> {
  const known = new Map<string, Baseline>();
  return async (digest) => {
    const kept = known.get(digest);
    if (kept !== undefined) return kept;
    const found = await objects.get(`${files}${digest}`, MOST);
    const baseline = found && read(found.text, digest);
    if (baseline !== undefined) known.set(digest, baseline);
    return baseline;
  };
}

/** The digest vouches for all but the schema. */
function read(text: string, digest: string): Baseline | undefined {
  if (createHash('sha256').update(text).digest('hex') !== digest) return undefined;
  try {
    const baseline = JSON.parse(text) as Partial<Baseline> | null;
    return baseline?.schema === 1 && Array.isArray(baseline.signals) ? (baseline as Baseline) : undefined;
  } catch {
    return undefined;
  }
}
