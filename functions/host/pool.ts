import { dirname } from 'node:path';
import { hasRoom, requestsAhead, restartDelay, smoothed } from '../../core/host/admission.ts';
import type { HostModel } from '../../core/host/contract.ts';
import { createCounts, hostOutcomeOf, type PoolStanding } from '../../core/host/counts.ts';
import { COPIED_BYTES } from '../../core/host/frames.ts';
import { sumsOf } from '../../core/host/lines.ts';
import {
  type HostRequest,
  type ModelProcess,
  type ProcessAnswer,
  type ProcessFailure,
  startProcess,
} from './process.ts';

/** What became of a request: an answer, or that there is none and why. */
export type PoolOutcome = ProcessAnswer | { readonly failure: 'unready' | 'gone'; readonly text: string };

/** The processes of one model, and what waits for them. */
export type Pool = {
  /** Takes a place for a request whose headers are there. @returns false where all are taken */
  readonly enter: () => boolean;
  /** Gives the place back: its answer is there, or its body does not come. */
  readonly leave: () => void;
  /**
   * Has a request computed that holds a place.
   * @param taken called where a process takes it
   * @returns takes it back while no process has it
   */
  readonly ask: (
    asked: HostRequest,
    body: Buffer,
    done: (outcome: PoolOutcome) => void,
    taken?: () => void,
  ) => () => void;
  /** A request ended: `began` is when its headers were there, by the clock of `performance`. */
  readonly count: (outcome: PoolOutcome, began: number) => void;
  readonly shed: () => void;
  readonly standing: () => PoolStanding;
  readonly isUp: () => boolean;
  /** Resolves once no place is taken. */
  readonly idle: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

export type PoolOptions = {
  readonly model: HostModel;
  readonly workers: number;
  /** Path of the child’s program. */
  readonly child: string;
  readonly write: (lines: string) => void;
  /** What happened to a process, for who watches. */
  readonly notice: (text: string) => void;
};

type Waiting = {
  readonly asked: HostRequest;
  readonly body: Buffer;
  readonly done: (outcome: PoolOutcome) => void;
  readonly taken: () => void;
};

/**
 * A process, how many requests lie with it, and since when it can have computed the first of them. `over`: it
 * has ended, which its end is still to tell.
 */
type Worker = { readonly process: ModelProcess; has: number; since: number; over: boolean };

/**
 * A model's weights in huge pages, which Linux gives to those who ask: a process that reads all of them for
 * each request looks up far fewer pages. Measured: 4 to 7 % less time for 8 MB of weights, 3 to 5 MB more.
 * The two thresholds, 4 and 16 MB, have pieces of weights in one heap, which does not shrink in between.
 * glibc knows it since 2.35, and others pass it over:
 * https://sourceware.org/glibc/manual/latest/html_node/Memory-Allocation-Tunables.html
 */
const HUGE_PAGES =
  'glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=4194304:glibc.malloc.trim_threshold=16777216';

/**
 * Starts a model’s processes: one, and once its handler is loaded the others, which find its files in the
 * kernel’s memory and, where they come from a bucket, on the disk.
 * @throws what the initialisation of the first threw
 */
export async function openPool({ model, workers, child, write, notice }: PoolOptions): Promise<Pool> {
  const counts = createCounts(model.slowEdges);
  const options = {
    child,
    handler: model.handler,
    env: {
      GLIBC_TUNABLES: HUGE_PAGES,
      // A model's files lie beside its handler.
      LAMBDA_TASK_ROOT: dirname(model.handler),
      AWS_LAMBDA_FUNCTION_VERSION: model.version,
      ...(model.environment ?? process.env),
    },
    timeout: model.timeout,
    memory: model.memory,
    write,
  };
  const idle: Worker[] = [];
  const waiting: Waiting[] = [];
  const up = new Set<Worker>();
  const timers = new Set<NodeJS.Timeout>();
  let places = 0;
  let seconds = 0;
  let stopped = false;
  /** Deaths since the last answer: of all processes, since they have the same model. */
  let deaths = 0;
  let told: () => void = () => {};

  const mayHave = (one: Worker, { body }: Waiting): boolean =>
    !one.over &&
    (one.has === 0 ||
      (body.length <= COPIED_BYTES && one.has < requestsAhead(seconds, waiting.length > up.size)));
  /** Gives a process of what waits as much as may lie with it. */
  const feed = (one: Worker): void => {
    for (let job = waiting[0]; job !== undefined && mayHave(one, job); job = waiting[0]) {
      waiting.shift();
      run(one, job);
    }
    if (one.has === 0 && !one.over) idle.push(one);
  };
  const run = (one: Worker, job: Waiting): void => {
    if (one.has++ === 0) one.since = performance.now();
    job.taken();
    one.process.ask(job.asked, job.body, (ended) => {
      one.has--;
      if (ended === 'unbegun') {
        one.over = true;
        waiting.unshift(job);
        const other = idle.pop();
        if (other !== undefined) feed(other);
        return;
      }
      const now = performance.now();
      const took = (('took' in ended ? ended.took : undefined) ?? now - one.since) / 1000;
      one.since = now;
      seconds = smoothed(seconds, took);
      // Whatever nobody waits for comes after the answer.
      if (!('failure' in ended) || ended.failure === 'error') {
        deaths = 0;
        feed(one);
        job.done(ended);
        if ('failure' in ended) notice(ended.text);
        else if (ended.scores !== undefined) counts.scored(sumsOf(ended.scores));
      } else {
        notice(ended.text);
        lost(one, ended.failure);
        job.done(ended);
      }
      counts.worked(took);
    });
  };
  const lost = (one: Worker, reason: Exclude<ProcessFailure, 'error'>): void => {
    if (!up.delete(one)) return;
    const at = idle.indexOf(one);
    if (at >= 0) idle.splice(at, 1);
    if (stopped) return;
    deaths++;
    counts.restarted(reason);
    again();
  };
  const again = (): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      start().catch((error: unknown) => {
        deaths++;
        notice(`A process does not start again: ${error instanceof Error ? error.message : error}`);
        // Nobody is there to take them, and nobody knows whether one will be.
        if (up.size === 0)
          for (const { done } of waiting.splice(0))
            done({ failure: 'unready', text: 'The model’s processes do not start.' });
        if (!stopped) again();
      });
    }, restartDelay(deaths));
    timers.add(timer);
  };
  const start = async (): Promise<void> => {
    const process = await startProcess(options);
    if (stopped) return process.kill();
    const one: Worker = { process, has: 0, since: 0, over: false };
    up.add(one);
    void process.gone.then((how) => {
      // One that had a request is lost already.
      if (up.has(one) && !stopped) notice(how);
      lost(one, 'crash');
    });
    feed(one);
  };

  await start();
  for (let missing = workers - 1; missing > 0; missing--) again();

  return {
    enter() {
      if (stopped || !hasRoom({ workers, places, seconds })) return false;
      places++;
      return true;
    },
    leave() {
      places--;
      if (places === 0) told();
    },
    ask(asked, body, done, taken = () => {}) {
      const job = { asked, body, done, taken };
      const one = idle.pop() ?? (waiting.length === 0 ? leastOf(up) : undefined);
      if (one !== undefined && mayHave(one, job)) run(one, job);
      else {
        waiting.push(job);
        const next = waiting.length > up.size ? leastOf(up) : undefined;
        if (next !== undefined) feed(next);
      }
      return () => {
        const at = waiting.indexOf(job);
        if (at < 0) return;
        waiting.splice(at, 1);
        done({ failure: 'gone', text: 'Its client has gone.' });
      };
    },
    count(outcome, began) {
      const seconds = (performance.now() - began) / 1000;
      // Nobody was refused, and nothing was computed.
      if ('failure' in outcome && outcome.failure === 'gone') return;
      if ('failure' in outcome) counts.ended(outcome.failure === 'unready' ? 'shed' : 'failed', seconds);
      else counts.ended(hostOutcomeOf(outcome.status, outcome.code), seconds);
    },
    shed: () => counts.ended('shed', 0),
    standing() {
      const held = [...up].map(({ has }) => has);
      const working = held.filter((has) => has > 0).length;
      return {
        model: model.name,
        version: model.version,
        counted: counts.read(),
        workers,
        up: up.size,
        working,
        waiting: waiting.length + held.reduce((sum, has) => sum + has, -working),
      };
    },
    isUp: () => up.size > 0,
    idle: () =>
      places === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            told = resolve;
          }),
    async stop() {
      stopped = true;
      for (const timer of timers) clearTimeout(timer);
      await Promise.all([...up].map(({ process }) => process.kill()));
      for (const { done } of waiting.splice(0)) done({ failure: 'unready', text: 'The host is ending.' });
    },
  };
}

/** The one that the fewest requests lie with. */
function leastOf(workers: Iterable<Worker>): Worker | undefined {
  let least: Worker | undefined;
  for (const one of workers) if (least === undefined || one.has < least.has) least = one;
  return least;
}
