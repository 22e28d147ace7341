import { count, expect } from './terminal.ts';
import type { Outcome } from './traffic.ts';

/** Why a version of the demo may fail at a request: its own holes (examples/employment/README.md). */
const OWN = 'NON_FINITE_OUTPUT';

/**
 * Prints what became of every request, by version and cause.
 * @param holes versions that have them
 * @throws Error where a request failed for any other cause: a release would have cost it
 */
export function tally(outcomes: readonly Outcome[], holes: readonly string[]): void {
  const versions = [...new Set(outcomes.map(({ version = 'none' }) => version))].sort();
  console.log('version   requests   answered   failed   why');
  for (const version of versions) {
    const its = outcomes.filter((outcome) => (outcome.version ?? 'none') === version);
    const failures = its.flatMap(({ failure }) => failure ?? []);
    const columns = [
      version.padEnd(7),
      count(its.length).padStart(10),
      count(its.length - failures.length).padStart(10),
    ];
    console.log(
      `${columns.join(' ')} ${count(failures.length).padStart(8)}   ${[...new Set(failures)].join(', ')}`,
    );
  }
  const others = outcomes.filter(
    ({ version = 'none', failure }) => failure !== undefined && !(failure === OWN && holes.includes(version)),
  );
  const [other] = others;
  expect(
    other === undefined,
    `only a fault of its version may fail a request; ${others.length} failed otherwise, for example: ${other?.failure} (version ${other?.version})`,
  );
  const failed = outcomes.filter(({ failure }) => failure !== undefined).length;
  console.log(
    `all       ${count(outcomes.length).padStart(8)} ${count(outcomes.length - failed).padStart(10)} ${count(failed).padStart(8)}   none because of a release, a shift or a rollback`,
  );
}

/** `12 of 103 (11.7 %)`: what a version failed at. */
export function failedOf(outcomes: readonly Outcome[]): string {
  const failed = outcomes.filter(({ failure }) => failure !== undefined).length;
  return `${count(failed)} of ${count(outcomes.length)} (${((100 * failed) / Math.max(1, outcomes.length)).toFixed(1)} %)`;
}
