import { expect, it } from 'vitest';
import type { PlanInput } from '../../../../../plugins/models/contracts/input.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { inventory } from '../../../../../plugins/models/plan/inventory.ts';
import { planFunctions } from '../../../../../plugins/models/plan/plan.ts';
import { completed } from '../../../../../plugins/models/plan/template.ts';
import { declaredModels, FACTS, HOST as host, LAYER as layer } from '../../../../fixtures/service.ts';

const NEEDS = { update: 'weekly', privacy: 'central', budget: 50, payload: '20KB', burst: 3 };
const input = (more: object): PlanInput => ({
  ...{ models: declaredModels({ churn: { http: {}, ...more } }), options: {}, host, zips: new Map() },
  built: new Map([['churn', { facts: FACTS, layer, zip: '/out/churn.zip' }]]),
});

it('changes nothing of what is deployed', () => {
  const made = (more: object) => {
    const plan = input(more);
    const digest = (text: string): string => text;
    return [
      planFunctions(plan),
      inventory(plan, new Map([['churn', FACTS]])),
      completed(plan, {}, {}, new Map(), digest).resources,
    ];
  };
  expect(made({ needs: NEEDS })).toEqual(made({}));
});

it.each([
  [{ updates: 'weekly' }, /models\.churn\.needs\.updates.*Did you mean `update`/],
  [{ update: 'yearly' }, /models\.churn\.needs\.update.*yearly/],
  [{ budget: -1 }, /models\.churn\.needs\.budget.*Write dollars a month above 0/],
  [{ payload: '20 pages' }, /models\.churn\.needs\.payload.*Write a size/],
  [{ burst: 0.5 }, /models\.churn\.needs\.burst.*Write a number from 1 to 1000/],
])('%j is refused', (needs, message) => {
  const { problems } = parseModels({ churn: { artifact: 'a.onnx', needs } });
  const told = problems.map(({ fix, key, message: text }) => `${key}: ${text} ${fix}`);
  expect(told).toEqual([expect.stringMatching(message)]);
});
