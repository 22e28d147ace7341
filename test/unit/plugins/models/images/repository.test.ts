import { expect, it } from 'vitest';
import type { FoundRepository, RepositoryPort } from '../../../../../core/ports/aws.ts';
import { repositoryFor } from '../../../../../plugins/models/images/repository.ts';

const ARN = 'arn:aws-cn:ecr:cn-north-1:123456789012:repository/shop-dev-models';

/** ECR with at most one repository, and what was asked of it. */
function ecr(there?: Partial<FoundRepository>, fails?: string, madeBy?: string) {
  const asked: unknown[] = [];
  const port: Pick<RepositoryPort, 'find' | 'make' | 'ready'> = {
    find: async () => {
      if (fails !== undefined) throw new Error(fails);
      return there && { arn: ARN, uri: 'uri', ...there };
    },
    make: async (name, owner) => {
      asked.push(['make', name, owner]);
      return { arn: ARN, uri: 'made', owner: madeBy ?? owner };
    },
    ready: async (name, its) => {
      asked.push(['ready', name, its]);
    },
  };
  return { asked, port: port as RepositoryPort };
}
const to = (named: boolean) => ({ repository: 'shop-dev-models', tag: 'v-1', base: 'b', named });
const ready = [
  'ready',
  'shop-dev-models',
  {
    policy: expect.objectContaining({
      Statement: [
        expect.objectContaining({
          Principal: { Service: 'lambda.amazonaws.com' },
          Condition: {
            StringLike: { 'aws:sourceArn': 'arn:aws-cn:lambda:cn-north-1:123456789012:function:*' },
          },
        }),
      ],
    }),
    lifecycle: { rules: [expect.objectContaining({ action: { type: 'expire' } })] },
  },
];

it('is made for the service and stage, and made ready again where that was interrupted', async () => {
  const none = ecr();
  expect(await repositoryFor('churn', to(false), none.port, 'shop/dev')).toMatchObject({ uri: 'made' });
  expect(none.asked).toEqual([['make', 'shop-dev-models', 'shop/dev'], ready]);
  const ours = ecr({ owner: 'shop/dev' });
  expect(await repositoryFor('churn', to(false), ours.port, 'shop/dev')).toMatchObject({ uri: 'uri' });
  expect(ours.asked).toEqual([ready]);
});

it.each([{ owner: 'shop/prod' }, {}])('of somebody else is refused, and left alone', async (there) => {
  const { asked, port } = ecr(there);
  await expect(repositoryFor('churn', to(false), port, 'shop/dev')).rejects.toThrow(
    /^models\.churn\.image\.repository: The repository shop-dev-models is there, and was not made for shop\/dev\. .*\[MODELS_IMAGE_PUSH\]/,
  );
  expect(asked).toEqual([]);
});

it('that somebody else made at this moment is refused, too', async () => {
  const { asked, port } = ecr(undefined, undefined, 'shop/prod');
  await expect(repositoryFor('churn', to(false), port, 'shop/dev')).rejects.toThrow(
    'was not made for shop/dev',
  );
  expect(asked).toEqual([['make', 'shop-dev-models', 'shop/dev']]);
});

it('that the service names is used as it is, and must be there', async () => {
  const theirs = ecr({});
  expect(await repositoryFor('churn', to(true), theirs.port, 'shop/dev')).toMatchObject({ uri: 'uri' });
  expect(theirs.asked).toEqual([]);
  await expect(repositoryFor('churn', to(true), ecr().port, 'shop/dev')).rejects.toThrow(
    'has no such repository in this account and region',
  );
});

it('that AWS refuses to tell of is a problem with a way out', async () => {
  await expect(repositoryFor('churn', to(false), ecr(undefined, 'AccessDenied').port, 'x')).rejects.toThrow(
    /cannot be used: AccessDenied\. Check credentials/,
  );
});
