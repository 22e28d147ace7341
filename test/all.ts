/**
 * `npm test`: style, types, then every test project, and one summary line at the end.
 * Arguments go to Vitest, so `npm test -- --project unit` runs one project.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const report = join(root, '.local', 'vitest.json');

function step(name: string, command: string, args: string[]): boolean {
  console.error(`\n— ${name}`);
  return spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0;
}

mkdirSync(dirname(report), { recursive: true });
rmSync(report, { force: true });
const style = step('style', 'biome', ['check', '.']);
const types = step('types', 'tsc', ['--noEmit']);
const tests = step('tests', 'vitest', [
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
  ...process.argv.slice(2),
]);

type Report = {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numFailedTestSuites: number;
};
const counts: Report = JSON.parse(readFileSync(report, 'utf8'));
const failed = counts.numFailedTests + (style ? 0 : 1) + (types ? 0 : 1);
const passed = counts.numPassedTests + (style ? 1 : 0) + (types ? 1 : 0);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = style && types && tests && failed === 0 && counts.numFailedTestSuites === 0 ? 0 : 1;
