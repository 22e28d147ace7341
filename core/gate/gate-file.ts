import { createHash } from 'node:crypto';
import type { ObjectPort } from '../ports/aws.ts';

/**
 * A gate's file from the registry's files by content. Others may write there, services that share a bucket
 * above all: cases that somebody has exchanged would let a version pass that was to be refused.
 *
 * @param files key prefix ending in `files/`
 * @param what it is, for people
 * @throws Error where it is not there, or has other bytes than were packaged
 */
export async function gateFile(
  objects: Pick<ObjectPort, 'get'>,
  files: string,
  sha256: string,
  what: string,
): Promise<string> {
  const found = await objects.get(`${files}${sha256}`);
  if (found === undefined) throw new Error(`the ${what} ${files}${sha256} is not in the registry`);
  if (createHash('sha256').update(found.text).digest('hex') !== sha256)
    throw new Error(
      `the ${what} ${files}${sha256} has other bytes than when it was packaged: delete it, and deploy again`,
    );
  return found.text;
}
