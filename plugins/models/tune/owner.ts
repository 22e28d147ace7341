/** Whose a temporary stack is, by its tags: a run that was killed cannot remove what it made. Pure. */

const TAG = 'serverless-models-tune';
const UNTIL_TAG = `${TAG}-until`;

export type TuneOwner = {
  /** A digest of the machine's name. */
  readonly machine: string;
  readonly pid: number;
  /** When the run is over at the latest: milliseconds. */
  readonly until: number;
};

export const ownerTags = ({ machine, pid, until }: TuneOwner): Readonly<Record<string, string>> => ({
  [TAG]: `${machine}/${pid}`,
  [UNTIL_TAG]: new Date(until).toISOString(),
});

/** @returns undefined where the tags are not of tune */
export function ownerOf(tags: Readonly<Record<string, string>>): TuneOwner | undefined {
  const [, machine, pid] = /^([0-9a-f]+)\/(\d+)$/.exec(tags[TAG] ?? '') ?? [];
  const until = Date.parse(tags[UNTIL_TAG] ?? '');
  if (machine === undefined || pid === undefined || Number.isNaN(until)) return undefined;
  return { machine, pid: Number(pid), until };
}

/**
 * `foreign`: nothing of tune's. `here`, `elsewhere`: its run may be under way, on this machine or another
 * one. `left`: its run is over.
 */
export function standingOf(
  tags: Readonly<Record<string, string>>,
  me: { readonly machine: string; readonly now: number; readonly isAlive: (pid: number) => boolean },
): 'foreign' | 'here' | 'elsewhere' | 'left' {
  const owner = ownerOf(tags);
  if (owner === undefined) return 'foreign';
  if (owner.machine === me.machine) return me.isAlive(owner.pid) && me.now < owner.until ? 'here' : 'left';
  return me.now < owner.until ? 'elsewhere' : 'left';
}
