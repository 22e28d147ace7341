import { setTimeout as pause } from 'node:timers/promises';
import { METRICS } from '../../../core/metrics/contract.ts';
import { aliasOf, ask } from '../ask.ts';
import { finding, type RunCheck } from '../check.ts';
import { invocationsOf, type Metric, sumOf } from '../metrics.ts';
import { functionOf } from '../names.ts';
import { until } from '../wait.ts';

const ASKED = 20;
/** Seconds after its end that the judge gives a minute to be whole. */
const GRACE = 120;

export const counts: RunCheck = {
  name: 'counts',
  bullet: 'how late and how complete CloudWatch’s metrics',
  says: 'Lambda sends its metrics each minute, and CloudWatch makes metrics from embedded ones as it takes in the log; neither page promises when a minute is whole.',
  page: 'https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html',
  minutes: 15,
  use: { lambdaRequest: ASKED, lambdaGbSecond: 10, metricRead: 500 },
  run: async ({ name, clients, known, signal }) => {
    const functionName = functionOf(name);
    const { version } = await aliasOf(clients, functionName);
    const measured: readonly (readonly [string, Metric])[] = [
      ['AWS/Lambda Invocations', invocationsOf(functionName, 'live', version)],
      [
        'embedded Requests',
        {
          namespace: METRICS.namespace,
          name: METRICS.requests,
          dimensions: { [METRICS.model]: functionName, [METRICS.version]: version },
        },
      ],
    ];
    // A minute of their own, all of them in it.
    const next = (Math.floor(Date.now() / 60_000) + 1) * 60_000;
    await pause(next + 2000 - Date.now(), undefined, { signal });
    // One after another: an account may have ten at once.
    for (let i = 0; i < ASKED; i += 1) await ask(clients, functionName, 'live', known.request);
    const end = next + 60_000;
    if (Date.now() >= end)
      return { verdict: 'not run', seen: `${ASKED} requests took longer than a minute from here.` };
    const whole = await Promise.all(
      measured.map(async ([what, metric]) => {
        let seen: number | undefined;
        const at = await until(`${what} of one minute`, { patience: 600, every: 5, signal }, async () => {
          const sum = await sumOf(clients, metric, new Date(next), new Date(end));
          if (sum > 0) seen ??= Date.now();
          return sum >= ASKED ? Date.now() : undefined;
        });
        return { what, first: ((seen ?? at) - end) / 1000, at: (at - end) / 1000 };
      }),
    );
    return finding(
      whole.every(({ at }) => at <= GRACE),
      `${ASKED} requests within one minute, in seconds after its end (looked at every 5 s): ${whole
        .map(({ what, first, at }) => `${what} first ${first.toFixed(0)}, all ${at.toFixed(0)}`)
        .join('; ')}. The judge waits ${GRACE}.`,
    );
  },
};
