import { describe, expect, it } from 'vitest';
import { namedAnew, renamed } from '../../../../../plugins/models/plan/named-anew.ts';
import { sha256 } from '../../../../../plugins/models/serverless.ts';
import { declaredModels } from '../../../../fixtures/service.ts';

const models = declaredModels({ churn: {} });
/** A template with one version of the model; what is late is in its fingerprint. */
const template = (version: string, late: object = {}, fingerprint = JSON.stringify(late)) => ({
  ChurnLambdaFunction: {
    Type: 'AWS::Lambda::Function',
    Properties: { MemorySize: 1769, Code: { S3Key: `${Math.random()}` }, Tags: [Math.random()], ...late },
  },
  ChurnLiveAlias: { Type: 'Custom::ModelAlias', Properties: { Fingerprint: fingerprint } },
  [version]: { Type: 'AWS::Lambda::Version', Properties: { FunctionName: { Ref: 'ChurnLambdaFunction' } } },
  OtherVersion: { Type: 'AWS::Lambda::Version', Properties: { FunctionName: { Ref: 'Other' } } },
});
/** The version's name in the template that is deployed then. */
function nameOf(next: ReturnType<typeof template>, deployed: object): string | undefined {
  const [only] = namedAnew(models, next, deployed as typeof next, sha256);
  return only?.[1];
}
const FIRST = { LoggingConfig: { LogGroup: '/first' } };
const SECOND = { LoggingConfig: { LogGroup: '/second' } };

describe('the name of a version', () => {
  it('is the framework’s before there is one, and where code or another setting has changed', () => {
    expect(nameOf(template('A', FIRST), {})).toBeUndefined();
    expect(nameOf(template('B', SECOND), template('A', FIRST))).toBeUndefined();
    expect(nameOf(template('B', FIRST), template('AAnew0123456789ab', FIRST))).toBeUndefined();
  });

  it('stays where nothing has changed, whichever key comes first', () => {
    const json = { LoggingConfig: { LogFormat: 'JSON', LogGroup: '/first' } };
    const turned = { LoggingConfig: { LogGroup: '/first', LogFormat: 'JSON' } };
    expect(nameOf(template('A'), template('A'))).toBeUndefined();
    expect(nameOf(template('A', json), template('A', turned))).toBeUndefined();
    expect(nameOf(template('A', json), template('AAnew0123456789ab', turned))).toBe('AAnew0123456789ab');
  });

  it('is another one for another log, for what another plugin has changed late, and for the way back', () => {
    const second = nameOf(template('A', SECOND), template('A', FIRST)) ?? '';
    expect(second).toMatch(/^AAnew[0-9a-f]{12}$/);
    const first = nameOf(template('A', FIRST), template(second, SECOND)) ?? '';
    expect(first).toMatch(/^AAnew[0-9a-f]{12}$/);
    const layered = nameOf(template('A', { Layers: ['arn:2'] }), template('A', { Layers: ['arn:1'] }));
    expect(new Set(['A', first, second, layered]).size).toBe(4);
    expect(nameOf(template('A'), template('A', FIRST))).toBeDefined();
  });

  it('stays where the resources of the service change what no fingerprint has', () => {
    expect(nameOf(template('A', FIRST, 'same'), template('A', SECOND, 'same'))).toBeUndefined();
    expect(nameOf(template('A', FIRST, 'same'), template('AAnew0123456789ab', SECOND, 'same'))).toBe(
      'AAnew0123456789ab',
    );
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
