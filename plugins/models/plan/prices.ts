/**
 * On-demand prices of us-east-1 in US dollars, first tier, without the free tier, of 2025. Those of Lambda and the HTTP
 * API agree with other published pages; those of logs, S3 and /tmp have not been compared. Other regions differ by up to
 * a half, and prices change: the sources decide.
 */
export const PRICES = {
  region: 'us-east-1',
  year: 2025,
  sources: [
    'https://aws.amazon.com/lambda/pricing/',
    'https://aws.amazon.com/api-gateway/pricing/',
    'https://aws.amazon.com/cloudwatch/pricing/',
    'https://aws.amazon.com/s3/pricing/',
  ],
  /** Lambda, a request. */
  request: 0.2 / 1e6,
  /** Lambda, a GB-second. */
  gbSecond: { x86_64: 0.0000166667, arm64: 0.0000133334 },
  /** Lambda, a GB-second of /tmp beyond 512 MB. */
  storageGbSecond: 0.0000000309,
  /** HTTP API, a request of at most 512 KB. */
  httpRequest: 1 / 1e6,
  /** CloudWatch Logs, a GB taken in. */
  logGb: 0.5,
  /** CloudWatch Logs, a GB kept for a month. */
  logStoredGb: 0.03,
  /** S3 Standard, a GB kept for a month. */
  s3Gb: 0.023,
} as const;
