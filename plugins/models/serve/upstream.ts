/** A stack's outputs by key. */
export type StackOutputs = Readonly<Record<string, string>>;

/**
 * Where the framework's HTTP API is reached. Pure.
 * @param endpoint `AWS_ENDPOINT_URL`: an AWS on this machine, which serves every API below a path of its own,
 * so that nothing has to resolve names, for example `<id>.execute-api.localhost`
 * @returns a base without a slash at its end; undefined where the stack has no HTTP API
 */
export function apiBase(outputs: StackOutputs, endpoint: string | undefined): string | undefined {
  const { HttpApiId: id, HttpApiUrl: url } = outputs;
  if (url === undefined) return undefined;
  if (endpoint === undefined || endpoint === '') return url.replace(/\/$/, '');
  const api = id ?? new URL(url).hostname.split('.')[0];
  return `${endpoint.replace(/\/$/, '')}/_aws/execute-api/${api}/$default`;
}
