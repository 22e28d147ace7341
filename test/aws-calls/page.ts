import type { Asker, CallReport, SeenOperation } from '../../local-aws/calls.ts';
import { table } from '../unit/docs/pages.ts';

export const PAGE = 'docs/aws-calls.md';
/** All of the page below this line is generated. */
export const MARK = '<!-- generated below: `UPDATE_DOCS=1 npm test` -->';

/** Asked for only after a fault, an accident or many releases, and by whom: a run may do without. */
export const SELDOM: Readonly<Record<string, string>> = {
  'Lambda DeleteFunction': 'functions',
  'S3 AbortMultipartUpload': 'command line',
  'S3 DeleteObject': 'functions',
  'SFN DescribeExecution': 'functions',
  'SQS ChangeMessageVisibility': 'functions',
};

const WORDS: Readonly<Record<Asker, string>> = {
  command: 'command line',
  framework: 'framework',
  function: 'functions',
  adapter: 'adapters',
};
/** Tests that call an adapter of `aws/` themselves do not tell who uses it. */
const users = (by: readonly Asker[]): readonly Asker[] => by.filter((one) => one !== 'adapter');
const wordsOf = (by: readonly Asker[]): string =>
  users(by)
    .map((one) => WORDS[one])
    .join(', ');

/** What belongs below the mark: a row an operation that command line, functions or framework ask for. */
export function pageOf(report: CallReport): string {
  const rows = used(report).map((seen) => [
    seen.service,
    seen.operation,
    wordsOf(seen.by),
    Object.entries(seen.members)
      .filter(([, senders]) => users(senders).length > 0)
      .map(([name, senders]) => memberOf(name, senders, seen))
      .join(', '),
  ]);
  return table(['service', 'operation', 'asked by', 'members'], rows);
}

const used = ({ operations }: CallReport): readonly SeenOperation[] =>
  operations.filter(({ by }) => users(by).length > 0);

/** Who sends a member is written where not all do. */
const memberOf = (name: string, senders: readonly Asker[], { by }: SeenOperation): string =>
  users(senders).length === users(by).length ? `\`${name}\`` : `\`${name}\` (${wordsOf(senders)})`;

/** A row of the page. */
export type Row = {
  readonly service: string;
  readonly operation: string;
  readonly by: readonly string[];
  readonly members: readonly string[];
};

export function rowsOf(page: string): readonly Row[] {
  const lines = page.slice(page.indexOf(MARK)).split('\n');
  return lines
    .filter((line) => line.startsWith('| ') && !/^\| (?:service|-+) /.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, service = '', operation = '', by = '', members = '']) => ({
      service,
      operation,
      by: by.split(', '),
      members: [...members.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
    }));
}

const keyOf = ({ service, operation }: Pick<Row, 'service' | 'operation'>): string =>
  `${service} ${operation}`;

/** A line each: what a run asked that the page lacks. */
export function lacking(page: string, report: CallReport): readonly string[] {
  const rows = new Map(rowsOf(page).map((row) => [keyOf(row), row]));
  return used(report).flatMap((seen) => {
    const key = keyOf(seen);
    const row = rows.get(key);
    if (row === undefined) return [`+ ${key}`];
    return [
      ...users(seen.by)
        .filter((one) => !row.by.includes(WORDS[one]))
        .map((one) => `+ ${key}, asked by ${WORDS[one]}`),
      ...Object.entries(seen.members)
        .filter(([name, senders]) => users(senders).length > 0 && !row.members.includes(name))
        .map(([name]) => `+ ${key}: ${name}`),
    ];
  });
}

/**
 * What is lacking, and an operation of the page that nobody asked for in a whole run. A member that is sent
 * now and then (a page’s token, the end of a retry) may be absent from a run.
 */
export function differences(page: string, report: CallReport): readonly string[] {
  const asked = new Set(used(report).map(keyOf));
  const unasked = rowsOf(page)
    .map(keyOf)
    .filter((key) => !asked.has(key) && !Object.hasOwn(SELDOM, key));
  return [...lacking(page, report), ...unasked.map((key) => `- ${key}: nobody asked for it`)];
}
