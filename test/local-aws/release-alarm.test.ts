/**
 * The alarm of a release as it is emitted, where it is evaluated: it wants a sweep, and says so when none
 * comes.
 */
import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  PutMetricAlarmCommand,
  type PutMetricAlarmCommandInput,
  PutMetricDataCommand,
} from '@aws-sdk/client-cloudwatch';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { METRICS as OWN } from '../../core/metrics/contract.ts';
import { SWEEP_EVERY, WORKER_METRICS } from '../../core/release/document/worker-contract.ts';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import type { Host } from '../../plugins/models/contracts/host.ts';
import { parseModels } from '../../plugins/models/declaration/parse.ts';
import { alarmsOf } from '../../plugins/models/plan/plan.ts';

const SPEED = 60;

let aws: LocalAws;
let cloudWatch: CloudWatchClient;
beforeAll(async () => {
  aws = await startAws({ speed: SPEED });
  cloudWatch = new CloudWatchClient(client(aws.endpoint));
});
afterAll(async () => {
  cloudWatch?.destroy();
  await aws?.stop();
});

const publish = (MetricName: string) =>
  cloudWatch.send(
    new PutMetricDataCommand({
      Namespace: OWN.namespace,
      MetricData: [{ MetricName, Value: 1, Dimensions: [{ Name: OWN.model, Value: 's-dev-churn' }] }],
    }),
  );
const state = async (): Promise<string | undefined> => {
  const { MetricAlarms = [] } = await cloudWatch.send(
    new DescribeAlarmsCommand({ AlarmNames: ['s-dev-churn-release'] }),
  );
  return MetricAlarms[0]?.StateValue;
};
const becomes = (expected: string) => expect.poll(state, { timeout: 120_000, interval: 200 }).toBe(expected);

// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
it('has data from the first request on, hears of weights that nobody looks at, and of sweeps that stay away', async () => {
  const host = { service: 's', stage: 'dev', provider: {} } as Host;
  const [model] = parseModels({ churn: { artifact: 'a.onnx' } }).models;
  const found = model && alarmsOf(model, host).find(({ kind }) => kind?.suffix === 'release');
  await publish(WORKER_METRICS.swept);
  const from = Date.now();
  await cloudWatch.send(
    new PutMetricAlarmCommand(found?.resource.Properties as unknown as PutMetricAlarmCommandInput),
  );
  await becomes('OK');
  await publish(WORKER_METRICS.unattended);
  await becomes('ALARM');
  // It is OK from when the one goes out of sight until the other does: so long that it is seen.
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  await publish(WORKER_METRICS.swept);
  await becomes('OK');
  await becomes('ALARM');
  // What was counted last went out of sight.
  expect(((Date.now() - from) * SPEED) / 1000).toBeGreaterThan(2 * SWEEP_EVERY);
  await publish(WORKER_METRICS.swept);
  await becomes('OK');
});
