import { expect, it } from 'vitest';
import { plainText } from '../../../../../core/text/plain.ts';
import type { Provider } from '../../../../../plugins/models/contracts/host.ts';
import { alarmsOf } from '../../../../../plugins/models/plan/plan.ts';
import { endpointLines, packagingNotices } from '../../../../../plugins/models/plan/report.ts';
import { declaredModels, FACTS, HOST } from '../../../../fixtures/service.ts';

it('a base URL has a slash at its end or none: the path that is told has one', () => {
  const models = declaredModels({ churn: { http: { auth: 'none' } } });
  const told =
    'churn: POST https://id.execute-api.eu-central-1.amazonaws.com/v2/models/churn/infer (auth: none)';
  const base = 'https://id.execute-api.eu-central-1.amazonaws.com';
  expect([base, `${base}/`].flatMap((one) => endpointLines(models, HOST, one))).toEqual([told, told]);
});

it('an API whose own address is switched off is told without it: its domain is not known here', () => {
  const models = declaredModels({ churn: { http: { auth: 'none' } } });
  const host = { ...HOST, provider: { httpApi: { disableDefaultEndpoint: true } } };
  expect(endpointLines(models, host, 'https://id.execute-api.eu-central-1.amazonaws.com')).toEqual([
    'churn: POST /v2/models/churn/infer (auth: none)',
  ]);
});

it('a key without a value is told, with what to write where it does something by default', () => {
  const input = { models: [], options: {}, host: HOST, built: new Map(), zips: new Map() };
  expect(packagingNotices(input)).toEqual([]);
  expect(packagingNotices({ ...input, empty: ['models.churn.signed', 'models.churn.audit'] })).toEqual([
    'models.churn.signed: has no value, so it counts as not written.',
    'models.churn.audit: has no value, so it counts as not written. Write `audit: {}` for what it does by default.',
  ]);
});

it('managed policies beside a role that the service names are told to be nobody’s', () => {
  const iam = { managedPolicies: ['arn:aws:iam::aws:policy/ReadOnlyAccess'] };
  const told = (own: object, host = HOST) =>
    packagingNotices({
      models: declaredModels({ churn: { iam, ...own } }),
      options: {},
      host,
      built: new Map(),
      zips: new Map(),
    }).filter((line) => line.includes('managedPolicies'));
  const line =
    'models.churn.iam.managedPolicies: is attached to no role: the service names the one that the model has; attach them to that.';
  expect(told({})).toEqual([]);
  expect(told({ function: { role: 'arn:aws:iam::123456789012:role/mine' } })).toEqual([line]);
  const provider = { iam: { role: 'arn:aws:iam::123456789012:role/all' } };
  expect(told({}, { ...HOST, provider })).toEqual([line]);
  expect(told({ iam: {} }, { ...HOST, provider })).toEqual([]);
});

it('a profile of a machine in a function’s environment is told: the SDK finds no credentials beside it', () => {
  const told = (own: object, environment?: object): readonly string[] =>
    packagingNotices({
      models: declaredModels({ churn: own }),
      options: {},
      host: { ...HOST, provider: { ...(environment && { environment }) } },
      built: new Map(),
      zips: new Map(),
    });
  const line = (at: string): string =>
    `${at}.AWS_PROFILE: names a profile of a machine, and in Lambda there is none: AWS’s SDK finds no credentials beside it, so batch, files beyond the zip and code of yours that asks AWS fail. Leave it out; plugins that read \`.env\` files may have brought it.`;
  expect(told({}, { AWS_PROFILE: 'ann' })).toEqual([line('provider.environment')]);
  expect(told({ function: { environment: { AWS_PROFILE: 'ann' } } }, { A: 'b' })).toEqual([
    line('models.churn.function.environment'),
  ]);
  expect(told({}, { AWS_REGION_OF_MINE: 'x' })).toEqual([]);
});

it('what the service’s own resources change of a model’s function is told to reach no version', () => {
  const told = (host: Partial<typeof HOST>): readonly string[] =>
    packagingNotices({
      models: declaredModels({
        churn: { batch: [{ input: 's3://incoming/', output: 's3://scored/' }] },
        fraud: {},
      }),
      options: {},
      host: { ...HOST, ...host },
      built: new Map(),
      zips: new Map(),
    });
  const line = (id: string): string =>
    `models.churn: resources of the service change ${id}. Another value there makes no new version, so it does not reach live; write it in models.churn, or in its \`function\`.`;
  expect(told({ extended: ['ChurnLambdaFunction', 'ChurnLogGroup'] })).toEqual([line('ChurnLambdaFunction')]);
  expect(told({ declared: ['ChurnDashbatchLambdaFunction', 'OwnLambdaFunction'] })).toEqual([
    line('ChurnDashbatchLambdaFunction'),
  ]);
  expect(told({ declared: ['Orders'], extended: ['ChurnErrorsAlarm'] })).toEqual([]);
});

it('a model without a log is told to be counted by nobody', () => {
  const told = (given: object, release: object = {}): readonly string[] =>
    packagingNotices({
      models: declaredModels({ churn: { function: given, release } }),
      options: {},
      host: HOST,
      built: new Map(),
      zips: new Map(),
    });
  expect(told({ disableLogs: true })).toEqual([
    'models.churn.function.disableLogs: what counts the model’s requests is its log. Without one a release in steps gets no verdict and is held, and alarms see nothing but crashes and throttles.',
  ]);
  expect(told({ disableLogs: false })).toEqual([]);
  expect(told({})).toEqual([]);
  expect(told({ disableLogs: true }, { onNoData: 'pass' })).toEqual([
    expect.stringContaining('a release in steps gets no verdict and passes all the same, and alarms see'),
  ]);
});

it('a log group that nobody makes is told: without it nothing is logged or counted', () => {
  const told = (logGroup: string, provider: Provider = {}, more: object = {}): readonly string[] =>
    packagingNotices({
      models: declaredModels({ churn: { function: { ...(logGroup && { logs: { logGroup } }), ...more } } }),
      options: {},
      host: {
        ...HOST,
        provider,
        logGroups: { '/made': 'MadeLogGroup' },
        functions: { hello: { name: 'shop-dev-hello' }, mute: { name: 'shop-dev-mute', disableLogs: true } },
      },
      built: new Map(),
      zips: new Map(),
    });
  const line = (group: string) =>
    `models.churn: its log goes to ${group}, which must be there: the service makes no such log group. Where there is none, nothing is logged or counted, so a release in steps gets no verdict and alarms see nothing but crashes and throttles. Make it in \`resources\`.`;
  expect(told('/elsewhere')).toEqual([line('/elsewhere')]);
  expect(told('', { logs: { lambda: { logGroup: '/shared' } } })).toEqual([line('/shared')]);
  expect(told('/made')).toEqual([]);
  expect(told('/aws/lambda/shop-dev-churn')).toEqual([]);
  expect(told('')).toEqual([]);
  // Its name alone makes none: the framework makes that of each function that logs.
  expect(told('/aws/lambda/shop-dev-hello')).toEqual([]);
  for (const none of ['/aws/lambda/shop-all', '/aws/lambda/shop-dev-mute'])
    expect(told(none)).toEqual([line(none)]);
  expect(told('/elsewhere', {}, { disableLogs: true })).toHaveLength(1);
});

it('pruning that takes what a rollback goes back to is told', () => {
  const told = (pruneFunctionVersions: unknown): readonly string[] =>
    packagingNotices({
      models: declaredModels({ churn: {} }),
      options: {},
      host: { ...HOST, provider: { pruneFunctionVersions } },
      built: new Map(),
      zips: new Map(),
    });
  for (const number of [1, '4'])
    expect(told({ number })).toEqual([
      `models: provider.pruneFunctionVersions keeps ${number} of a model’s versions beside the live one, refused ones included, and may delete what a rollback goes back to, or what jobs of batch run from. Write 5 or more, or leave it out: the release worker deletes what nobody needs.`,
    ]);
  for (const enough of [{ number: 5 }, true, false, undefined, null]) expect(told(enough)).toEqual([]);
});

it('so is what serverless-prune-plugin does after each deploy', () => {
  const told = (prunePlugin: unknown): readonly string[] =>
    packagingNotices({
      models: declaredModels({ churn: {} }),
      options: {},
      host: { ...HOST, prunePlugin },
      built: new Map(),
      zips: new Map(),
    });
  expect(told(3)).toEqual([
    'models: custom.prune keeps 3 of a model’s versions beside the live one, refused ones included, and may delete what a rollback goes back to, or what jobs of batch run from. Write 5 or more, or leave it out: the release worker deletes what nobody needs.',
  ]);
  for (const enough of [5, undefined]) expect(told(enough)).toEqual([]);
});

it('events that are no requests are told: their messages would be refused, and taken away', () => {
  const told = (events: unknown): readonly string[] =>
    packagingNotices({
      models: declaredModels({ churn: { function: { events } } }),
      options: {},
      host: HOST,
      built: new Map(),
      zips: new Map(),
    });
  const line = (kinds: string): string =>
    `models.churn.function.events: the endpoint takes requests of inference alone. It refuses what ${kinds}, and that counts as done: a message is taken away. Let a function of the service ask the model, or use \`batch\` for objects in S3.`;
  expect(told([{ sqs: 'arn:aws:sqs:us-east-1:123456789012:work' }])).toEqual([line('sqs sends')]);
  expect(told([{ sns: 'news' }, { kafka: {} }, { sqs: 'x' }, 'alexaSkill'])).toEqual([
    line('sqs, kafka, sns, alexaSkill send'),
  ]);
  const requests = [{ http: 'POST /score' }, { httpApi: 'POST /score' }, { alb: {} }, { schedule: {} }];
  for (const fine of [requests, [], undefined])
    expect(told(fine).filter((one) => one.includes('inference alone'))).toEqual([]);
});

it('a notice of an artifact is one line, whatever its names hold', () => {
  const facts = { ...FACTS, notices: ['Output y\nmodels.churn: signed\u001b[2J is a map.'] };
  const told = packagingNotices({
    models: declaredModels({ churn: {} }),
    options: {},
    host: HOST,
    built: new Map([['churn', { facts, path: 'churn.zip' }]]),
    zips: new Map(),
  });
  expect(told).toContain('models.churn: Output y models.churn: signed�[2J is a map.');
});

it('columns of reference data are told in one line, and in the alarm that watches them, whatever their names hold', () => {
  const signal = { of: 'input', kind: 'numeric', phi: 9, m: 500 } as const;
  const signals = [{ ...signal, name: 'age', label: 'age\nmodels.churn: signed\u001b[2J' }];
  const facts = { ...FACTS, drift: { sha256: 'd', bytes: 1, rows: 500, native: true, signals } };
  const models = declaredModels({ churn: { drift: { baseline: 'a.csv' } } });
  const built = new Map([['churn', { facts, path: 'churn.zip' }]]);
  const told = packagingNotices({ models, options: {}, host: HOST, built, zips: new Map() });
  expect(told.find((line) => line.includes('φ 9'))).toContain(
    'models.churn.drift: age models.churn: signed\uFFFD[2J (φ 9) differs',
  );
  for (const line of told) expect(line).toBe(plainText(line));
  const alarms = models.flatMap((model) => alarmsOf(model, HOST, new Map([['churn', facts]])));
  const texts = alarms.map(({ resource }) => String(resource.Properties.AlarmDescription));
  expect(texts.join()).toContain('Watched: age models.churn: signed\uFFFD[2J.');
  for (const text of texts) expect(text).toBe(plainText(text));
});

it('a role that the service names is told whom it must trust: also who starts schedules and state machines', () => {
  const batch = [{ input: 's3://incoming/', output: 's3://scored/' }];
  const scheduled = { events: [{ schedule: { method: 'scheduler', rate: ['rate(1 hour)'] } }] };
  const trust = (own: object, provider = {}): string | undefined =>
    packagingNotices({
      models: declaredModels({ churn: own }),
      options: {},
      host: { ...HOST, provider },
      built: new Map(),
      zips: new Map(),
    })
      .find((line) => line.includes('names a role'))
      ?.split(':\n')[0];
  const shared = { iam: { role: 'arn:aws:iam::123456789012:role/all' } };
  const role = 'arn:aws:iam::123456789012:role/mine';
  const told =
    'models: the service names a role; it needs this policy (docs/deploy-policy.md says what stands for Ref and Fn in IAM)';
  expect(trust({}, shared)).toBe(
    `${told}; its trust policy must name lambda.amazonaws.com and scheduler.amazonaws.com`,
  );
  expect(trust({ batch }, shared)).toBe(
    `${told}; its trust policy must name lambda.amazonaws.com, states.amazonaws.com and scheduler.amazonaws.com`,
  );
  // Worker and state machine have roles of their own then.
  expect(trust({ batch, function: { role } })).toBe(told);
  expect(trust({ function: { role, ...scheduled } })).toBe(
    `${told}; its trust policy must name lambda.amazonaws.com and scheduler.amazonaws.com`,
  );
  expect(trust({ function: scheduled })).toBeUndefined();
});

it('what an event of a model’s function opens to everybody is told, as an open URL is', () => {
  const told = (events: readonly unknown[], provider: Record<string, unknown> = {}): readonly string[] =>
    packagingNotices({
      models: declaredModels({ churn: { http: {}, function: { url: { authorizer: 'aws_iam' }, events } } }),
      options: {},
      host: { ...HOST, provider },
      built: new Map(),
      zips: new Map(),
    });
  const line = (kind: string, route: string): string =>
    `models.churn.function.events: the ${kind} event opens ${route} without authentication; give it an \`authorizer\`, aws_iam for example, to guard it.`;
  expect(
    told([{ httpApi: 'POST /score' }, { httpApi: { method: 'get', path: '/a' } }, { httpApi: '*' }]),
  ).toEqual([line('httpApi', 'POST /score'), line('httpApi', 'GET /a'), line('httpApi', 'every route')]);
  const rest = [{ http: { method: 'post', path: 'score' } }];
  expect(told(rest)).toEqual([line('http', 'POST score')]);
  expect(told(rest, { endpointType: 'PRIVATE' })).toEqual([]);
  expect(told(rest, { apiGateway: { resourcePolicy: [{ Effect: 'Deny' }] } })).toEqual([]);
  expect(
    told([
      { httpApi: { method: 'post', path: '/score', authorizer: { type: 'aws_iam' } } },
      { http: { method: 'post', path: 'score', authorizer: 'aws_iam' } },
      { http: { method: 'post', path: 'keyed', private: true } },
      { schedule: 'rate(1 day)' },
    ]),
  ).toEqual([]);
});
