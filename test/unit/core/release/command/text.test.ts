import { expect, it } from 'vitest';
import { placeOfScope, staged } from '../../../../../core/release/command/text.ts';

it.each([
  ['see "sls models status --model churn".', 'see "sls models status --model churn --stage prod".'],
  ['Run `sls models status`: it says', 'Run `sls models status --stage prod`: it says'],
  [
    '"sls deploy --force", then "sls models drift"',
    '"sls deploy --force --stage prod", then "sls models drift --stage prod"',
  ],
  ['"sls models rollback --to <version>"', '"sls models rollback --to <version> --stage prod"'],
  ['"sls models status --stage dev"', '"sls models status --stage dev"'],
  [
    'what sls does is no command, "aws lambda get-policy" is none of ours',
    'what sls does is no command, "aws lambda get-policy" is none of ours',
  ],
])('%s', (text, expected) => {
  expect(staged(text, 'prod')).toBe(expected);
  expect(staged(staged(text, 'prod'), 'prod')).toBe(expected);
});

it('the region is told beside the stage where it is known: a command without it asks another service', () => {
  const told =
    '"sls models rollback --stage prod --region eu-west-1" or `sls deploy --stage prod --region eu-west-1`';
  expect(staged('"sls models rollback" or `sls deploy --stage prod`', 'prod', 'eu-west-1')).toBe(told);
  expect(staged(told, 'prod', 'us-east-1')).toBe(told);
});

it('stage and region are in the scope of the registry', () => {
  expect(placeOfScope('models/000000000000/us-east-1/shop/prod/')).toEqual({
    stage: 'prod',
    region: 'us-east-1',
  });
});
