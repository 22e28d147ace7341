import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { awsPython } from '../../../local-aws/aws-python.ts';
import { localAws } from '../../../local-aws/start.ts';
import { byteCode } from '../../../local-aws/venv.ts';

/** Python: an alarm's state by the points of its evaluation range, for each treatment of missing ones. */
const PROGRAM = `
import json, sys
from semantics.metrics import alarm_state
def state(case, missing):
    alarm = {"EvaluationPeriods": case["of"], "DatapointsToAlarm": case["m"], "Period": 60, "Threshold": 0, "StateValue": "now",
             "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": missing}
    window = alarm_state.window(alarm, 1_000_020)
    values = {int(window.start) + 60 * at: {"0": 0.0, "X": 1.0}[point] for at, point in enumerate(case["points"].split()) if point != "-"}
    return alarm_state.judged(alarm, window, values)[0]
print(json.dumps([[state(case, missing) for missing in ("missing", "ignore", "breaching", "notBreaching")] for case in json.load(sys.stdin)]))
`;

type Case = { readonly m: number; readonly of: number; readonly points: string };

async function states(cases: readonly Case[]): Promise<readonly (readonly string[])[]> {
  const running = promisify(execFile)(await awsPython(() => {}), ['-c', PROGRAM], {
    env: { ...process.env, PYTHONPATH: localAws, PYTHONPYCACHEPREFIX: byteCode },
  });
  running.child.stdin?.end(JSON.stringify(cases));
  return JSON.parse((await running).stdout);
}

/**
 * The tables of that page: in its examples the evaluation range of an alarm over three periods is five.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
 */
describe('an alarm with missing points looks further back, and at what is missing last', () => {
  const none = ['INSUFFICIENT_DATA', 'now', 'ALARM', 'OK'];
  const all = (state: string): readonly string[] => [state, state, state, state];

  it('with 3 of 3', async () => {
    const rows: Readonly<Record<string, readonly string[]>> = {
      '0 - X - X': all('OK'),
      '- - - - 0': all('OK'),
      '- - - - -': none,
      '0 X X - X': all('ALARM'),
      '- - X - -': ['ALARM', 'now', 'ALARM', 'OK'],
    };
    const cases = Object.keys(rows).map((points) => ({ m: 3, of: 3, points }));
    expect(await states(cases)).toEqual(Object.values(rows));
  });

  it('with 2 of 3', async () => {
    const rows: Readonly<Record<string, readonly string[]>> = {
      '0 - X - X': all('ALARM'),
      '0 0 X 0 X': all('ALARM'),
      '0 - X - -': ['OK', 'OK', 'ALARM', 'OK'],
      '- - - - 0': ['OK', 'OK', 'ALARM', 'OK'],
      '- - - X -': ['ALARM', 'now', 'ALARM', 'OK'],
    };
    const cases = Object.keys(rows).map((points) => ({ m: 2, of: 3, points }));
    expect(await states(cases)).toEqual(Object.values(rows));
  });

  it('with one period: a fault stays the last word for a while where nothing comes after it', async () => {
    const rows: Readonly<Record<string, readonly string[]>> = {
      'X - -': all('ALARM'),
      'X - 0': all('OK'),
      'X 0 -': all('OK'),
      '- - -': none,
    };
    const cases = Object.keys(rows).map((points) => ({ m: 1, of: 1, points }));
    expect(await states(cases)).toEqual(Object.values(rows));
  });
});
