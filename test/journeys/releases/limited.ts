import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Lambda's API behind a limit. */
export type Limited = {
  readonly url: string;
  /** From now on. */
  readonly begin: () => void;
  /** Calls that were refused. */
  readonly refused: () => number;
  readonly close: () => void;
};

/** So many calls are taken, and so many after them refused: more than the SDK tries again. */
const [TAKES, REFUSES] = [12, 4];

/**
 * Lambda's control plane on a local AWS as one of many callers sees it who exceed its rate together.
 * Invocations have limits of their own.
 * https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html#api-requests
 */
export async function limitedLambda(endpoint: string): Promise<Limited> {
  const { hostname, port } = new URL(endpoint);
  let [limits, calls, refused] = [false, 0, 0];
  const takes = (): boolean => {
    calls += 1;
    return calls % (TAKES + REFUSES) < TAKES;
  };
  const server = createServer((incoming, answer) => {
    if (limits && !incoming.url?.includes('/invocations') && !takes()) {
      refused += 1;
      incoming.resume();
      answer.writeHead(429, {
        'content-type': 'application/json',
        'x-amzn-errortype': 'TooManyRequestsException',
      });
      answer.end(JSON.stringify({ Type: 'User', message: 'Rate exceeded' }));
      return;
    }
    const { method, url, headers } = incoming;
    const onward = request({ hostname, port, method, path: url, headers }, (answered) => {
      answer.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    begin: () => {
      limits = true;
    },
    refused: () => refused,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
