/** Images of versions that the worker prunes, under the role that the plan gives it. */
import { DescribeImagesCommand, ECRClient } from '@aws-sdk/client-ecr';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { client } from '../../../local-aws/deployed.ts';
import { type LocalAws, startAws } from '../../../local-aws/start.ts';
import { image, makeRepository, push } from '../../local-aws/images/image.ts';
import { STAGE } from '../../local-aws/release-stack.ts';
import { AT_ONCE, openShop, type Shop, WRITTEN } from './shop.ts';

const SERVICE = 'framed';
const REPOSITORY = `${SERVICE}-${STAGE}-models`;
const KEPT = 5;

let aws: LocalAws;
let shop: Shop;
let ecr: ECRClient;
beforeAll(async () => {
  aws = await startAws({ speed: 30 });
  ecr = new ECRClient(client(aws.endpoint));
  shop = await openShop(aws, SERVICE);
});
afterAll(async () => {
  await shop?.end();
  ecr?.destroy();
  await aws?.stop();
});

async function tags(): Promise<readonly string[]> {
  const { imageDetails = [] } = await ecr.send(new DescribeImagesCommand({ repositoryName: REPOSITORY }));
  return imageDetails.flatMap(({ imageTags = [] }) => imageTags).sort();
}

it('go with them, and those of the kept versions stay, also of one digest', async () => {
  await makeRepository(aws, REPOSITORY);
  const wanted: string[] = [];
  for (let version = 1; version <= KEPT + 2; version += 1) {
    const fingerprint = `${version}`.padEnd(64, 'f');
    const tag = `v-${fingerprint.slice(0, 12)}`;
    // Two versions of one image: what differs is the memory, for one.
    const content = version === 2 || version === 7 ? 'same' : `${version}`;
    await push(aws, REPOSITORY, tag, image({ layers: [{ 'a.txt': { data: content } }] }));
    wanted.push(tag);
    await shop.deploy({
      fingerprint,
      release: { ...AT_ONCE, rollbackWindow: 0 },
      declares: { package: 'image' },
    });
    await shop.until('DONE');
  }
  const record = JSON.parse(await shop.text(`${shop.scope}versions/churn/1.json`));
  expect(record.image).toMatchObject({
    repository: REPOSITORY,
    tag: wanted[0],
    digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
  });
  await expect.poll(tags, WRITTEN).toEqual(wanted.slice(-KEPT).sort());
});
