/** A bucket that is to be made is not there yet, or the deploy is refused before CloudFormation is asked. */
import { expect, it } from 'vitest';
import { bucketsInTheWay } from '../../../../../plugins/models/batch-jobs/made-buckets.ts';
import { bucketLogicalId } from '../../../../../plugins/models/declaration/naming.ts';
import { modelNamed } from '../../../../fixtures/service.ts';
import { ENTRY } from '../../../core/batch/scene.ts';

const { input, output } = ENTRY;
const making = (...create: string[]) =>
  modelNamed('sum', { batch: { entries: [ENTRY], create, concurrency: 2 } });
const failure = (name: string, message = name) => Object.assign(new Error(message), { name });

/** S3 with these buckets, which are empty, and one that may not be looked at. */
function reachOf(...there: string[]) {
  const asked: string[] = [];
  const files = (bucket: string) => ({
    read: async (key: string) => {
      asked.push(`${bucket}/${key}`);
      if (bucket === 'denied') throw failure('AccessDenied');
      if (!there.includes(bucket)) throw failure('NoSuchBucket');
      return undefined;
    },
  });
  return { asked, files };
}

const nothing = async () => ({});

it('is refused by name, with the way out', async () => {
  const reach = reachOf(input.bucket, output.bucket);
  expect(await bucketsInTheWay([making(input.bucket, output.bucket)], nothing, reach)).toEqual(
    [input.bucket, output.bucket].map((bucket) => ({
      code: 'MODELS_BATCH',
      key: 'models.sum.batch',
      value: bucket,
      message: `makes the bucket ${bucket} (\`create\`), which is there already; CloudFormation takes none over.`,
      fix: 'Leave `create` out for it: it is used as it is, with what is in it.',
    })),
  );
  // Who deploys may read it by docs/deploy-policy.md.
  expect(reach.asked).toContain(`${output.bucket}/scored/sum/_OWNER.json`);
});

it('is made where there is none, also in a stack that is not there yet', async () => {
  const none = () => Promise.reject(failure('ValidationError', 'Stack with id shop-dev does not exist'));
  for (const deployed of [nothing, none])
    expect(await bucketsInTheWay([making(output.bucket)], deployed, reachOf())).toEqual([]);
  expect(await bucketsInTheWay([making(output.bucket)], none, reachOf(output.bucket))).toHaveLength(1);
});

it('is not asked for where the stack has it', async () => {
  const reach = reachOf(output.bucket);
  const deployed = async () => ({ [bucketLogicalId(output.bucket, 'Bucket')]: { Type: 'AWS::S3::Bucket' } });
  expect(await bucketsInTheWay([making(output.bucket)], deployed, reach)).toEqual([]);
  expect(reach.asked).toEqual([]);
});

it('is left to CloudFormation where it cannot be told', async () => {
  const unreadable = () => Promise.reject(failure('AccessDenied'));
  expect(await bucketsInTheWay([making(output.bucket)], unreadable, reachOf(output.bucket))).toEqual([]);
  expect(await bucketsInTheWay([making('denied')], nothing, reachOf())).toEqual([]);
  // As serverless-plugin-split-stacks has it where it is told to: the bucket may be in there.
  const nested = async () => ({ Others: { Type: 'AWS::CloudFormation::Stack' } });
  expect(await bucketsInTheWay([making(output.bucket)], nested, reachOf(output.bucket))).toEqual([]);
});
