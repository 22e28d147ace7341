/**
 * Seconds of INIT that nobody has measured: half a second for Node and ONNX Runtime, and for an artifact that
 * goes by the bucket what reading so many bytes from S3 takes. 600 Mbit/s is what a function gets from S3
 * with parallel ranges in published measurements, 1 GB/s the slower of hashing and writing /tmp. Not measured
 * on AWS by us.
 */
export const initSeconds = (remoteBytes: number): number => 0.5 + remoteBytes / 75e6 + remoteBytes / 1e9;

/**
 * Lambda cuts INIT on demand: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */
export const INIT_SECONDS = 10;
