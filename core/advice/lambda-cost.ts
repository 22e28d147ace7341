import { keptFor } from '../capacity/environments/keep.ts';
import { mixedErlangB } from '../capacity/erlang.ts';
import { coldShareOfDay } from './cold.ts';
import type { FormCost, Prices } from './contract.ts';
import { type FormLoad, MONTH_SECONDS, offered, requestsOf } from './load.ts';
import { bill } from './prices.ts';

/** Share of requests that may still meet a cold start where environments are kept warm. */
const COLD_PROMISED = 0.001;
/** An HTTP API counts each 512 KB of a request: https://aws.amazon.com/api-gateway/pricing/ */
const HTTP_UNIT = 512 * 1024;

/** Lambda bills whole milliseconds, so that half a one is added on average. */
export const billedSeconds = (service: number): number => Math.max(0.001, service + 0.0005);

const megabytes = (memory: number): string => `${memory.toLocaleString('en-US')} MB`;

export const httpUnits = (payload: number): number => Math.max(1, Math.ceil(payload / HTTP_UNIT));

/** Lambda on demand: each request, what it computes, and the starts that it causes. */
export function onDemandCost(load: FormLoad, prices: Prices): FormCost {
  const { architecture, http, memory, payload, service, start } = load;
  const { add, price, sum } = bill(prices);
  const requests = requestsOf(load);
  const second = (memory / 1024) * price(`lambda.gb-second.${architecture}`);
  add('requests', requests * price('lambda.request'));
  add('compute', requests * billedSeconds(service) * second);
  add('starts', requests * coldShareOfDay(load.parts, service) * start * second);
  if (http) add('http', requests * httpUnits(payload) * price('http.request'));
  return sum(megabytes(memory));
}

/** Environments that are kept warm, so that all but one in a thousand requests find one. */
export const keptWarm = ({ parts, service }: FormLoad): number =>
  Math.max(
    1,
    keptFor(
      parts.map(({ rate, share }) => ({ rate, weight: share })),
      service,
      COLD_PROMISED,
    ).kept,
  );

export function provisionedCost(load: FormLoad, prices: Prices): FormCost {
  const { architecture, http, memory, parts, payload, service, start } = load;
  const { add, price, sum } = bill(prices);
  const requests = requestsOf(load);
  const gb = memory / 1024;
  const kept = keptWarm(load);
  const spilled = mixedErlangB(offered(load, service), kept);
  const onDemand = gb * price(`lambda.gb-second.${architecture}`);
  add('kept', kept * gb * MONTH_SECONDS * price(`provisioned.kept.${architecture}`));
  add('requests', requests * price('lambda.request'));
  add(
    'compute',
    requests *
      billedSeconds(service) *
      ((1 - spilled) * gb * price(`provisioned.gb-second.${architecture}`) + spilled * onDemand),
  );
  add('starts', requests * coldShareOfDay(parts, service, kept) * start * onDemand);
  if (http) add('http', requests * httpUnits(payload) * price('http.request'));
  return sum(`${kept} ${kept === 1 ? 'instance' : 'instances'} kept`);
}

/** Lambda asks the queue of batch all the time: five pollers, each for 20 s at a time. */
const QUEUE_ASKED = 5 * 3;

/**
 * Lambda over objects in S3. Each row is counted with the time of a request by itself, which is the most:
 * rows
 * that go through the model together take less.
 *
 * @param every seconds between two runs, each of which starts an instance
 */
export function batchCost(load: FormLoad, prices: Prices, every: number): FormCost {
  const { architecture, memory, service, start } = load;
  const { add, price, sum } = bill(prices);
  const rows = requestsOf(load);
  const runs = Math.min(rows, MONTH_SECONDS / every);
  const second = (memory / 1024) * price(`lambda.gb-second.${architecture}`);
  add('requests', runs * price('lambda.request'));
  add('compute', rows * service * second);
  add('starts', runs * start * second);
  add('queue', (MONTH_SECONDS / 60) * QUEUE_ASKED * price('queue.request'));
  return sum(`${Math.round(runs).toLocaleString('en-US')} runs of ${megabytes(memory)}`);
}

/** @returns share of requests that meet a cold start on demand */
export const coldOnDemand = (load: FormLoad): number => coldShareOfDay(load.parts, load.service);
