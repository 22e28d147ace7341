import type { ArtifactSource } from '../../contracts/sources/artifact-source.ts';

/** An object, or a prefix that ends in a slash. */
export const s3Source: ArtifactSource = {
  scheme: 's3',
  forms: [{ shown: '`s3://bucket/key`', write: 's3://bucket/key' }],
  fault: (reference) =>
    PLACE.test(reference) ? undefined : { message: 'names no object.', fix: 'Write `s3://bucket/key`.' },
  path: () => undefined,
  resolve: async (reference, context) =>
    (await import('../fetch/s3.ts')).resolveObjects(reference, placeOf(reference), context),
  fetch: async (resolved, beside, context) =>
    (await import('../fetch/s3.ts')).fetchObjects(resolved, placeOf(resolved.reference), beside, context),
};

const PLACE = /^s3:\/\/([^/]+)\/(.+)$/;

function placeOf(reference: string): { readonly bucket: string; readonly key: string } {
  const [, bucket = '', key = ''] = PLACE.exec(reference) ?? [];
  return { bucket, key };
}
