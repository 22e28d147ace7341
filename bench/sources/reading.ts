import { readArtifact } from '../../plugins/models/artifact/read.ts';

/** What packaging does about an artifact before it looks into it: resolved, fetched, and hashed twice. */
export async function readOnce(
  reference: string,
  cache: string,
): Promise<readonly { readonly from: string; readonly sha256: string }[]> {
  process.env.SERVERLESS_MODELS_CACHE = cache;
  const context = { key: 'models.big.artifact', serviceDir: cache, progress: () => {} };
  const { files } = await readArtifact(reference, context, () => {});
  return files.map(({ from, sha256 }) => ({ from, sha256 }));
}
