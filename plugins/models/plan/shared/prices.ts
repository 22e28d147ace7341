/**
 * On-demand prices of us-east-1 in US dollars, first tier, without the free tier, of 2025. Those of Lambda,
 * the HTTP API, alarms and metrics agree with other published pages; those of logs, S3 and /tmp have not been
 * compared. Other regions differ by up to a half, and prices change: the sources decide.
 */
export const PRICES = {
  region: 'us-east-1',
  year: 2025,
  sources: [
    'https://aws.amazon.com/lambda/pricing/',
    'https://aws.amazon.com/api-gateway/pricing/',
    'https://aws.amazon.com/cloudwatch/pricing/',
    'https://aws.amazon.com/s3/pricing/',
    'https://aws.amazon.com/sqs/pricing/',
    'https://aws.amazon.com/eventbridge/pricing/',
  ],
  /** Lambda, a request. */
  request: 0.2 / 1e6,
  /** Lambda, a GB-second. */
  gbSecond: { x86_64: 0.0000166667, arm64: 0.0000133334 },
  /**
   * Lambda, a GB-second of a provisioned instance: while it is kept warm, and for the requests that it
   * answers.
   */
  provisioned: {
    kept: { x86_64: 0.0000041667, arm64: 0.0000033334 },
    gbSecond: { x86_64: 0.0000097222, arm64: 0.0000077778 },
  },
  /** Lambda, a GB-second of /tmp beyond 512 MB. */
  storageGbSecond: 0.0000000309,
  /** SQS, a request of a standard queue. */
  queueRequest: 0.4 / 1e6,
  /** EventBridge Scheduler, an invocation. */
  scheduled: 1 / 1e6,
  /** HTTP API, a request of at most 512 KB. */
  httpRequest: 1 / 1e6,
  /** CloudWatch, an alarm a month, for each metric that it watches. */
  alarmMetric: 0.1,
  /** CloudWatch, a metric of one's own a month, prorated by the hours in which it has a value. */
  metric: 0.3,
  /** CloudWatch, a dashboard a month, beyond three an account. */
  dashboard: 3,
  /** CloudWatch Logs, a GB taken in. */
  logGb: 0.5,
  /** CloudWatch Logs, a GB kept for a month. */
  logStoredGb: 0.03,
  /** S3 Standard, a GB kept for a month. */
  s3Gb: 0.023,
} as const;

/** Seconds of a month, as on AWS's price pages: 30 days. */
export const MONTH = 30 * 86_400;

/** Dollars for writing and keeping so many bytes of log with each of these requests. */
export const logCost = (requests: number, bytes: number): number =>
  ((requests * bytes) / 1024 ** 3) * (PRICES.logGb + PRICES.logStoredGb);

/**
 * Dollars for so many custom metrics, which are billed by the hour in which they have a value.
 *
 * @param requests a month
 */
export const metricCost = (count: number, requests: number): number =>
  count * PRICES.metric * Math.min(1, (requests / MONTH) * 3600);
