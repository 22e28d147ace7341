import { randomUUID } from 'node:crypto';
import { finding, type RunCheck } from '../check.ts';
import { inferUrl, JSON_BODY, sendSigned } from '../http.ts';
import { fieldsOf, linesOf } from '../logs.ts';
import { functionOf } from '../names.ts';
import { until } from '../wait.ts';

export const audit: RunCheck = {
  name: 'audit',
  bullet: 'whom real gateways name in their events',
  says: 'The event of payload format 2.0 has the caller of a route with IAM: requestContext.authorizer.iam.userArn.',
  page: 'https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html',
  minutes: 5,
  use: { httpRequest: 1, lambdaRequest: 1, lambdaGbSecond: 20 },
  run: async (scene) => {
    const { name, account, clients, known, signal } = scene;
    const id = randomUUID();
    const since = Date.now() - 60_000;
    const body = Buffer.from(JSON.stringify(known.request));
    const url = await inferUrl(scene);
    // What came before may have used up what the gateway lets through.
    const status = await until('an answer', { patience: 60, every: 5, signal }, async () => {
      const reply = await sendSigned(scene, url, { ...JSON_BODY, 'x-request-id': id }, body);
      return reply.status === 429 ? undefined : reply.status;
    });
    const line = await until('the line of the audit', { patience: 180, every: 5, signal }, async () =>
      (await linesOf(clients, functionOf(name), since))
        .map(({ text }) => fieldsOf(text))
        .find((fields) => fields.audit === 1 && fields.id === id),
    );
    const isCaller = line.principal === account.arn;
    return finding(
      status === 200 && line.auth === 'iam' && isCaller,
      `One signed request, answered ${status}: the line names ${isCaller ? 'the ARN that STS knows the caller by' : 'somebody else'}, auth ${line.auth}. Other gateways and a key of the log group were not tried.`,
    );
  },
};
