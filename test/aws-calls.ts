/**
 * The end of `npm test`: what the run asked of AWS, and what the local AWS answered, against AWS’s service models. With `--whole`
 * docs/aws-calls.md has to say what was asked; `UPDATE_DOCS=1` writes it. Alone it looks at the records of the run before.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { callReport } from '../local-aws/calls.ts';
import { differences, MARK, PAGE, pageOf } from './aws-calls/page.ts';
import { CALLS, summaryOf } from './aws-calls/summary.ts';
import { root } from './unit/docs/pages.ts';

const report = await callReport(CALLS);
for (const { text, times } of report.violations)
  console.error(`${text}${times > 1 ? ` (${times} times)` : ''}`);
let fails = report.violations.length > 0;
if (process.argv.includes('--whole')) {
  const file = join(root, PAGE);
  const text = readFileSync(file, 'utf8');
  if (process.env.UPDATE_DOCS === '1')
    writeFileSync(file, `${text.slice(0, text.indexOf(MARK))}${MARK}\n\n${pageOf(report)}\n`);
  else {
    const lines = differences(text, report);
    fails ||= lines.length > 0;
    if (lines.length > 0)
      console.error(
        [
          `${PAGE} is out of date: run UPDATE_DOCS=1 npm test, or, after a whole run, UPDATE_DOCS=1 node test/with.mjs test/aws-calls.ts --whole`,
          ...lines,
        ].join('\n'),
      );
  }
}
console.log(summaryOf(report));
process.exitCode = fails ? 1 : 0;
