/** Where a proxy alone reaches AWS, a deploy and its commands get there, as the framework itself does. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { startProxy } from '../fakes/proxy.ts';
import { fixtures } from '../serving/endpoint.ts';
import { prepareService, type Service } from './service.ts';

/** An address of documentation, which nobody has: https://www.rfc-editor.org/rfc/rfc5737 */
const AWS = '192.0.2.1';
const YAML = `service: proxied
plugins: [serverless-models]
provider: {name: aws}
models:
  churn: {artifact: add.onnx, release: {strategy: allAtOnce}}
`;

let aws: LocalAws;
let proxy: Awaited<ReturnType<typeof startProxy>>;
let service: Service;
beforeAll(async () => {
  aws = await startAws({ speed: 10 });
  const port = Number(new URL(aws.endpoint).port);
  proxy = await startProxy((address) => (address === `${AWS}:80` ? port : undefined));
  service = await prepareService(
    { yaml: YAML, files: { 'add.onnx': await readFile(join(fixtures, 'add.onnx')) } },
    aws,
  );
});
afterAll(async () => {
  await proxy?.stop();
  await aws?.stop();
});

test('a service is deployed, looked at and removed by way of it', async () => {
  // Nobody else leads there: what went past the proxy would fail.
  const env = { ...aws.env, AWS_ENDPOINT_URL: `http://${AWS}`, HTTP_PROXY: proxy.url };
  const deployed = await service.slsAs(env, 'deploy');
  expect(deployed.stderr).toContain('churn: version 1 is live');
  expect(deployed.code).toBe(0);
  for (const verb of ['status', 'history']) {
    const { code, stdout } = await service.slsAs(env, 'models', verb);
    expect([code, stdout]).toEqual([0, expect.stringContaining('churn')]);
  }
  const removed = await service.slsAs(env, 'remove');
  expect([removed.code, removed.stderr]).toEqual([0, expect.stringContaining('successfully removed')]);
  expect(proxy.asked.length).toBeGreaterThan(3);
});
