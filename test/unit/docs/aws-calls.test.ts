/** docs/aws-calls.md, which a whole `npm test` keeps, against the policies: what they allow is asked for. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import type { CallReport } from '../../../local-aws/calls.ts';
import { differences, MARK, PAGE, pageOf, rowsOf } from '../../aws-calls/page.ts';
import { actionsOf } from '../../aws-calls/policies.ts';
import { blocks, pages, root } from './pages.ts';

const rows = rowsOf(pages.get(PAGE) ?? '');
const askedBy = (...who: readonly string[]): ReadonlySet<string> =>
  new Set(rows.filter(({ by }) => by.some((one) => who.includes(one))).flatMap(actionsOf));

type Statement = { readonly Sid?: string; readonly Action: string | readonly string[] };
const actions = (statements: readonly Statement[]): readonly string[] => [
  ...new Set(statements.flatMap(({ Action }) => [Action].flat())),
];

test('the page has rows of all who ask', () => {
  expect(rows.length).toBeGreaterThan(40);
  expect([...new Set(rows.flatMap(({ by }) => by))].sort()).toEqual([
    'command line',
    'framework',
    'functions',
  ]);
});

/**
 * Actions that a role of ours has for what others do in its name, and no run of ours asks for.
 * Those of the framework’s own role, or of what it adds to one for a trigger, are `framework`.
 */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  'Lambda writes the log': ['logs:CreateLogStream', 'logs:PutLogEvents'],
};

const templates = globSync('test/golden/**/template.json', { cwd: root }).map(
  (file) =>
    JSON.parse(readFileSync(join(root, file), 'utf8')) as {
      readonly Resources: Readonly<
        Record<
          string,
          {
            readonly Type: string;
            readonly Properties?: {
              readonly Policies?: readonly {
                readonly PolicyDocument: { readonly Statement: readonly Statement[] };
              }[];
            };
          }
        >
      >;
    },
);
const ofRoles = actions(
  templates
    .flatMap(({ Resources }) => Object.values(Resources))
    .filter(({ Type }) => Type === 'AWS::IAM::Role')
    .flatMap(({ Properties }) => Properties?.Policies ?? [])
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement),
);

test('what a role allows is asked for by a function, or by others in its name', () => {
  const asked = askedBy('functions');
  const unasked = ofRoles.filter((action) => !asked.has(action)).sort();
  expect(unasked).toEqual(Object.values(OTHERS).flat().sort());
});
