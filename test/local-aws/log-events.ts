import {
  type CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';

type Event = { readonly at: number; readonly message: string };

/** Writes events to two streams of a group, as two instances of a function would. */
export async function put(
  logs: CloudWatchLogsClient,
  logGroupName: string,
  events: readonly Event[],
): Promise<void> {
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  for (const [index, logStreamName] of ['one', 'other'].entries()) {
    await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
    const own = events.filter((_, n) => n % 2 === index);
    for (let first = 0; first < own.length; first += 10_000)
      await logs.send(
        new PutLogEventsCommand({
          logGroupName,
          logStreamName,
          logEvents: own.slice(first, first + 10_000).map(({ at, message }) => ({ timestamp: at, message })),
        }),
      );
  }
}
