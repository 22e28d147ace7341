import { afterEach, beforeEach, expect, it } from 'vitest';
import { REGISTRY_LIMITS } from '../../../../../../plugins/models/ship/oci/exchange.ts';
import { ecrRegionOf, registryFor } from '../../../../../../plugins/models/ship/oci/login.ts';
import { type ImageRegistry, imageRegistry, sha256 } from '../../../../../fakes/image-registry.ts';

const HOST = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
const BASIC = `Basic ${Buffer.from('AWS:word').toString('base64')}`;
const limits = { ...REGISTRY_LIMITS, pause: 1, attempts: 1 };
const blob = Buffer.from('blob');

let server: ImageRegistry;
beforeEach(async () => {
  server = await imageRegistry({ authorization: BASIC });
});
afterEach(() => server.stop());

it.each([
  [HOST, 'eu-west-1'],
  ['123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
  ['123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com', 'us-gov-west-1'],
  ['123456789012.dkr-ecr.eu-west-1.on.aws', 'eu-west-1'],
  ['public.ecr.aws', undefined],
  ['12.dkr.ecr.eu-west-1.amazonaws.com', undefined],
  [`${HOST}.evil.example`, undefined],
  [`evil.example.${HOST}`, undefined],
  ['123456789012.dkr.ecr.eu-west-1.amazonawsxcom', undefined],
])('%s is of the region %s', (host, region) => {
  expect(ecrRegionOf(host)).toBe(region);
});

it('asks ECR who we are in the registry’s region, and the registry where that says it is', async () => {
  const asked: string[] = [];
  server.blobs.set(`models ${sha256(blob)}`, blob);
  const registry = await registryFor(
    { host: HOST, repository: 'models', url: `https://${HOST}` },
    {
      aws: { region: 'us-east-1' },
      limits,
      login: async (region) => {
        asked.push(region);
        return { username: 'AWS', password: 'word', url: server.url };
      },
    },
  );
  expect(await registry.hasBlob(sha256(blob))).toBe(true);
  expect(asked).toEqual(['eu-west-1']);
});

it('says that ECR gives no login, and why', async () => {
  const login = async () => {
    throw new Error('AccessDenied');
  };
  const place = { host: HOST, repository: 'models', url: `https://${HOST}` };
  await expect(registryFor(place, { aws: { region: 'us-east-1' }, login })).rejects.toMatchObject({
    name: 'RegistryFault',
    kind: 'refused',
    message: 'gives no login (ecr:GetAuthorizationToken): AccessDenied',
  });
});

it('advises no other credentials where ECR was not heard', async () => {
  const place = { host: HOST, repository: 'models', url: `https://${HOST}` };
  const faultOf = async (error: Error): Promise<unknown> =>
    registryFor(place, { aws: { region: 'us-east-1' }, login: () => Promise.reject(error) }).catch(
      (reason: unknown) => reason,
    );
  const away = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
  expect(await faultOf(away)).toMatchObject({ fix: expect.stringContaining('Check the network') });
  expect(await faultOf(new Error('AccessDenied'))).not.toHaveProperty('fix');
});
