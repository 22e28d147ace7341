import { z } from 'zod';
import { shownReference } from '../../../../core/text/shown-reference.ts';
import { key } from './key.ts';
import { map } from './kinds.ts';

/** What a model’s functions are deployed as. */

export const packageKey = key(z.enum(['zip', 'image']), {
  default: 'zip',
  description:
    'What the functions are deployed as: a zip beside a layer of ONNX Runtime, or a container image with all of it: [docs/package-image.md](package-image.md). It cannot be changed once the model is deployed.',
});

/** A registry, a repository there, and a digest, since a tag may name another image tomorrow. */
const BASE = /^[^\s@/]+(\/[^\s@/]+)+@sha256:[0-9a-f]{64}$/;

/** A port above 65535 or 300.1.1.1 looks like a host, and is none. */
const hasHost = (base: string): boolean => URL.canParse(`https://${base.replace(/\/.*/s, '')}`);

/**
 * https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html; a registry's name
 * before it would be taken for a part of it.
 */
const REPOSITORY =
  /^(?=.{2,256}$)(?!\d{12}\.dkr[.-]ecr)([a-z0-9]+([._-][a-z0-9]+)*\/)*[a-z0-9]+([._-][a-z0-9]+)*$/;

/** For `package: image`. */
export const imageKey = key(
  map({
    base: key(z.string().regex(BASE).refine(hasHost), {
      description:
        'The image that the model’s is laid over, with Node.js in it, by its digest. Default: AWS’s own for Lambda, by a digest that each version of this package pins ([which, and how to find a newer one](image.md#the-base)).',
      example: `public.ecr.aws/lambda/nodejs@sha256:${'0'.repeat(64)}`,
      fix: 'Write it by its digest, host/repository@sha256:<64 digits of hex>: a tag may name another image tomorrow.',
      shown: shownReference,
    }),
    repository: key(z.string().regex(REPOSITORY), {
      description:
        'An existing repository at ECR, in the account and region of the service; default: one that the first deploy makes, and `sls remove` deletes.',
      example: 'models',
      fix: 'Write the name of an existing repository, without registry and tag, for example models or team/models.',
    }),
  }),
  { description: 'Where the image of a model with `package: image` comes from, and goes to.' },
);
