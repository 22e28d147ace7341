import { firstJudged } from '../../judge/minutes.ts';
import { REVERSED_MINUTES } from '../../judge/reversed.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../units/time.ts';
import { ANSWER_MARGIN } from '../document/worker-contract.ts';

/**
 * How long a release waits, looks back and keeps quiet, in milliseconds. What the template says (`bake`,
 * `maxWait`, `rollbackWindow`) is in its settings, in seconds; what the plan reads, too, is in
 * `worker-contract.ts`.
 */

/**
 * A release with nothing to wait for but the stack is dead after this long; others have this beside their
 * steps.
 */
export const PATIENCE_MS = HOUR_MS;

/** Less than this left of the deadline while the stack is still busy: put it off. */
export const SOON_MS = PATIENCE_MS / 2;

/**
 * In which an alarm goes off once nothing fails any more and requests come: what latency looks back on, and
 * the points' delay.
 */
export const LINGERS_MS = 20 * MINUTE_MS;

/**
 * The same also where no requests come: an alarm looks further back then, at two more points of five minutes.
 * So long status does not advise to go further back than a rollback did, and a second one is taken for the
 * first, asked again:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
 */
export const GOES_OFF_MS = 30 * MINUTE_MS;

/** An alarm that cannot be answered is told once an hour. */
export const QUIET_MS = HOUR_MS;

/** In which the automatic rollbacks after promotion are counted that have a limit. */
export const ROLLBACKS_COUNT_MS = DAY_MS;

/** The last good version must be ready by then, or the live one keeps all traffic. */
export const READY_MS = 15 * MINUTE_MS;

/**
 * Half of the traffic for ten minutes, and what the last one's numbers take: three, and longer where a
 * request may take more than a minute.
 *
 * @param timeout seconds
 */
export const reversedMs = (timeout: number): number =>
  (REVERSED_MINUTES - 1) * MINUTE_MS + firstJudged(timeout) * 1000;

/** Somebody is paged once a day about a release that is held. */
export const PAGED_EVERY_MS = DAY_MS;

/** A topic that takes nothing for a day does not keep a release's tick alive. */
export const NOTICE_KEPT_MS = DAY_MS;

/** A call that is throttled once is nobody's business. */
export const BLIND_MS = 15 * MINUTE_MS;

/** MLflow is tried again after a minute, then after twice as long each time, and at most this. */
export const WRITE_AGAIN_MS = 30 * MINUTE_MS;

/** What MLflow has not taken by then is not tried any more in this release. */
export const WRITTEN_MS = 6 * HOUR_MS;

/**
 * Past our patience, in which CloudFormation still waits, and traffic can be taken away before it is
 * answered.
 */
export const LAST_MS = (ANSWER_MARGIN / 2) * 1000;

/** Whoever looks at weights leaves a sign of it each minute. */
export const SIGNED_EVERY_MS = MINUTE_MS;

/** What `auto` takes for a model's traffic. */
export const RATE_MS = DAY_MS;

/** Before a release, in which the stable version's latency is measured. */
export const HOUR_BEFORE_MS = HOUR_MS;

/** Minutes that `crashesNow` looks at. */
export const LATEST_MS = 10 * MINUTE_MS;

/**
 * CloudWatch keeps minutes for 15 days:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
 */
export const METRICS_KEPT_MS = 14 * DAY_MS;

/**
 * How long a version of the batch function is kept that nobody needs: a run that its alias or a schedule
 * began has ended by then, after 15 minutes at most, and so it has begun an execution or none.
 * https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
 */
export const UNNEEDED_MS = HOUR_MS;

/** An alarm looks at minutes that are over, and perhaps at once. */
export const LOOKED_AGO_MS = 5 * MINUTE_MS;

/** That an invocation keeps to itself: what is begun can be noted. */
export const RESERVE_MS = 10_000;

/** The part of an invocation that a slice of the gate leaves for what comes after it. */
export const GATE_RESERVE_MS = 20_000;
