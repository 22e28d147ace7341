/** What it costs at most: a table of prices, and what is used of each. Pure. */
import { MONTH, PRICES } from '../../plugins/models/plan/shared/prices.ts';

const [lambda = '', gateway = '', cloudWatch = '', s3 = '', sqs = '', eventBridge = ''] = PRICES.sources;

/**
 * Dollars a unit, on demand, without the free tier, in us-east-1. Those from the plugin's own table have its
 * year; the others are of the same year, and were not compared with a second page.
 */
export const UNITS = {
  lambdaRequest: { dollars: PRICES.request, source: lambda },
  lambdaGbSecond: { dollars: PRICES.gbSecond.x86_64, source: lambda },
  provisionedGbSecond: { dollars: PRICES.provisioned.kept.x86_64, source: lambda },
  httpRequest: { dollars: PRICES.httpRequest, source: gateway },
  alarmMetricHour: { dollars: (PRICES.alarmMetric * 3600) / MONTH, source: cloudWatch },
  metricHour: { dollars: (PRICES.metric * 3600) / MONTH, source: cloudWatch },
  /** One metric of a call of GetMetricData. */
  metricRead: { dollars: 0.01 / 1000, source: cloudWatch },
  logGb: { dollars: PRICES.logGb + PRICES.logStoredGb, source: cloudWatch },
  s3Write: { dollars: 0.005 / 1000, source: s3 },
  s3Read: { dollars: 0.0004 / 1000, source: s3 },
  /** A month is counted, although it is removed within hours. */
  s3Gb: { dollars: PRICES.s3Gb, source: s3 },
  transferGb: { dollars: 0.09, source: 'https://aws.amazon.com/ec2/pricing/on-demand/' },
  queueRequest: { dollars: PRICES.queueRequest, source: sqs },
  event: { dollars: 1 / 1e6, source: eventBridge },
  scheduled: { dollars: PRICES.scheduled, source: eventBridge },
  transition: { dollars: 0.025 / 1000, source: 'https://aws.amazon.com/step-functions/pricing/' },
  notification: { dollars: 0.5 / 1e6, source: 'https://aws.amazon.com/sns/pricing/' },
} as const;

type Unit = keyof typeof UNITS;
/** How many of each unit. */
export type Use = Readonly<Partial<Record<Unit, number>>>;

/** Other regions cost up to a half more, and prices change. */
const MARGIN = 2;

/** Dollars of a use, as in the table. */
const costOf = (use: Use): number =>
  Object.entries(use).reduce((sum, [unit, count]) => sum + count * UNITS[unit as Unit].dollars, 0);

/** Dollars that all of these cost at most. */
export const mostDollars = (uses: readonly Use[]): number =>
  MARGIN * uses.reduce((sum, use) => sum + costOf(use), 0);

/** What stands for so many minutes, whether it is asked or not. */
export function standing(
  minutes: number,
  made: { readonly alarms: number; readonly functions: number },
): Use {
  const hours = Math.ceil(minutes / 60);
  return {
    // An alarm may watch ten metrics.
    alarmMetricHour: made.alarms * 10 * hours,
    // A model publishes about thirty, by two sets of dimensions.
    metricHour: made.functions * 60 * hours,
    // Lambda asks each queue all the time: five pollers, twenty seconds each.
    queueRequest: 5 * 3 * minutes,
    scheduled: made.functions * minutes,
    s3Gb: 1,
    logGb: 0.1,
  };
}

/** Packages of one deploy, and what happens meanwhile. */
export const DEPLOY: Use = {
  s3Write: 200,
  s3Read: 500,
  lambdaRequest: 200,
  lambdaGbSecond: 2000,
  metricRead: 500,
};

export const PRICES_OF = `${PRICES.region}, ${PRICES.year}, without the free tier, times ${MARGIN} for other regions and later prices`;
