import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Cloud, cloudOf } from '../../../../../plugins/models/batch-jobs/cloud.ts';

/** S3 that lets nobody look: a HEAD has no body, so nothing of why. */
let server: Server;
let cloud: Cloud;

beforeEach(async () => {
  server = createServer((_, response) => response.writeHead(403).end());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const credentials = async () => ({ accessKeyId: 'a', secretAccessKey: 'b' });
  cloud = cloudOf({ region: 'eu-west-1', credentials });
});
afterEach(async () => {
  cloud.close();
  vi.unstubAllEnvs();
  await new Promise((resolve) => server.close(resolve));
});

it('an object that the caller may not look at is named, with what that takes', async () => {
  const why = (place: string): string =>
    `S3 refuses HeadObject of ${place} without a word why; it takes s3:GetObject there, and s3:ListBucket of the bucket`;
  await expect(cloud.head('in', 'rows/a.csv')).rejects.toThrow(why('s3://in/rows/a.csv'));
  await expect(cloud.files('out').head('part-00000.csv')).rejects.toThrow(why('s3://out/part-00000.csv'));
});
