import { MEASURES } from '../../../core/quality/contract.ts';
import { formatOf, formatOfFile } from '../../../core/tabular/formats.ts';
import type { Problem } from '../problems/errors.ts';
import { anyOf, FORMATS_OF_TEXTS } from './keys/tabular-words.ts';
import type { GateMetric } from './model.ts';

/**
 * Rules between the keys of `gate.metric`.
 *
 * @param key of it
 * @param isBroken is one of its keys refused already?
 */
export function metricProblems(key: string, metric: GateMetric, isBroken: boolean): readonly Problem[] {
  const { cases, name, classes, min, max, worseThanLive } = metric;
  const { better, of, share } = MEASURES[name];
  const problems: Problem[] = [];
  const format = formatOfFile(cases);
  if (format === undefined || formatOf(format).isArray) {
    const suffixes = FORMATS_OF_TEXTS.map((word) => formatOf(word).suffix);
    const message =
      format === undefined
        ? 'is of no format that can be read.'
        : 'is an array, whose columns have no names, so that none can be the label.';
    problems.push(invalid(`${key}.cases`, cases, message, `Write a file that ends in ${anyOf(suffixes)}.`));
  }
  const [right, wrong] = better === 'higher' ? (['min', 'max'] as const) : (['max', 'min'] as const);
  const misplaced = wrong === 'min' ? min : max;
  if (misplaced !== undefined) {
    const message = `does not go with ${name}, of which ${better === 'higher' ? 'more' : 'less'} is better.`;
    problems.push(invalid(`${key}.${wrong}`, misplaced, message, `Write \`${right}\` in its place.`));
  }
  const limit = right === 'min' ? min : max;
  if (limit === undefined && misplaced === undefined && worseThanLive === undefined && !isBroken) {
    const fix = `Write \`${right}\`, or \`worseThanLive\`, or both.`;
    problems.push(invalid(key, undefined, 'has nothing that a version could miss.', fix));
  }
  if (limit !== undefined && share && (limit > 1 || (name !== 'r2' && limit < 0))) {
    const fix = limit > 1 && limit <= 100 ? `Write ${exact(limit / 100)}.` : 'Write a number from 0 to 1.';
    problems.push(invalid(`${key}.${right}`, limit, `is ${limit}; ${name} is at most 1.`, fix));
  }
  if (limit !== undefined && !share && limit < 0)
    problems.push(
      invalid(`${key}.${right}`, limit, `is ${limit}; ${name} is never below 0.`, 'Write a positive number.'),
    );
  if (worseThanLive?.percent && !share) {
    const message = `is in percent, but ${name} has ${of === 'number' ? 'the label’s unit' : 'a unit of its own'}.`;
    const fix = `Write a number, for example ${worseThanLive.by}.`;
    problems.push(invalid(`${key}.worseThanLive`, `${exact(worseThanLive.by * 100)}%`, message, fix));
  }
  if (worseThanLive !== undefined && share && worseThanLive.by > 1)
    problems.push(
      invalid(
        `${key}.worseThanLive`,
        worseThanLive.by,
        `is ${worseThanLive.by}, and ${name} is at most 1.`,
        `Write ${worseThanLive.by}%, or a number below 1.`,
      ),
    );
  if (classes !== undefined) {
    if (of === 'number')
      problems.push(
        invalid(`${key}.classes`, classes, `do not go with ${name}, which takes numbers.`, 'Leave them out.'),
      );
    if (new Set(classes).size < classes.length)
      problems.push(invalid(`${key}.classes`, classes, 'have a name twice.', 'Write each class once.'));
    if (of === 'score' && classes.length !== 2)
      problems.push(
        invalid(
          `${key}.classes`,
          classes,
          `are ${classes.length}; ${name} takes two, of which the second one is meant.`,
          'Write two classes, or another metric.',
        ),
      );
  }
  return problems;
}

/** 0.07 · 100 is 7.000000000000001 in binary. */
const exact = (value: number): number => Number(value.toPrecision(12));

const invalid = (key: string, value: unknown, message: string, fix: string): Problem => ({
  code: 'MODELS_INVALID_VALUE',
  key,
  ...(value !== undefined && { value }),
  message,
  fix,
});
