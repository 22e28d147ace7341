import {
  type CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';

export type Event = { readonly at: number; readonly message: string };

/** Writes events to two streams of a group, as two instances of a function would. */
export async function put(
  logs: CloudWatchLogsClient,
  logGroupName: string,
  events: readonly Event[],
): Promise<void> {
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  for (const logStreamName of STREAMS)
    await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
  await append(logs, logGroupName, events);
}
/**
 * Less than the megabyte and the 10,000 events of a call:
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
 */
const BATCH = 1000;
const STREAMS = ['one', 'other'];

/** Writes more of them to the group. @param events in the order of their time */
export async function append(
  logs: CloudWatchLogsClient,
  logGroupName: string,
  events: readonly Event[],
): Promise<void> {
  for (const [index, logStreamName] of STREAMS.entries()) {
    const own = events.filter((_, n) => n % 2 === index);
    for (let first = 0; first < own.length; first += BATCH)
      await logs.send(
        new PutLogEventsCommand({
          logGroupName,
          logStreamName,
          logEvents: own.slice(first, first + BATCH).map(({ at, message }) => ({ timestamp: at, message })),
        }),
      );
  }
}
