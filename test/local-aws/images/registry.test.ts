import {
  BatchCheckLayerAvailabilityCommand,
  BatchDeleteImageCommand,
  BatchGetImageCommand,
  CreateRepositoryCommand,
  DeleteRepositoryCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  ECRClient,
  GetAuthorizationTokenCommand,
  GetLifecyclePolicyCommand,
  ListImagesCommand,
  PutImageCommand,
  PutLifecyclePolicyCommand,
  SetRepositoryPolicyCommand,
} from '@aws-sdk/client-ecr';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { makeUser } from '../../journeys/user.ts';
import { ACCOUNT, withAndWithout } from '../lambda.ts';
import { authorization, digestOf, type Image, image, makeRepository, push } from './image.ts';

const ID = `the registry with id '${ACCOUNT}'`;
const small = (text: string): Image => image({ layers: [{ 'data/text': { data: text } }] });
const refusal = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'none',
    (error: Error) => `${error.name}: ${error.message}`,
  );

let aws: LocalAws;
let ecr: ECRClient;
beforeAll(async () => {
  aws = await startAws();
  ecr = new ECRClient(client(aws.endpoint));
});
afterAll(async () => {
  ecr?.destroy();
  await aws?.stop();
});

// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_Operations.html
describe('ECR’s API', () => {
  it('makes, lists and removes repositories, in AWS’s words', async () => {
    const [one, two] = ['team/one', 'team/two'];
    for (const repositoryName of [one, two]) await makeRepository(aws, repositoryName);
    expect(await refusal(makeRepository(aws, one))).toBe(
      `RepositoryAlreadyExistsException: The repository with name '${one}' already exists in ${ID}`,
    );
    expect(await refusal(makeRepository(aws, 'Team'))).toMatch(
      /^InvalidParameterException: Invalid parameter at 'repositoryName' failed to satisfy constraint: /,
    );
    const page = await ecr.send(new DescribeRepositoriesCommand({ maxResults: 1 }));
    expect(page.repositories?.map(({ repositoryUri }) => repositoryUri)).toEqual([
      `${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/${one}`,
    ]);
    const next = await ecr.send(
      new DescribeRepositoriesCommand({ maxResults: 1, nextToken: page.nextToken }),
    );
    expect(next.repositories?.[0]?.repositoryName).toBe(two);
    const missing = `RepositoryNotFoundException: The repository with name 'none' does not exist in ${ID}`;
    expect(await refusal(ecr.send(new DescribeRepositoriesCommand({ repositoryNames: ['none'] })))).toBe(
      missing,
    );
    expect(await refusal(ecr.send(new ListImagesCommand({ repositoryName: 'none' })))).toBe(missing);

    const { manifest, blobs } = small('first');
    await push(aws, one, 'v1', { manifest, blobs });
    expect(await refusal(ecr.send(new DeleteRepositoryCommand({ repositoryName: one })))).toBe(
      `RepositoryNotEmptyException: The repository with name '${one}' in registry with id '${ACCOUNT}' cannot be deleted because it still contains images`,
    );
    await ecr.send(new DeleteRepositoryCommand({ repositoryName: one, force: true }));
    await makeRepository(aws, one);
    const layerDigests = blobs.map(({ digest }) => digest);
    const there = await ecr.send(
      new BatchCheckLayerAvailabilityCommand({ repositoryName: one, layerDigests }),
    );
    expect(there.layers).toEqual([]);
    expect(there.failures?.map(({ failureCode }) => failureCode)).toEqual([
      'MissingLayerDigest',
      'MissingLayerDigest',
    ]);
  });

  // https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchDeleteImage.html
  it('tells images by tag and digest, and removes either', async () => {
    const repositoryName = 'tagged';
    await makeRepository(aws, repositoryName);
    const [a, b] = [small('a'), small('b')];
    for (const tag of ['v1', 'live']) await push(aws, repositoryName, tag, a);
    const list = async (): Promise<string[]> => {
      const { imageIds = [] } = await ecr.send(new ListImagesCommand({ repositoryName }));
      return imageIds.map(
        ({ imageDigest, imageTag }) => `${imageDigest === a.manifest.digest ? 'a' : 'b'} ${imageTag}`,
      );
    };
    expect(await list()).toEqual(['a v1', 'a live']);
    await push(aws, repositoryName, 'live', b);
    expect(await list()).toEqual(['a v1', 'b live']);
    const { imageDetails = [] } = await ecr.send(
      new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag: 'live' }] }),
    );
    const [, layer] = b.blobs;
    expect(imageDetails[0]).toMatchObject({
      imageDigest: b.manifest.digest,
      imageTags: ['live'],
      imageSizeInBytes: layer?.bytes.length,
      artifactMediaType: 'application/vnd.oci.image.config.v1+json',
    });
    expect(
      await refusal(ecr.send(new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag: 'v9' }] }))),
    ).toBe(
      `ImageNotFoundException: The image with imageId {imageDigest:'null', imageTag:'v9'} does not exist within the repository with name 'tagged' in ${ID}`,
    );
    const remove = async (...imageIds: { imageTag?: string; imageDigest?: string }[]) =>
      ecr.send(new BatchDeleteImageCommand({ repositoryName, imageIds }));
    // An image that was given its last tag away stays, untagged.
    await push(aws, repositoryName, 'v1', b);
    expect(await list()).toEqual(['a undefined', 'b live', 'b v1']);
    expect((await remove({ imageTag: 'v1' })).imageIds).toEqual([
      { imageDigest: b.manifest.digest, imageTag: 'v1' },
    ]);
    expect(await list()).toEqual(['a undefined', 'b live']);
    const both = await remove({ imageDigest: a.manifest.digest }, { imageTag: 'live' }, { imageTag: 'v9' });
    expect(both.imageIds).toHaveLength(2);
    expect(both.failures?.map(({ failureCode }) => failureCode)).toEqual(['ImageNotFound']);
    expect(await list()).toEqual([]);
    const gone = await ecr.send(
      new BatchGetImageCommand({ repositoryName, imageIds: [{ imageDigest: b.manifest.digest }] }),
    );
    expect(gone.failures).toHaveLength(1);
  });

  // https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
  // https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_PutImage.html
  it('moves no tag of an immutable repository, and takes no image twice', async () => {
    const repositoryName = 'fixed';
    await ecr.send(new CreateRepositoryCommand({ repositoryName, imageTagMutability: 'IMMUTABLE' }));
    const [a, b] = [small('a'), small('b')];
    await push(aws, repositoryName, 'v1', a);
    const taken = `The image tag 'v1' already exists in the 'fixed' repository and cannot be overwritten because the tag is immutable.`;
    expect(await refusal(push(aws, repositoryName, 'v1', b))).toMatch(
      `HTTP 400: {"errors": [{"code": "TAG_INVALID", "message": "${taken}"`,
    );
    const put = (imageManifest: string, imageTag: string): Promise<string> =>
      refusal(ecr.send(new PutImageCommand({ repositoryName, imageManifest, imageTag })));
    expect(await put(b.manifest.bytes.toString(), 'v1')).toBe(`ImageTagAlreadyExistsException: ${taken}`);
    expect(await put(a.manifest.bytes.toString(), 'v1')).toMatch(
      /^ImageAlreadyExistsException: Image with digest/,
    );
    expect(await put(small('c').manifest.bytes.toString(), 'v2')).toMatch(/^LayersNotFoundException: /);
    expect(await put(a.manifest.bytes.toString(), 'also')).toBe('none');
  });

  // https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
  it('takes policies that are policies', async () => {
    const repositoryName = 'ruled';
    await makeRepository(aws, repositoryName);
    expect(
      await refusal(ecr.send(new SetRepositoryPolicyCommand({ repositoryName, policyText: '{}' }))),
    ).toBe(
      `InvalidParameterException: Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'`,
    );
    const put = (...rules: object[]): Promise<string> =>
      refusal(
        ecr.send(
          new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText: JSON.stringify({ rules }) }),
        ),
      );
    const rule = (rulePriority: number, selection: object) => ({
      rulePriority,
      selection,
      action: { type: 'expire' },
    });
    const untagged = {
      tagStatus: 'untagged',
      countType: 'sinceImagePushed',
      countUnit: 'days',
      countNumber: 1,
    };
    const any = { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 5 };
    const wrong =
      "InvalidParameterException: Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: ";
    expect(await put()).toContain(wrong);
    expect(await put(rule(1, any), rule(2, untagged))).toBe(
      `${wrong}Rule for tagStatus=ANY must have the lowest priority per storage class'`,
    );
    expect(await put(rule(1, { ...any, tagStatus: 'tagged' }))).toBe(
      `${wrong}Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.'`,
    );
    expect(await put(rule(1, untagged), rule(2, any))).toBe('none');
    const kept = await ecr.send(new GetLifecyclePolicyCommand({ repositoryName }));
    expect(JSON.parse(kept.lifecyclePolicyText ?? '')).toMatchObject({
      rules: [{ rulePriority: 1 }, { rulePriority: 2 }],
    });
  });

  // https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html
  it('takes away what a lifecycle policy expires, and nothing else', async () => {
    // A day in a fifth of a second.
    const fast = await startAws({ speed: 400_000 });
    const registry = new ECRClient(client(fast.endpoint));
    const listed = async (repositoryName: string): Promise<readonly string[]> => {
      const { imageIds = [] } = await registry.send(new ListImagesCommand({ repositoryName }));
      return imageIds.map(({ imageTag, imageDigest = '' }) => imageTag ?? imageDigest).sort();
    };
    const ruled = (repositoryName: string, selection: object) => {
      const rules = [{ rulePriority: 1, selection, action: { type: 'expire' } }];
      const lifecyclePolicyText = JSON.stringify({ rules });
      return registry.send(new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText }));
    };
    try {
      const nameless = small('nameless');
      await makeRepository(fast, 'aged');
      await push(fast, 'aged', 'v1', small('tagged'));
      await push(fast, 'aged', nameless.manifest.digest, nameless);
      const older = (days: number) =>
        ruled('aged', {
          tagStatus: 'untagged',
          countType: 'sinceImagePushed',
          countUnit: 'days',
          countNumber: days,
        });
      await older(100_000);
      expect(await listed('aged')).toEqual([nameless.manifest.digest, 'v1']);
      await older(1);
      await expect.poll(() => listed('aged')).toEqual(['v1']);
      const headers = { Authorization: await authorization(fast) };
      const pulled = (reference: string): Promise<number> =>
        fetch(`${fast.endpoint}/v2/aged/manifests/${reference}`, { headers }).then(({ status }) => status);
      expect([await pulled(nameless.manifest.digest), await pulled('v1')]).toEqual([404, 200]);

      await makeRepository(fast, 'counted');
      await ruled('counted', {
        tagStatus: 'tagged',
        tagPatternList: ['v*'],
        countType: 'imageCountMoreThan',
        countNumber: 2,
      });
      for (const tag of ['v1', 'other', 'v2', 'v3']) await push(fast, 'counted', tag, small(tag));
      expect(await listed('counted')).toEqual(['other', 'v2', 'v3']);
    } finally {
      registry.destroy();
      await fast.stop();
    }
  });

  it('is not what MiniStack itself answers', async () => {
    const { on, off } = await withAndWithout('registry', async (one) => {
      await makeRepository(one, 'one');
      return refusal(makeRepository(one, 'one'));
    });
    expect(on).toContain(`already exists in ${ID}`);
    expect(off).not.toContain(ID);
  });
});

// https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md
describe('ECR as a registry', () => {
  const at = (path: string): string => `${aws.endpoint}/v2/${path}`;
  const told = async (answer: Response): Promise<string> => {
    const { errors } = (await answer.json()) as { errors: { code: string; message: string }[] };
    return `${answer.status} ${errors[0]?.code}: ${errors[0]?.message}`;
  };

  it('is where the token says, and opens to who has it', async () => {
    const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}));
    expect(authorizationData?.[0]?.proxyEndpoint).toBe(aws.endpoint);
    const closed = await fetch(at(''));
    expect(closed.status).toBe(401);
    expect(closed.headers.get('www-authenticate')).toMatch(/^Basic realm=".*",service="ecr.amazonaws.com"$/);
    const made = Buffer.from('AWS:made up').toString('base64');
    expect((await fetch(at(''), { headers: { authorization: `Basic ${made}` } })).status).toBe(401);
    expect((await fetch(at(''), { headers: { authorization: await authorization(aws) } })).status).toBe(200);
  });

  // https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
  it('lets a token’s owner do what that one may', async () => {
    await makeRepository(aws, 'mine');
    const user = await makeUser(aws, 'pusher');
    const arn = `arn:aws:ecr:us-east-1:${ACCOUNT}:repository/mine`;
    const login = { Sid: 'Login', Effect: 'Allow', Action: 'ecr:GetAuthorizationToken', Resource: '*' };
    const allow = (...actions: string[]) => ({
      Sid: 'Push',
      Effect: 'Allow',
      Action: actions.map((one) => `ecr:${one}`),
      Resource: arn,
    });
    await user.may([login]);
    const headers = { authorization: await authorization(aws, user.credentials) };
    const start = () => fetch(at('mine/blobs/uploads/'), { method: 'POST', headers });
    expect(await told(await start())).toBe(
      `403 DENIED: User: arn:aws:iam::${ACCOUNT}:user/pusher is not authorized to perform: ecr:InitiateLayerUpload on resource: ${arn} because no identity-based policy allows the ecr:InitiateLayerUpload action`,
    );
    const toPush = [
      'BatchCheckLayerAvailability',
      'InitiateLayerUpload',
      'UploadLayerPart',
      'CompleteLayerUpload',
      'PutImage',
    ];
    const pushed = small('pushed');
    const [first] = toPush;
    await user.may([login, allow(...toPush.slice(1))]);
    const looked = await fetch(at(`mine/blobs/${pushed.blobs[0]?.digest}`), { method: 'HEAD', headers });
    expect([first, looked.status]).toEqual(['BatchCheckLayerAvailability', 403]);
    for (const missing of toPush.slice(1)) {
      await user.may([login, allow(...toPush.filter((one) => one !== missing))]);
      expect(await refusal(push(aws, 'mine', 'v1', pushed, user.credentials)), missing).toContain(
        `ecr:${missing} on`,
      );
    }
    await user.may([login, allow(...toPush)]);
    await push(aws, 'mine', 'v1', pushed, user.credentials);
    const read = await fetch(at('mine/manifests/v1'), { headers });
    expect(await told(read)).toMatch(/^403 DENIED: .* ecr:BatchGetImage on/);
  });

  // https://github.com/aws/containers-roadmap/issues/2831
  // https://github.com/apple/container/issues/1895
  it('takes a blob in chunks, in turn, and says of each what ECR says', async () => {
    await makeRepository(aws, 'chunks');
    const headers = { authorization: await authorization(aws) };
    const blob = Buffer.from('0123456789'.repeat(3));
    const begun = await fetch(at('chunks/blobs/uploads/'), { method: 'POST', headers });
    const place = new URL(begun.headers.get('location') ?? '', aws.endpoint);
    const send = (first: number, last: number, method = 'PATCH', url = place): Promise<Response> =>
      fetch(url, {
        method,
        headers: { ...headers, 'content-range': `${first}-${last}` },
        body: new Uint8Array(blob.subarray(first, last + 1)),
      });
    for (const [first, last] of [
      [0, 9],
      [10, 19],
    ] as const) {
      const { status, headers: answered } = await send(first, last);
      expect([status, answered.get('range')]).toEqual([201, '0-9']);
    }
    expect(await told(await send(0, 9))).toBe(
      '416 BLOB_UPLOAD_INVALID: First byte of the layer part is 0 instead of 20',
    );
    expect((await fetch(place, { headers })).status).toBe(404);
    const end = new URL(place);
    end.searchParams.set('digest', digestOf(Buffer.from('other')));
    expect(await told(await send(20, 29, 'PUT', end))).toMatch(/^400 DIGEST_INVALID/);
    end.searchParams.set('digest', digestOf(blob));
    expect((await send(20, 29, 'PUT', end)).status).toBe(201);
    const kept = await fetch(at(`chunks/blobs/${digestOf(blob)}`), { headers });
    expect(Buffer.from(await kept.arrayBuffer())).toEqual(blob);
  });

  it('takes no manifest of what it has not, and knows no repository that nobody made', async () => {
    await makeRepository(aws, 'strict');
    const headers = { authorization: await authorization(aws) };
    const { manifest } = small('nowhere');
    const put = (name: string, body: Buffer, reference = 'v1'): Promise<Response> =>
      fetch(at(`${name}/manifests/${reference}`), {
        method: 'PUT',
        headers: { ...headers, 'content-type': manifest.mediaType },
        body: new Uint8Array(body),
      });
    expect(await told(await put('strict', manifest.bytes))).toMatch(/^400 MANIFEST_BLOB_UNKNOWN: /);
    expect(await told(await put('strict', Buffer.from('no JSON')))).toMatch(/^400 MANIFEST_INVALID: /);
    expect(await told(await put('nobody', manifest.bytes))).toBe(
      `404 NAME_UNKNOWN: The repository with name 'nobody' does not exist in ${ID}`,
    );
  });

  it('is open to everybody in MiniStack itself', async () => {
    const { on, off } = await withAndWithout(
      'distribution',
      async (one) => (await fetch(`${one.endpoint}/v2/`)).status,
    );
    expect([on, off]).toEqual([401, 200]);
  });
});
