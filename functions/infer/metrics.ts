import { writeSync } from 'node:fs';
import type { Manifest } from '../../core/endpoint/contract.ts';
import { createScorer, scoreNames } from '../../core/endpoint/output-signals.ts';
import { LINES_TAKER, METRICS } from '../../core/metrics/contract.ts';
import type { Tensors } from '../../core/tensor/tensors.ts';
import { createDrift, type Drifted } from '../runtime/drift.ts';
import { directivesOf, levelOf } from '../runtime/emf.ts';

/** Takes whole lines, each with its newline. */
export type Out = (lines: string) => void;

/**
 * Counts each request in one log line of CloudWatch's embedded metric format, written when its answer is
 * ready, and with it the line of its drift where there is one:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 *
 * A line a request, and none for several: Lambda freezes the instance after an answer, perhaps for good, and
 * whatever waited in memory would be counted late or never, which a judge of minutes must not meet. What is 0
 * is left out.
 */
export type Meter = {
  /** A request begins. @returns milliseconds, for `answered` */
  readonly now: () => number;
  /** @returns what `answered` is to publish of the model's outputs */
  readonly score: (tensors: Tensors) => string;
  /** @returns the same of its drift from reference data; absent where nothing is declared */
  readonly drift?: (inputs: Tensors, outputs: Tensors) => Drifted | undefined;
  /**
   * An inference was answered without error.
   * @param audit of each that takes it: the line of its audit, which is written with the others
   */
  readonly answered: (started: number, scores: string, drift?: Drifted, audit?: string) => void;
  /** The model or the endpoint failed. */
  readonly failed: (audit?: string) => void;
  /** The request was wrong. */
  readonly rejected: (audit?: string) => void;
  /** An inference that counts nowhere was answered: the instance is warm all the same. */
  readonly uncounted: (audit?: string) => void;
  /** What counts nowhere failed, or was wrong. */
  readonly unanswered: (audit?: string) => void;
};

/** @param primed the model has run before the first request */
export function createMeter(
  { model, slowEdges = [], signals = [], drift, graph, signature }: Manifest,
  environment: NodeJS.ProcessEnv,
  primed: boolean,
  out: Out = takerOf(globalThis) ?? toStdout,
): Meter {
  const name = JSON.stringify(environment.AWS_LAMBDA_FUNCTION_NAME ?? model);
  const version = JSON.stringify(environment.AWS_LAMBDA_FUNCTION_VERSION ?? '$LATEST');
  const dimensions = `,"${METRICS.model}":${name},"${METRICS.version}":${version}`;
  const filtered = levelOf(environment);
  const line = (head: string, members: string, audit = '', drifted = NO_DRIFT): void => {
    const now = Date.now();
    const level = filtered === '' ? '' : `,"timestamp":"${new Date(now).toISOString()}"${filtered}`;
    const own = `${head}${drifted.directives}],"Timestamp":${now}}${level}${members}${drifted.members}}\n`;
    // All in one write: it is the dearest part of any.
    out((drifted === NO_DRIFT ? own : `${own}${drifted.line}${level}}\n`) + audit);
  };

  const names = [METRICS.requests, METRICS.latency];
  const scored = scoreNames(signals);
  const success = `${dimensions},"${METRICS.requests}":1,"${METRICS.latency}":`;
  const cold = headOf([...names, METRICS.coldStart, ...scored]);
  // By the number of edges that a request went beyond: they ascend.
  const warm = [0, ...slowEdges].map((_, beyond) =>
    headOf([...names, ...METRICS.slow.slice(0, beyond), ...scored]),
  );
  const slow = warm.map((_, beyond) =>
    METRICS.slow
      .slice(0, beyond)
      .map((metric) => `,"${metric}":1`)
      .join(''),
  );
  const failed = headOf([METRICS.requests, METRICS.errors]);
  const failure = `${dimensions},"${METRICS.requests}":1,"${METRICS.errors}":1`;
  const rejected = headOf([METRICS.rejected]);
  const rejection = `${dimensions},"${METRICS.rejected}":1`;

  let isCold = !primed;
  return {
    now: () => performance.now(),
    score: createScorer(signals),
    ...(drift && { drift: createDrift(drift, graph ?? signature, environment) }),
    answered(started, scores, drifted, audit) {
      const took = performance.now() - started;
      const latency = `${Math.round(took * 1000)}e-3`;
      if (isCold) {
        isCold = false;
        line(cold, `${success}${latency},"${METRICS.coldStart}":1${scores}`, audit, drifted);
        return;
      }
      let beyond = 0;
      while (beyond < slowEdges.length && took > (slowEdges[beyond] as number)) beyond++;
      line(warm[beyond] as string, success + latency + slow[beyond] + scores, audit, drifted);
    },
    failed: (audit) => line(failed, failure, audit),
    rejected: (audit) => line(rejected, rejection, audit),
    uncounted(audit = '') {
      isCold = false;
      if (audit !== '') out(audit);
    },
    unanswered(audit = '') {
      if (audit !== '') out(audit);
    },
  };
}

const BOTH = [[METRICS.model], [METRICS.model, METRICS.version]];

const NO_DRIFT: Drifted = { line: '', directives: '', members: '' };

/** The line up to what changes: the time comes last in `_aws`, so that all before it is made once. */
const headOf = (names: readonly string[]): string =>
  `{"_aws":{"CloudWatchMetrics":[${directivesOf(names, BOTH)}`;

/** Whoever runs this process counts by itself, and spares both sides a pipe. */
function takerOf(realm: object): Out | undefined {
  const taker: unknown = (realm as Readonly<Record<symbol, unknown>>)[Symbol.for(LINES_TAKER)];
  return typeof taker === 'function' ? (taker as Out) : undefined;
}

/**
 * Standard output, and not console: Lambda's runtime replaces its methods, which put time, id and level
 * around a text or, in the JSON format, an object around it:
 * https://github.com/aws/aws-lambda-nodejs-runtime-interface-client (src/logging). Written by its descriptor,
 * since process.stdout costs milliseconds when first asked for, and at once, since what a stream keeps for a
 * full pipe may be frozen with the instance. Putting it off by a turn of the event loop would gain nothing:
 * the runtime itself waits for one before it sends the answer (src/runtime/lifecycle-manager.ts).
 * @param lines ASCII: names of functions, versions and signals are, and an audit escapes what is not
 */
function toStdout(lines: string): void {
  try {
    const written = writeSync(1, lines);
    if (written < lines.length) process.stdout.write(lines.slice(written));
  } catch (error) {
    // Full, and somebody has made it non-blocking: the stream knows how to wait. Any other: there is nobody
    // who reads.
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') process.stdout.write(lines);
  }
}
