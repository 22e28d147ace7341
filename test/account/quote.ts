/** What a run will make, take and cost at most. Pure. */
import { type Check, isRun } from './check.ts';
import { DEPLOY, mostDollars, PRICES_OF, standing } from './prices.ts';
import { STACK_MINUTES } from './stacks.ts';

/** As `sls models plan --json` lists them. */
export type Item = { readonly what: string; readonly name: string; readonly resources: number };

/** Minutes of the first deploy, at most. */
export const DEPLOY_MINUTES = 30;
/** Minutes of removal: the stack's, twice, since it may be at work when its turn comes. */
export const REMOVE_MINUTES = 2 * STACK_MINUTES;

export type Quote = { readonly dollars: number; readonly minutes: number };

export function quoteOf(checks: readonly Check[], items: readonly Item[]): Quote {
  const run = checks.filter(isRun);
  const minutes = DEPLOY_MINUTES + run.reduce((sum, check) => sum + check.minutes, 0) + REMOVE_MINUTES;
  const count = (what: string): number => items.filter((item) => item.what === what).length;
  const made = { alarms: count('alarm'), functions: count('function') };
  return { minutes, dollars: mostDollars([DEPLOY, standing(minutes, made), ...run.map(({ use }) => use)]) };
}

/** Up, to a cent: it is a bound. */
export const dollarsText = (dollars: number): string => `$${(Math.ceil(dollars * 100) / 100).toFixed(2)}`;

export function quoteText(
  { id, arn, region }: { readonly id: string; readonly arn: string; readonly region: string },
  { name, tag }: { readonly name: string; readonly tag: string },
  checks: readonly Check[],
  items: readonly Item[],
): string {
  const { dollars, minutes } = quoteOf(checks, items);
  const kinds = [...new Set(items.map(({ what }) => what))];
  return [
    `account ${id}, region ${region}`,
    `as ${arn}`,
    '',
    `What will be created, named ${name}-… and with the tag ${tag}=${name} on everything that takes one:`,
    ...kinds.map((what) => {
      const count = items.filter((item) => item.what === what).length;
      return `  ${String(count).padStart(3)} ${what}${count === 1 ? '' : what.endsWith('s') ? 'es' : 's'}`;
    }),
    '    1 topic, and 1 rule that asks each minute',
    '    1 alias and its provisioned concurrency, for minutes',
    '  If the account has none: the service-linked role of Application Auto Scaling for Lambda. It is AWS’s, free, and stays.',
    '',
    `Checks: ${checks
      .filter(isRun)
      .map((check) => check.name)
      .join(', ')}`,
    `Not run: ${
      checks
        .filter((check) => !isRun(check))
        .map((check) => check.name)
        .join(', ') || 'none'
    }`,
    '',
    `At most ${dollarsText(dollars)} (${PRICES_OF}) and at most ${minutes} minutes; usually less than half of both.`,
    'Everything is removed at the end, also after Ctrl-C. After a crash: npm run account -- --clean',
  ].join('\n');
}
