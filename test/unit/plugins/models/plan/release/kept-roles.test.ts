import { describe, expect, it } from 'vitest';
import type { Json } from '../../../../../../plugins/models/contracts/cloudformation.ts';
import type { Host } from '../../../../../../plugins/models/contracts/host.ts';
import type { PlanInput } from '../../../../../../plugins/models/contracts/input.ts';
import { endpointOf, planFunctions, planResources } from '../../../../../../plugins/models/plan/plan.ts';
import { keptRoles } from '../../../../../../plugins/models/plan/release/kept-roles.ts';
import { declaredModels, FACTS, HOST, LAYER } from '../../../../../fixtures/service.ts';

type Resources = Readonly<Record<string, Json>>;
type Given = {
  readonly own?: object;
  readonly provider?: Host['provider'];
  readonly bucket?: string;
  readonly remote?: string;
  readonly service?: Resources;
};

const BATCH = [{ input: 's3://incoming/', output: 's3://scored/' }];

/** What the framework and the plan make of a model, as far as roles go. */
function planned({ own = {}, provider = {}, bucket, remote, service = {} }: Given) {
  const host = { ...HOST, provider };
  const models = declaredModels({ churn: own });
  const files =
    remote === undefined ? [] : [{ path: 'model/churn.data', sha256: remote.repeat(64), bytes: 1 }];
  const built = { facts: { ...FACTS, remote: files }, layer: LAYER, zip: '/out/churn.zip' };
  const input: PlanInput = {
    models,
    options: bucket === undefined ? {} : { registry: { bucket } },
    host,
    built: new Map([['churn', built]]),
    zips: new Map(),
  };
  const functions = Object.entries(planFunctions(input)).filter(([key]) => key.startsWith('churn'));
  const compiled = functions.map(([key, { name, role }]): [string, Json] => [
    key === 'churn' ? 'ChurnLambdaFunction' : 'ChurnDashbatchLambdaFunction',
    { Properties: { FunctionName: name, Role: role ?? provider.iam?.role } },
  ]);
  const endpoints = models.map((model) =>
    endpointOf(model, host, built, { endpoint: 'V', batch: undefined }, 'f'),
  );
  const bucketOf = { ServerlessDeploymentBucket: {} };
  const resources = {
    ...bucketOf,
    ...service,
    ...Object.fromEntries(compiled),
    ...planResources(input, endpoints),
  };
  return { models, host, resources };
}

/** One deploy after another: what each leaves in the stack. */
function deploy(before: Resources, given: Given) {
  const { models, host, resources } = planned(given);
  const kept = keptRoles(models, host, resources, JSON.parse(JSON.stringify(before)));
  return { after: { ...resources, ...kept.resources } as Resources, lines: kept.lines };
}

const first = (given: Given): Resources => planned(given).resources;
const keptIn = ({ ChurnModelsRole: role }: Resources): readonly Json[] => {
  const found: Json[] = [];
  JSON.stringify(role, (_, value) => {
    if (value?.Sid !== undefined) found.push(value);
    return value;
  });
  return found;
};

describe('the role that a published version runs in', () => {
  it('stays where nothing of it changes, and nothing is told', () => {
    const given = { own: { batch: BATCH }, remote: 'a' };
    expect(deploy(first(given), given)).toEqual({ after: first(given), lines: [] });
    expect(deploy({}, given)).toEqual({ after: first(given), lines: [] });
  });

  it('keeps its path: another one is another role, and CloudFormation would delete the one of the live version', () => {
    const role = { path: '/ml/', tags: { team: 'a' } };
    const { after, lines } = deploy(first({}), { provider: { iam: { role } } });
    expect(after.ChurnModelsRole?.Properties).not.toHaveProperty('Path');
    expect(after.ChurnModelsRole?.Properties).toHaveProperty('Tags');
    expect(lines).toEqual([
      'churn: the role ChurnModelsRole keeps the path /: another path is another role, and the versions before run in this one.',
    ]);
    // The worker has no versions.
    expect(after.ModelsDashreleaseModelsRole?.Properties).toHaveProperty('Path', '/ml/');
    const back = deploy(first({ provider: { iam: { role } } }), {
      provider: { iam: { role: { path: '/other/' } } },
    });
    expect(back.after.ChurnModelsRole?.Properties).toHaveProperty('Path', '/ml/');
    const batch = deploy(first({ own: { batch: BATCH } }), {
      own: { batch: BATCH },
      provider: { iam: { role } },
    });
    expect(batch.after.ChurnDashbatchMachineRole?.Properties).not.toHaveProperty('Path');
    expect(batch.lines).toContain(
      'churn: the role ChurnDashbatchMachineRole keeps the path /: another path is another role, and the jobs under way run in this one.',
    );
  });

  it.each([
    ['the provider', { provider: { iam: { role: 'arn:aws:iam::123456789012:role/all' } } }, {}],
    ['the model', {}, { function: { role: 'arn:aws:iam::123456789012:role/mine' } }],
  ])('stays in the stack beside one that %s names', (_, around, function_) => {
    const before = first({ own: { batch: BATCH }, remote: 'a' });
    const given = { own: { batch: BATCH, ...function_ }, remote: 'a', ...around };
    const { after, lines } = deploy(before, given);
    expect(after.ChurnModelsRole).toEqual(before.ChurnModelsRole);
    expect(after.ChurnDashbatchModelsRole).toEqual(before.ChurnDashbatchModelsRole);
    expect(after.ChurnDashbatchMachineRole).toEqual(before.ChurnDashbatchMachineRole);
    expect(lines.filter((line) => !line.includes('MachineRole'))).toEqual(
      [
        ['churn', 'ChurnModelsRole'],
        ['churn-batch', 'ChurnDashbatchModelsRole'],
      ].map(
        ([key, id]) =>
          `churn: ${key} gets another role. The stack keeps ${id}, in which the versions before run: the live one until the next is promoted, and the last good one after a rollback.`,
      ),
    );
    expect(deploy(after, given)).toEqual({ after, lines: [] });
    // The state machine takes the provider’s, and an execution goes on in the role that it began in.
    const machines = lines.filter((line) => line.includes('MachineRole'));
    expect(machines).toEqual(
      'provider' in around
        ? [
            'churn: the state machine of batch gets another role. The stack keeps ChurnDashbatchMachineRole, in which the jobs under way run.',
          ]
        : [],
    );
    // Without batch nothing runs in that one any more.
    expect(deploy(after, { ...given, own: function_ }).after).not.toHaveProperty('ChurnDashbatchModelsRole');
  });

  it('goes with a function of another name, and with the model', () => {
    const role = 'arn:aws:iam::123456789012:role/mine';
    const { after, lines } = deploy(first({}), { own: { function: { role, name: 'another' } } });
    expect(after).not.toHaveProperty('ChurnModelsRole');
    expect(lines).toEqual([]);
    const none = keptRoles([], HOST, {}, first({}));
    expect(none).toEqual({ resources: {}, lines: [] });
  });

  it('loses what refers to a resource that goes with the same deploy', () => {
    const before = first({ provider: { kmsKeyArn: { 'Fn::GetAtt': ['Key', 'Arn'] } }, service: { Key: {} } });
    const role = 'arn:aws:iam::123456789012:role/mine';
    const { after } = deploy(before, { own: { function: { role } } });
    expect(JSON.stringify(after.ChurnModelsRole)).toContain('logs:PutLogEvents');
    expect(JSON.stringify(after.ChurnModelsRole)).not.toContain('Key');
    const boundary = first({
      provider: { iam: { role: { permissionsBoundary: { Ref: 'Boundary' } } } },
      service: { Boundary: {} },
    });
    const lost = deploy(boundary, { own: { function: { role } } });
    expect(lost.after).not.toHaveProperty('ChurnModelsRole');
    expect(lost.lines).toEqual([
      expect.stringContaining('is taken out of the stack, since it refers to what is gone'),
    ]);
  });
});

describe('what the function’s own settings let a version do', () => {
  it('it may do after a deploy that writes its log elsewhere, takes another key, and has no files beyond the zip', () => {
    const key = (id: string) => `arn:aws:kms:us-east-1:123456789012:key/${id}`;
    const before = first({
      own: { function: { kmsKeyArn: key('a'), logs: { logGroup: '/old' } } },
      remote: 'a',
      bucket: 'models',
    });
    const own = { function: { kmsKeyArn: key('b') } };
    const { after, lines } = deploy(before, { own });
    const kept = keptIn(after);
    expect(kept.map(({ Sid, Action }) => [Sid, Action])).toEqual([
      ['KeptForVersions0', ['logs:CreateLogStream', 'logs:PutLogEvents']],
      ['KeptForVersions1', ['kms:Decrypt']],
      ['KeptForVersions2', ['s3:GetObject']],
      // A bucket that has a name may have a key of its own.
      ['KeptForVersions3', ['kms:Decrypt']],
    ]);
    for (const [index, text] of ['log-group:/old:*', 'key/a', 'models/files/', 'kms:ViaService'].entries())
      expect(JSON.stringify(kept[index])).toContain(text);
    expect(lines).toEqual([
      'churn: the role ChurnModelsRole may still write its log, and decrypt with the key, and read its files as before, for the versions before: the live one until the next is promoted, and the last good one after a rollback.',
    ]);
    // The next deploy keeps that, and says nothing.
    expect(deploy(after, { own })).toEqual({ after, lines: [] });
    // What is declared again is not kept beside that.
    const again = deploy(after, { own, remote: 'b', bucket: 'models' });
    expect(keptIn(again.after).map(({ Action }) => Action)).toEqual([
      ['logs:CreateLogStream', 'logs:PutLogEvents'],
      ['kms:Decrypt'],
    ]);
  });

  it('includes the network interfaces of a VPC that the function leaves: Lambda takes them away in the same role', () => {
    const vpc = { securityGroupIds: ['sg-1'], subnetIds: ['subnet-1'] };
    const { after, lines } = deploy(first({ own: { function: { vpc } } }), {});
    expect(JSON.stringify(keptIn(after))).toContain('ec2:DeleteNetworkInterface');
    expect(lines).toEqual([expect.stringContaining('may still use its VPC as before')]);
  });

  it('reads the files of the bucket before, by the digests that a plugin before this one named, too', () => {
    const before = JSON.parse(
      JSON.stringify(first({ remote: 'a', bucket: 'old' })).replaceAll(
        '"old","/","models/files/","*"',
        `"old","/models/files/${'a'.repeat(64)}"`,
      ),
    );
    expect(JSON.stringify(before)).toContain(`/models/files/${'a'.repeat(64)}`);
    const same = deploy(before, { remote: 'b', bucket: 'old' });
    expect([keptIn(same.after), same.lines]).toEqual([[], []]);
    const moved = deploy(before, { remote: 'b', bucket: 'new' });
    expect(JSON.stringify(keptIn(moved.after)[0])).toContain('"old","/","models/files/","*"');
  });

  it('is not kept where the user’s own statements allowed it, nor more than some', () => {
    const statements = [{ Effect: 'Allow', Action: ['dynamodb:GetItem'], Resource: ['*'] }];
    const { after } = deploy(first({ own: { iam: { statements } } }), {});
    expect(JSON.stringify(after.ChurnModelsRole)).not.toContain('dynamodb');
    let stack = first({});
    for (let index = 0; index < 9; index++)
      stack = deploy(stack, { own: { function: { logs: { logGroup: `/group-${index}` } } } }).after;
    expect(keptIn(stack)).toHaveLength(6);
    expect(JSON.stringify(keptIn(stack)[0])).toContain('/group-7');
  });

  it('is told where the role has no room for it', () => {
    const statement = (id: string) => ({
      Effect: 'Allow',
      Action: ['dynamodb:GetItem'],
      Resource: [`arn:aws:dynamodb:us-east-1:123456789012:table/${id.repeat(9900)}`],
    });
    const iam = { statements: [statement('a')] };
    const before = first({ own: { iam, function: { logs: { logGroup: `/${'o'.repeat(500)}` } } } });
    const { after, lines } = deploy(before, { own: { iam } });
    expect(keptIn(after)).toEqual([]);
    expect(lines).toEqual([
      expect.stringContaining('has no room for what the versions before need (write its log;'),
    ]);
  });
});
