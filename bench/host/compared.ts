/** The host and its peers, all up at once and asked in turns: one run for all claims about them. */
import { mustAgree, type Outputs } from '../answers.ts';
import type { Effort } from '../claims.ts';
import type { ModelName } from '../events.ts';
import { progress } from '../stage.ts';
import { inferences } from './calling.ts';
import {
  bodyOf,
  PEER_NAMES,
  type PeerName,
  pathOf,
  type Running,
  startHost,
  startPeer,
  versionsOf,
} from './servers.ts';

export const CALLERS = [1, 8, 64] as const;
type Callers = (typeof CALLERS)[number];

type Side = 'host' | PeerName;

/** A block of requests: µs for each, all callers together, and the 99th percentile of their times in ms. */
type Block = { readonly us: number; readonly p99: number };

export type Compared = {
  readonly blocks: Readonly<Record<Side, Readonly<Record<Callers, readonly Block[]>>>>;
  readonly versions: Readonly<Record<PeerName, string>>;
};

const known = new Map<string, Promise<Compared>>();

/** Run once for all claims with the same effort. */
export function compared(model: ModelName, effort: Effort): Promise<Compared> {
  const key = `${model} ${effort.repeats}`;
  const found = known.get(key) ?? run(model, effort);
  known.set(key, found);
  return found;
}

async function run(model: ModelName, { repeats, warm, block }: Effort): Promise<Compared> {
  progress(`Starting the host and its peers with ${model}`);
  const servers: [Side, Running][] = [];
  try {
    servers.push(['host', await startHost(model)]);
    for (const name of PEER_NAMES) servers.push([name, await startPeer(name, model)]);
    const [[, own] = ['', { port: 0 }], ...others] = servers;
    const ours = await answerOf(own.port, model);
    for (const [name, { port }] of others) {
      progress(`${name} has to say the same`);
      mustAgree(ours, await answerOf(port, model));
    }
    const taken = new Map<string, Block[]>();
    for (const [, { port }] of servers) await inferences(port, model, warm * 6, { callers: 8 });
    for (let turn = 0; turn < repeats; turn++)
      for (const callers of CALLERS)
        for (const [side, { port }] of turn % 2 === 0 ? servers : servers.toReversed()) {
          const called = await inferences(port, model, block * 3, { callers });
          const { good, other, seconds, p99 } = called;
          // What is refused is no answer: its time counts, and it does not.
          if (other > 0 || good === 0)
            throw new Error(`${side}, ${callers} callers: ${JSON.stringify(called)}`);
          const key = `${side} ${callers}`;
          taken.set(key, [...(taken.get(key) ?? []), { us: (seconds * 1e6) / good, p99 }]);
        }
    const of = (side: Side) =>
      Object.fromEntries(
        CALLERS.map((callers) => [callers, taken.get(`${side} ${callers}`) ?? []]),
      ) as Record<Callers, Block[]>;
    const versions: Partial<Record<PeerName, string>> = {};
    for (const name of PEER_NAMES) versions[name] = await versionsOf(name);
    return {
      blocks: { host: of('host'), mlserver: of('mlserver'), bentoml: of('bentoml'), fastapi: of('fastapi') },
      versions: versions as Record<PeerName, string>,
    };
  } finally {
    for (const [, server] of servers) await server.stop();
  }
}

async function answerOf(port: number, model: ModelName): Promise<Outputs> {
  const answer = await fetch(`http://127.0.0.1:${port}${pathOf(model)}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: bodyOf(model),
  });
  if (!answer.ok) throw new Error(`${answer.status}: ${(await answer.text()).slice(0, 500)}`);
  const { outputs } = (await answer.json()) as { outputs: { name: string; data: number[] }[] };
  return Object.fromEntries(outputs.map(({ name, data }) => [name, data.flat()]));
}
