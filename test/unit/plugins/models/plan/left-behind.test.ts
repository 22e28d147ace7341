import { expect, it } from 'vitest';
import { kept } from '../../../../../plugins/models/contracts/cloudformation.ts';
import { auditedLogs } from '../../../../../plugins/models/plan/audit/audit.ts';
import { batchResources } from '../../../../../plugins/models/plan/batch/resources.ts';
import { leftBehind, leftOnRemove } from '../../../../../plugins/models/plan/left-behind.ts';
import { declaredModels, HOST } from '../../../../fixtures/service.ts';

const entry = { input: 's3://incoming/', output: 's3://scored/' };
const full = declaredModels({
  churn: { batch: [{ ...entry, create: true }], audit: { retention: 2192 } },
});
const group = (name = 'shop-dev-churn') => ({
  Type: 'AWS::Logs::LogGroup',
  Properties: { LogGroupName: `/aws/lambda/${name}` },
});
const templateOf = (models: typeof full, logs: Parameters<typeof auditedLogs>[0] = {}) => ({
  ...logs,
  ...auditedLogs(logs, models),
  ...batchResources(models, HOST),
});

const BUCKETS = ['incoming', 'scored'].map(
  (bucket) =>
    `The stack leaves the bucket ${bucket}, with what is in it; where \`batch\` names it again, leave \`create\` out.`,
);
const GROUP =
  'The stack leaves the log group /aws/lambda/shop-dev-churn, as `audit.retention` asks; a function of that name is deployed again only once the group is deleted.';

it('a deploy tells what the stack makes no more and leaves: CloudFormation makes neither over one that is there', () => {
  const before = templateOf(full, { ChurnLogGroup: group() });
  expect(leftBehind(before, before)).toEqual([]);
  expect(leftBehind({}, before).toSorted()).toEqual([...BUCKETS, GROUP]);
  // The entry stays, the bucket is no more the stack’s; the group is, though nothing keeps it any more.
  const existing = declaredModels({ churn: { batch: [entry] } });
  expect(leftBehind(templateOf(existing, { ChurnLogGroup: group() }), before)).toEqual(BUCKETS);
  // Another name under the same id is another group.
  const renamed = templateOf(full, { ChurnLogGroup: group('other') });
  expect(leftBehind(renamed, before)).toEqual([GROUP]);
});

it('what the service keeps by itself is its own business', () => {
  const own = {
    Bucket: kept({ Type: 'AWS::S3::Bucket', Properties: { BucketName: 'incoming' } }),
    Own: kept(group()),
    ChurnLogGroup: group(),
    Topic: kept({ Type: 'AWS::SNS::Topic' }),
  };
  expect(leftBehind({}, own)).toEqual([]);
});

it('a removal tells both first', () => {
  expect(leftOnRemove(full, HOST)).toEqual([...BUCKETS, GROUP]);
  expect(leftOnRemove(declaredModels({ churn: { batch: [entry], audit: {} } }), HOST)).toEqual([]);
});
