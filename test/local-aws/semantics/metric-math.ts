import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { awsPython } from '../../../local-aws/aws-python.ts';
import { localAws } from '../../../local-aws/start.ts';
import { byteCode } from '../../../local-aws/venv.ts';

/** A value a minute; null for a time without a point. */
export type Series = readonly (number | null)[];
export type Query = {
  readonly Id: string;
  readonly Expression?: string;
  readonly MetricStat?: object;
  readonly ReturnData?: boolean;
};
export type Alarm = { readonly Metrics?: readonly Query[]; readonly [other: string]: unknown };

/** Python: the series of each case's last query, or why it is refused; and why each alarm is, or null. */
const PROGRAM = `
import json, sys
from semantics.metrics import alarm_queries
asked = json.load(sys.stdin)
answers = []
for series, expressions in asked["math"]:
    metrics = {name: {60 * at: value for at, value in enumerate(values) if value is not None} for name, values in series.items()}
    length = 60 * max(len(values) for values in series.values())
    queries = [{"Id": name, "MetricStat": {"Period": 60}} for name in metrics]
    queries += [{"Id": f"e{at}", "Expression": text} for at, text in enumerate(expressions)]
    try:
        found = alarm_queries.evaluated(queries, metrics, 0, length)[f"e{len(expressions) - 1}"]
        answers.append([found.get(60 * at) for at in range(length // 60)])
    except ValueError as error:
        answers.append(str(error))
refused = []
for alarm in asked["alarms"]:
    try:
        refused.append(alarm_queries.check(alarm))
    except ValueError as error:
        refused.append(str(error))
print(json.dumps([answers, refused]))
`;

export async function ask(
  math: readonly (readonly [Readonly<Record<string, Series>>, readonly string[]])[],
  alarms: readonly Alarm[] = [],
): Promise<readonly [readonly (Series | string)[], readonly (string | null)[]]> {
  const running = promisify(execFile)(await awsPython(() => {}), ['-c', PROGRAM], {
    env: { ...process.env, PYTHONPATH: localAws, PYTHONPYCACHEPREFIX: byteCode },
  });
  running.child.stdin?.end(JSON.stringify({ math, alarms }));
  return JSON.parse((await running).stdout);
}
