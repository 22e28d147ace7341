import { DescribeStackResourceCommand } from '@aws-sdk/client-cloudformation';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { finding, type RunCheck } from '../check.ts';
import { stackOf } from '../names.ts';
import { DEPLOY } from '../prices.ts';

export const skippedDeploy: RunCheck = {
  name: 'skipped-deploy',
  bullet: 'when the framework skips a deploy',
  says: 'GetFunction tells when a function was modified; osls skips a deploy whose package equals the last upload and whose functions were not modified since.',
  page: 'https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html',
  // One that is not skipped takes its time, and is to be told.
  minutes: 20,
  use: DEPLOY,
  run: async ({ name, clients, deploy }) => {
    const { StackResourceDetail } = await clients.cloudFormation.send(
      new DescribeStackResourceCommand({
        StackName: stackOf(name),
        LogicalResourceId: 'ServerlessDeploymentBucket',
      }),
    );
    const uploads = async () => {
      const { Contents = [] } = await clients.s3.send(
        new ListObjectsV2Command({ Bucket: StackResourceDetail?.PhysicalResourceId, Prefix: 'serverless/' }),
      );
      return Contents.length;
    };
    const before = await uploads();
    const { code, text } = await deploy({});
    const after = await uploads();
    const isSkipped = /No changes to deploy/.test(text);
    return finding(
      code === 0 && isSkipped && before === after,
      `The same deploy again: exit code ${code}, ${isSkipped ? 'skipped' : 'not skipped'}, ${after - before} objects more in the deployment bucket.`,
    );
  },
};
