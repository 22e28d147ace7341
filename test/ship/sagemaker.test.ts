/**
 * Versions of SageMaker's Model Registry: which one is taken, what is unpacked of its model data, and what
 * becomes of a registry that refuses, throttles or is not there.
 */
import { execFileSync } from 'node:child_process';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { CreateBucketCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { readArtifact } from '../../plugins/models/artifact/read.ts';
import type { SourceContext } from '../../plugins/models/contracts/sources/artifact-source.ts';
import { isProblemError } from '../../plugins/models/problems/errors.ts';
import { readSource } from '../../plugins/models/ship/source.ts';
import { type FakeSageMaker, fakeSageMaker } from '../fakes/sagemaker.ts';
import type { RecordedPackages } from '../fakes/sagemaker-recorded.ts';
import { strangeIn } from '../fakes/strange.ts';
import { tarOf } from '../fakes/tar.ts';
import { FIXTURES, modelOf, newService } from './setup.ts';

const service = newService();
let registry: FakeSageMaker;
let local: LocalAws;
let s3: S3Client;
beforeAll(async () => {
  registry = await fakeSageMaker();
  local = await startAws();
  process.env.AWS_ENDPOINT_URL = local.endpoint;
  process.env.AWS_ENDPOINT_URL_SAGEMAKER = registry.address;
  s3 = new S3Client(client(local.endpoint));
  await s3.send(new CreateBucketCommand({ Bucket: 'trained' }));
});
afterEach(() => registry.calm());
afterAll(async () => {
  delete process.env.AWS_ENDPOINT_URL;
  delete process.env.AWS_ENDPOINT_URL_SAGEMAKER;
  s3?.destroy();
  await registry?.stop();
  await local?.stop();
});

const context = (): SourceContext => ({
  key: 'models.churn.artifact',
  serviceDir: service.at(),
  progress: () => {},
  aws: {
    region: 'us-east-1',
    credentials: async () => ({ accessKeyId: 'test', secretAccessKey: 'test' }),
  },
});
const read = (reference: string) => readArtifact(reference, context(), () => {});
async function refused(reference: string, value = reference): Promise<string> {
  const error: unknown = await read(reference).catch((reason: unknown) => reason);
  if (!isProblemError(error)) throw error;
  expect(error.problems).toMatchObject([
    { code: 'MODELS_ARTIFACT_MISSING', key: 'models.churn.artifact', value },
  ]);
  return error.message;
}
const fixture = (name: string): Promise<Buffer> => readFile(join(FIXTURES, name));
const put = async (key: string, body: Uint8Array): Promise<string> => {
  const { ETag = '' } = await s3.send(new PutObjectCommand({ Bucket: 'trained', Key: key, Body: body }));
  return ETag;
};
/** A container whose model data is an archive of these files. */
async function packed(name: string, files: Readonly<Record<string, Uint8Array>>) {
  const entries = Object.entries(files).map(([path, content]) => ({ path, content }));
  await put(`${name}/model.tar.gz`, gzipSync(tarOf(entries)));
  return { Image: 'image', ModelDataUrl: `s3://trained/${name}/model.tar.gz` };
}
const add = async (name: string) => packed(name, { 'model.onnx': await fixture('add.onnx') });

describe('which version', () => {
  it('the newest that is approved, told with who made it and who changed it', async () => {
    registry.register('churn', await add('churn-1'), {
      ApprovalDescription: 'AUC 0.91 on November',
      CreatedBy: { UserProfileName: 'ann' },
      LastModifiedBy: { IamIdentity: { Arn: 'arn:aws:sts::000000000000:assumed-role/risk/bob' } },
      MetadataProperties: {
        GeneratedBy: 'arn:aws:sagemaker:us-east-1:000000000000:training-job/churn-7',
        CommitId: 'c0ffee',
      },
      ModelMetrics: { ModelQuality: { Statistics: { ContentType: 'json', S3Uri: 's3://trained/q.json' } } },
    });
    registry.register('churn', await add('churn-2'), { ModelApprovalStatus: 'PendingManualApproval' });
    registry.register('churn', await add('churn-3'), { ModelApprovalStatus: 'Rejected' });
    const { origin, files, notices, bytes } = await read('sagemaker:churn@approved');
    expect(origin).toEqual({
      from: 'sagemaker',
      at: 'arn:aws:sagemaker:us-east-1:000000000000:model-package-group/churn',
      name: 'churn',
      version: '1',
      alias: 'approved',
      run: 'arn:aws:sagemaker:us-east-1:000000000000:training-job/churn-7',
      by: 'ann',
      commit: 'c0ffee',
      measured: 's3://trained/q.json',
      approval: {
        status: 'Approved',
        by: 'arn:aws:sts::000000000000:assumed-role/risk/bob',
        reason: 'AUC 0.91 on November',
      },
    });
    expect(files.map(({ path }) => path)).toEqual(['model.onnx']);
    expect([bytes, notices]).toEqual([(await fixture('add.onnx')).length, []]);
  });

  it('an approval that comes later is told as a move, with what differs', async () => {
    registry.register('later', await add('later-1'), { MetadataProperties: { CommitId: 'aaa' } });
    await read('sagemaker:later@approved');
    registry.register('later', await packed('later-2', { 'model.onnx': await fixture('logreg.onnx') }), {
      ModelApprovalStatus: 'PendingManualApproval',
      MetadataProperties: { CommitId: 'bbb' },
    });
    expect((await read('sagemaker:later@approved')).origin?.version).toBe('1');
    registry.approve('later', 2, 'Approved');
    const { origin, notices } = await read('sagemaker:later@approved');
    expect(origin?.version).toBe('2');
    expect(notices).toEqual([
      expect.stringMatching(
        /^sagemaker:later@approved is version 2 now; it was version 1 on \d{4}-\d\d-\d\d: commit aaa → bbb\.$/,
      ),
    ]);
  });

  it('a group of the same name in another account is no move', async () => {
    registry.register('same-name', await add('same-name-1'));
    await read('sagemaker:same-name@approved');
    registry.register('same-name', await add('same-name-2'));
    registry.account('123456789012');
    const { origin, notices } = await read('sagemaker:same-name@approved');
    registry.account('000000000000');
    expect([origin?.version, origin?.at.includes(':123456789012:'), notices]).toEqual(['2', true, []]);
  });

  it('by its number: one that waits is told as such, one that was rejected is refused', async () => {
    registry.register('numbered', await add('numbered-1'), { ModelApprovalStatus: 'PendingManualApproval' });
    const { origin, notices } = await read('sagemaker:numbered/1');
    expect([origin?.version, origin?.alias, origin?.approval]).toEqual([
      '1',
      undefined,
      { status: 'PendingManualApproval' },
    ]);
    expect(notices).toEqual([
      'sagemaker:numbered/1 is PendingManualApproval in SageMaker’s registry, and not approved.',
    ]);
    registry.trouble({ kind: 'closed' });
    expect((await read('sagemaker:numbered/1')).notices).toEqual([
      ...notices,
      expect.stringMatching(/^SageMaker in us-east-1 .* is taken as version 1 /),
    ]);
    registry.calm();
    registry.approve('numbered', 1, 'Rejected');
    expect(await refused('sagemaker:numbered/1')).toContain('has version 1 as Rejected. Let it be approved');
    expect(await refused('sagemaker:numbered/2')).toMatch(/knows no such thing: .*numbered\/2 not found\./);
  });

  it('of another account’s group, by its ARN, in the region that it names', async () => {
    registry.register('shared', await add('shared-1'));
    const arn = 'arn:aws:sagemaker:us-east-1:000000000000:model-package-group/shared';
    expect((await read(`sagemaker:${arn}@approved`)).origin?.version).toBe('1');
    registry.asked();
    expect((await read(`sagemaker:${arn}/1`)).origin?.name).toBe('shared');
    expect(registry.asked()).toEqual(['DescribeModelPackage']);
  });

  it('none that is approved, none at all, and no such group', async () => {
    registry.register('waiting', await add('waiting-1'), { ModelApprovalStatus: 'Rejected' });
    registry.register('waiting', await add('waiting-2'), { ModelApprovalStatus: 'PendingManualApproval' });
    expect(await refused('sagemaker:waiting@approved')).toContain(
      'SageMaker in us-east-1 has no version of waiting that is approved; the newest, 2, is PendingManualApproval.',
    );
    registry.group('empty');
    expect(await refused('sagemaker:empty@approved')).toContain('it has none at all');
    expect(await refused('sagemaker:nothing@approved')).toMatch(
      /knows no such thing: .*nothing does not exist/,
    );
  });

  it('that another stage has validated, whichever is the newest that is approved', async () => {
    for (const graph of ['add.onnx', 'logreg.onnx'])
      registry.register('pinned', await packed(`pinned-${graph}`, { 'model.onnx': await fixture(graph) }));
    const model = modelOf('sagemaker:pinned@approved');
    const { aws } = context();
    const asked = service.context(aws && { aws });
    const theirs = await read('sagemaker:pinned/1');
    const now = await readSource(model, asked);
    expect([now.origin?.version, now.digest === theirs.digest]).toEqual(['2', false]);
    const evidence = {
      ...{ stage: 'staging', stack: 'shop-staging', version: '1', release: 'r', startedAt: '' },
      gate: { verdict: 'pass', done: 1, count: 1 },
    } as const;
    const origin = theirs.origin ?? { from: 'sagemaker', at: '', name: '', version: '' };
    const validated = new Map([[model.name, { source: '', identity: '', origin, evidence }]]);
    const pinned = await readSource(model, { ...asked, validated });
    expect([pinned.origin?.version, pinned.digest]).toEqual(['1', theirs.digest]);
  });

  it('one whose approval is withdrawn between both questions, or that is not whole', async () => {
    registry.register('raced', await add('raced-1'), { ModelPackageStatus: 'InProgress' });
    expect(await refused('sagemaker:raced@approved')).toContain(
      'has version 1 as InProgress, which is not ready',
    );
    registry.register('withdrawn', await add('withdrawn-1'));
    registry.approve('withdrawn', 1, 'PendingManualApproval', 'Approved');
    expect(await refused('sagemaker:withdrawn@approved')).toContain(
      'has version 1 as PendingManualApproval. Let it be approved',
    );
  });
});

describe('a registry that gives nothing', () => {
  it.each([
    [
      'denied',
      400,
      'AccessDeniedException',
      'User: x is not authorized',
      /refuses it: AccessDenied.*Allow sagemaker:ListModelPackages/,
    ],
    ['expired', 400, 'ExpiredTokenException', 'The token is expired', /refuses it: ExpiredToken/],
    [
      'wrong',
      400,
      'ValidationException',
      '1 validation error detected',
      /answers ValidationException: 1 validation/,
    ],
  ] as const)('%s', async (name, status, code, message, shown) => {
    registry.register(name, await add(name));
    registry.trouble({ kind: 'refuses', status, code, message });
    expect(await refused(`sagemaker:${name}@approved`)).toMatch(shown);
  });

  it.each([
    ['throttled', { kind: 'refuses', status: 400, code: 'ThrottlingException', message: 'Rate exceeded' }],
    ['broken', { kind: 'refuses', status: 500, code: 'InternalFailure', message: 'later' }],
    ['gone', { kind: 'closed' }],
  ] as const)(
    '%s: what was there before is used, and told, without S3; what was not is refused',
    async (name, trouble) => {
      registry.register(name, await add(name));
      const before = await read(`sagemaker:${name}@approved`);
      await s3.send(new DeleteObjectCommand({ Bucket: 'trained', Key: `${name}/model.tar.gz` }));
      registry.asked();
      registry.trouble(trouble);
      const after = await read(`sagemaker:${name}@approved`);
      expect([after.digest, after.origin]).toEqual([before.digest, before.origin]);
      expect(after.notices).toEqual([
        expect.stringMatching(
          /^SageMaker in us-east-1 \S.*: sagemaker:(\w+)@approved is taken as version 1 of arn:aws:sagemaker:us-east-1:000000000000:model-package-group\/\1, which it was on /,
        ),
      ]);
      // The SDK's own three attempts.
      expect(registry.asked()).toHaveLength(3);
      expect(await refused(`sagemaker:${name}/1`)).toContain('Retry once it answers');
    },
  );

  it('one that is not to be asked', async () => {
    const { aws: _, ...without } = context();
    const error: unknown = await readArtifact('sagemaker:churn@approved', without, () => {}).catch(
      (reason: unknown) => reason,
    );
    expect(String(error)).toContain('is not asked here. Run it where AWS may be asked');
  });
});

describe('its model data', () => {
  it('an archive of `tar` itself, with weights, code and a link beside the graph', async () => {
    const folder = service.at('packing');
    await mkdir(join(folder, 'code'), { recursive: true });
    await cp(join(FIXTURES, 'external'), folder, { recursive: true });
    await writeFile(join(folder, 'code', 'inference.py'), 'import onnxruntime\n');
    await symlink('/etc', join(folder, 'code', 'etc'));
    execFileSync('tar', ['czf', service.at('model.tar.gz'), '-C', folder, '.']);
    await put('tarred/model.tar.gz', await readFile(service.at('model.tar.gz')));
    registry.register('tarred', { ModelDataUrl: 's3://trained/tarred/model.tar.gz' });
    const { files, folder: isFolder } = await read('sagemaker:tarred@approved');
    expect(files.map(({ path }) => path)).toEqual(['model.onnx', 'weights/w.bin']);
    expect(isFolder).toBe(undefined);
    expect((await readFile(files[1]?.from ?? '')).equals(await fixture('external/weights/w.bin'))).toBe(true);
  });

  it('files of a group of another region, which are fetched there, too', async () => {
    await put('far/model.onnx', await fixture('add.onnx'));
    registry.register('far', {
      Image: 'image',
      ModelDataSource: {
        S3DataSource: { S3Uri: 's3://trained/far/', S3DataType: 'S3Prefix', CompressionType: 'None' },
      },
    });
    const { aws } = context();
    const arn = 'arn:aws:sagemaker:us-east-1:000000000000:model-package-group/far';
    const home = { ...context(), ...(aws && { aws: { ...aws, region: 'eu-west-1' } }) };
    const { bytes } = await readArtifact(`sagemaker:${arn}/1`, home, () => {});
    expect(bytes).toBe((await fixture('add.onnx')).length);
  });

  it('an .onnx by itself, and a prefix that is not compressed', async () => {
    await put('bare/net.onnx', await fixture('add.onnx'));
    registry.register('bare', { ModelDataUrl: 's3://trained/bare/net.onnx' });
    expect((await read('sagemaker:bare@approved')).bytes).toBe((await fixture('add.onnx')).length);
    await put('loose/model.onnx', await fixture('external/model.onnx'));
    await put('loose/weights/w.bin', await fixture('external/weights/w.bin'));
    await put('loose/code/inference.py', Buffer.from('pass'));
    for (const S3Uri of ['s3://trained/loose/', 's3://trained/loose'])
      registry.register('loose', {
        ModelDataSource: { S3DataSource: { S3Uri, S3DataType: 'S3Prefix', CompressionType: 'None' } },
      });
    for (const version of [1, 2]) {
      const { files } = await read(`sagemaker:loose/${version}`);
      expect(files.map(({ path }) => path)).toEqual(['model.onnx', 'weights/w.bin']);
    }
  });

  it('an .onnx whose weights lie beside it, as those of an artifact of S3 do', async () => {
    await put('beside/net.onnx', await fixture('external/model.onnx'));
    registry.register('beside', { ModelDataUrl: 's3://trained/beside/net.onnx' });
    const weights = 's3://trained/beside/weights/w.bin, which is needed beside it';
    expect(await refused('sagemaker:beside@approved', weights)).toContain('There is no such object');
    await put('beside/weights/w.bin', await fixture('external/weights/w.bin'));
    const { files } = await read('sagemaker:beside@approved');
    expect(files.map(({ path }) => path)).toEqual(['model.onnx', 'weights/w.bin']);
  });

  it('an archive and an .onnx whose keys have spaces in them', async () => {
    const onnx = await fixture('add.onnx');
    await put('our models/a b/model.tar.gz', gzipSync(tarOf([{ path: 'model.onnx', content: onnx }])));
    await put('our models/the net.onnx', onnx);
    registry.register('spaced', { ModelDataUrl: 's3://trained/our models/a b/model.tar.gz' });
    registry.register('spaced', { ModelDataUrl: 's3://trained/our models/the net.onnx' });
    for (const version of [1, 2]) expect((await read(`sagemaker:spaced/${version}`)).bytes).toBe(onnx.length);
  });

  it('a graph below a folder, and one of several that is called model.onnx', async () => {
    const onnx = await fixture('add.onnx');
    registry.register('several', await packed('s-1', { 'a/net.onnx': onnx, 'notes.txt': onnx }));
    registry.register('several', await packed('s-2', { 'export/model.onnx': onnx, 'export/old.onnx': onnx }));
    registry.register('several', await packed('s-3', { 'a.onnx': onnx, 'b.onnx': onnx }));
    registry.register('several', await packed('s-4', { 'weights.pt': onnx }));
    expect((await read('sagemaker:several/1')).bytes).toBe(onnx.length);
    expect((await read('sagemaker:several/2')).bytes).toBe(onnx.length);
    expect(await refused('sagemaker:several/3')).toContain(
      'has 2 graphs in version 3: a.onnx, b.onnx. Pack one graph, or call it model.onnx.',
    );
    expect(await refused('sagemaker:several/4')).toContain('has no .onnx file in version 4 (weights.pt).');
  });

  it('weights that are not in it are named', async () => {
    registry.register('partly', await packed('p', { 'model.onnx': await fixture('external/model.onnx') }));
    expect(await refused('sagemaker:partly@approved')).toContain(
      'The graph keeps weights in weights/w.bin, and there is no such file beside it.',
    );
  });

  it.each([
    ['cut', (bytes: Buffer) => gzipSync(bytes).subarray(0, -9), 'which is cut off. Pack it again'],
    ['page', () => Buffer.from('<html>'), 'which is no gzip, or broken.'],
    [
      'leaving',
      () => gzipSync(tarOf([{ path: '../x.onnx' }])),
      'which has "../x.onnx" in it, a path that may lead',
    ],
    [
      'linked',
      () => gzipSync(tarOf([{ path: 'model.onnx', type: '2', link: '/etc/passwd' }])),
      'has model.onnx in version 1 as a link.',
    ],
  ] as const)('an archive that is %s is refused', async (name, made, message) => {
    await put(`${name}.tar.gz`, made(tarOf([{ path: 'model.onnx', content: await fixture('add.onnx') }])));
    registry.register(name, { ModelDataUrl: `s3://trained/${name}.tar.gz` });
    expect(await refused(`sagemaker:${name}@approved`)).toContain(message);
  });

  it('an archive that S3 breaks off is not taken', async () => {
    const bytes = gzipSync(tarOf([{ path: 'model.onnx', content: await fixture('logreg.onnx') }]));
    const breaking = createServer((request, response) => {
      response.writeHead(200, { etag: '"1"', 'content-length': bytes.length });
      if (request.method === 'HEAD') response.end();
      else response.write(bytes.subarray(0, 100), () => response.destroy());
    });
    await new Promise<void>((done) => breaking.listen(0, '127.0.0.1', done));
    process.env.AWS_ENDPOINT_URL_S3 = `http://127.0.0.1:${(breaking.address() as { port: number }).port}`;
    registry.register('broken-off', { ModelDataUrl: 's3://trained/broken-off.tar.gz' });
    const message = await refused('sagemaker:broken-off@approved', 's3://trained/broken-off.tar.gz');
    delete process.env.AWS_ENDPOINT_URL_S3;
    breaking.close();
    expect(message).toMatch(/s3:\/\/trained\/broken-off\.tar\.gz: S3 says /);
  });

  it('what is not in S3, or not as it was registered, is refused', async () => {
    registry.register('lost', { ModelDataUrl: 's3://trained/lost.tar.gz' });
    expect(await refused('sagemaker:lost@approved', 's3://trained/lost.tar.gz')).toContain(
      's3://trained/lost.tar.gz: There is no such object or bucket (404).',
    );
    const container = await add('etag');
    registry.register('etag', { ...container, ModelDataETag: 'abc' });
    expect(await refused('sagemaker:etag@approved')).toContain(
      'has version 1 with other model data than lies in S3 now: its ETag was abc',
    );
    const etag = await put(
      'same/model.tar.gz',
      gzipSync(tarOf([{ path: 'm.onnx', content: await fixture('add.onnx') }])),
    );
    registry.register('same', {
      ModelDataUrl: 's3://trained/same/model.tar.gz',
      ModelDataETag: etag.replaceAll('"', ''),
    });
    expect((await read('sagemaker:same@approved')).origin?.version).toBe('1');
  });

  it('what is in no bucket, nowhere, or in several containers is refused', async () => {
    registry.register('odd', { ModelDataUrl: 'https://example.com/model.tar.gz' });
    registry.register('odd', { Image: 'image' });
    registry.register(
      'odd',
      {},
      {
        InferenceSpecification: {
          Containers: [
            { ContainerHostname: 'prepare', ModelDataUrl: 's3://trained/a' },
            { ModelDataUrl: 's3://trained/b' },
          ],
        },
      },
    );
    expect(await refused('sagemaker:odd/1')).toContain(
      'at https://example.com/model.tar.gz, which is not read from here',
    );
    expect(await refused('sagemaker:odd/2')).toContain('has no model data in version 2');
    expect(await refused('sagemaker:odd/3')).toContain('in 2 containers (prepare, s3://trained/b)');
  });
});

it('what the fake answers is what moto answered, by name and type of every part', async () => {
  const recorded: readonly RecordedPackages[] = JSON.parse(
    await readFile(join(FIXTURES, '..', 'sagemaker', 'answers.json'), 'utf8'),
  );
  const full = {
    ApprovalDescription: 'AUC',
    MetadataProperties: { CommitId: 'c0ffee', GeneratedBy: 'arn' },
    ModelMetrics: { ModelQuality: { Statistics: { ContentType: 'json', S3Uri: 's3://trained/q.json' } } },
  };
  registry.register('held', await add('held'), full);
  registry.group('bare');
  const ask = async (operation: string, asked: object) => {
    const answer = await fetch(registry.address, {
      method: 'POST',
      headers: { 'x-amz-target': `SageMaker.${operation}` },
      body: JSON.stringify(asked),
    });
    return { status: answer.status, answer: (await answer.json()) as Record<string, unknown> };
  };
  const arn = (path: string): string => `arn:aws:sagemaker:us-east-1:000000000000:model-package/${path}`;
  const list = (group: string, NextToken?: string) => ({
    ...{ ModelPackageGroupName: group, SortBy: 'CreationTime', SortOrder: 'Descending' },
    ...(NextToken !== undefined && { NextToken }),
  });
  for (const [operation, asked, like] of [
    ['ListModelPackages', list('held', '1'), /"ModelPackageSummaryList":\[\{/],
    ['DescribeModelPackageGroup', { ModelPackageGroupName: 'held' }, /"status":200/],
    ['DescribeModelPackageGroup', { ModelPackageGroupName: 'nothing' }, /"status":400/],
    ['DescribeModelPackage', { ModelPackageName: arn('held/1') }, /AUC 0\.91/],
    ['DescribeModelPackage', { ModelPackageName: arn('held/9') }, /"status":400/],
  ] as const) {
    const theirs = recorded.find((one) => one.operation === operation && like.test(JSON.stringify(one)));
    const ours = await ask(operation, asked);
    expect([operation, ours.status]).toEqual([operation, theirs?.status]);
    const { NextToken: _, ...answer } = ours.answer;
    expect([operation, strangeIn(answer, theirs?.answer)]).toEqual([operation, []]);
  }
});
