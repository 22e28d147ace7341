import { describe, expect, it } from 'vitest';
import { readEvent } from '../../../../core/protocol/event.ts';
import { mountOf } from '../../../../core/protocol/mount.ts';

/** A GET of /openapi.json, in each way in which it can come. */
const v2 = (rawPath: string, routeKey = 'GET /openapi.json'): object => ({
  version: '2.0',
  routeKey,
  rawPath,
  headers: {},
  requestContext: { http: { method: 'GET', path: rawPath } },
});
const rest = (path: string, whole: string | undefined): object => ({
  httpMethod: 'GET',
  resource: '/openapi.json',
  path,
  headers: {},
  requestContext: { ...(whole !== undefined && { path: whole }) },
});

describe('what stands before the path of a route', () => {
  it.each([
    ['the stage of an HTTP API', v2('/prod/openapi.json'), '/prod'],
    ['the mapping of a domain', v2('/ml/v1/openapi.json'), '/ml/v1'],
    ['nothing at the stage $default', v2('/openapi.json'), ''],
    ['a slash at the end, which is forgiven', v2('/prod/openapi.json/'), '/prod'],
    ['nothing of a route that takes any path', v2('/prod/openapi.json', '$default'), ''],
    ['the stage of a REST API', rest('/openapi.json', '/dev/openapi.json'), '/dev'],
    ['the mapping of a REST API’s domain', rest('/shop/openapi.json', '/shop/openapi.json'), '/shop'],
    ['nothing where an event has no whole path', rest('/openapi.json', undefined), ''],
    ['nothing that would be another host', v2('//evil.example/openapi.json'), ''],
    ['nothing that is no path', v2('/a"b/openapi.json'), ''],
  ])('is %s', (_, event, mount) => {
    expect(mountOf(readEvent(event))).toBe(mount);
  });
});
