import type { Price, PriceUsed } from '../../../../core/advice/contract.ts';

const LAMBDA = 'https://aws.amazon.com/lambda/pricing/';
const GATEWAY = 'https://aws.amazon.com/api-gateway/pricing/';
const CLOUD_WATCH = 'https://aws.amazon.com/cloudwatch/pricing/';
const S3 = 'https://aws.amazon.com/s3/pricing/';
const ECR = 'https://aws.amazon.com/ecr/pricing/';
const SQS = 'https://aws.amazon.com/sqs/pricing/';
const EVENT_BRIDGE = 'https://aws.amazon.com/eventbridge/pricing/';
const ECS = 'https://aws.amazon.com/ecs/pricing/';
const FARGATE = 'https://aws.amazon.com/fargate/pricing/';
const BALANCING = 'https://aws.amazon.com/elasticloadbalancing/pricing/';
const EC2 = 'https://aws.amazon.com/ec2/pricing/on-demand/';
const SAGEMAKER = 'https://aws.amazon.com/sagemaker/ai/pricing/';
const AWS_TOOLKIT = 'https://github.com/aws/agent-toolkit-for-aws';

/** The page makes its tables in the browser, so that only its examples could be read. */
const SECONDARY = 'only pages of others could be read';
const UNSEEN = 'no page that could be read shows it; it is what has long been known of it';

type Other =
  | 'lambda.storage-gb-second'
  | 'scheduler.invocation'
  | 'cloudwatch.alarm-metric'
  | 'cloudwatch.metric'
  | 'cloudwatch.dashboard'
  | 'logs.gb'
  | 'logs.stored-gb'
  | 's3.gb'
  | 'ecr.gb';

/**
 * Every price that anything here is counted with: dollars, on demand, us-east-1, first tier, without the free
 * tier. `read`: when the source showed it. `doubt`: why it is not certain; whatever has such a price in it is
 * printed with `?`. Other regions differ by up to a half, and prices change: the sources decide.
 * `sls models advise --prices` takes others. What was read on 2026-09-20 was read in a transcription of AWS’s
 * pages of that day; their examples are in it, their tables are not, since a browser makes those.
 */
export const PRICE_LIST: Readonly<Record<PriceUsed | Other, Price>> = {
  'lambda.request': { dollars: 0.2 / 1e6, unit: 'request', source: LAMBDA, read: '2026-09-20' },
  'lambda.gb-second.x86_64': { dollars: 0.0000166667, unit: 'GB-second', source: LAMBDA, read: '2025' },
  'lambda.gb-second.arm64': { dollars: 0.0000133334, unit: 'GB-second', source: LAMBDA, read: '2025' },
  'provisioned.kept.x86_64': { dollars: 0.0000041667, unit: 'GB-second', source: LAMBDA, read: '2025' },
  'provisioned.kept.arm64': { dollars: 0.0000033334, unit: 'GB-second', source: LAMBDA, read: '2025' },
  'provisioned.gb-second.x86_64': { dollars: 0.0000097222, unit: 'GB-second', source: LAMBDA, read: '2025' },
  'provisioned.gb-second.arm64': { dollars: 0.0000077778, unit: 'GB-second', source: LAMBDA, read: '2025' },
  'lambda.storage-gb-second': {
    dollars: 0.0000000309,
    unit: 'GB-second of /tmp beyond 512 MB',
    source: LAMBDA,
    read: '2025',
  },
  'http.request': { dollars: 1 / 1e6, unit: 'request of at most 512 KB', source: GATEWAY, read: '2025' },
  'queue.request': { dollars: 0.4 / 1e6, unit: 'request of a standard queue', source: SQS, read: '2025' },
  'scheduler.invocation': { dollars: 1 / 1e6, unit: 'invocation', source: EVENT_BRIDGE, read: '2025' },
  'managed.fee': { dollars: 0.15, unit: 'dollar of EC2', source: LAMBDA, read: '2026-09-20' },
  'ec2.c7i.large.hour': { dollars: 0.08925, unit: 'hour', source: EC2, read: '2026', doubt: UNSEEN },
  'ec2.c7g.large.hour': { dollars: 0.0725, unit: 'hour', source: EC2, read: '2026', doubt: SECONDARY },
  'fargate.vcpu-hour.x86_64': { dollars: 0.0404784, unit: 'vCPU-hour', source: ECS, read: '2026-09-20' },
  'fargate.vcpu-hour.arm64': {
    dollars: 0.03238,
    unit: 'vCPU-hour',
    source: FARGATE,
    read: '2026-04',
    doubt: SECONDARY,
  },
  'fargate.gb-hour.x86_64': {
    dollars: 0.004445,
    unit: 'GB-hour',
    source: FARGATE,
    read: '2026-04',
    doubt: SECONDARY,
  },
  'fargate.gb-hour.arm64': {
    dollars: 0.00356,
    unit: 'GB-hour',
    source: FARGATE,
    read: '2026-04',
    doubt: SECONDARY,
  },
  'alb.hour': { dollars: 0.0225, unit: 'hour', source: BALANCING, read: '2026-09-20' },
  'alb.lcu-hour': { dollars: 0.008, unit: 'LCU-hour', source: BALANCING, read: '2026-09-20' },
  'eks.hour': { dollars: 0.1, unit: 'hour of a cluster', source: AWS_TOOLKIT, read: '2026' },
  'sagemaker.ml.c7i.large.hour': {
    dollars: 0.107,
    unit: 'hour',
    source: SAGEMAKER,
    read: '2026',
    doubt: UNSEEN,
  },
  'sagemaker.ml.c7g.large.hour': {
    dollars: 0.1,
    unit: 'hour',
    source: SAGEMAKER,
    read: '2026-03',
    doubt: `${SECONDARY}, and they round it`,
  },
  'sagemaker.gb': {
    dollars: 0.016,
    unit: 'GB of requests and answers',
    source: SAGEMAKER,
    read: '2026',
    doubt: UNSEEN,
  },
  'cloudwatch.alarm-metric': {
    dollars: 0.1,
    unit: 'metric that an alarm watches, a month',
    source: CLOUD_WATCH,
    read: '2025',
  },
  'cloudwatch.metric': {
    dollars: 0.3,
    unit: 'metric of one’s own, a month',
    source: CLOUD_WATCH,
    read: '2025',
  },
  'cloudwatch.dashboard': {
    dollars: 3,
    unit: 'dashboard a month, beyond three an account of 50 metrics each',
    source: CLOUD_WATCH,
    read: '2025',
  },
  'logs.gb': { dollars: 0.5, unit: 'GB taken in', source: CLOUD_WATCH, read: '2025' },
  'logs.stored-gb': { dollars: 0.03, unit: 'GB kept for a month', source: CLOUD_WATCH, read: '2025' },
  's3.gb': { dollars: 0.023, unit: 'GB kept for a month', source: S3, read: '2025' },
  'ecr.gb': { dollars: 0.1, unit: 'GB kept for a month', source: ECR, read: '2026', doubt: UNSEEN },
};

const dollarsOf = (name: keyof typeof PRICE_LIST): number => PRICE_LIST[name].dollars;

/**
 * The same by the names that `plan` counts with. Those of Lambda, the HTTP API, alarms and metrics agree with
 * other published pages; those of logs, S3 and /tmp have not been compared.
 */
export const PRICES = {
  region: 'us-east-1',
  year: 2025,
  sources: [LAMBDA, GATEWAY, CLOUD_WATCH, S3, ECR, SQS, EVENT_BRIDGE],
  /** Lambda, a request. */
  request: dollarsOf('lambda.request'),
  /** Lambda, a GB-second. */
  gbSecond: {
    x86_64: dollarsOf('lambda.gb-second.x86_64'),
    arm64: dollarsOf('lambda.gb-second.arm64'),
  },
  /**
   * Lambda, a GB-second of a provisioned instance: while it is kept warm, and for the requests that it
   * answers.
   */
  provisioned: {
    kept: { x86_64: dollarsOf('provisioned.kept.x86_64'), arm64: dollarsOf('provisioned.kept.arm64') },
    gbSecond: {
      x86_64: dollarsOf('provisioned.gb-second.x86_64'),
      arm64: dollarsOf('provisioned.gb-second.arm64'),
    },
  },
  /** Lambda, a GB-second of /tmp beyond 512 MB. */
  storageGbSecond: dollarsOf('lambda.storage-gb-second'),
  /** SQS, a request of a standard queue. */
  queueRequest: dollarsOf('queue.request'),
  /** EventBridge Scheduler, an invocation. */
  scheduled: dollarsOf('scheduler.invocation'),
  /** HTTP API, a request of at most 512 KB. */
  httpRequest: dollarsOf('http.request'),
  /** CloudWatch, an alarm a month, for each metric that it watches. */
  alarmMetric: dollarsOf('cloudwatch.alarm-metric'),
  /** CloudWatch, a metric of one's own a month, prorated by the hours in which it has a value. */
  metric: dollarsOf('cloudwatch.metric'),
  /** CloudWatch, a dashboard a month, beyond three an account of 50 metrics each. */
  dashboard: dollarsOf('cloudwatch.dashboard'),
  /** CloudWatch Logs, a GB taken in. */
  logGb: dollarsOf('logs.gb'),
  /** CloudWatch Logs, a GB kept for a month. */
  logStoredGb: dollarsOf('logs.stored-gb'),
  /** S3 Standard, a GB kept for a month. */
  s3Gb: dollarsOf('s3.gb'),
  /** ECR, private repositories, likewise. */
  ecrGb: dollarsOf('ecr.gb'),
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
