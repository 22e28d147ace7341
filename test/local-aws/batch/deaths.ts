import { gzipSync } from 'node:zlib';
import type { LocalAws } from '../../../local-aws/start.ts';
import { content, dieAt, type Outcome, rig } from './rig.ts';

/** Jobs that a process is killed in: each request that it sends is a place to die. */
export const JOBS = [
  { name: 'small', what: 'in one invocation', body: gzipSync(content(36)), parts: 3, tolerate: 1 },
  { name: 'large', what: 'planned, then by the map', body: content(66), parts: 5, tolerate: 1 },
  { name: 'failing', what: 'too many faulty rows', body: gzipSync(content(36)), parts: 3, tolerate: 0 },
] as const;

export type Deaths = {
  readonly requests: number;
  readonly kills: number;
  /** What came out otherwise than in the quiet run, in words. */
  readonly wrong: readonly string[];
};

/** Plays a job without a death, then with one before each request in `every`, from the `first` on. */
export async function deathsOf(
  aws: LocalAws,
  { name, body, parts, tolerate }: (typeof JOBS)[number],
  every: number,
  first = 0,
): Promise<Deaths> {
  const { play, close } = await rig(aws, name, tolerate);
  try {
    const quiet = await play(body, () => undefined);
    const requests = quiet.requests.length;
    const wrong = expectedOf(quiet, parts, tolerate);
    let kills = 0;
    for (let n = first; n < requests; n += every) {
      const where = `killed at request ${n}, ${quiet.requests[n]}: `;
      const killed = await play(body, dieAt(n));
      // On a slow machine the quiet run may have asked twice for something: this one then ends before.
      const expected = killed.requests.length > n ? 1 : 0;
      kills += expected;
      wrong.push(...differences(quiet, killed, expected).map((what) => where + what));
    }
    return { requests, kills, wrong };
  } finally {
    await close();
  }
}

/** A quiet run that did nothing would be equal to anything that does nothing. */
function expectedOf({ files, failures, errors, deaths }: Outcome, parts: number, tolerate: number): string[] {
  const names = Object.keys(files).map((name) => name.replace(/^.*\//, ''));
  const due = tolerate > 0 ? '_SUCCESS.json' : '_FAILED.json';
  return [
    ...(names.includes(due) ? [] : [`there is no ${due} but ${names.join(', ')}`]),
    ...(names.filter((name) => name.startsWith('part-')).length === parts
      ? []
      : [`there are not ${parts} parts`]),
    ...(failures.length === (tolerate > 0 ? 0 : 1) ? [] : [`failures: ${failures.join(', ')}`]),
    ...(errors.length + deaths === 0 ? [] : [`${deaths} deaths, errors: ${errors.join(', ')}`]),
  ];
}

/** What differs from the quiet run that must not. */
function differences(
  quiet: Outcome,
  { files, failures, deaths, errors }: Outcome,
  expected: number,
): string[] {
  const names = [...new Set([...Object.keys(quiet.files), ...Object.keys(files)])];
  // A job that fails may be told of twice, but at least once.
  const isTold = JSON.stringify([...new Set(failures)]) === JSON.stringify([...new Set(quiet.failures)]);
  return [
    ...names
      .filter((name) => JSON.stringify(files[name]) !== JSON.stringify(quiet.files[name]))
      .map((name) => `${name} is ${JSON.stringify(files[name])?.slice(0, 300)}`),
    ...(isTold && failures.length <= quiet.failures.length + deaths
      ? []
      : [`failures: ${failures.join(', ')}`]),
    ...(deaths === expected ? [] : [`${deaths} deaths`]),
    ...errors,
  ];
}
