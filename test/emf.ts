/**
 * Reads log lines as CloudWatch does: sums of their metrics by name and dimensions, for example `Requests
 * Model=m,Version=1`.
 */
export function sumsOf(lines: readonly string[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const line of lines) {
    const document = JSON.parse(line);
    for (const { Namespace, Dimensions, Metrics } of document._aws.CloudWatchMetrics) {
      if (Namespace !== 'ServerlessModels') throw new Error(`Namespace ${Namespace}`);
      for (const names of Dimensions as string[][]) {
        const dimensions = names.map((name) => `${name}=${textOf(document[name])}`).join();
        for (const { Name } of Metrics as { Name: string }[]) {
          const value = document[Name];
          if (typeof value !== 'number') throw new Error(`${Name} is announced and missing.`);
          const key = `${Name} ${dimensions}`;
          sums[key] = (sums[key] ?? 0) + value;
        }
      }
    }
  }
  return sums;
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new Error('A dimension must be a text.');
}

/** The sums of one version, by metric. */
export function ofVersion(lines: readonly string[], model: string, version: string): Record<string, number> {
  const end = ` Model=${model},Version=${version}`;
  return Object.fromEntries(
    Object.entries(sumsOf(lines))
      .filter(([key]) => key.endsWith(end))
      .map(([key, value]) => [key.slice(0, -end.length), value]),
  );
}
