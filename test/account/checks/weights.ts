import {
  CreateAliasCommand,
  DeleteAliasCommand,
  ListVersionsByFunctionCommand,
} from '@aws-sdk/client-lambda';
import { aliasOf, ask } from '../ask.ts';
import { shareInterval } from '../binomial.ts';
import { finding, type RunCheck } from '../check.ts';
import { invocationsOf, sumOf } from '../metrics.ts';
import { functionOf } from '../names.ts';
import { until } from '../wait.ts';

const ALIAS = 'smcheck';
const WEIGHT = 0.3;
const TRIES = 400;
const LANES = 8;
/** Once in a thousand runs a right weight lies outside. */
const CONFIDENCE = 0.999;

export const weights: RunCheck = {
  name: 'weights',
  bullet: 'the weights of a real alias',
  says: 'An alias with a weight sends that share of requests to its second version, by chance; ExecutedVersion names the one that answered, and the metrics tell both apart.',
  page: 'https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html',
  minutes: 25,
  use: { lambdaRequest: TRIES, lambdaGbSecond: TRIES * 0.5, metricRead: 300 },
  run: async ({ name, clients, known, ensure, signal }) => {
    await ensure({ version: 2 });
    const functionName = functionOf(name);
    const { version: second } = await aliasOf(clients, functionName);
    const { Versions = [] } = await clients.lambda.send(
      new ListVersionsByFunctionCommand({ FunctionName: functionName }),
    );
    const first = Versions.map(({ Version = '' }) => Version).find(
      (one) => one !== '$LATEST' && one !== second,
    );
    if (first === undefined) throw new Error(`${functionName} has one version only`);
    const since = new Date(Math.floor(Date.now() / 60_000) * 60_000);
    await clients.lambda.send(
      new CreateAliasCommand({
        FunctionName: functionName,
        Name: ALIAS,
        FunctionVersion: first,
        RoutingConfig: { AdditionalVersionWeights: { [second]: WEIGHT } },
      }),
    );
    try {
      const answered = new Map<string, number>();
      let left = TRIES;
      const lane = async (): Promise<void> => {
        while (left > 0) {
          left -= 1;
          signal.throwIfAborted();
          const { version } = await ask(clients, functionName, ALIAS, known.request);
          answered.set(version, (answered.get(version) ?? 0) + 1);
        }
      };
      await Promise.all(Array.from({ length: LANES }, lane));
      const hits = answered.get(second) ?? 0;
      const { low, high } = shareInterval(hits, TRIES, CONFIDENCE);
      const counted = await until(
        'the counts of both versions',
        { patience: 600, every: 10, signal },
        async () => {
          const sums = await Promise.all(
            [first, second].map((version) =>
              sumOf(
                clients,
                invocationsOf(functionName, ALIAS, version),
                since,
                new Date(Date.now() + 60_000),
              ),
            ),
          );
          return (sums[0] ?? 0) + (sums[1] ?? 0) >= TRIES ? sums : undefined;
        },
      );
      const isCounted = counted[0] === TRIES - hits && counted[1] === hits;
      return finding(
        low <= WEIGHT && WEIGHT <= high && isCounted && answered.size === 2,
        `Weight ${WEIGHT}: the second version answered ${hits} of ${TRIES} requests, so its share is between ${low.toFixed(3)} and ${high.toFixed(3)} (exact, ${CONFIDENCE * 100} %). AWS/Lambda counts ${counted[1]} and ${counted[0]}${isCounted ? ', the same' : ''}.`,
      );
    } finally {
      await clients.lambda.send(new DeleteAliasCommand({ FunctionName: functionName, Name: ALIAS }));
    }
  },
};
