/**
 * The end of `npm test`: what the run asked of AWS, and what the local AWS answered, against AWS’s service
 * models. Docs/aws-calls.md has to name what was asked; with `--whole` all that it names has to be asked for,
 * too, and `UPDATE_DOCS=1` writes it. Alone it looks at the records of the run before, or in the folder that
 * `MODELS_AWS_CALLS` names.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { callReport, faultsOf, summaryOf } from '../local-aws/calls.ts';
import { CALLS } from './aws-calls/folder.ts';
import { differences, lacking, MARK, PAGE, pageOf } from './aws-calls/page.ts';
import { root } from './unit/docs/pages.ts';

const report = await callReport(process.env.MODELS_AWS_CALLS ?? CALLS);
const lines = [...faultsOf(report)];
const whole = process.argv.includes('--whole');
const file = join(root, PAGE);
const text = readFileSync(file, 'utf8');
if (whole && process.env.UPDATE_DOCS === '1') {
  const [intro = ''] = text.split(MARK);
  writeFileSync(file, `${intro}${MARK}\n\n${pageOf(report)}\n`);
  execFileSync(join(root, 'node_modules', '.bin', 'biome'), ['format', '--write', file], {
    stdio: 'ignore',
  });
} else {
  const wrong = whole ? differences(text, report) : lacking(text, report);
  if (wrong.length > 0)
    lines.push(
      `${PAGE} is out of date. After a whole run: UPDATE_DOCS=1 node test/with.mjs test/aws-calls.ts --whole`,
      ...wrong,
    );
}
if (lines.length > 0) console.error(lines.join('\n'));
console.log(summaryOf(report));
process.exitCode = lines.length > 0 ? 1 : 0;
