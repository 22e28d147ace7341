/** Our client of registries against the local AWS’s ECR: who we are there, and a push that it tells of. */
import { CreateRepositoryCommand, DescribeImagesCommand } from '@aws-sdk/client-ecr';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ecrClient } from '../../../aws/clients/ecr.ts';
import { ecrLogin } from '../../../aws/ecr/login.ts';
import { client } from '../../../local-aws/deployed.ts';
import { type LocalAws, REGION, startAws } from '../../../local-aws/start.ts';
import { digestOfBytes, type OciImage } from '../../../plugins/models/ship/oci/image.ts';
import { registryFor } from '../../../plugins/models/ship/oci/login.ts';
import { pushImage } from '../../../plugins/models/ship/oci/push.ts';

const HOST = `000000000000.dkr.ecr.${REGION}.amazonaws.com`;

let aws: LocalAws;
let ecr: ReturnType<typeof ecrClient>;
beforeAll(async () => {
  aws = await startAws();
  ecr = ecrClient(client(aws.endpoint));
});
afterAll(async () => {
  ecr?.destroy();
  await aws?.stop();
});

it('is told who we are, and where the registry is', async () => {
  expect(await ecrLogin(ecr)()).toEqual({
    username: 'AWS',
    password: expect.stringMatching(/./),
    // AWS tells the host of its registry; the local AWS has that where everything of it is.
    url: aws.endpoint,
  });
});

it('takes an image, sends nothing twice, and tells of its digest', async () => {
  const repositoryName = 'models';
  await ecr.send(new CreateRepositoryCommand({ repositoryName }));
  const blob = Buffer.from('a layer');
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux' }));
  const part = (bytes: Buffer, mediaType: string) => ({
    mediaType,
    digest: digestOfBytes(bytes),
    size: bytes.length,
    from: { bytes },
  });
  const blobs = [
    part(blob, 'application/vnd.oci.image.layer.v1.tar+gzip'),
    part(config, 'application/vnd.oci.image.config.v1+json'),
  ];
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const [layer, described] = blobs.map(({ from: _, ...descriptor }) => descriptor);
  const bytes = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType, config: described, layers: [layer] }),
  );
  const image: OciImage = {
    config: { bytes: config, digest: digestOfBytes(config) },
    manifest: { bytes, digest: digestOfBytes(bytes), mediaType },
    blobs,
  };
  const to = { host: HOST, repository: repositoryName, url: `https://${HOST}` };
  const registry = await registryFor(to, {
    aws: { region: REGION },
    write: true,
    login: ecrLogin(ecr),
  });
  const first = await pushImage(registry, image, to, { tags: ['v1'] });
  expect(first).toMatchObject({ sentBlobs: 2, sentBytes: blob.length + config.length });
  expect(await pushImage(registry, image, to, { tags: ['v1'] })).toMatchObject({ sentBlobs: 0 });
  const { imageDetails } = await ecr.send(new DescribeImagesCommand({ repositoryName }));
  expect(imageDetails).toMatchObject([{ imageDigest: image.manifest.digest, imageTags: ['v1'] }]);
});
