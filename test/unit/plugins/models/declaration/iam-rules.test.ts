/** What IAM would refuse in the middle of a deploy, in `models.<name>.iam`. */
import { describe, expect, it } from 'vitest';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { formatProblem } from '../../../../../plugins/models/problems/errors.ts';

const problems = (iam: object): readonly string[] =>
  parseModels({ churn: { artifact: 'a.onnx', iam } }).problems.map((problem) =>
    formatProblem(problem).replace('models.churn.iam.', ''),
  );
const good = { Effect: 'Allow', Action: ['s3:GetObject'], Resource: '*' };
const MAP = 'Write a map with Effect (Allow or Deny), Action or NotAction, and Resource or NotResource.';

describe('statements', () => {
  it.each([
    good,
    { ...good, Sid: 'Rows', Condition: { Null: { 'aws:TokenIssueTime': 'true' } } },
    { Effect: 'Deny', NotAction: 's3:*', NotResource: { 'Fn::ImportValue': 'rows' } },
    { Effect: { 'Fn::If': ['Open', 'Allow', 'Deny'] }, Action: 'a:b', Resource: '*' },
    { 'Fn::If': ['Open', good, { Ref: 'AWS::NoValue' }] },
  ])('of a policy are taken: %o', (statement) => {
    expect(problems({ statements: [good, statement] })).toEqual([]);
  });

  it.each<[string, object, readonly string[]]>([
    ['nothing', {}, [`statements.1: has no Effect, no Action, no Resource. ${MAP} [MODELS_INVALID_VALUE]`]],
    [
      'another case',
      { effect: 'Allow', action: 'a:b', resource: '*' },
      [
        'statements.1.effect: is not a key that exists here. Did you mean `Effect`? [MODELS_UNKNOWN_KEY]',
        'statements.1.action: is not a key that exists here. Did you mean `Action`? [MODELS_UNKNOWN_KEY]',
        'statements.1.resource: is not a key that exists here. Did you mean `Resource`? [MODELS_UNKNOWN_KEY]',
      ],
    ],
    [
      'a word that is no effect',
      { ...good, Effect: 'allow' },
      ['statements.1.Effect: is "allow", not Allow or Deny. Write Allow or Deny. [MODELS_INVALID_VALUE]'],
    ],
    [
      'an action and its contrary',
      { ...good, NotAction: 's3:PutObject' },
      [
        'statements.1.NotAction: is set beside `Action`: IAM takes one of them. Leave out one of them. [MODELS_INVALID_VALUE]',
      ],
    ],
    [
      'who may, which is for policies of resources',
      { ...good, Principal: '*' },
      [
        'statements.1.Principal: cannot be said in the policy of a role: whoever has the role is meant. Leave it out. [MODELS_INVALID_VALUE]',
      ],
    ],
  ])('with %s are refused', (_, statement, expected) => {
    expect(problems({ statements: [good, statement] })).toEqual(expected);
  });
});

describe('managed policies', () => {
  it('are ARNs, or what gives one', () => {
    const managedPolicies = [
      'arn:aws:iam::#{AWS::AccountId}:policy/of-a-plugin',
      'arn:aws:iam::aws:policy/ReadOnlyAccess',
      'arn:aws-cn:iam::123456789012:policy/team/rows',
      { Ref: 'RowsPolicy' },
      { 'Fn::ImportValue': 'rows-policy' },
    ];
    expect(problems({ managedPolicies })).toEqual([]);
    expect(problems({ managedPolicies: managedPolicies[0] })).toEqual([]);
  });

  it.each([
    ['a name', 'ReadOnlyAccess', '"ReadOnlyAccess"'],
    ['an empty text', '', '""'],
    ['a number', 5, '5'],
    ['nothing', null, 'null'],
    ['another ARN', 'arn:aws:iam::123456789012:role/rows', '"arn:aws:iam::123456789012:role/rows"'],
    ['a map that is no function', { arn: 'x' }, 'a map'],
  ])('that are %s are refused', (_, policy, shown) => {
    expect(problems({ managedPolicies: [policy] })).toEqual([
      `managedPolicies.0: is ${shown}, not the ARN of a managed policy. Write arn:aws:iam::<account>:policy/<name>, arn:aws:iam::aws:policy/<name>, or a CloudFormation function that gives one. [MODELS_INVALID_VALUE]`,
    ]);
  });
});
