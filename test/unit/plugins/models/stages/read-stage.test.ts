/** Another stage that cannot be looked at: without credentials nobody knows what it has validated. */
import { expect, it } from 'vitest';
import { readStage } from '../../../../../plugins/models/stages/read-stage.ts';

const aws = {
  region: 'us-east-1',
  credentials: async (): Promise<never> => {
    throw Object.assign(new Error('Could not load credentials from any providers'), {
      name: 'CredentialsProviderError',
    });
  },
};
const service = { name: 'shop', stage: 'prod', region: 'us-east-1', dir: '.', stack: 'shop-prod' };

it('is a problem with a code, and no stack of calls', async () => {
  await expect(readStage(aws, service, 'staging', [])).rejects.toMatchObject({
    problems: [
      {
        code: 'MODELS_AWS',
        message:
          'shop at the stage staging in us-east-1 cannot be asked: Could not load credentials from any providers.',
        fix: expect.stringContaining('Check credentials'),
      },
    ],
  });
  await expect(readStage(aws, service, 'prod', [])).rejects.toMatchObject({
    problems: [{ code: 'MODELS_USAGE' }],
  });
});
