import { GetAccountSettingsCommand } from '@aws-sdk/client-lambda';
import { type Answer, ask } from '../ask.ts';
import { finding, type RunCheck } from '../check.ts';
import { functionOf } from '../names.ts';
import { quantilesText } from '../quantiles.ts';

/** Requests at once: each that comes while none is ready starts an environment. */
const BURST = 20;
const WARM = 100;
/** Milliseconds that Lambda gives the start of an environment on demand. */
const INIT_LIMIT = 10_000;

export const coldStarts: RunCheck = {
  name: 'cold-starts',
  bullet: 'cold starts and latency on Lambda’s own processors',
  says: 'A request that finds no environment free starts one; its REPORT line has an Init Duration, which may take 10 s.',
  page: 'https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html',
  minutes: 5,
  use: { lambdaRequest: 130, lambdaGbSecond: 20 * 10 * 1.8 + 100 },
  run: async ({ name, clients, known, signal }) => {
    const { AccountLimit } = await clients.lambda.send(new GetAccountSettingsCommand({}));
    // New accounts have ten for all of their functions.
    const burst = Math.min(BURST, Math.floor((AccountLimit?.UnreservedConcurrentExecutions ?? BURST) / 2));
    const asked = () => ask(clients, functionOf(name), 'live', known.request);
    const first = await Promise.all(Array.from({ length: burst }, asked));
    const warm: Answer[] = [];
    for (let i = 0; i < WARM; i += 1) {
      signal.throwIfAborted();
      warm.push(await asked());
    }
    const all = [...first, ...warm];
    const cold = all.filter(({ initMs }) => initMs !== undefined);
    const inits = cold.flatMap(({ initMs }) => initMs ?? []);
    const failures = all.filter(({ outputs }) => outputs === undefined).length;
    const broken = all.flatMap(({ failedInit }) => failedInit ?? []);
    const rest = warm.filter(({ initMs, failedInit }) => initMs === undefined && failedInit === undefined);
    return finding(
      failures + broken.length === 0 && inits.length > 0 && inits.every((ms) => ms < INIT_LIMIT),
      [
        `${burst} requests at once started ${cold.length} environments, ${failures} of ${all.length} requests failed.`,
        ...(broken.length > 0 ? [`Starts that failed: ${broken.join(', ')}.`] : []),
        `Init Duration: ${quantilesText(inits)}.`,
        `What a caller here waited for a cold one: ${quantilesText(cold.map(({ ms }) => ms))};`,
        `for a warm one: ${quantilesText(rest.map(({ ms }) => ms))};`,
        `of it Lambda’s own Duration: ${quantilesText(rest.flatMap(({ durationMs }) => durationMs ?? []))}.`,
      ].join(' '),
    );
  },
};
