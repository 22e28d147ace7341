import type { Problem } from '../problems/errors.ts';
import { nearest, shown } from './issues.ts';
import { isIntrinsic } from './keys/intrinsic.ts';
import type { Declaration } from './schema.ts';

/** What IAM would refuse of `iam` in the middle of a deploy. */
export function iamProblems(key: string, { iam }: Declaration): readonly Problem[] {
  return [
    ...iam.statements.flatMap((one, index) => statementProblems(`${key}.iam.statements.${index}`, one)),
    ...iam.managedPolicies.flatMap((one, index): readonly Problem[] =>
      isIntrinsic(one) || (typeof one === 'string' && POLICY.test(one))
        ? []
        : [
            {
              code: 'MODELS_INVALID_VALUE',
              key: `${key}.iam.managedPolicies.${index}`,
              value: one,
              message: `is ${shown(one)}, not the ARN of a managed policy.`,
              fix: 'Write arn:aws:iam::<account>:policy/<name>, arn:aws:iam::aws:policy/<name>, or a CloudFormation function that gives one.',
            },
          ],
    ),
  ];
}

/** Variables for CloudFormation may be in it. */
const POLICY = /^arn:.+:iam::.*:policy\/./;

/**
 * As the framework has them for its own role:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
const ELEMENTS = ['Sid', 'Effect', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition'];
const PAIRS = [
  ['Action', 'NotAction'],
  ['Resource', 'NotResource'],
] as const;

function statementProblems(key: string, statement: Readonly<Record<string, unknown>>): readonly Problem[] {
  if (isIntrinsic(statement)) return [];
  const has = (name: string): boolean => Object.hasOwn(statement, name);
  const problems: Problem[] = [];
  const invalid = (below: string, message: string, fix: string): void => {
    problems.push({ code: 'MODELS_INVALID_VALUE', key: `${key}${below}`, message, fix });
  };
  const unknown = Object.keys(statement).filter((name) => !ELEMENTS.includes(name));
  for (const name of unknown) {
    if (name === 'Principal' || name === 'NotPrincipal') {
      const message = 'cannot be said in the policy of a role: whoever has the role is meant.';
      invalid(`.${name}`, message, 'Leave it out.');
      continue;
    }
    const near = nearest(name, ELEMENTS);
    problems.push({
      code: 'MODELS_UNKNOWN_KEY',
      key: `${key}.${name}`,
      message: 'is not a key that exists here.',
      fix: near === undefined ? `Use one of ${ELEMENTS.join(', ')}.` : `Did you mean \`${near}\`?`,
    });
  }
  const { Effect: effect } = statement;
  if (has('Effect') && !isIntrinsic(effect) && effect !== 'Allow' && effect !== 'Deny')
    invalid('.Effect', `is ${shown(effect)}, not Allow or Deny.`, 'Write Allow or Deny.');
  for (const [one, other] of PAIRS)
    if (has(one) && has(other))
      invalid(`.${other}`, `is set beside \`${one}\`: IAM takes one of them.`, 'Leave out one of them.');
  const missing = [
    ...(has('Effect') ? [] : ['Effect']),
    ...PAIRS.filter((pair) => !pair.some(has)).map(([one]) => one),
  ];
  // A misspelt one is told already.
  if (missing.length > 0 && unknown.length === 0)
    invalid(
      '',
      `has ${missing.map((name) => `no ${name}`).join(', ')}.`,
      'Write a map with Effect (Allow or Deny), Action or NotAction, and Resource or NotResource.',
    );
  return problems;
}
