/**
 * A local AWS in which models have two days of traffic behind them, and the monitor is about to look at it.
 */
import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  GetMetricDataCommand,
  PutMetricAlarmCommand,
} from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { bucketObjects } from '../../aws/s3/objects.ts';
import type { DriftWindow } from '../../core/drift/contract.ts';
import { type DriftDocuments, driftDocuments } from '../../core/drift/documents.ts';
import type { Span } from '../../core/drift/windows.ts';
import { client } from '../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../local-aws/start.ts';
import { BUCKET, DAY, FILES, type Packed, SCOPE, type Scene, sceneOf } from './drift-scene.ts';
import { append, type Event, put } from './log-events.ts';

export type Days = {
  readonly aws: LocalAws;
  /** The last day that is over, and the one before. */
  readonly last: Span;
  readonly before: Span;
  readonly scenes: ReadonlyMap<string, Scene>;
  readonly documents: DriftDocuments;
  /** Puts a baseline where a deploy puts it. */
  readonly keep: (packed: Packed) => Promise<void>;
  /** Adds a model with its alarms, and what its endpoint wrote. */
  readonly serve: (
    name: string,
    packed: Packed,
    events: (scene: Scene) => readonly Event[],
  ) => Promise<Scene>;
  /** More lines in its log, which come late. */
  readonly append: (scene: Scene, events: readonly Event[]) => Promise<void>;
  /** What the monitor found. Throws where it kept nothing. */
  readonly document: (name: string, window: Span) => Promise<DriftWindow>;
  /** A statistic of a model's metric by day, the running one being 0. */
  readonly metric: (name: string, metric: string, stat: string) => Promise<Readonly<Record<string, number>>>;
  /** States of all alarms, by their names without service and stage. */
  readonly states: () => Promise<Readonly<Record<string, string | undefined>>>;
  readonly stop: () => Promise<void>;
};

/** At midnight a window ends, and for two minutes the monitor waits for its last lines. */
export async function farFromMidnight(): Promise<void> {
  while (Date.now() % DAY < 130_000 || Date.now() % DAY > DAY - 150_000)
    await new Promise((resolve) => setTimeout(resolve, 1000));
}

export async function startDays(): Promise<Days> {
  await farFromMidnight();
  const midnight = Math.floor(Date.now() / DAY) * DAY;
  const before = { from: midnight - 2 * DAY, to: midnight - DAY };
  const last = { from: midnight - DAY, to: midnight };
  const aws = await startAws();
  const settings = client(aws.endpoint);
  const logs = new CloudWatchLogsClient(settings);
  const s3 = new S3Client({ ...settings, forcePathStyle: true });
  const cloudWatch = new CloudWatchClient(settings);
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const documents = driftDocuments(bucketObjects(s3, BUCKET), SCOPE);
  const scenes = new Map<string, Scene>();

  const document = async (name: string, window: Span): Promise<DriftWindow> => {
    const found = await documents.read(name, window, () => {});
    if (found === undefined)
      throw new Error(`${name} has no document of ${new Date(window.from).toISOString()}`);
    return found;
  };
  const metric = async (name: string, MetricName: string, Stat: string) => {
    const Dimensions = [{ Name: 'Model', Value: scenes.get(name)?.watched.functionName }];
    const Metric = { Namespace: 'ServerlessModels', MetricName, Dimensions };
    const { MetricDataResults = [] } = await cloudWatch.send(
      new GetMetricDataCommand({
        StartTime: new Date(before.from - DAY),
        EndTime: new Date(last.to + DAY),
        MetricDataQueries: [{ Id: 'm', MetricStat: { Metric, Period: DAY / 1000, Stat } }],
      }),
    );
    const [{ Timestamps = [], Values = [] } = {}] = MetricDataResults;
    return Object.fromEntries(
      Timestamps.map((at, index) => [(at.getTime() - midnight) / DAY, Values[index] ?? Number.NaN]),
    );
  };
  const states = async () => {
    const { MetricAlarms = [] } = await cloudWatch.send(new DescribeAlarmsCommand({ MaxRecords: 100 }));
    return Object.fromEntries(
      MetricAlarms.map(({ AlarmName = '', StateValue }) => [AlarmName.replace('shop-dev-', ''), StateValue]),
    );
  };
  return {
    aws,
    last,
    before,
    scenes,
    documents,
    keep: async ({ scored, baseline }) => {
      await s3.send(
        new PutObjectCommand({ Bucket: BUCKET, Key: `${FILES}${scored.baseline}`, Body: baseline }),
      );
    },
    serve: async (name, packed, events) => {
      const scene = sceneOf(name, packed);
      scenes.set(name, scene);
      await put(
        logs,
        scene.watched.logGroup,
        events(scene).toSorted((one, other) => one.at - other.at),
      );
      // Its monitor has been running: without a document of an earlier window it would have nothing to make
      // good.
      const [from, to] = [before.from - DAY, before.from].map((at) => new Date(at).toISOString()) as [
        string,
        string,
      ];
      const nothing = { schema: 1, baseline: '', requests: 0, rows: 0, signals: [] } as const;
      await documents.write({ ...nothing, model: name, from, to });
      for (const { resource } of scene.alarms)
        await cloudWatch.send(
          new PutMetricAlarmCommand(
            resource.Properties as unknown as ConstructorParameters<typeof PutMetricAlarmCommand>[0],
          ),
        );
      return scene;
    },
    append: (scene, events) => append(logs, scene.watched.logGroup, events),
    document,
    metric,
    states,
    stop: async () => {
      for (const one of [logs, s3, cloudWatch]) one.destroy();
      await aws.stop();
    },
  };
}
