/** docs/drift-bench.md: every table of the simulation, with the versions that it was made with. */
import { FULL } from '../claims.ts';
import { writePage } from '../tables-page.ts';
import { tables } from './drift.ts';

const HEAD = `# Drift, by simulation

Written by the bench: \`npm run bench -- drift\`. Do not edit. The claims that are held against limits are in
[the bench](bench.md).

A signal is a normal variable, its reference 10,000 rows, and a window so many rows of live traffic. Detectors see what the
endpoint counts: rows in each of 120 equal parts of the reference. The reference is drawn anew for every window, so its own
error is in every figure. S2 is the smooth test of two sums a signal, chi² compares ten cells; scores, S2, chi², PSI,
Benjamini–Hochberg, thresholds, budgets and R3 are the product's code. Kolmogorov–Smirnov and the corrected limits of PSI are
written here after their usual definitions. Numbers are simulated from seeds, so another machine gives the same ones; Evidently's
are its own package's, run with its defaults. The last two tables are no simulation: public data, read, scored and judged by the
product's code from the file to the alarm's metric. Nothing here was measured on AWS.`;

export const writeDriftTables = async (machine: Readonly<Record<string, string>>): Promise<void> =>
  writePage('drift-bench.md', HEAD, await tables(FULL), machine);
