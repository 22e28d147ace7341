/**
 * What LocalStack's additions decide without LocalStack, which only `npm run soak -- localstack` installs:
 * run by the Python of MiniStack.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { awsPython } from '../../../local-aws/aws-python.ts';
import { localAws } from '../../../local-aws/start.ts';
import { byteCode } from '../../../local-aws/venv.ts';

async function python<T>(program: string, given: unknown): Promise<T> {
  const running = promisify(execFile)(await awsPython(() => {}), ['-c', program], {
    env: { ...process.env, PYTHONPATH: join(localAws, 'localstack'), PYTHONPYCACHEPREFIX: byteCode },
  });
  running.child.stdin?.end(JSON.stringify(given));
  return JSON.parse((await running).stdout);
}

const SERIES = `
import json, random, sys
from additions.series import Series, key
asked = json.load(sys.stdin)
kept, one = Series(), key("1", "r", "n", "m", {"A": "a", "B": "b"})
chance = random.Random(7)
for at, value, count in chance.sample(asked["points"], len(asked["points"])):
    kept.add(one, at, [value], [count], "Count")
kept.add(key("1", "r", "n", "m", [{"Name": "A", "Value": "a"}]), 10, [1000.0])
kept.add(key("1", "other", "n", "m", {"A": "a", "B": "b"}), 10, [1000.0])
sets = key("1", "r", "n", "sets", {})
kept.add_set(sets, 30, {"SampleCount": 4, "Sum": 10, "Minimum": 1, "Maximum": 4})
same = key("1", "r", "n", "m", [{"Name": "B", "Value": "b"}, {"Name": "A", "Value": "a"}])
print(json.dumps([[sorted(kept.by_period(same, period, stat, start, end, origin).items()) for period, stat, start, end, origin in asked["looks"]],
  [list(kept.by_period(sets, 60, stat, 0, 60).values()) for stat in ("SampleCount", "Sum", "Average", "Minimum", "Maximum")],
  kept.unit(same), len(kept.keys())]))
`;

it('points count where they have exactly the dimensions that are asked for, in any order', async () => {
  // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Dimension
  const points = [
    [0, 1, 1],
    [59.9, 3, 2],
    [60, 5, 1],
    [185, 7, 1],
  ] as const;
  const looks = [
    [60, 'Sum', 0, 240, 0],
    [60, 'SampleCount', 0, 240, 0],
    [60, 'Average', 0, 60, 0],
    [300, 'Maximum', 0, 300, 0],
    // From another origin: [185, 245) is the period that has the last point.
    [60, 'Minimum', 5, 245, 5],
    // A percentile lies between the nearest two of 1, 3, 3.
    [60, 'p50', 0, 60, 0],
    [60, 'p25', 0, 60, 0],
    [60, 'p100', 0, 60, 0],
    // The end is not in it.
    [60, 'Sum', 0, 60, 0],
    [60, 'Sum', 600, 6000, 0],
  ];
  const [found, sets, unit, keys] = await python<readonly unknown[]>(SERIES, { points, looks });
  expect(found).toEqual([
    [
      [0, 7],
      [60, 5],
      [180, 7],
    ],
    [
      [0, 3],
      [60, 1],
      [180, 1],
    ],
    [[0, 7 / 3]],
    [[0, 7]],
    [
      [5, 3],
      [185, 7],
    ],
    [[0, 3]],
    [[0, 2]],
    [[0, 3]],
    [[0, 7]],
    [],
  ]);
  expect(sets).toEqual([[4], [10], [2.5], [1], [4]]);
  expect([unit, keys]).toEqual(['Count', 4]);
});

const ROUTES = `
import json, sys
from additions import http_events
asked = json.load(sys.stdin)
found = [http_events.route(asked["keys"], method, path) for method, path in asked["paths"]]
events = [http_events.event(http_events.route(asked["keys"], "POST", "/v2/models/churn/infer"), method="POST", path="/v2/models/churn/infer",
  query="a=1&a=2&b=", pairs=[["a", "1"], ["a", "2"], ["b", ""]], headers={"Content-Type": kind}, body=bytes(body), api="abc", account="1", region="r")
  for kind, body in asked["bodies"]]
responses = [[status, headers, list(body)] for status, headers, body in
  (http_events.response(json.dumps(answer).encode(), failed) for answer, failed in asked["answers"])]
print(json.dumps([found, events, responses, [http_events.function_of(uri) for uri in asked["uris"]]]))
`;

it('an HTTP API finds the most specific route, and speaks payload format 2.0', async () => {
  const arn = 'arn:aws:lambda:us-east-1:000000000000:function:shop-dev-churn:live';
  const [found, events, responses, uris] = await python<
    readonly [unknown, readonly Record<string, unknown>[], unknown, unknown]
  >(ROUTES, {
    keys: [
      'GET /v2',
      'ANY /v2/{proxy+}',
      'POST /v2/models/{model}/infer',
      'POST /v2/models/churn/infer',
      'ANY /any/{one}',
      'GET /any/{all+}',
      'GET /any/{one}',
      '$default',
    ],
    // https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html#http-api-develop-routes.evaluation
    paths: [
      ['GET', '/v2'],
      ['POST', '/v2'],
      ['POST', '/v2/models/churn/infer'],
      ['POST', '/v2/models/fraud/infer'],
      ['GET', '/v2/models/fraud/infer'],
      ['GET', '/elsewhere'],
      ['GET', '/any/a'],
      ['POST', '/any/a'],
      ['GET', '/any/a/b'],
    ],
    bodies: [
      ['application/json', [...Buffer.from('{"é":1}')]],
      ['application/octet-stream', [1, 2, 255]],
      // Compressed: the type says text, the bytes are none.
      ['application/json', [0x1f, 0x8b, 0xff]],
    ],
    answers: [
      [
        { statusCode: 201, headers: { 'Content-Type': 'text/plain' }, body: 'aGk=', isBase64Encoded: true },
        false,
      ],
      [{ label: 1 }, false],
      [{ errorMessage: 'secret' }, true],
    ],
    uris: [arn, `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${arn}/invocations`],
  });
  expect(found).toEqual([
    ['GET /v2', {}],
    ['$default', {}],
    ['POST /v2/models/churn/infer', {}],
    ['POST /v2/models/{model}/infer', { model: 'fraud' }],
    ['ANY /v2/{proxy+}', { proxy: 'models/fraud/infer' }],
    ['$default', {}],
    ['GET /any/{one}', { one: 'a' }],
    ['ANY /any/{one}', { one: 'a' }],
    ['GET /any/{all+}', { all: 'a/b' }],
  ]);
  expect(events.map(({ body, isBase64Encoded }) => [body, isBase64Encoded])).toEqual([
    ['{"é":1}', false],
    ['AQL/', true],
    ['H4v/', true],
  ]);
  expect(events[0]).toMatchObject({
    version: '2.0',
    rawQueryString: 'a=1&a=2&b=',
    queryStringParameters: { a: '1,2', b: '' },
    headers: { 'content-type': 'application/json' },
    requestContext: { apiId: 'abc', stage: '$default', http: { method: 'POST' } },
  });
  expect(responses).toEqual([
    [201, { 'content-type': 'text/plain' }, [104, 105]],
    [200, { 'content-type': 'application/json' }, [...Buffer.from('{"label": 1}')]],
    [500, { 'content-type': 'application/json' }, [...Buffer.from('{"message":"Internal Server Error"}')]],
  ]);
  expect(uris).toEqual([arn, arn]);
});

const CUSTOM = `
import json, sys
from additions import custom_events
asked = json.load(sys.stdin)
made = custom_events.attributes(asked["declared"], asked["answer"])
ask = lambda kind, model, before: custom_events.event(kind, model, before, request_id="r", answer_to="http://u", stack="s", type_name="Custom::ModelAlias", logical="L")
print(json.dumps([ask("Create", asked["declared"], {}), made, ask("Update", {**asked["declared"], "Weight": 2}, made), ask("Delete", made, made)]))
`;

it('a custom resource is asked as CloudFormation asks, and keeps its physical id and attributes', async () => {
  // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html
  const declared = { ServiceToken: 'arn:f', Weight: 1, Force: true, Deep: [{ count: 2.5 }] };
  const text = { ServiceToken: 'arn:f', Weight: '1', Force: 'true', Deep: [{ count: '2.5' }] };
  const answer = { Status: 'SUCCESS', PhysicalResourceId: 'shop-dev-churn:live', Data: { Version: '1' } };
  const [create, made, update, remove] = await python<readonly Record<string, unknown>[]>(CUSTOM, {
    declared,
    answer,
  });
  expect(create).toEqual({
    RequestType: 'Create',
    ServiceToken: 'arn:f',
    ResponseURL: 'http://u',
    StackId: 's',
    RequestId: 'r',
    LogicalResourceId: 'L',
    ResourceType: 'Custom::ModelAlias',
    ResourceProperties: text,
  });
  // GetAtt reads the answer's data, Ref the physical id.
  expect(made).toMatchObject({ Version: '1', PhysicalResourceId: 'shop-dev-churn:live' });
  expect(update).toMatchObject({
    PhysicalResourceId: 'shop-dev-churn:live',
    ResourceProperties: { ...text, Weight: '2' },
    OldResourceProperties: text,
  });
  expect(remove).toMatchObject({ PhysicalResourceId: 'shop-dev-churn:live', ResourceProperties: text });
  expect(remove).not.toHaveProperty('OldResourceProperties');
});

const OTHERS = `
import json, sys
from additions import definitions, moments
asked = json.load(sys.stdin)
print(json.dumps([[moments.is_due(*one) for one in asked["moments"]], [definitions.with_points(one) for one in asked["definitions"]]]))
`;

it('a rate fires at once and then by its period, a moment once, in its time zone; whole percentages get a point', async () => {
  // https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
  const eight = Date.parse('2026-07-20T12:00:00Z') / 1000;
  const found = await python(OTHERS, {
    moments: [
      ['rate(15 minutes)', 'UTC', 1000, null],
      ['rate(15 minutes)', 'UTC', 1000, 101],
      ['rate(15 minutes)', 'UTC', 1001, 101],
      ['at(2026-07-20T08:00:00)', 'America/New_York', eight - 1, null],
      ['at(2026-07-20T08:00:00)', 'America/New_York', eight, null],
      ['at(2026-07-20T08:00:00)', 'America/New_York', eight, eight],
    ],
    definitions: [
      '{"ToleratedFailurePercentage":100,"A":1}',
      '{"ToleratedFailurePercentage": 5 }',
      '{"ToleratedFailurePercentage":0.5}',
    ],
  });
  expect(found).toEqual([
    [true, false, true, false, true, false],
    [
      '{"ToleratedFailurePercentage":100.0,"A":1}',
      '{"ToleratedFailurePercentage": 5.0 }',
      '{"ToleratedFailurePercentage":0.5}',
    ],
  ]);
});
