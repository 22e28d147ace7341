/**
 * What this project grants, or tells people to grant, is what AWS’s service authorization reference knows.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { writtenTemplates } from '../export/cases.ts';
import { at, blocks, pages, root } from '../unit/docs/pages.ts';
import { goldens } from './goldens.ts';
import type { Template } from './intrinsics.ts';
import { findings, type Statement } from './permissions.ts';
import { EXCEPTIONS } from './permissions-exceptions.ts';
import { loadReference, type Reference } from './reference.ts';
import { statementsIn, statementsOf } from './statements.ts';

let reference: Reference;
let all: readonly string[] = [];
beforeAll(async () => {
  reference = await loadReference();
  all = told([...emitted, ...documented]);
});

/** What `sls models export` writes is a stack of its own. */
const exported = (await writtenTemplates()).map(([path, text]): [string, Template] => [path, parse(text)]);
const emitted = [...goldens, ...exported].flatMap(([file, template]) => statementsOf(template, file));
const documented = [
  ...blocks('json').map((block) => [at(block), JSON.parse(block.text)] as const),
  ...blocks('yaml')
    .filter(({ text }) => /\bAction:/.test(text))
    .map((block) => [at(block), parse(block.text)] as const),
].flatMap(([where, value]) => statementsIn(value, where));

const told = (statements: readonly Statement[]): readonly string[] =>
  statements
    .flatMap((statement) => findings(statement, reference))
    .map(({ where, action, resource, reason }) => `${where}: ${action} on ${resource}: ${reason}`);

describe('the service authorization reference', () => {
  it('finds nothing void in any policy of a template or a page but what is left so for a reason', () => {
    expect([emitted.length > 800, documented.length > 40, exported.length > 1]).toEqual([true, true, true]);
    expect(all.filter((one) => !EXCEPTIONS.some(({ finding }) => finding.test(one)))).toEqual([]);
  });

  it.each(EXCEPTIONS)('still needs its exception, for what $source tells', ({ finding }) => {
    expect(all.filter((one) => finding.test(one))).not.toEqual([]);
  });

  it('has every action that a page or the plugin names, and its resource where one is named beside it', () => {
    const sources = globSync('{plugins,core,aws,functions}/**/*.ts', { cwd: root });
    const texts = [
      ...pages,
      ...sources.map((file): [string, string] => [file, readFileSync(join(root, file), 'utf8')]),
    ];
    const named = texts.flatMap(([file, text]) =>
      [...text.matchAll(/['"`]([a-z0-9-]+:(?:[A-Z]\w+\*?|\*))['"`](?: on `(arn:aws:[^`]+)`)?/g)].map(
        ([, action = '', resource = '*']): Statement => ({
          where: file,
          actions: [action],
          resources: [resource],
          conditions: [],
        }),
      ),
    );
    // `iam:PassedToService` is a key of a condition; other words with a colon have no such service.
    const statements = named.filter(({ actions: [action = ''] }) => {
      const service = reference.service(action.split(':')[0] ?? '');
      return service !== undefined && !Object.hasOwn(service.conditionKeys, action.toLowerCase());
    });
    expect(statements.length).toBeGreaterThan(150);
    expect(statements.filter(({ resources }) => resources[0] !== '*').length).toBeGreaterThan(1);
    const left = told(statements).filter((one) => !/apigateway:(Tag|Untag)Resource/.test(one));
    expect(left).toEqual([]);
  });
});

it('the pages name the version and the day of what is published', () => {
  const pinned = (path: string, name: RegExp): string =>
    name.exec(readFileSync(join(root, path), 'utf8'))?.[1] ?? 'none';
  // 0.1.202610271 is the first of 2026-10-27.
  const day = reference.version.replace(/^.*\.(\d{4})(\d\d)(\d\d)\d$/, '$1-$2-$3');
  for (const page of ['CONTRIBUTING.md', 'docs/deploy-policy.md', 'docs/not-yet-on-aws.md'])
    expect(pages.get(page), page).toContain(day);
  for (const named of [
    `cfn-lint ${pinned('test/requirements.txt', /^cfn-lint==(\S+)/m)} (`,
    `checkov ${pinned('test/golden/requirements.txt', /^checkov==(\S+)/m)}`,
    `\`asl-validator\` ${pinned('package.json', /"asl-validator": "([^"]+)"/)} (`,
  ])
    expect(pages.get('docs/not-yet-on-aws.md')).toContain(named);
});

describe('what is seen', () => {
  const statement = (more: Partial<Statement>): Statement => ({
    where: 'policy',
    actions: ['lambda:InvokeFunction'],
    resources: ['arn:aws:lambda:us-east-1:123456789012:function:shop-dev-churn:live'],
    conditions: [],
    ...more,
  });
  const why = (more: Partial<Statement>): readonly string[] =>
    findings(statement(more), reference).map(({ action, reason }) => `${action}: ${reason}`);

  it('nothing in a right statement, in letters of either size', () => {
    expect(why({})).toEqual([]);
    expect(why({ actions: ['Lambda:invokefunction'] })).toEqual([]);
  });

  it('an action that is none, also behind wildcards and of a service that is none', () => {
    expect(why({ actions: ['lambda:InvokeModel'] })).toEqual(['lambda:InvokeModel: no such action']);
    expect(why({ actions: ['lambda:Guess*'] })).toEqual(['lambda:Guess*: no such action']);
    expect(why({ actions: ['lamda:InvokeFunction'] })).toEqual(['lamda:InvokeFunction: no such action']);
    expect(why({ actions: ['../sts:AssumeRole'] })).toEqual(['../sts:AssumeRole: no such action']);
  });

  it.each([
    // An object is no bucket, nor a bucket an object.
    [
      's3:ListBucket',
      'arn:aws:s3:::rows/*',
      's3:ListBucket: is for accesspoint, bucket; none of its resources is one',
    ],
    [
      's3:GetObject',
      'arn:aws:s3:::rows',
      's3:GetObject: is for accesspointobject, object; none of its resources is one',
    ],
    [
      'states:StartExecution',
      'arn:aws:states:us-east-1:123456789012:execution:a:b',
      'states:StartExecution: is for statemachine; none of its resources is one',
    ],
    [
      'sns:Publish',
      'arn:aws:sqs:us-east-1:123456789012:queue',
      'sns:Publish: is for topic; none of its resources is one',
    ],
    // As CloudWatch Logs compares it: with the stars of the streams, but for tags.
    [
      'logs:FilterLogEvents',
      'arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/churn',
      'logs:FilterLogEvents: is for log-group; none of its resources is one',
    ],
    [
      'lambda:PutProvisionedConcurrencyConfig',
      'arn:aws:lambda:us-east-1:123456789012:function:churn',
      'lambda:PutProvisionedConcurrencyConfig: is for function alias, function version; none of its resources is one',
    ],
  ])('an action whose types do not take the ARN: %s on %s', (action, resource, reason) => {
    expect(why({ actions: [action], resources: [resource] })).toEqual([
      reason,
      `${action}: none of the actions takes this resource`,
    ]);
  });

  it('an action that takes no resource and stands with one, alone or beside others', () => {
    const resources = ['arn:aws:scheduler:us-east-1:123456789012:schedule/shop-dev-models/*'];
    const found = 'scheduler:ListSchedules: takes no resource: it stands with * only';
    expect(why({ actions: ['scheduler:ListSchedules', 'scheduler:GetSchedule'], resources })).toEqual([
      found,
    ]);
    expect(why({ actions: ['scheduler:ListSchedules'], resources: ['*'] })).toEqual([]);
  });

  it('a resource that none of the actions takes', () => {
    const resources = ['arn:aws:s3:::rows/*', 'arn:aws:s3:::rows'];
    expect(why({ actions: ['s3:GetObject'], resources })).toEqual([
      's3:GetObject: none of the actions takes this resource',
    ]);
    expect(why({ actions: ['s3:GetObject', 's3:ListBucket'], resources })).toEqual([]);
    expect(why({ actions: ['s3:*'], resources })).toEqual([]);
  });

  it('a condition whose key is not sent with the action, or not with these resources', () => {
    expect(why({ conditions: ['s3:prefix'] })).toEqual([
      'lambda:InvokeFunction: s3:prefix does not apply to it',
    ]);
    expect(why({ conditions: ['aws:SecureTransport', 'aws:ResourceTag/owner'] })).toEqual([]);
    expect(why({ conditions: ['aws:RequestTag/owner'] })).toEqual([
      'lambda:InvokeFunction: aws:RequestTag/owner does not apply to it',
    ]);
    expect(why({ conditions: ['aws:SorceArn'] })).toEqual([
      'lambda:InvokeFunction: aws:SorceArn does not apply to it',
    ]);
  });

  it('nothing that is not read: other functions of CloudFormation, and statements of what is not allowed', () => {
    const made = { Effect: 'Allow', Action: 's3:GetObject', Resource: { 'Fn::ImportValue': 'rows' } };
    expect(() => statementsIn(made, 'policy')).toThrow('is not known here');
    expect(() => statementsIn({ Effect: 'Allow', NotAction: 's3:*', Resource: '*' }, 'policy')).toThrow(
      'does not name its actions',
    );
  });
});
