import { GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import type { Clients } from './clients.ts';

export type Metric = {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
};

/** What `AWS/Lambda` counts of one version behind an alias. */
export const invocationsOf = (functionName: string, alias: string, version: string): Metric => ({
  namespace: 'AWS/Lambda',
  name: 'Invocations',
  dimensions: { FunctionName: functionName, Resource: `${functionName}:${alias}`, ExecutedVersion: version },
});

/** Sums of each minute, oldest first. */
export async function minutesOf(
  { cloudWatch }: Clients,
  { namespace, name, dimensions }: Metric,
  from: Date,
  to: Date,
): Promise<readonly { readonly at: Date; readonly sum: number }[]> {
  const { MetricDataResults: [found] = [] } = await cloudWatch.send(
    new GetMetricDataCommand({
      StartTime: from,
      EndTime: to,
      ScanBy: 'TimestampAscending',
      MetricDataQueries: [
        {
          Id: 'm',
          MetricStat: {
            Metric: {
              Namespace: namespace,
              MetricName: name,
              Dimensions: Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value })),
            },
            Period: 60,
            Stat: 'Sum',
          },
        },
      ],
    }),
  );
  return (found?.Timestamps ?? []).map((at, i) => ({ at, sum: found?.Values?.[i] ?? 0 }));
}

export const sumOf = async (clients: Clients, metric: Metric, from: Date, to: Date): Promise<number> =>
  (await minutesOf(clients, metric, from, to)).reduce((sum, minute) => sum + minute.sum, 0);
