import type { FormCost, Prices } from './contract.ts';
import { httpUnits } from './lambda-cost.ts';
import { type FormLoad, MONTH_HOURS, MONTH_SECONDS, requestsOf, wholeCpu } from './load.ts';
import { bill } from './prices.ts';
import { slotsFor } from './servers.ts';
import { instanceFor, taskFor } from './sizes.ts';

/** Containers and instances: what runs whether it is asked or not, as many as each part of the day needs. */

/** Two, so that one may fail. */
const LEAST_SERVERS = 2;
/** Lambda starts three: https://docs.aws.amazon.com/lambda/latest/dg/lambda-managed-instances-scaling.html */
const LEAST_MANAGED = 3;

/** How many of so many slots each part of the day needs, and on average over the day. */
function serversOf(load: FormLoad, slots: number, least: number) {
  const service = wholeCpu(load);
  const counts = load.parts.map(({ rate }) =>
    Math.max(least, Math.ceil(slotsFor(rate * service, service, load.latency) / slots)),
  );
  const average = load.parts.reduce((sum, { share }, i) => sum + share * (counts[i] ?? least), 0);
  return { counts, average, fewest: Math.min(...counts), most: Math.max(...counts) };
}

const count = ({ fewest, most }: ReturnType<typeof serversOf>, what: string): string =>
  fewest === most ? `${most} ${what}` : `${fewest} to ${most} ${what}`;

const instances = (architecture: FormLoad['architecture']): 'c7g' | 'c7i' =>
  architecture === 'arm64' ? 'c7g' : 'c7i';
const SIZES = ['', 'x', '2x', '4x', '8x', '16x'];
const sizeName = (times: number): string => `${SIZES[Math.log2(times)] ?? `${times}×`}large`;

/** @returns undefined where no size holds the model */
export function managedCost(load: FormLoad, prices: Prices): FormCost | undefined {
  const size = instanceFor(load.memory);
  if (size === undefined) return undefined;
  const { add, price, sum } = bill(prices);
  const kind = instances(load.architecture);
  const servers = serversOf(load, size.slots, LEAST_MANAGED);
  const hour = size.times * price(`ec2.${kind}.large.hour`);
  add('instances', servers.average * MONTH_HOURS * hour);
  add('management', servers.average * MONTH_HOURS * hour * price('managed.fee'));
  add('requests', requestsOf(load) * price('lambda.request'));
  if (load.http) add('http', requestsOf(load) * httpUnits(load.payload) * price('http.request'));
  return sum(count(servers, `${kind}.${sizeName(size.times)}`));
}

export function sageMakerCost(load: FormLoad, prices: Prices): FormCost | undefined {
  const size = instanceFor(load.memory);
  if (size === undefined) return undefined;
  const { add, price, sum } = bill(prices);
  const kind = instances(load.architecture);
  const servers = serversOf(load, size.slots, LEAST_SERVERS);
  add('instances', servers.average * MONTH_HOURS * size.times * price(`sagemaker.ml.${kind}.large.hour`));
  add('data', ((requestsOf(load) * load.payload) / 1024 ** 3) * price('sagemaker.gb'));
  return sum(count(servers, `ml.${kind}.${sizeName(size.times)}`));
}

export function fargateCost(load: FormLoad, prices: Prices): FormCost | undefined {
  const task = taskFor(load.memory);
  if (task === undefined) return undefined;
  const { add, price, sum } = bill(prices);
  const servers = serversOf(load, task.slots, LEAST_SERVERS);
  const { architecture } = load;
  const hour =
    task.vcpu * price(`fargate.vcpu-hour.${architecture}`) +
    task.gb * price(`fargate.gb-hour.${architecture}`);
  add('tasks', servers.average * MONTH_HOURS * hour);
  addBalancer(load, add, price);
  return sum(count(servers, `tasks of ${task.vcpu} vCPU, ${task.gb} GB`));
}

/** Nodes of EC2, a cluster of its own, and a load balancer. */
export function kubernetesCost(load: FormLoad, prices: Prices): FormCost | undefined {
  const size = instanceFor(load.memory);
  if (size === undefined) return undefined;
  const { add, price, sum } = bill(prices);
  const kind = instances(load.architecture);
  const servers = serversOf(load, size.slots, LEAST_SERVERS);
  add('nodes', servers.average * MONTH_HOURS * size.times * price(`ec2.${kind}.large.hour`));
  add('cluster', MONTH_HOURS * price('eks.hour'));
  addBalancer(load, add, price);
  return sum(count(servers, `nodes, ${kind}.${sizeName(size.times)}`));
}

/**
 * What one LCU holds of an hour; the largest of them is billed. Connections are kept open, so that bytes and
 * rules decide. https://aws.amazon.com/elasticloadbalancing/pricing/
 */
const LCU = { bytes: 1e9, rulesPerSecond: 1000 } as const;

function addBalancer(
  { parts, payload }: FormLoad,
  add: (cause: string, amount: number) => void,
  price: ReturnType<typeof bill>['price'],
): void {
  const units = parts.reduce(
    (sum, { rate, share }) =>
      sum + share * Math.max((rate * 3600 * payload) / LCU.bytes, rate / LCU.rulesPerSecond),
    0,
  );
  add('balancer', MONTH_HOURS * price('alb.hour'));
  add('balanced', (MONTH_SECONDS / 3600) * units * price('alb.lcu-hour'));
}
