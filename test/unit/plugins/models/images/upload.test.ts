/** What ECR refuses of a deploy’s images is told as a problem, with what to do. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { uploadImages } from '../../../../../plugins/models/images/upload.ts';
import { isProblemError } from '../../../../../plugins/models/problems/errors.ts';

const NAME = 'shop-dev-models';
const HOST = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
/** Operations that this caller may not use. */
let denied: readonly string[] = [];
/** The repository’s lifecycle policy. */
let rules: readonly object[] | undefined;
/** Whether the image is there. */
let isThere = false;
let asked: string[] = [];
let ecr: Server;
beforeEach(async () => {
  [denied, asked, rules, isThere] = [[], [], undefined, false];
  ecr = createServer(async (request, response) => {
    const operation = String(request.headers['x-amz-target']).replace(/^.*\./, '');
    await text(request);
    asked.push(operation);
    const [status, answer] = denied.includes(operation)
      ? [400, { __type: 'AccessDeniedException', message: `not authorized to perform: ecr:${operation}` }]
      : answerTo(operation);
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(answer));
  });
  ecr.listen(0, '127.0.0.1');
  await once(ecr, 'listening');
  vi.stubEnv('AWS_ENDPOINT_URL_ECR', `http://127.0.0.1:${(ecr.address() as AddressInfo).port}`);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  ecr.close();
  ecr.closeAllConnections();
});

function answerTo(operation: string): readonly [number, object] {
  if (operation === 'DescribeRepositories')
    return [200, { repositories: [{ repositoryArn: 'arn', repositoryUri: `${HOST}/${NAME}` }] }];
  if (operation === 'GetLifecyclePolicy')
    return rules === undefined
      ? [400, { __type: 'LifecyclePolicyNotFoundException', message: 'none' }]
      : [200, { lifecyclePolicyText: JSON.stringify({ rules }) }];
  if (operation === 'DescribeImages' && !isThere)
    return [400, { __type: 'ImageNotFoundException', message: 'no image' }];
  return [200, {}];
}

const upload = (): Promise<readonly string[]> =>
  uploadImages(
    [
      {
        model: 'churn',
        architecture: 'x86_64',
        base: `127.0.0.1:1/node@sha256:${'a'.repeat(64)}`,
        layers: [],
        config: {},
      },
    ],
    {
      region: 'eu-west-1',
      credentials: async () => ({ accessKeyId: 'test', secretAccessKey: 'test' }),
    },
    new Map([['churn', { repository: NAME, tag: 'v-1', base: 'b', named: true }]]),
    'shop/dev',
    () => {},
  );

it.each([
  [
    'GetAuthorizationToken',
    'models',
    `The image cannot be pushed to ${HOST}/${NAME}: the registry gives no login (ecr:GetAuthorizationToken): not authorized to perform: ecr:GetAuthorizationToken. Check credentials and --aws-profile: ECR is asked with AWS’s, by somebody who may push there.`,
  ],
  [
    'DescribeImages',
    'models.churn.image.repository',
    `The repository ${NAME} cannot be used: not authorized to perform: ecr:DescribeImages. Check credentials and --aws-profile`,
  ],
])('who may not use %s', async (operation, key, told) => {
  denied = [operation];
  const error: unknown = await upload().catch((reason: unknown) => reason);
  if (!isProblemError(error)) throw error;
  expect(error.problems).toMatchObject([{ code: 'MODELS_IMAGE_PUSH', key }]);
  expect(error.message).toContain(told);
  // Nothing of the base, which has hundreds of megabytes, was fetched before.
  expect(asked.at(-1)).toBe(operation === 'DescribeImages' ? operation : 'DescribeImages');
});

// https://docs.aws.amazon.com/lambda/latest/dg/invocation-images.html
it('a repository that takes images of versions away is told; one that nobody may look at is not', async () => {
  isThere = true;
  expect(await upload()).toEqual([]);
  const selection = { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 10 };
  rules = [{ rulePriority: 1, selection, action: { type: 'expire' } }];
  expect(await upload()).toEqual([
    `models.churn.image.repository: ${NAME} takes away images of versions by itself (rule 1 of its lifecycle policy, imageCountMoreThan 10), and Lambda fails a version whose image is gone. Let its rules select other tags, or name a repository without them.`,
  ]);
  denied = ['GetLifecyclePolicy'];
  expect(await upload()).toEqual([]);
});
