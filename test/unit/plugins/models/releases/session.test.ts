import { expect, it } from 'vitest';
import { atDesk } from '../../../../../plugins/models/releases/session.ts';

/** Scripts go by the code: a service is called not deployed only where AWS says that there is no stack. */

const named = (name: string, message: string, status = 400): Error =>
  Object.assign(new Error(message), { name, $metadata: { httpStatusCode: status } });

type Given = Parameters<typeof atDesk>[0];
const desk = (error: Error): Promise<unknown> =>
  atDesk(
    {
      aws: { region: 'us-east-1' },
      bucket: () => Promise.reject(error),
      plan: { host: { service: 'shop', stage: 'prod' } },
      service: { name: 'shop', stage: 'prod', region: 'us-east-1', dir: '.', stack: 'shop-prod' },
    } as unknown as Given,
    async () => 'read',
  );

it.each([
  named('ValidationError', "Stack 'shop-prod' does not exist"),
  named('ValidationError', 'Resource ServerlessDeploymentBucket does not exist for stack shop-prod'),
])('%s', async (error) => {
  await expect(desk(error)).rejects.toThrow(
    `models: There is no shop-prod in us-east-1 whose registry could be read: ${error.message}. Run \`sls deploy\`, or name another --stage, --region or --aws-profile. [MODELS_NOT_DEPLOYED]`,
  );
});

it.each([named('Throttling', 'Rate exceeded'), named('TooManyRequestsException', 'Rate exceeded', 429)])(
  '%s is asked again',
  async (error) => {
    await expect(desk(error)).rejects.toThrow(
      'models: shop-prod in us-east-1 cannot be asked: Rate exceeded. Try again in a moment: others call AWS in this account and region, too. [MODELS_AWS]',
    );
  },
);

it.each([
  named('AccessDenied', 'User: me is not authorized to perform: cloudformation:DescribeStackResource', 403),
  named('ExpiredToken', 'The security token included in the request is expired', 403),
])('%s is no sign that nothing is deployed', async (error) => {
  await expect(desk(error)).rejects.toThrow(
    `models: shop-prod in us-east-1 cannot be asked: ${error.message}. Check credentials, --aws-profile and --region; docs/deploy-policy.md lists what a command needs. [MODELS_AWS]`,
  );
});

const away = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });
const byProxy = (name: string): Error => Object.assign(new Error('The proxy does not lead there'), { name });

// Credentials, which were to be checked, have no part in it.
it.each([
  [
    away('ENOTFOUND'),
    'Check the network, --region and AWS_ENDPOINT_URL; where a proxy leads to AWS, name it in HTTPS_PROXY.',
  ],
  [away('ECONNREFUSED'), 'Check the network, --region and AWS_ENDPOINT_URL;'],
  [byProxy('ProxyFault'), 'Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY,'],
  [byProxy('ProxyAway'), 'Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY,'],
])('%s is told as what did not reach AWS', async (error, fix) => {
  await expect(desk(error)).rejects.toThrow(
    `models: shop-prod in us-east-1 cannot be asked: ${error.message}. ${fix}`,
  );
});
