import { describe, expect, it } from 'vitest';
import { loggedAnew, renamed } from '../../../../../../plugins/models/plan/release/logged-anew.ts';
import { declaredModels } from '../../../../../fixtures/service.ts';

const models = declaredModels({ churn: {} });
/** A template with one version of the model. */
const template = (version: string, log?: object) => ({
  ChurnLambdaFunction: {
    Type: 'AWS::Lambda::Function',
    Properties: { MemorySize: 1769, ...(log && { LoggingConfig: log }) },
  },
  [version]: { Type: 'AWS::Lambda::Version', Properties: { FunctionName: { Ref: 'ChurnLambdaFunction' } } },
  OtherVersion: { Type: 'AWS::Lambda::Version', Properties: { FunctionName: { Ref: 'Other' } } },
});
const digest = (text: string) => `${text.length}`.padEnd(64, '0');
const names = (next: object, deployed: object) => [
  ...loggedAnew(models, next as never, deployed as never, digest).entries(),
];
const FIRST = { LogGroup: '/first' };
const SECOND = { LogGroup: '/the/second' };

describe('the name of a version', () => {
  it('is the framework’s before there is one, and where code or another setting has changed', () => {
    expect(names(template('A', FIRST), {})).toEqual([]);
    expect(names(template('B', SECOND), template('A', FIRST))).toEqual([]);
    expect(names(template('B', FIRST), template('ALogs270000000000', FIRST))).toEqual([]);
  });

  it('stays where nothing has changed, whichever key comes first', () => {
    const json = { LogFormat: 'JSON', LogGroup: '/first' };
    const turned = { LogGroup: '/first', LogFormat: 'JSON' };
    expect(names(template('A'), template('A'))).toEqual([]);
    expect(names(template('A', json), template('A', turned))).toEqual([]);
    expect(names(template('A', json), template('ALogs480000000000', turned))).toEqual([
      ['A', 'ALogs480000000000'],
    ]);
  });

  it('is another one for another log, and for the way back', () => {
    const [[, second = ''] = []] = names(template('A', SECOND), template('A', FIRST));
    expect(second).toMatch(/^ALogs[0-9a-f]{12}$/);
    const [[, first = ''] = []] = names(template('A', FIRST), template(second, SECOND));
    expect(first).toMatch(/^ALogs[0-9a-f]{12}$/);
    expect(new Set(['A', first, second]).size).toBe(3);
    expect(names(template('A'), template('A', FIRST))).toHaveLength(1);
  });

  it('changes wherever it stands, and in no longer name', () => {
    const part = { A: { of: 'A' }, AB: { 'Fn::GetAtt': ['A', 'Version'] }, C: ['AB', { Ref: 'A' }] };
    expect(renamed(part, new Map([['A', 'X']]))).toEqual({
      X: { of: 'X' },
      AB: { 'Fn::GetAtt': ['X', 'Version'] },
      C: ['AB', { Ref: 'X' }],
    });
  });
});
