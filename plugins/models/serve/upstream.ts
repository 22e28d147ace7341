/** A stack's outputs by key. */
export type StackOutputs = Readonly<Record<string, string>>;

/** An HTTP API of another stack, which the service names: `provider.httpApi.id`. */
export type OutsideApi = { readonly id: string; readonly region: string };

/**
 * Where the framework's HTTP API is reached. Pure.
 * @param endpoint `AWS_ENDPOINT_URL`: an AWS on this machine, which serves every API below a path of its own,
 * so that nothing has to resolve names, for example `<id>.execute-api.localhost`
 * @param outside the stack says nothing of it; its stage is `$default`, as the framework makes one
 * @returns a base without a slash at its end; undefined where the stack has no HTTP API
 */
export function apiBase(
  outputs: StackOutputs,
  endpoint: string | undefined,
  outside?: OutsideApi,
): string | undefined {
  const { HttpApiId: own, HttpApiUrl } = outputs;
  const url = outside === undefined ? HttpApiUrl : addressOf(outside);
  if (url === undefined) return undefined;
  if (endpoint === undefined || endpoint === '') return url.replace(/\/$/, '');
  const api = outside?.id ?? own ?? new URL(url).hostname.split('.')[0];
  return `${endpoint.replace(/\/$/, '')}/_aws/execute-api/${api}/$default`;
}

/** https://docs.aws.amazon.com/general/latest/gr/apigateway.html */
function addressOf({ id, region }: OutsideApi): string {
  const suffix = region.startsWith('cn-') ? 'com.cn' : region.startsWith('eusc-') ? 'eu' : 'com';
  return `https://${id}.execute-api.${region}.amazonaws.${suffix}`;
}
