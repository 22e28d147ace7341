/** A repository at ECR, which other deploys make, too, and which is not known everywhere at once. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { ECRClient } from '@aws-sdk/client-ecr';
import { expect, it } from 'vitest';
import { ecrRepositories } from '../../../../aws/ecr/repositories.ts';
import type { RepositoryPort } from '../../../../core/ports/aws.ts';

const NAME = 'shop-dev-models';
const arn = `arn:aws:ecr:us-east-1:123456789012:repository/${NAME}`;

/** An ECR whose describing misses what was made as often as told, and what was asked of it. */
async function at<T>(
  { unknown = 0, owner, makes = 200 }: { unknown?: number; owner?: string; makes?: number },
  ask: (repositories: RepositoryPort) => Promise<T>,
) {
  const asked: string[] = [];
  let tags = owner === undefined ? [] : [{ Key: 'serverless-models', Value: owner }];
  let unseen = unknown;
  const server = createServer(async (request, response) => {
    const operation = String(request.headers['x-amz-target']).replace(/^.*\./, '');
    asked.push(operation);
    const body = JSON.parse(await text(request));
    const answer = (status: number, document: object): void => {
      response
        .writeHead(status, { 'content-type': 'application/x-amz-json-1.1' })
        .end(JSON.stringify(document));
    };
    const refuse = (name: string): void => answer(400, { __type: name, message: `${name} of ${NAME}` });
    if (operation === 'CreateRepository') {
      if (makes !== 200) return refuse('AccessDeniedException');
      if (owner !== undefined) return refuse('RepositoryAlreadyExistsException');
      ({ tags } = body);
      return answer(200, { repository: { repositoryArn: arn, repositoryUri: 'uri' } });
    }
    if (operation === 'ListTagsForResource') return answer(200, { tags });
    unseen -= 1;
    if (unseen >= 0) return refuse('RepositoryNotFoundException');
    return answer(200, { repositories: [{ repositoryArn: arn, repositoryUri: 'uri' }] });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const ecr = new ECRClient({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    maxAttempts: 1,
  });
  const paused: number[] = [];
  const pause = async (milliseconds: number): Promise<void> => {
    paused.push(milliseconds);
  };
  try {
    const outcome = await ask(ecrRepositories(ecr, pause)).catch(String);
    return { outcome, asked, paused: paused.length };
  } finally {
    ecr.destroy();
    server.closeAllConnections();
    server.close();
  }
}
const make = (repositories: RepositoryPort) => repositories.make(NAME, 'shop/dev');

it('is made for who deploys, and waited for until ECR knows it', async () => {
  const made = { arn, uri: 'uri', owner: 'shop/dev' };
  expect(await at({}, make)).toMatchObject({ outcome: made, paused: 0 });
  expect(await at({ unknown: 3 }, make)).toMatchObject({ outcome: made, paused: 3 });
  expect((await at({ unknown: 99 }, make)).outcome).toContain('does not know it yet: deploy again');
});

it('that is there meanwhile is told with who made it: another deploy, or this one, whose answer was lost', async () => {
  for (const owner of ['shop/dev', 'shop/prod'])
    expect(await at({ owner, unknown: 1 }, make)).toEqual({
      outcome: { arn, uri: 'uri', owner },
      asked: ['CreateRepository', 'DescribeRepositories', 'DescribeRepositories', 'ListTagsForResource'],
      paused: 1,
    });
});

it('that may not be made is told as AWS says it', async () => {
  expect(await at({ makes: 403 }, make)).toMatchObject({
    outcome: expect.stringContaining('AccessDeniedException'),
    asked: ['CreateRepository'],
  });
});
