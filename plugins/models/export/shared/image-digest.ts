import type { Problem } from '../../problems/errors.ts';

/** An image that nobody can change any more. */
export type ImageDigest = {
  /** As it is to be written: `registry.example.com/models@sha256:…`. */
  readonly reference: string;
  /** Without digest and tag. */
  readonly repository: string;
  readonly digest: string;
};

/** https://github.com/distribution/reference: host and path, a tag, a digest. */
const NAMED =
  /^([a-z0-9][a-z0-9.-]*(?::\d+)?(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+)(?::([\w][\w.-]{0,127}))?(?:@(.+))?$/i;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** @returns the image, or why `--image` names none that files may rely on */
export function imageDigest(text: string): ImageDigest | Problem {
  const wrong = (message: string): Problem => ({
    code: 'MODELS_USAGE',
    key: '--image',
    value: text,
    message: `${text} ${message}`,
    fix: 'Write repository@sha256:…, with the 64 digits that the registry shows.',
  });
  const [, repository, tag, digest] = NAMED.exec(text) ?? [];
  if (repository === undefined) return wrong('names no image of a registry.');
  if (digest === undefined)
    return wrong(
      tag === undefined
        ? 'has no digest: which image that is could change.'
        : 'is a tag, which may be another image tomorrow; files name one by its digest.',
    );
  if (!DIGEST.test(digest)) return wrong('has no digest of sha256.');
  return { reference: `${repository}@${digest}`, repository, digest };
}

export const isImage = (found: ImageDigest | Problem): found is ImageDigest => 'digest' in found;
