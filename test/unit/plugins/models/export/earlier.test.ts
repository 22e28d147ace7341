import { expect, it } from 'vitest';
import { areOf } from '../../../../../plugins/models/export/earlier.ts';

const object = (name: string): string =>
  `# Written\nkind: Service\nmetadata:\n  name: ${name}\n  labels: {}\n`;
const LIST = '# Written\nkind: Kustomization\nresources:\n  - service.yaml\n';
const template = (name: string): string =>
  `Resources:\n  Endpoint:\n    Properties:\n      EndpointName: ${name}\nOutputs:\n  EndpointName:\n    Value: x\n`;

it.each([
  [[object('shop-dev-churn'), object('shop-dev-churn'), LIST], true],
  [[object('shop-dev-churn'), object('shop-prod-churn'), LIST], false],
  [[template('shop-dev-churn')], true],
  [[template('shop-dev-other')], false],
  [[LIST], false],
  [[], false],
])('%j are of shop-dev-churn: %s', (texts, expected) => {
  expect(areOf('shop-dev-churn', texts)).toBe(expected);
});
