import {
  GetBucketNotificationConfigurationCommand,
  type NotificationConfiguration,
  PutBucketNotificationConfigurationCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { errorName, errorStatus, isElsewhere, RIGHT_SPREADS } from '../../core/errors/aws-errors.ts';
import type { BucketEventsPort } from '../../core/ports/aws.ts';

const wait = (milliseconds: number): Promise<unknown> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/**
 * EventBridge for a bucket that others use, too: a bucket has one configuration for everybody it tells, and a
 * write replaces it whole.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html
 */
export const bucketEvents =
  (s3: S3Client, pause: (milliseconds: number) => Promise<unknown> = wait): BucketEventsPort =>
  async (bucket, account) => {
    // Another account's bucket tells that account's bus.
    const of = { Bucket: bucket, ExpectedBucketOwner: account };
    for (let tries = 0; ; tries++) {
      let action = 's3:GetBucketNotification';
      try {
        const { $metadata: _, ...found } = await s3.send(new GetBucketNotificationConfigurationCommand(of));
        if (found.EventBridgeConfiguration !== undefined) return 'ok';
        const NotificationConfiguration: NotificationConfiguration = {
          ...found,
          EventBridgeConfiguration: {},
        };
        action = 's3:PutBucketNotification';
        await s3.send(
          new PutBucketNotificationConfigurationCommand({
            ...of,
            NotificationConfiguration,
            // Whether the others' queues, topics and functions are still there is not ours to judge.
            SkipDestinationValidation: true,
          }),
        );
        return 'ok';
      } catch (error) {
        const refused = refusalOf(error, bucket, action);
        if (refused === undefined) throw error;
        const due = errorStatus(error) === 403 ? RIGHT_SPREADS[tries] : undefined;
        if (due === undefined) return { refused };
        await pause(due);
      }
    }
  };

/** Why S3 will not do it, and what to do; undefined for what may pass. */
function refusalOf(error: unknown, bucket: string, action: string): string | undefined {
  const name = errorName(error);
  const status = errorStatus(error);
  if (name === 'NoSuchBucket' || status === 404)
    return `there is no bucket ${bucket}: make it first, or have the stack make it, with \`create: input\``;
  if (isElsewhere(error))
    return `the bucket ${bucket} is in another region, and EventBridge hears of it there only: deploy to that region, or copy its objects to a bucket here`;
  if (status === 403)
    return `${action} on the bucket ${bucket} is denied to the release worker: let the bucket’s policy and the account’s allow it. A bucket of another account cannot be watched from this one`;
  return undefined;
}
