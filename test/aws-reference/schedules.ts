/**
 * When something runs, by the grammar that AWS documents; what a page leaves open is refused, so that nothing
 * comes to depend on it.
 */

/** Rules of EventBridge have no `at`. */
export type Scheduled = 'rule' | 'scheduler' | 'scaling';

/**
 * @returns why AWS refuses the expression; undefined of a right one
 * Rules: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
 * Scheduler: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
 * Application Auto Scaling:
 * https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html
 */
export function scheduleFault(expression: string, by: Scheduled): string | undefined {
  const [, kind, text = ''] = /^(rate|cron|at)\((.*)\)$/.exec(expression) ?? [];
  if (kind === 'rate') return rateFault(text);
  if (kind === 'cron') return cronFault(text);
  if (kind === 'at' && by !== 'rule') return atFault(text);
  return by === 'rule' ? 'it is no rate(…) and no cron(…)' : 'it is no rate(…), no cron(…) and no at(…)';
}

function rateFault(text: string): string | undefined {
  const [, value, plural] = /^([1-9]\d*) (?:minute|hour|day)(s?)$/.exec(text) ?? [];
  if (value === undefined) return `rate(${text}): a whole number above 0 and minutes, hours or days`;
  return (value === '1') === (plural === '') ? undefined : `rate(${text}): one minute, several minutes`;
}

function atFault(text: string): string | undefined {
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(text);
  const time = isTime ? new Date(`${text}Z`) : undefined;
  // The 30th of February is the 2nd of March to JavaScript.
  return time && !Number.isNaN(time.getTime()) && time.toISOString().startsWith(text)
    ? undefined
    : `at(${text}): yyyy-mm-ddThh:mm:ss`;
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

type Field = {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly words: readonly string[];
  /** What it may be beside values, ranges and steps. */
  readonly special: RegExp;
};

const field = (
  name: string,
  least: number,
  most: number,
  special = /^$/,
  words: readonly string[] = [],
): Field => ({
  name,
  least,
  most,
  words,
  special,
});

const FIELDS: readonly Field[] = [
  field('minutes', 0, 59),
  field('hours', 0, 23),
  field('day of month', 1, 31, /^(\?|L|([1-9]|[12]\d|3[01])W)$/),
  field('month', 1, 12, /^$/, MONTHS),
  field('day of week', 1, 7, /^(\?|L|[1-7]L|[1-7]#[1-5])$/, DAYS),
  field('year', 1970, 2199),
];

function cronFault(text: string): string | undefined {
  const parts = text.split(' ');
  if (parts.length !== FIELDS.length) return `cron(${text}): six fields with a blank between them`;
  const wrong = FIELDS.find((field, at) => !isOf(field, parts[at] ?? ''));
  if (wrong !== undefined) return `cron(${text}): ${wrong.name}`;
  return (parts[2] === '?') === (parts[4] === '?')
    ? `cron(${text}): either the day of month or the day of week is ?`
    : undefined;
}

function isOf(field: Field, text: string): boolean {
  if (field.special.test(text)) return true;
  return text.split(',').every((part) => {
    const [range = '', step, ...more] = part.split('/');
    if (more.length > 0 || (step !== undefined && !/^[1-9]\d*$/.test(step))) return false;
    // Steps of days of the week are not on the page.
    if (step !== undefined && field.words === DAYS) return false;
    if (range === '*') return true;
    const ends = range.split('-').map((value) => numberOf(field, value));
    return (
      ends.length < 3 && ends.every((value) => value >= field.least && value <= field.most) && rises(ends)
    );
  });
}

const rises = ([first = 0, last = first]: readonly number[]): boolean => first <= last;

function numberOf({ words, least }: Field, text: string): number {
  const word = words.indexOf(text);
  return word >= 0 ? word + least : /^\d+$/.test(text) ? Number(text) : Number.NaN;
}
