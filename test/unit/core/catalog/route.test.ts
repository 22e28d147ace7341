import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogRoute } from '../../../../core/catalog/route.ts';
import { group, model } from './models.ts';

const shop = group([model('churn'), model('fraud')]);
const lab = group([model('churn', {}, { function: 'lab-churn' })], { path: '/lab/v1' });
const groups = [shop, lab];
const kindOf = (path: string): string => catalogRoute(path, groups).kind;

describe('a path', () => {
  it.each([
    ['/v2', 'server'],
    ['/v2/', 'server'],
    ['/v2/health/live', 'live'],
    ['/v2/health/ready', 'ready'],
    ['/openapi.json', 'openapi'],
    ['/docs', 'docs'],
    ['/v2/models/churn', 'metadata'],
    ['/v2/models/churn/ready', 'modelReady'],
    ['/v2/models/churn/card', 'card'],
    ['/lab/v1/v2/models/churn/card/', 'card'],
    ['/v2/models/churn/versions/3', 'metadata'],
    ['/v2/models/churn/versions/3/ready', 'modelReady'],
    ['/v2/models/churn/versions/live/infer', 'infer'],
    ['/models/fraud/ping', 'ping'],
    ['/lab/v1/v2', 'server'],
    ['/lab/v1/ping', 'ping'],
    ['/lab/v1/docs', 'docs'],
  ])('%s asks for %s', (path, kind) => expect(kindOf(path)).toBe(kind));

  it.each([
    '',
    '/',
    '/ping',
    '/v1',
    '/v2x',
    '/v2/models',
    '/v2/models/',
    '/v2/models/nobody',
    '/v2/models/churn/versions',
    '/v2/models/churn/versions/3/card',
    '/v2/models/churn/card/json',
    '/v2/models/nobody/card',
    '/v2/models/churn/versions/0/infer',
    '/v2/models/churn/versions/01/infer',
    '/v2/models/churn/versions/$LATEST/infer',
    '/v2/models/churn/versions/other-alias/infer',
    '/v2/models/churn/versions/3/infer/more',
    '/v2/models/churn/constructor',
    '/v2/models/churn/__proto__',
    '/constructor',
    '/__proto__',
    '/models/churn',
    '/lab/v1',
    '/lab/v1x/v2',
    '/lab/v2',
  ])('%s is nowhere', (path) => expect(kindOf(path)).toBe('unknown'));

  it('belongs to the longest prefix, whose models are its own', () => {
    const route = catalogRoute('/lab/v1/v2/models/churn', groups);
    expect(route).toMatchObject({ group: lab, model: { function: 'lab-churn' }, version: 'live' });
    expect(kindOf('/lab/v1/v2/models/fraud')).toBe('unknown');
  });

  it('never throws and never reaches a version that is no number', () => {
    const part = fc.oneof(
      fc.constantFrom('v2', 'models', 'churn', 'versions', 'infer', '..', '$LATEST'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const route = catalogRoute(`/${parts.join('/')}`, groups);
        if ('version' in route) expect(route.version).toMatch(/^(live|[1-9]\d*)$/);
      }),
    );
  });
});
