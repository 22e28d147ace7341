import {
  type CloudWatchLogsClient,
  FilterLogEventsCommand,
  type FilterLogEventsCommandOutput,
} from '@aws-sdk/client-cloudwatch-logs';
import type { LogPort } from '../core/drift/ports.ts';

/** CloudWatch Logs. */
export function cloudWatchLogs(client: CloudWatchLogsClient): LogPort {
  return {
    async *lines(group, member, from, to) {
      let nextToken: string | undefined;
      do {
        const page: FilterLogEventsCommandOutput = await client.send(
          new FilterLogEventsCommand({
            logGroupName: group,
            filterPattern: withMember(member),
            startTime: from,
            // What is later than this is left out, so what is at it would be in two windows.
            endTime: to - 1,
            nextToken,
          }),
        );
        yield (page.events ?? []).map(({ message = '' }) => message);
        // A page may be empty long before the last one:
        // https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
        nextToken = page.nextToken;
      } while (nextToken !== undefined);
    },
  };
}

/**
 * The pattern of JSON lines with this member. There is no EXISTS: any text matches the wildcard. Member and
 * pattern:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/matching-terms-json-log-events.html
 */
const withMember = (member: string): string => `{ $.${member} = "*" }`;
