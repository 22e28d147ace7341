import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { client } from '../../../local-aws/deployed.ts';

/** What somebody who subscribed to the alerts topic gets: alarms, and notices of the worker. */
export type Pager = {
  readonly subjects: () => readonly string[];
  readonly texts: () => readonly string[];
  readonly close: () => void;
};

/** https://docs.aws.amazon.com/sns/latest/dg/SendMessageToHttp.prepare.html */
export async function startPager(endpoint: string, TopicArn: string): Promise<Pager> {
  const messages: { readonly Subject?: string; readonly Message?: string }[] = [];
  const server = createServer(async (request, response) => {
    const message = JSON.parse(await text(request));
    response.end();
    if (message.Type === 'SubscriptionConfirmation') await fetch(message.SubscribeURL);
    if (message.Type === 'Notification') messages.push(message);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const sns = new SNSClient(client(endpoint));
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'http', Endpoint: `http://127.0.0.1:${port}/` }));
  sns.destroy();
  return {
    subjects: () => messages.map(({ Subject = '' }) => Subject),
    texts: () => messages.map(({ Message = '' }) => Message),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
