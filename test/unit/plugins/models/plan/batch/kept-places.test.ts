import { describe, expect, it } from 'vitest';
import type { Json } from '../../../../../../plugins/models/contracts/cloudformation.ts';
import type { Facts } from '../../../../../../plugins/models/declaration/model.ts';
import { parseModels } from '../../../../../../plugins/models/declaration/parse.ts';
import { batching, batchRole } from '../../../../../../plugins/models/plan/batch/functions.ts';
import { keptPlaces } from '../../../../../../plugins/models/plan/batch/kept-places.ts';
import { machineResources } from '../../../../../../plugins/models/plan/batch/machine.ts';
import { FACTS, HOST as host } from '../../../../../fixtures/service.ts';

const facts: Facts = { ...FACTS, signature: { inputs: [], outputs: [], omitted: [] } };

type Resources = Readonly<Record<string, Json>>;
type Place = readonly [input: string, output: string];

const modelsOf = (places: readonly Place[]) => {
  const batch = places.map(([input, output]) => ({ input: `s3://${input}`, output: `s3://${output}` }));
  const { models, problems } = parseModels({ churn: { artifact: 'a.onnx', batch } });
  expect(problems).toEqual([]);
  return batching(models);
};

/** Both roles of batch. */
const templateOf = (places: readonly Place[]): Resources =>
  Object.assign(
    {},
    ...modelsOf(places).map((model) => ({
      ChurnDashbatchModelsRole: batchRole(model, host, {}, facts),
      ...machineResources(model, host),
    })),
  );

/** One deploy after another: what each leaves in the stack. */
function deploy(before: Resources, places: readonly Place[], isSettled = true) {
  const models = modelsOf(places);
  const next = templateOf(places);
  const { resources, lines } = keptPlaces(models, host, next, before, () => isSettled);
  return { after: { ...next, ...resources }, lines };
}

/** The statements that are kept. */
const keptIn = (resources: Resources): string => {
  const found: string[] = [];
  JSON.stringify(resources, (_, value) => {
    if (value?.Sid?.startsWith('KeptPlaces')) found.push(JSON.stringify(value));
    return value;
  });
  return found.join();
};

const A: Place = ['in-a/', 'out-a/'];
const B: Place = ['in-b/', 'out-b/'];
const C: Place = ['in-c/', 'out-c/'];

describe('places of batch that change', () => {
  it('stay in the roles of the function and of the state machine', () => {
    const { after, lines } = deploy(templateOf([A]), [B]);
    const kept = keptIn(after);
    expect(kept).toContain(':s3:::in-a/*');
    expect(kept).toContain(':s3:::out-a/churn@*');
    expect(kept).toContain(':s3:::out-a/churn@*/map/*');
    expect(kept).not.toContain('-b/');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('keep those of the version before (s3://in-a/*, s3://out-a/churn@*');
  });

  it('keep only what is not declared any more', () => {
    const { after } = deploy(templateOf([A, B]), [B, C]);
    const kept = keptIn(after);
    expect(kept).toContain('in-a');
    expect(kept).not.toContain('in-b');
  });

  it('stay as they are while the places do, and nothing is told', () => {
    const once = deploy(templateOf([A]), [B]).after;
    const again = deploy(once, [B]);
    expect(again.after).toEqual(once);
    expect(again.lines).toEqual([]);
  });

  it('go with the next change, once what is deployed is live', () => {
    const kept = keptIn(deploy(deploy(templateOf([A]), [B]).after, [C]).after);
    expect(kept).toContain('in-b');
    expect(kept).not.toContain('in-a');
  });

  it('stay beyond it while an older version is live', () => {
    const kept = keptIn(deploy(deploy(templateOf([A]), [B]).after, [C], false).after);
    expect(kept).toContain('in-b');
    expect(kept).toContain('in-a');
  });

  it('come back as declared ones, and are kept no more', () => {
    const kept = keptIn(deploy(deploy(templateOf([A]), [B]).after, [A], false).after);
    expect(kept).toContain('in-b');
    expect(kept).not.toContain('in-a');
  });

  it('keep nothing of a service that is deployed for the first time, or had no batch', () => {
    const first = deploy({}, [A]);
    expect(first.after).toEqual(templateOf([A]));
    expect(first.lines).toEqual([]);
  });

  it('are told where the role has no room for them', () => {
    const long = 'x'.repeat(100);
    const many = (letter: string): readonly Place[] =>
      Array.from(
        { length: 10 },
        (_, i): Place => [`in-${letter}/${long}${i}/`, `out-${letter}/${long}${i}/`],
      );
    const { after, lines } = deploy(templateOf(many('a')), many('b'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('have no room for the places of the version before');
    expect(lines[0]).toContain('`iam.managedPolicies`');
    expect(keptIn({ role: after.ChurnDashbatchModelsRole ?? {} })).toBe('');
  });

  it('are ours only: what the model’s own statements allow is neither kept nor turned into a permission', () => {
    const own = (statement: object): Resources => {
      const { ChurnDashbatchModelsRole: role, ...others } = templateOf([A]) as unknown as Record<
        string,
        {
          Properties: { Policies: [{ PolicyName: string; PolicyDocument: { Statement: object[] } }] };
        }
      >;
      const [policy] = role?.Properties.Policies ?? [];
      const Statement = [...(policy?.PolicyDocument.Statement ?? []), statement];
      const Policies = [{ ...policy, PolicyDocument: { ...policy?.PolicyDocument, Statement } }];
      const changed = { ...role, Properties: { ...role?.Properties, Policies } };
      return { ...others, ChurnDashbatchModelsRole: changed } as unknown as Resources;
    };
    const Action = ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'];
    for (const statement of [
      { Effect: 'Deny', Action, Resource: ['arn:aws:s3:::secret/*'] },
      { Effect: 'Allow', Action, Resource: ['arn:aws:s3:::payroll/*'] },
      { Effect: 'Allow', Action, Resource: ['arn:aws:s3:::payroll/*'], Condition: {} },
      { Effect: 'Allow', Action: ['s3:ListBucket'], NotResource: ['arn:aws:s3:::payroll'] },
    ]) {
      const same = deploy(own(statement), [A]);
      expect(keptIn(same.after)).toBe('');
      expect(same.lines).toEqual([]);
      const moved = keptIn(deploy(own(statement), [B]).after);
      expect(moved).not.toMatch(/secret|payroll/);
      expect(moved).toContain('out-a');
    }
  });

  it('that have no room any more are told, also where nothing else changes', () => {
    const kept = deploy(templateOf([A]), [B]).after;
    const next = templateOf([B]);
    const long = { Effect: 'Allow', Action: ['s3:x'], Resource: ['x'.repeat(10_240)] };
    const before = '"PolicyDocument":{"Version":"2012-10-17","Statement":[';
    const role = JSON.stringify(next.ChurnDashbatchModelsRole);
    const text = role.replace(before, `${before}${JSON.stringify(long)},`);
    expect(text.length).toBeGreaterThan(role.length);
    const grown = { ...next, ChurnDashbatchModelsRole: JSON.parse(text) as Json };
    const { resources, lines } = keptPlaces(modelsOf([B]), host, grown, kept, () => true);
    expect(keptIn({ role: resources.ChurnDashbatchModelsRole ?? {} })).toBe('');
    expect(lines[0]).toContain('have no room for the places of the version before');
  });
});
