import { isModelFault } from '../errors/refusals.ts';

/** How a request of a model ended, for its counts. */
export type HostOutcome = 'answered' | 'failed' | 'rejected' | 'shed';

/** What a host counts of one model since it began. */
export type HostCounts = {
  /** @param seconds from its headers to its answer */
  readonly ended: (outcome: HostOutcome, seconds: number) => void;
  readonly restarted: (reason: 'timeout' | 'crash' | 'memory') => void;
  /** Seconds that a process had a request. */
  readonly worked: (seconds: number) => void;
  /** An answer without error. @param sums scores of its outputs, by name */
  readonly scored: (sums: Readonly<Record<string, number>>) => void;
  readonly read: () => Counted;
};

type Counted = {
  readonly outcomes: Readonly<Record<HostOutcome, number>>;
  readonly restarts: Readonly<Record<'timeout' | 'crash' | 'memory', number>>;
  readonly busy: number;
  /** Answers without error, by the first edge that they are not beyond; the last has those beyond all. */
  readonly buckets: readonly number[];
  /** Seconds of all of these together. */
  readonly sum: number;
  /** Seconds. */
  readonly edges: readonly number[];
  /** Sums of the outputs' scores, by name. */
  readonly sums: ReadonlyMap<string, number>;
};

/** Milliseconds; for models without a declared `latency`. */
const EDGES = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000];

/** @param slowEdges milliseconds, as the endpoint’s metrics have them: around the declared p95 */
export function createCounts(slowEdges: readonly number[] = EDGES): HostCounts {
  const edges = slowEdges.map((edge) => edge / 1000);
  const outcomes = { answered: 0, failed: 0, rejected: 0, shed: 0 };
  const restarts = { timeout: 0, crash: 0, memory: 0 };
  const buckets = new Array<number>(edges.length + 1).fill(0);
  const sums = new Map<string, number>();
  let busy = 0;
  let sum = 0;
  return {
    ended(outcome, seconds) {
      outcomes[outcome]++;
      if (outcome !== 'answered') return;
      sum += seconds;
      let at = 0;
      // As the endpoint’s own: beyond an edge, not at it.
      while (at < edges.length && seconds > (edges[at] as number)) at++;
      buckets[at] = (buckets[at] as number) + 1;
    },
    restarted: (reason) => {
      restarts[reason]++;
    },
    worked: (seconds) => {
      busy += seconds;
    },
    scored(scores) {
      for (const name in scores) sums.set(name, (sums.get(name) ?? 0) + (scores[name] as number));
    },
    read: () => ({ outcomes, restarts, busy, buckets, sum, edges, sums }),
  };
}

/** @param code of an answer that is an error */
export function hostOutcomeOf(status: number, code: string | undefined): HostOutcome {
  if (status < 400) return 'answered';
  const fault = { name: '', message: '', status, code: code ?? '' };
  return isModelFault(fault) ? 'failed' : 'rejected';
}

/** A model as it stands when its metrics are asked for. */
export type PoolStanding = {
  readonly model: string;
  readonly version: string;
  readonly counted: Counted;
  readonly workers: number;
  /** Processes that are up; those of them that have a request; requests that wait for one. */
  readonly up: number;
  readonly working: number;
  readonly waiting: number;
};

type Family = {
  readonly name: string;
  readonly type: 'counter' | 'gauge';
  readonly help: string;
  readonly of: (one: PoolStanding) => readonly (readonly [labels: string, value: number])[];
};

const plain = (value: number): readonly (readonly [string, number])[] => [['', value]];

/** The endpoint’s names (docs/metrics.md) in Prometheus’ manner. */
const FAMILIES: readonly Family[] = [
  {
    name: 'requests_total',
    type: 'counter',
    help: 'Answered inferences, failed ones included.',
    of: ({ counted: { outcomes } }) => plain(outcomes.answered + outcomes.failed),
  },
  {
    name: 'errors_total',
    type: 'counter',
    help: 'Requests that the model, its worker or the host failed at.',
    of: ({ counted: { outcomes } }) => plain(outcomes.failed),
  },
  {
    name: 'rejected_total',
    type: 'counter',
    help: 'Requests that were wrong.',
    of: ({ counted: { outcomes } }) => plain(outcomes.rejected),
  },
  {
    name: 'shed_total',
    type: 'counter',
    help: 'Requests refused with 503 since the queue was full or the host was ending.',
    of: ({ counted: { outcomes } }) => plain(outcomes.shed),
  },
  {
    name: 'restarts_total',
    type: 'counter',
    help: 'Workers that ended and were replaced.',
    of: ({ counted: { restarts } }) =>
      Object.entries(restarts).map(([reason, count]) => [`,reason="${reason}"`, count]),
  },
  {
    name: 'busy_seconds_total',
    type: 'counter',
    help: 'Seconds in which workers had a request; its rate by workers is the busy share.',
    of: ({ counted }) => plain(counted.busy),
  },
  {
    name: 'queue',
    type: 'gauge',
    help: 'Requests that wait for a worker.',
    of: (one) => plain(one.waiting),
  },
  {
    name: 'workers',
    type: 'gauge',
    help: 'Processes that compute, as many as the model should have.',
    of: (one) => plain(one.workers),
  },
  { name: 'workers_up', type: 'gauge', help: 'Workers that are up.', of: (one) => plain(one.up) },
  {
    name: 'busy_share',
    type: 'gauge',
    help: 'Workers that have a request now, by all of them.',
    of: ({ working, workers }) => plain(working / workers),
  },
  {
    name: 'output_sum',
    // A sum of scores falls, too.
    type: 'gauge',
    help: 'Sums of the scores of outputs, of their squares and of their product, over answers without error.',
    of: ({ counted: { sums } }) => [...sums].map(([name, value]) => [signalLabels(name), value]),
  },
];

/** `label2_f1_aa`: a signal and which of its sums. */
function signalLabels(name: string): string {
  const at = name.lastIndexOf('_');
  return `,signal="${escaped(name.slice(0, at))}",sum="${escaped(name.slice(at + 1))}"`;
}

const PREFIX = 'serverless_models';

/** https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** All models in Prometheus’ text format. */
export function metricsText(models: readonly PoolStanding[]): string {
  const lines: string[] = [];
  for (const { name, type, help, of } of FAMILIES) {
    lines.push(`# HELP ${PREFIX}_${name} ${help}`, `# TYPE ${PREFIX}_${name} ${type}`);
    for (const one of models)
      for (const [labels, value] of of(one))
        lines.push(`${PREFIX}_${name}{${labelsOf(one)}${labels}} ${value}`);
  }
  const latency = `${PREFIX}_latency_seconds`;
  lines.push(`# HELP ${latency} Time of answers without error, waiting included.`);
  lines.push(`# TYPE ${latency} histogram`);
  for (const one of models) {
    const { buckets, edges, sum } = one.counted;
    let below = 0;
    for (const [at, count] of buckets.entries()) {
      below += count;
      lines.push(`${latency}_bucket{${labelsOf(one)},le="${edges[at] ?? '+Inf'}"} ${below}`);
    }
    lines.push(`${latency}_sum{${labelsOf(one)}} ${sum}`, `${latency}_count{${labelsOf(one)}} ${below}`);
  }
  return `${lines.join('\n')}\n`;
}

const labelsOf = ({ model, version }: PoolStanding): string =>
  `model="${escaped(model)}",version="${escaped(version)}"`;

const escaped = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
