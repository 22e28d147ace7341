/** Stands between a worker and the registry, and makes two writers of a release's document meet. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Release } from '../../../core/release/document/contract.ts';
import { bytes, forward, withoutExpect } from '../../local-aws/crash/proxy.ts';

export type Is = (written: Release) => boolean;

export type Race = {
  /** For `openShop`: its worker's way to the registry leads through here. */
  readonly environment: Readonly<Record<string, string>>;
  /**
   * Holds the document's writes until there is one for each of `writers`, and lets those go first, in this
   * order. Each was decided on without knowledge of the others.
   *
   * @returns what S3 answered them: 200, or 412 where the document was another by then
   */
  readonly meet: (...writers: readonly Is[]) => Promise<readonly number[]>;
  /** Is such a write held? */
  readonly holds: (writer: Is) => boolean;
  readonly close: () => void;
};

type Held = { readonly written: Release; readonly go: () => Promise<number> };

/** Seconds that nobody waits longer for the other one: a worker that is held answers nobody. */
const PATIENCE = 150;

export async function startRace(endpoint: string): Promise<Race> {
  const target = new URL(endpoint);
  let held: Held[] | undefined;
  let arrived = (): void => {};

  const serve = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const body = await bytes(incoming);
    const [method, url] = [incoming.method ?? 'GET', incoming.url ?? '/'];
    const go = async (): Promise<number> => {
      const answer = await forward(target, method, url, withoutExpect(incoming.headers), body);
      outgoing.writeHead(answer.status, answer.headers).end(answer.body);
      return answer.status;
    };
    if (held === undefined || method !== 'PUT' || !/\/live\.json(\?|$)/.test(url)) {
      await go();
      return;
    }
    held.push({ written: JSON.parse(body.toString()), go });
    arrived();
  };
  const server = createServer((incoming, outgoing) => {
    outgoing.sendDate = false;
    serve(incoming, outgoing).catch(() => outgoing.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const release = async (writers: readonly Held[]): Promise<readonly number[]> => {
    const others = (held ?? []).filter((one) => !writers.includes(one));
    held = undefined;
    const answers: number[] = [];
    for (const { go } of writers) answers.push(await go());
    await Promise.all(others.map(({ go }) => go()));
    return answers;
  };
  return {
    environment: { AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    meet: (...writers) => {
      const waiting: Held[] = [];
      held = waiting;
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          const there = waiting.map(({ written: { phase, reason } }) => `${phase}: ${reason}`).join('; ');
          release([]).catch(() => {});
          reject(new Error(`the writers did not meet within ${PATIENCE} s; there were: ${there || 'none'}`));
        }, PATIENCE * 1000);
        arrived = () => {
          const found: Held[] = [];
          for (const is of writers) {
            const one = waiting.find((some) => !found.includes(some) && is(some.written));
            if (one !== undefined) found.push(one);
          }
          if (found.length < writers.length || held !== waiting) return;
          clearTimeout(timer);
          release(found).then(resolve, reject);
        };
      });
    },
    holds: (writer) => (held ?? []).some(({ written }) => writer(written)),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
