/**
 * What is looked for, where AWS’s lists are behind or of all regions: the real SDK, and answers as on AWS’s
 * pages.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { IAMClient } from '@aws-sdk/client-iam';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Clients } from '../../account/clients.ts';
import { KINDS } from '../../account/leftovers.ts';
import { leftLines } from '../../account/remove.ts';
import { stacksOfRuns } from '../../account/stacks.ts';

const [OURS, GONE, ELSEWHERE] = ['smcheck-0123abcd', 'smcheck-00000000', 'smcheck-ffffffff'];
const HERE = 'eu-central-1';
/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoleTags.html: NoSuchEntity, 404. */
const error = (code: string, text: string): string =>
  `<ErrorResponse><Error><Code>${code}</Code><Message>${text}</Message></Error></ErrorResponse>`;
const role = (name: string): string => `<member><RoleName>${name}-dev-lambdaRole</RoleName></member>`;

/** Status and body, by what is asked. */
function answer(url: URL, asked: URLSearchParams): readonly [number, string] {
  switch (asked.get('Action')) {
    case 'ListRoles':
      return [
        200,
        `<ListRolesResponse><ListRolesResult><Roles>${role(OURS ?? '')}${role(GONE ?? '')}<member><RoleName>admin</RoleName></member></Roles><IsTruncated>false</IsTruncated></ListRolesResult></ListRolesResponse>`,
      ];
    case 'ListRoleTags':
      return asked.get('RoleName')?.startsWith(OURS ?? '')
        ? [
            200,
            '<ListRoleTagsResponse><ListRoleTagsResult><Tags/><IsTruncated>false</IsTruncated></ListRoleTagsResult></ListRoleTagsResponse>',
          ]
        : [404, error('NoSuchEntity', 'The role cannot be found.')];
    case 'DescribeStacks': {
      const name = asked.get('StackName');
      // One that was copied with its tags, and one of another kind of name.
      const names = name === null ? [`${OURS}-dev`, `${OURS}-web`, 'shop-dev'] : [name];
      if (name === null || name === `${OURS}-dev`) {
        const tags = `<Tags><member><Key>serverless-models-account</Key><Value>${OURS}</Value></member></Tags>`;
        const stacks = names.map(
          (one) =>
            `<member><StackName>${one}</StackName><StackStatus>CREATE_COMPLETE</StackStatus>${tags}</member>`,
        );
        return [
          200,
          `<DescribeStacksResponse><DescribeStacksResult><Stacks>${stacks.join('')}</Stacks></DescribeStacksResult></DescribeStacksResponse>`,
        ];
      }
      return [400, error('ValidationError', `Stack with id ${name} does not exist`)];
    }
  }
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
  const all = { [`${OURS}-rows`]: HERE, [`${ELSEWHERE}-rows`]: 'us-west-2' };
  const region = url.searchParams.get('bucket-region');
  if (url.pathname !== '/')
    return [400, '<Error><Code>AuthorizationHeaderMalformed</Code><Message>wrong region</Message></Error>'];
  const found = Object.entries(all).filter(([, place]) => region === null || region === place);
  const buckets = found.map(([name]) => `<Bucket><Name>${name}</Name></Bucket>`).join('');
  return [200, `<ListAllMyBucketsResult><Buckets>${buckets}</Buckets></ListAllMyBucketsResult>`];
}

let server: Server;
let clients: Clients;
beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const [status, text] = answer(
        new URL(request.url ?? '/', 'http://127.0.0.1'),
        new URLSearchParams(body),
      );
      response.writeHead(status, { 'content-type': 'text/xml' }).end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const config = {
    region: HERE,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  };
  const some = {
    region: HERE,
    cloudFormation: new CloudFormationClient(config),
    iam: new IAMClient(config),
    s3: new S3Client({ ...config, forcePathStyle: true }),
  };
  clients = some as unknown as Clients;
});
afterAll(() => {
  for (const client of [clients.cloudFormation, clients.iam, clients.s3]) client.destroy();
  server.close();
});

const listed = async (what: string): Promise<readonly string[]> =>
  ((await KINDS.find((kind) => kind.what === what)?.list(clients)) ?? []).map(({ name }) => name);

test('a role that went since it was listed hides no other', async () => {
  expect(await listed('role')).toEqual([`${OURS}-dev-lambdaRole`]);
});

test('a bucket in another region hides none of this one', async () => {
  expect(await listed('bucket')).toEqual([`${OURS}-rows`]);
});

test('a stack is a run’s by its whole name, not by a tag; one that is known is asked for by its name', async () => {
  expect(await stacksOfRuns(clients)).toEqual([{ run: OURS, name: `${OURS}-dev` }]);
  expect(await stacksOfRuns(clients, [OURS ?? '', GONE ?? ''])).toEqual([{ run: OURS, name: `${OURS}-dev` }]);
});

test('what could not be looked for may be left', () => {
  expect(leftLines({ there: [], unknown: [] })).toEqual([]);
  expect(
    leftLines({ there: [{ run: OURS ?? '', line: 'bucket b' }], unknown: ['roles: ExpiredToken'] }),
  ).toEqual(['bucket b', 'not looked for: roles: ExpiredToken']);
});
