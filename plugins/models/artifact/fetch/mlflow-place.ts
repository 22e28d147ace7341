/** Where MLflow says that the files of a version are, by its parts; empty where that is no address. */
type MlflowPlace = { readonly scheme: string; readonly path: string };

/**
 * `s3://bucket/models/1/` → s3, and `bucket/models/1`. Slashes are counted off: who may answer as the server
 * sends as many as they like, and a pattern that tries each of them takes hours.
 */
export function mlflowPlace(uri: string | undefined): MlflowPlace {
  const [, scheme = '', rest = ''] = /^([\w-]+):(.*)$/.exec(uri ?? '') ?? [];
  let [start, end] = [0, rest.length];
  while (rest[start] === '/') start += 1;
  while (end > start && rest[end - 1] === '/') end -= 1;
  return { scheme, path: rest.slice(start, end) };
}
