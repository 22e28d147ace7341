/**
 * What jobs write about themselves: in a chain, the next model's input may have it beside the answers. Only
 * what nobody else would call so: a folder `latest` may be anybody's.
 */
const DOCUMENTS =
  /@[0-9a-f]{12}\/[0-9a-f]{64}\/(_(PLAN|SUCCESS|FAILED)\.json|errors-\d[\w-]*\.jsonl|map\/.*)$/;

export const isOwnDocument = (key: string): boolean => DOCUMENTS.test(key);

/**
 * Empty objects that tell of a folder: S3's console makes `x/` of "create folder", Hadoop `x_$folder$`, and
 * Spark `x/_SUCCESS` once all files are there. Without rows in any format, though no file of some
 * (https://repost.aws/knowledge-center/emr-s3-empty-files).
 */
export const isFolderMark = (key: string, bytes: number | undefined): boolean =>
  bytes === 0 && /(^|\/)_SUCCESS$|_\$folder\$$|\/$/.test(key);
