import { ECRClient, GetRepositoryPolicyCommand } from '@aws-sdk/client-ecr';
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  GetFunctionCommand,
  GetProvisionedConcurrencyConfigCommand,
  LambdaClient,
  PublishVersionCommand,
  PutProvisionedConcurrencyConfigCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { invoke, makeFunction, makeRole, withAndWithout, zip } from '../lambda.ts';
import {
  digestOf,
  type Image,
  image,
  LAMBDA_ARCHITECTURE,
  makeImageFunction,
  makeNodeFunction,
  makeRepository,
  nodeImage,
  push,
  uriOf,
} from './image.ts';

const answering = (value: string): string => `export const handler = () => '${value}';`;
const quickly = { maxWaitTime: 60, minDelay: 0.2, maxDelay: 0.5 };

let aws: LocalAws;
let lambda: LambdaClient;
beforeAll(async () => {
  aws = await startAws();
  lambda = new LambdaClient(client(aws.endpoint));
});
afterAll(async () => {
  lambda?.destroy();
  await aws?.stop();
});

/** `Name: message` of the error that a call ends with. */
const refusal = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'none',
    (error: Error) => `${error.name}: ${error.message}`,
  );
const update = async (FunctionName: string, ImageUri: string): Promise<void> => {
  await lambda.send(new UpdateFunctionCodeCommand({ FunctionName, ImageUri }));
  await waitUntilFunctionUpdatedV2({ client: lambda, ...quickly }, { FunctionName });
};

// https://docs.aws.amazon.com/lambda/latest/dg/images-create.html
describe('the image of a function', () => {
  // https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCodeLocation.html
  it('is what its tag named when the function was made, and each version keeps its own', async () => {
    const one = await nodeImage(answering('one'));
    const two = await nodeImage(answering('two'));
    await makeRepository(aws, 'kept');
    const uri = await push(aws, 'kept', 'live', one);
    await makeImageFunction(aws, { name: 'kept', uri });
    await push(aws, 'kept', 'live', two);
    expect((await invoke(aws, 'kept')).body).toBe('one');
    const resolved = ({ manifest }: Image): string => uriOf('kept', manifest.digest);
    const told = await lambda.send(new GetFunctionCommand({ FunctionName: 'kept' }));
    expect(told.Code).toEqual({ RepositoryType: 'ECR', ImageUri: uri, ResolvedImageUri: resolved(one) });
    expect(told.Configuration).toMatchObject({
      PackageType: 'Image',
      CodeSize: 0,
      CodeSha256: one.manifest.digest.replace('sha256:', ''),
    });
    for (const absent of ['Runtime', 'Handler', 'Layers', 'ImageConfigResponse'])
      expect(told.Configuration).not.toHaveProperty(absent);

    await lambda.send(new PublishVersionCommand({ FunctionName: 'kept' }));
    await update('kept', uri);
    const { Version } = await lambda.send(new PublishVersionCommand({ FunctionName: 'kept' }));
    expect(Version).toBe('2');
    expect((await lambda.send(new PublishVersionCommand({ FunctionName: 'kept' }))).Version).toBe('2');
    const both = [(await invoke(aws, 'kept', {}, '1')).body, (await invoke(aws, 'kept', {}, '2')).body];
    expect(both).toEqual(['one', 'two']);
    const first = await lambda.send(new GetFunctionCommand({ FunctionName: 'kept', Qualifier: '1' }));
    expect(first.Code?.ResolvedImageUri).toBe(resolved(one));
    await update('kept', resolved(one));
    expect((await invoke(aws, 'kept')).body).toBe('one');

    // https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
    await lambda.send(
      new CreateAliasCommand({
        FunctionName: 'kept',
        Name: 'both',
        FunctionVersion: '1',
        RoutingConfig: { AdditionalVersionWeights: { 2: 0.5 } },
      }),
    );
    const seen = new Set<unknown>();
    for (let turn = 0; turn < 40 && seen.size < 2; turn++)
      seen.add((await invoke(aws, 'kept', {}, 'both')).body);
    expect([...seen].toSorted()).toEqual(['one', 'two']);
  });

  // https://docs.aws.amazon.com/lambda/latest/dg/images-parms.html
  it('is started as the function’s configuration has it', async () => {
    await makeNodeFunction(
      aws,
      answering('image’s'),
      { name: 'started' },
      {
        layers: [
          {
            'var/task/other.mjs': {
              data: `export const handler = () => process.cwd().endsWith('/var/task') && 'other';`,
            },
          },
        ],
      },
    );
    const configure = async (ImageConfig: object): Promise<void> => {
      await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'started', ImageConfig }));
      await waitUntilFunctionUpdatedV2({ client: lambda, ...quickly }, { FunctionName: 'started' });
    };
    expect((await invoke(aws, 'started')).body).toBe('image’s');
    const own = {
      EntryPoint: ['node', '/var/runtime/bootstrap.mjs'],
      Command: ['other.mjs'],
      WorkingDirectory: '/var/task',
    };
    await configure(own);
    expect((await invoke(aws, 'started')).body).toBe('other');
    const { Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName: 'started' }));
    expect(Configuration?.ImageConfigResponse).toEqual({ ImageConfig: own });
    await configure({});
    expect((await invoke(aws, 'started')).body).toBe('image’s');
    const failed = async (config: object): Promise<unknown> => {
      await configure(config);
      const { body } = await invoke(aws, 'started');
      const { errorType, errorMessage } = body as { errorType: string; errorMessage: string };
      return `${errorType}: ${errorMessage.replace(/^RequestId: \S+ /, '')}`;
    };
    // https://repost.aws/knowledge-center/lambda-container-images
    expect(await failed({ EntryPoint: ['/lambda-entrypoint.sh'] })).toBe(
      'Runtime.InvalidEntrypoint: Error: fork/exec /lambda-entrypoint.sh: no such file or directory',
    );
    expect(await failed({ EntryPoint: ['/var/task/handler.mjs'] })).toBe(
      'Runtime.InvalidEntrypoint: Error: fork/exec /var/task/handler.mjs: permission denied',
    );
    expect(await failed({ WorkingDirectory: '/nowhere' })).toBe(
      'Runtime.InvalidWorkingDir: Error: chdir /nowhere: no such file or directory',
    );
  });

  // https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
  it('is its layers over each other, with what they take away, and as everybody may read them', async () => {
    const list = `import { existsSync, readFileSync } from 'node:fs';
      const base = new URL('../../data/', import.meta.url);
      const read = (name) => { try { return readFileSync(new URL(name, base), 'utf8'); } catch (error) { return error.code; } };
      export const handler = () => ['kept', 'gone', 'over', 'folder/old', 'folder/new', 'link', 'hard', 'through/deep', 'secret'].map(read);`;
    await makeNodeFunction(
      aws,
      list,
      { name: 'layered' },
      {
        layers: [
          {
            'data/kept': { data: 'kept' },
            'data/gone': { data: 'gone' },
            'data/over': { data: 'below' },
            'data/folder/old': { data: 'old' },
            'data/real/': { folder: true },
            'data/through': { link: 'real' },
          },
          {
            'data/.wh.gone': { data: '' },
            'data/folder/new': { data: 'new' },
            'data/folder/.wh..wh..opq': { data: '' },
            'data/over': { data: 'above' },
            'data/link': { link: '/data/kept' },
            'data/hard': { hard: 'data/kept' },
            'data/through/deep': { data: 'deep' },
            'data/secret': { data: 'secret', mode: 0o600 },
            '../../escaped': { data: 'outside' },
          },
        ],
      },
    );
    const { body } = await invoke(aws, 'layered');
    const seen = body as string[];
    expect(seen.slice(0, 5)).toEqual(['kept', 'ENOENT', 'above', 'ENOENT', 'new']);
    expect(seen.slice(6, 8)).toEqual(['kept', 'deep']);
  });

  // https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
  it('fails its function where it cannot be unpacked', async () => {
    await makeRepository(aws, 'bad');
    const layers = [{ a: { data: 'a' } }];
    const uri = await push(aws, 'bad', 'v1', image({ layers, diffIds: [digestOf(Buffer.from('other'))] }));
    expect(await refusal(makeImageFunction(aws, { name: 'bad', uri }))).toMatch(/FAILURE|Failed/);
    const { Configuration } = await lambda.send(new GetFunctionCommand({ FunctionName: 'bad' }));
    expect(Configuration).toMatchObject({ State: 'Failed', StateReasonCode: 'InvalidImage' });
    expect(await refusal(invoke(aws, 'bad'))).toMatch(
      /^ResourceConflictException: .*The function is currently in the following state: Failed$/,
    );
  });
});

// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html
describe('what is no image for Lambda', () => {
  let Role: string;
  let uri: string;
  beforeAll(async () => {
    Role = await makeRole(aws, 'no-image', []);
    await makeRepository(aws, 'there');
    uri = await push(aws, 'there', 'v1', await nodeImage(answering('there')));
    await makeFunction(aws, { name: 'zipped', code: answering('zipped') });
    await makeImageFunction(aws, { name: 'imaged', uri });
  });
  const create = (ImageUri: string | undefined, other: object = {}): Promise<string> =>
    refusal(
      lambda.send(
        new CreateFunctionCommand({
          FunctionName: 'no',
          PackageType: 'Image',
          Code: { ImageUri },
          Role,
          ...other,
        }),
      ),
    );

  it('is not there, or in another region or account', async () => {
    const missing = (name: string): string =>
      `InvalidParameterValueException: Source image ${name} does not exist. Provide a valid source image.`;
    const wrong = (name: string): string =>
      `InvalidParameterValueException: Source image ${name} is not valid. Provide a valid source image.`;
    const none = digestOf(Buffer.from('none'));
    for (const absent of [uriOf('there', 'v2'), uriOf('there', none), uriOf('nowhere', 'v1')])
      expect(await create(absent)).toBe(missing(absent));
    const elsewhere = uri.replace('us-east-1', 'eu-west-1');
    for (const bad of [
      elsewhere,
      uri.replace(':v1', ''),
      'public.ecr.aws/lambda/nodejs:24',
      uri.replace('.ecr.', '.ecr-fips.'),
    ])
      expect(await create(bad)).toBe(wrong(bad));
    expect(await create(uri.replace('000000000000', '111111111111'))).toBe(
      'AccessDeniedException: Lambda does not have permission to access the ECR image. Check the ECR permissions.',
    );
    expect(
      await refusal(
        lambda.send(
          new UpdateFunctionCodeCommand({ FunctionName: 'imaged', ImageUri: uriOf('there', 'v2') }),
        ),
      ),
    ).toBe(missing(uriOf('there', 'v2')));
  });

  it('is an index of several, or of a kind that Lambda does not read', async () => {
    const { manifest, blobs } = await nodeImage(answering('there'));
    const index = (mediaType: string, body: object): Image => {
      const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...body }));
      return { blobs, manifest: { digest: digestOf(bytes), bytes, mediaType } };
    };
    const of = { mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.bytes.length };
    const list = await push(
      aws,
      'there',
      'index',
      index('application/vnd.oci.image.index.v1+json', { manifests: [of] }),
    );
    const unsupported = (name: string): string =>
      `InvalidParameterValueException: The image manifest, config or layer media type for the source image ${name} is not supported.`;
    expect(await create(list)).toBe(unsupported(list));
    const said = JSON.parse(manifest.bytes.toString()) as { config: object; layers: { digest: string }[] };
    const layers = said.layers.map((layer) => ({
      ...layer,
      mediaType: 'application/vnd.oci.image.layer.v1.tar+zstd',
    }));
    const zstd = await push(aws, 'there', 'zstd', index(manifest.mediaType, { ...said, layers }));
    expect(await create(zstd)).toBe(unsupported(zstd));
  });

  // The package type stays: https://docs.aws.amazon.com/lambda/latest/dg/configuration-images.html
  it('is of another package type', async () => {
    const change = (input: ConstructorParameters<typeof UpdateFunctionCodeCommand>[0]): Promise<string> =>
      refusal(lambda.send(new UpdateFunctionCodeCommand(input)));
    const invalid = 'InvalidParameterValueException: Please';
    expect(await change({ FunctionName: 'zipped', ImageUri: uri })).toBe(
      `${invalid} don't provide ImageUri when updating a function with packageType Zip.`,
    );
    const ZipFile = await zip({ 'handler.mjs': answering('zip') });
    expect(await change({ FunctionName: 'imaged', ZipFile })).toBe(
      `${invalid} provide ImageUri when updating a function with packageType Image.`,
    );
    const none = `${invalid} don't provide Handler or Runtime or Layer when the intended function PackageType is Image.`;
    expect(await create(uri, { Handler: 'handler.handler' })).toBe(none);
    expect(
      await refusal(
        lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'imaged', Handler: 'a.b' })),
      ),
    ).toBe(none);
    expect(await create(uri, { PackageType: 'Zip', Runtime: 'nodejs24.x', Handler: 'a.b' })).toMatch(
      /^InvalidParameterValueException: .*ImageUri/,
    );
    expect((await invoke(aws, 'zipped')).body).toBe('zipped');
    expect((await invoke(aws, 'imaged')).body).toBe('there');
  });

  // https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html
  it('is for another architecture, which its start shows', async () => {
    const foreign = process.arch === 'arm64' ? 'amd64' : 'arm64';
    await makeNodeFunction(aws, answering('never'), { name: 'foreign' }, { architecture: foreign });
    expect((await invoke(aws, 'foreign')).body).toMatchObject({
      errorType: 'Runtime.InvalidEntrypoint',
      errorMessage: expect.stringMatching(/Error: fork\/exec \/usr\/local\/bin\/node: exec format error$/),
    });
    // A function for the other one is right on AWS, and cannot be shown on this machine.
    await makeImageFunction(aws, {
      name: 'theirs',
      uri: uriOf('foreign', 'v1'),
      architecture: LAMBDA_ARCHITECTURE === 'arm64' ? 'x86_64' : 'arm64',
    });
    expect((await invoke(aws, 'theirs')).body).toMatchObject({
      errorMessage: expect.stringContaining(`this machine is ${LAMBDA_ARCHITECTURE}`),
    });
  });
});

// https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html
it('provisioned environments of an image start before they are asked', async () => {
  const code = `const began = Date.now();
    export const handler = () => ({ type: process.env.AWS_LAMBDA_INITIALIZATION_TYPE, age: Date.now() - began });`;
  await makeNodeFunction(aws, code, { name: 'provided' });
  await lambda.send(new PublishVersionCommand({ FunctionName: 'provided' }));
  const version = { FunctionName: 'provided', Qualifier: '1' };
  await lambda.send(
    new PutProvisionedConcurrencyConfigCommand({ ...version, ProvisionedConcurrentExecutions: 1 }),
  );
  await expect
    .poll(async () => (await lambda.send(new GetProvisionedConcurrencyConfigCommand(version))).Status, {
      timeout: 60_000,
    })
    .toBe('READY');
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const { body, log } = await invoke(aws, 'provided', {}, '1');
  expect(body).toMatchObject({ type: 'provisioned-concurrency' });
  expect((body as { age: number }).age).toBeGreaterThan(900);
  expect(log).not.toContain('Init Duration');
});

// https://docs.aws.amazon.com/lambda/latest/dg/images-create.html#configuration-images-permissions
it('the repository’s policy lets Lambda read it from the first function on', async () => {
  await makeNodeFunction(aws, answering('let'), { name: 'let' });
  const ecr = new ECRClient(client(aws.endpoint));
  const { policyText = '' } = await ecr.send(new GetRepositoryPolicyCommand({ repositoryName: 'let' }));
  ecr.destroy();
  expect(JSON.parse(policyText)).toMatchObject({
    Statement: [{ Sid: 'LambdaECRImageRetrievalPolicy', Principal: { Service: 'lambda.amazonaws.com' } }],
  });
});

it('MiniStack itself cannot run one', async () => {
  const { on, off } = await withAndWithout('image_functions', async (one) => {
    await makeNodeFunction(one, answering('run'), { name: 'run' });
    return (await invoke(one, 'run')).body;
  });
  expect(on).toBe('run');
  expect(JSON.stringify(off)).toContain('Docker');
});
