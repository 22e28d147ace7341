/** docs/judge-bench.md: every table of the simulation, with the versions that it was made with. */
import { FULL } from '../claims.ts';
import { writePage } from '../tables-page.ts';
import { tables } from './release.ts';

const HEAD = `# The judge, by simulation

Written by the bench: \`npm run bench -- release\`. Do not edit. What the judge decides and how is in
[the judge](judge.md); the claims that are held against limits are in [the bench](bench.md).

A release takes three steps, 5, 25 and 50 % for ten minutes each, longer until 100 candidate requests are expected, at
most 120. Requests are Poisson, the candidate’s share is binomial, every rule looks once a minute, and every cell is 10,000
releases (outputs 500, days after promotion 1,000, six hours 2,000, the fleet 200). Rules with a level have 2.5 %. Numbers
are simulated from seeds, so another machine gives the same ones. The judge’s code is the code that runs in the worker;
the other rules are written here after what their projects say. Nothing here was measured on AWS.`;

export const writeReleaseTables = async (machine: Readonly<Record<string, string>>): Promise<void> =>
  writePage('judge-bench.md', HEAD, await tables(FULL), machine);
