import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import type { Client } from './client.ts';

/** What came from the alerts topic: an alarm, or a notice of the release worker. `at`: milliseconds since 1970. */
export type Message = { readonly at: number; readonly subject: string; readonly text: string };

export type Pager = { readonly messages: readonly Message[]; close(): void };

/**
 * Somebody's pager: a webhook, subscribed to the alerts topic as any other would be.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-http-https-endpoint-as-subscriber.html
 */
export async function startPager(client: Client, topic: string): Promise<Pager> {
  const messages: Message[] = [];
  const server = createServer(async (request, response) => {
    const message: { Type?: string; Subject?: string; Message?: string; SubscribeURL?: string } = JSON.parse(
      await text(request),
    );
    response.end();
    if (message.Type === 'SubscriptionConfirmation' && message.SubscribeURL !== undefined)
      await fetch(message.SubscribeURL);
    if (message.Type === 'Notification')
      messages.push({ at: Date.now(), subject: message.Subject ?? '', text: message.Message ?? '' });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const sns = new SNSClient(client);
  await sns.send(
    new SubscribeCommand({ TopicArn: topic, Protocol: 'http', Endpoint: `http://127.0.0.1:${port}/` }),
  );
  sns.destroy();
  return {
    messages,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
