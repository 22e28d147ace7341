import { expect, it } from 'vitest';
import type { Context } from '../../../../../plugins/models/context/context.ts';
import { PRICES } from '../../../../../plugins/models/plan/shared/prices.ts';
import { planText } from '../../../../../plugins/models/plan-report/text.ts';
import { HOST } from '../../../../fixtures/service.ts';

it('a sum with a price that no page of AWS’s own showed has a mark', () => {
  const plan = { models: [], options: {}, host: HOST, built: new Map(), zips: new Map() };
  const context = { plan, service: { stack: 'shop-dev', region: 'us-east-1', stage: 'dev' } } as unknown;
  const text = (images: number): string =>
    planText({ items: [], lines: [], idle: 0.5, images, live: new Map() }, context as Context);
  expect(text(0.25)).toContain(
    'idle             $0.500 for packages in S3, $0.250 ? (no page of AWS’s own could be read) for images at ECR without their bases, ',
  );
  expect(text(0)).not.toContain('?');
  expect(PRICES.sources).toContain('https://aws.amazon.com/ecr/pricing/');
});
