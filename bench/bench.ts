/**
 * The measured claims:
 *
 *   npm run bench -- <group>        measures a group (no word: all), writes its section of docs/bench.md;
 *                                   groups are serving, cold, release, drift, batch,
 *                                   capacity, sources, host and image
 *   npm run bench -- cnn-json …     single claims by name; writes nothing
 *   npm run bench -- … --short      a hundredth of the work, to see that all of it runs; judges nothing
 *   npm run bench -- --list         what there is
 *
 * A new group: its word in GROUPS (claims.ts), its claims in a file of its own and in CLAIMS below, its
 * heading in TITLES (page.ts). What a claim repeats, it takes from the effort: `npm test` runs all that is
 * listed in the short form.
 *
 * Standard output has one line a claim, `bench <name> <ratio> <target> ok|miss|unmeasured`; progress goes to
 * the other. Ends with 1 where a claim missed, with 2 where one could not be run.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BATCH } from './batch/batch.ts';
import { CAPACITY } from './capacity/capacity.ts';
import { WORK } from './children.ts';
import { type Claim, FULL, GROUPS, type Group, judge, lineOf, type Result, SHORT } from './claims.ts';
import { COLD } from './cold.ts';
import { DRIFT } from './drift/drift.ts';
import { writeDriftTables } from './drift/page.ts';
import { HOST } from './host/host.ts';
import { IMAGE } from './image.ts';
import { describeMachine } from './machine.ts';
import { sidesOf, writeSection } from './page.ts';
import { writeReleaseTables } from './release/page.ts';
import { RELEASE } from './release/release.ts';
import { SERVING } from './serving.ts';
import { SOURCES } from './sources/sources.ts';

const CLAIMS: readonly Claim[] = [
  ...SERVING,
  ...COLD,
  ...RELEASE,
  ...DRIFT,
  ...BATCH,
  ...CAPACITY,
  ...SOURCES,
  ...HOST,
  ...IMAGE,
];

function chosen(words: readonly string[]): readonly Claim[] {
  const known = [...GROUPS, ...CLAIMS.map(({ name }) => name)];
  const unknown = words.find((word) => !known.includes(word));
  if (unknown !== undefined) throw new Error(`There is no ${unknown}; there are ${known.join(', ')}.`);
  return CLAIMS.filter(
    ({ name, group }) => words.length === 0 || words.includes(name) || words.includes(group),
  );
}

async function measureAll(claims: readonly Claim[], isShort: boolean): Promise<Result[]> {
  const results: Result[] = [];
  await mkdir(WORK, { recursive: true });
  for (const claim of claims) {
    console.error(`${claim.name}: ${claim.about}`);
    try {
      const result = judge(claim, await claim.measure(isShort ? SHORT : FULL));
      console.log(lineOf(result));
      console.error(`  ${sidesOf(result).join('; ')}`);
      results.push(result);
    } catch (error) {
      console.error(`${claim.name} could not be run:`, error);
      process.exitCode = 2;
    }
  }
  return results;
}

async function main(args: readonly string[]): Promise<void> {
  const flags = args.filter((arg) => arg.startsWith('-'));
  const strange = flags.find((flag) => flag !== '--short' && flag !== '--list');
  if (strange !== undefined) throw new Error(`There is no ${strange}; there are --short and --list.`);
  const words = args.filter((arg) => !arg.startsWith('-'));
  const claims = chosen(words);
  if (flags.includes('--list')) {
    for (const { name, group, about, ours, other = '' } of claims)
      console.log(`${name.padEnd(22)} ${group.padEnd(8)} ${about}: ${ours}${other && ` against ${other}`}`);
    return;
  }
  const isShort = flags.includes('--short');
  const results = await measureAll(claims, isShort);
  if (isShort || process.exitCode === 2) return;
  if (results.some(({ verdict }) => verdict === 'miss')) process.exitCode = 1;
  const isGroup = (word: string): word is Group => GROUPS.some((group) => group === word);
  const groups = words.length === 0 ? GROUPS : words.filter(isGroup);
  const machine = await describeMachine();
  for (const group of groups) {
    const ofGroup = results.filter(({ claim }) => claim.group === group);
    await writeFile(join(WORK, `${group}.json`), JSON.stringify({ machine, results: ofGroup }, null, 2));
    await writeSection(group, ofGroup, machine);
    if (group === 'release') await writeReleaseTables(machine);
    if (group === 'drift') await writeDriftTables(machine);
  }
}

await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
});
