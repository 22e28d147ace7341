/**
 * What jobs write about themselves: in a chain, the next model's input may have it beside the answers. Only
 * what nobody else would call so: a folder `latest` may be anybody's.
 */
const DOCUMENTS =
  /@[0-9a-f]{12}\/[0-9a-f]{64}\/(_(PLAN|SUCCESS|FAILED)\.json|errors-\d[\w-]*\.jsonl|map\/.*)$/;

export const isOwnDocument = (key: string): boolean => DOCUMENTS.test(key);

/** What S3's console makes of "create folder". */
export const isFolderMark = (key: string, bytes: number | undefined): boolean =>
  bytes === 0 && key.endsWith('/');
