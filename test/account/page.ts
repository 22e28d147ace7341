import type { Check, Finding } from './check.ts';

/** What a run has to tell. */
export type Report = {
  readonly isRehearsal: boolean;
  readonly account: string;
  readonly region: string;
  /** ISO 8601 */
  readonly begun: string;
  readonly minutes: number;
  /** By name, in the order of the page: `osls` → `4.3.1`. */
  readonly versions: Readonly<Record<string, string>>;
  readonly findings: ReadonlyMap<string, Finding>;
  /** What `sls remove` left to be found by name. */
  readonly kept: readonly string[];
  /** What is there at the end. */
  readonly left: readonly string[];
};

export const REHEARSED = 'Rehearsed on local AWS: no evidence about AWS';

/** `12…89` in place of a number that names somebody. */
export const masked = (account: string): string => `${account.slice(0, 2)}…${account.slice(-2)}`;

/** The account's number in texts that AWS wrote. */
const withoutAccount = (text: string, account: string): string =>
  account === '' ? text : text.replaceAll(account, masked(account));

const cell = (text: string): string => text.replace(/\s*\n\s*/g, ' ').replaceAll('|', '\\|');

/** `docs/account.md`. Pure. */
export function pageOf(checks: readonly Check[], report: Report): string {
  const { isRehearsal, account, region, begun, minutes, versions, findings, kept, left } = report;
  const rows = checks.map((check) => {
    const { verdict, seen } = findings.get(check.name) ?? { verdict: 'not run', seen: '' };
    const text = withoutAccount(seen, account);
    return `| ${check.name} | ${cell(check.says)} ([page](${check.page})) | ${cell(text)} | ${verdict} |`;
  });
  const things = (lines: readonly string[]): string =>
    lines.length === 0 ? 'nothing' : withoutAccount(lines.join('; '), account);
  const count = (verdict: string): number =>
    checks.filter(({ name }) => (findings.get(name)?.verdict ?? 'not run') === verdict).length;
  return `${[
    `# ${isRehearsal ? REHEARSED : 'Run on an AWS account'}`,
    '',
    `Written by \`npm run account${isRehearsal ? ' -- --rehearse' : ''}\`. Each line of [Not yet run on AWS](${isRehearsal ? '../docs/' : ''}not-yet-on-aws.md) has one check.`,
    '',
    `- date: ${begun.slice(0, 10)}, ${minutes} minutes${isRehearsal ? ' by the local AWS’s clock' : ''}`,
    `- account: ${masked(account)}, region: ${region}`,
    `- versions: ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}`,
    `- checks: ${count('shown')} shown, ${count('other')} other than expected, ${count('not run')} not run`,
    `- \`sls remove\` left: ${things(kept)} (a stack keeps the buckets of batch that it made), which were removed then`,
    `- left at the end: ${things(left)}`,
    '',
    '| check | what AWS’s page says | what was seen | verdict |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n')}\n`;
}

/** How many checks a page of ours has run; undefined where it is of a rehearsal, or is none. */
export function ranOn(page: string): number | undefined {
  const found = /^- checks: (\d+) shown, (\d+) other than expected/m.exec(page);
  if (found === null || page.includes(REHEARSED)) return undefined;
  return Number(found[1]) + Number(found[2]);
}

/**
 * Where a page goes. A rehearsal never takes the place of an account's page, and less never that of more.
 *
 * @param existing the page of an account that is there
 */
export function placeOf(
  page: string,
  existing: string | undefined,
): 'docs/account.md' | '.serverless/account.md' {
  const ran = ranOn(page);
  if (ran === undefined) return '.serverless/account.md';
  return ran < (ranOn(existing ?? '') ?? 0) ? '.serverless/account.md' : 'docs/account.md';
}
