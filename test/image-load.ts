/** Callers that ask a running image without end, as those behind a balancer do. */
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const CALLERS = 8;

type LoadTarget = { readonly port: number; readonly model: string; readonly body: string };

type Load = { readonly answered: number; readonly lost: readonly string[] };

/**
 * Asks with as many callers, each once its answer is there, until so many were asked or it is told to end.
 */
export async function load(
  { port, model, body }: LoadTarget,
  requests: number,
  over: () => boolean,
  looked?: (asked: number) => void,
): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: CALLERS });
  const lost: string[] = [];
  let [asked, answered] = [0, 0];
  const one = (): Promise<void> =>
    new Promise((resolve) => {
      const sent = request(
        {
          port,
          host: '127.0.0.1',
          agent,
          method: 'POST',
          path: `/v2/models/${model}/infer`,
          headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        },
        (answer) => {
          answer.resume();
          answer.once('error', (error) => {
            lost.push(error.message);
            resolve();
          });
          answer.once('end', () => {
            // Too much at once: it was refused before it was taken, and is to be asked again.
            if (answer.statusCode === 503 && !over())
              return void setTimeout(() => void one().then(resolve), 50);
            if (answer.statusCode === 200) answered += 1;
            else if (answer.statusCode !== 503) lost.push(`status ${answer.statusCode}`);
            resolve();
          });
        },
      );
      sent.once('error', (error) => {
        lost.push(error.message);
        resolve();
      });
      sent.end(body);
    });
  const caller = async (): Promise<void> => {
    while (asked < requests && !over()) {
      asked += 1;
      looked?.(asked);
      await one();
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  agent.destroy();
  return { answered, lost };
}

/**
 * A balancer that looks ten times a second, and a signal in the middle: callers ask until the balancer sees
 * that it is not ready any more.
 *
 * @param ms at the least until the signal
 * @returns beside it what the balancer saw at last: a status; undefined where nothing answered it
 */
export async function loadUntilItEnds(
  target: LoadTarget,
  ms: number,
  signal: () => Promise<void>,
): Promise<Load & { readonly seen: number | undefined }> {
  let over = false;
  let seen: number | undefined;
  const watching = (async () => {
    while (!over) {
      await sleep(100);
      const ready = await fetch(`http://127.0.0.1:${target.port}/v2/health/ready`).catch(() => undefined);
      seen = ready?.status;
      if (seen !== 200) over = true;
    }
  })();
  try {
    let loading: Promise<Load> | undefined;
    // However busy this machine is: by then each caller has asked twice.
    const asking = new Promise<void>((resolve) => {
      loading = load(
        target,
        Number.POSITIVE_INFINITY,
        () => over,
        (asked) => asked > 2 * CALLERS && resolve(),
      );
      void loading.then(() => resolve());
    });
    await Promise.all([sleep(ms), asking]);
    await signal();
    return { answered: 0, lost: [], ...(await loading), seen };
  } finally {
    over = true;
    await watching;
  }
}
