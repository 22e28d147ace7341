/** Answers of a model are whole, and what would stream them sends them as they are. */
import { expect, it } from 'vitest';
import { streamProblems } from '../../../../../plugins/models/declaration/stream-rules.ts';
import { formatProblem } from '../../../../../plugins/models/problems/errors.ts';

const told = (given: Readonly<Record<string, unknown>>): string[] =>
  streamProblems('models.churn', given).map(formatProblem);

it('a function URL or a REST API that streams is refused', () => {
  expect(told({ url: { authorizer: 'aws_iam', invokeMode: 'RESPONSE_STREAM' } })).toEqual([
    'models.churn.function.url.invokeMode: is RESPONSE_STREAM: clients would get the status 200 with every answer, also with a refusal, and the real one in its body. Leave it out: a model answers at once and whole. [MODELS_INVALID_VALUE]',
  ]);
  expect(
    told({
      events: ['x', { http: { method: 'post', path: 'score', response: { transferMode: 'stream' } } }],
    }),
  ).toEqual([
    'models.churn.function.events: has an `http` event with `response.transferMode: STREAM`, and API Gateway wants another form of an answer then. Leave it out: a model answers at once and whole. [MODELS_INVALID_VALUE]',
  ]);
});

it('all others are not', () => {
  for (const given of [
    {},
    { url: true },
    { url: { invokeMode: 'BUFFERED' } },
    { events: [{ http: 'post score' }, { http: { response: { transferMode: 'BUFFERED' } } }, null] },
  ])
    expect(told(given)).toEqual([]);
});
