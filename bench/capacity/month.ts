/**
 * A month of one model in each form, request by request: what the arithmetic of `advise` is held against.
 * Arrivals are Poisson over a day with a busy part; service times vary; environments start, idle and end;
 * servers follow what was used half an hour before. Each request is billed as AWS's pages say.
 */
import type { Form, Prices } from '../../core/advice/contract.ts';
import type { FormLoad } from '../../core/advice/load.ts';
import { slotsFor } from '../../core/advice/servers.ts';
import { instanceFor, taskFor } from '../../core/advice/sizes.ts';

const MONTH = 30 * 86_400;
const DAY = 86_400;
/** As in the advice: AWS tells no number. */
const IDLE = 300;
const STEPS = 48;

/** Dollars a month by form; a form is absent where no size of it holds the model. */
export type SimulatedMonth = Readonly<Partial<Record<Form, number>>>;

/** Seconds until which each of a set is busy, the soonest first. */
function heap() {
  const items: number[] = [];
  const swap = (i: number, k: number): void => {
    [items[i], items[k]] = [items[k] ?? 0, items[i] ?? 0];
  };
  return {
    size: () => items.length,
    first: () => items[0] ?? Number.POSITIVE_INFINITY,
    push: (value: number): void => {
      items.push(value);
      for (let i = items.length - 1; i > 0; ) {
        const above = (i - 1) >> 1;
        if ((items[above] ?? 0) <= (items[i] ?? 0)) break;
        swap(i, above);
        i = above;
      }
    },
    pop: (): number => {
      const [first = 0] = items;
      const last = items.pop() ?? 0;
      if (items.length === 0) return first;
      items[0] = last;
      for (let i = 0; ; ) {
        const [left, right] = [2 * i + 1, 2 * i + 2];
        const less =
          (items[right] ?? Number.POSITIVE_INFINITY) < (items[left] ?? Number.POSITIVE_INFINITY)
            ? right
            : left;
        if ((items[less] ?? Number.POSITIVE_INFINITY) >= (items[i] ?? 0)) break;
        swap(i, less);
        i = less;
      }
      return first;
    },
  };
}

/** Lambda's environments: the one that was used last is used next; after five idle minutes one is gone. */
function environments(start: number) {
  const busy = heap();
  let idle: number[] = [];
  /** @returns did the request start one */
  return (at: number, service: number): boolean => {
    while (busy.first() <= at) idle.push(busy.pop());
    const last = idle.pop();
    const isWarm = last !== undefined && at - last <= IDLE;
    if (!isWarm) idle = [];
    busy.push(at + service + (isWarm ? 0 : start));
    return !isWarm;
  };
}

type Request = { readonly at: number; readonly service: number };

/** Lambda bills whole milliseconds. */
const billed = (seconds: number): number => Math.ceil(seconds * 1000 - 1e-9) / 1000;

/**
 * @param kept environments that are always warm
 * @param most requests that are simulated; a shorter day of the same form stands for the month where more
 * come
 */
export function simulateMonth(
  load: FormLoad,
  kept: number,
  prices: Prices,
  chance: () => number,
  most: number,
): SimulatedMonth {
  const { architecture, http, memory, payload, start } = load;
  const rate = load.parts.reduce((sum, part) => sum + part.rate * part.share, 0);
  const days = Math.floor(most / (rate * DAY));
  const length = days >= 1 ? DAY : most / rate;
  const count = Math.min(30, Math.max(1, days));
  const scale = MONTH / (length * count);
  const price = (name: keyof Prices): number => prices[name].dollars;

  const onDemand = environments(start);
  const spilled = environments(start);
  const provisioned = heap();
  const used = { requests: 0, seconds: 0, starts: 0, keptSeconds: 0, spiltSeconds: 0, spiltStarts: 0 };
  /** Processor seconds and requests of each step of the day, all days one after another. */
  const steps: { seconds: number; requests: number }[] = [];
  const step = length / STEPS;
  const whole = Math.min(1, memory / 1769);

  /**
   * A part of the day begins once a day, also where a shorter day stands for many: what is started then
   * counts as often as there are days.
   */
  const settling = Math.min(
    20 * (load.service + start),
    0.25 * length * Math.min(...load.parts.map(({ share }) => share)),
  );
  const take = ({ at, service }: Request, isCounted: boolean, since: number): void => {
    const isCold = onDemand(at, service);
    while (provisioned.first() <= at) provisioned.pop();
    const isKept = provisioned.size() < kept;
    const isSpiltCold = !isKept && spilled(at, service);
    if (isKept) provisioned.push(at + service);
    if (!isCounted) return;
    used.requests += 1;
    used.seconds += billed(service);
    const weight = length < DAY && since < settling ? 30 / scale : 1;
    if (isCold) used.starts += weight;
    if (isKept) used.keptSeconds += billed(service);
    else used.spiltSeconds += billed(service);
    if (isSpiltCold) used.spiltStarts += weight;
  };

  const gap = (perSecond: number): number => -Math.log(1 - chance()) / perSecond;
  let begin = 0;
  // The first day of few fills what a month has filled long since.
  const warming = count < 30 ? 1 : 0;
  for (let day = -warming; day < count; day += 1) {
    const isCounted = day >= 0;
    const first = steps.length;
    if (isCounted) for (let i = 0; i < STEPS; i += 1) steps.push({ seconds: 0, requests: 0 });
    let from = begin;
    for (const part of load.parts) {
      const end = from + part.share * length;
      for (let at = from + gap(part.rate); at < end; at += gap(part.rate)) {
        const service = load.service * gamma(chance);
        take({ at, service }, isCounted, at - from);
        const of = steps[first + Math.min(STEPS - 1, Math.floor((at - begin) / step))];
        if (!isCounted || of === undefined) continue;
        of.seconds += service * whole;
        of.requests += 1;
      }
      from = end;
    }
    begin += length;
  }

  const gb = memory / 1024;
  const second = gb * price(`lambda.gb-second.${architecture}`);
  const gateway = http
    ? used.requests * Math.max(1, Math.ceil(payload / (512 * 1024))) * price('http.request')
    : 0;
  const asked = used.requests * price('lambda.request') + gateway;
  const hours = step / 3600;
  /** Hours of servers: each step has what the step before used. */
  const serverHours = (slots: number, least: number): number =>
    steps.reduce((sum, _, i) => {
      const before = steps[i - 1] ?? steps.at(-1);
      const busy = (before?.seconds ?? 0) / step;
      const wanted = Math.ceil(slotsFor(busy, load.service * whole, load.latency) / slots);
      return sum + Math.max(least, wanted) * hours;
    }, 0);
  const balancer =
    (MONTH / scale / 3600) * price('alb.hour') +
    steps.reduce((sum, { requests }) => {
      const perSecond = requests / step;
      return (
        sum + hours * Math.max((perSecond * 3600 * payload) / 1e9, perSecond / 1000) * price('alb.lcu-hour')
      );
    }, 0);
  const kind = architecture === 'arm64' ? 'c7g' : 'c7i';
  const size = instanceFor(memory);
  const task = taskFor(memory);
  const ec2 = (size?.times ?? 0) * price(`ec2.${kind}.large.hour`);
  const all: Partial<Record<Form, number>> = {
    'on-demand': asked + (used.seconds + used.starts * start) * second,
    provisioned:
      asked +
      (MONTH / scale) * kept * gb * price(`provisioned.kept.${architecture}`) +
      used.keptSeconds * gb * price(`provisioned.gb-second.${architecture}`) +
      (used.spiltSeconds + used.spiltStarts * start) * second,
    ...(size && {
      managed: asked + serverHours(size.slots, 3) * ec2 * (1 + price('managed.fee')),
      kubernetes: serverHours(size.slots, 2) * ec2 + (MONTH / scale / 3600) * price('eks.hour') + balancer,
      sagemaker:
        serverHours(size.slots, 2) * size.times * price(`sagemaker.ml.${kind}.large.hour`) +
        ((used.requests * payload) / 1024 ** 3) * price('sagemaker.gb'),
    }),
    ...(task && {
      fargate:
        serverHours(task.slots, 2) *
          (task.vcpu * price(`fargate.vcpu-hour.${architecture}`) +
            task.gb * price(`fargate.gb-hour.${architecture}`)) +
        balancer,
    }),
  };
  return Object.fromEntries(Object.entries(all).map(([form, dollars]) => [form, dollars * scale]));
}

/** Mean 1, half of it as standard deviation. */
const gamma = (chance: () => number): number =>
  -Math.log((1 - chance()) * (1 - chance()) * (1 - chance()) * (1 - chance())) / 4;
