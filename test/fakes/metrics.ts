import { within } from '../../aws/metrics.ts';
import type { Scores, Side } from '../../core/judge/contract.ts';
import type { AlarmPort, MetricsPort, NoticePort } from '../../core/ports/aws.ts';
import { type Chaos, calm } from './chaos.ts';

type State = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

const MINUTE = 60_000;
/** How long points of a minute are kept, as the adapter knows it. */
const KEPT = 15 * 24 * 60 * MINUTE;

/**
 * What CloudWatch counted, in memory: sides by alias, version and minute.
 * @param options.clock milliseconds
 * @param options.visibleAfter milliseconds from a minute's start until its counts can be read; default: at
 * once
 */
export function fakeMetrics(
  chaos: Chaos = calm,
  options: { readonly clock?: () => number; readonly visibleAfter?: number } = {},
) {
  const counted = new Map<string, Map<string, Map<number, Side>>>();
  const minutesOf = (functionName: string, alias: string, version: string): Map<number, Side> => {
    const versions = counted.get(`${functionName}:${alias}`) ?? new Map<string, Map<number, Side>>();
    counted.set(`${functionName}:${alias}`, versions);
    const minutes = versions.get(version) ?? new Map<number, Side>();
    versions.set(version, minutes);
    return minutes;
  };
  const visible = (minute: number, from: number, to: number): boolean =>
    minute >= from &&
    minute < to &&
    (options.clock === undefined || minute + (options.visibleAfter ?? 0) <= options.clock());
  const port: MetricsPort = {
    sides: async (functionName, alias, versions, from, to, signals) => {
      await chaos('before read metrics');
      if (options.clock !== undefined && options.clock() - from > KEPT)
        throw new RangeError(`Minutes are kept for 15 days, not since ${new Date(from).toISOString()}.`);
      return new Map(
        versions.map((version) => {
          const seen = [...minutesOf(functionName, alias, version)].filter(([minute]) =>
            visible(minute, from, to),
          );
          return [version, new Map(seen.map(([minute, side]) => [minute, withSignals(side, signals)]))];
        }),
      );
    },
    rate: async (functionName, alias, from, to) => {
      await chaos('before read rate');
      const [start, end] = within(from, to, 60);
      let [requests, bad] = [0, 0];
      for (const minutes of counted.get(`${functionName}:${alias}`)?.values() ?? [])
        for (const [minute, { invocations = 0, crashes = 0, errors = 0 }] of minutes)
          if (visible(minute, start, end)) {
            requests += invocations;
            bad += crashes + errors;
          }
      return { perSecond: requests / ((end - start) / 1000), errorRate: requests > 0 ? bad / requests : 0 };
    },
  };
  return {
    port,
    /** Adds to what a version did behind an alias in the minute of a time. */
    add: (functionName: string, alias: string, version: string, at: number, did: Side): void => {
      const minutes = minutesOf(functionName, alias, version);
      const minute = Math.floor(at / MINUTE) * MINUTE;
      minutes.set(minute, sum(minutes.get(minute) ?? {}, did));
    },
  };
}

function withSignals({ outputs, ...side }: Side, signals: readonly string[]): Side {
  const asked = Object.entries(outputs ?? {}).filter(([name]) => signals.includes(name));
  return asked.length > 0 ? { ...side, outputs: Object.fromEntries(asked) } : side;
}

const COUNTS = ['invocations', 'crashes', 'requests', 'errors', 'rejected', 'coldStarts'] as const;
const EDGES = [0, 1, 2, 3] as const;

function sum(one: Side, other: Side): Side {
  const both = (a: number | undefined, b: number | undefined): number => (a ?? 0) + (b ?? 0);
  const counts = COUNTS.filter((name) => one[name] !== undefined || other[name] !== undefined);
  const names = new Set([...Object.keys(one.outputs ?? {}), ...Object.keys(other.outputs ?? {})]);
  const [a, b, c, d] = EDGES.map((edge) => both(one.slow?.[edge], other.slow?.[edge]));
  const scores = (name: string): Scores => {
    const [x, y] = [one.outputs?.[name], other.outputs?.[name]];
    return {
      a: both(x?.a, y?.a),
      b: both(x?.b, y?.b),
      aa: both(x?.aa, y?.aa),
      bb: both(x?.bb, y?.bb),
      ab: both(x?.ab, y?.ab),
    };
  };
  return {
    ...Object.fromEntries(counts.map((name) => [name, both(one[name], other[name])])),
    ...((one.slow || other.slow) && { slow: [a ?? 0, b ?? 0, c ?? 0, d ?? 0] as const }),
    ...(names.size > 0 && { outputs: Object.fromEntries([...names].map((name) => [name, scores(name)])) }),
  };
}

/** Suffixes of alarms that every model has: they are there, and off, unless a test says otherwise. */
const EACH = /-(crashes|errors|throttles|release)$/;

/** CloudWatch's alarms, in memory; the test sets their states. */
export function fakeAlarms(chaos: Chaos = calm, clock: () => number = () => 0) {
  const alarms = new Map<string, { readonly state: State; readonly since: number }>();
  const deleted = new Set<string>();
  const port: AlarmPort = {
    states: async (names) => {
      await chaos('before describe alarms');
      const there = names.filter((name) => !deleted.has(name) && (alarms.has(name) || EACH.test(name)));
      return new Map(there.map((name) => [name, alarms.get(name) ?? { state: 'OK', since: 0 }]));
    },
  };
  return {
    port,
    delete: (name: string): void => void deleted.add(name),
    set: (name: string, state: State): void => {
      if (alarms.get(name)?.state !== state) alarms.set(name, { state, since: clock() });
    },
  };
}

/** A topic, in memory: what was published. */
export function fakeNotices(chaos: Chaos = calm) {
  const published: { readonly subject: string; readonly text: string }[] = [];
  const port: NoticePort = async (subject, text) => {
    await chaos('before publish');
    published.push({ subject, text });
    await chaos('after publish');
  };
  return { port, published };
}
