/**
 * The path as the gateway’s route has it. In the event’s own path something may stand before it: the name of
 * a stage, or what a domain maps to the API, of which the event says nothing more.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 *
 * @param route for example `/v2/models/churn/{proxy+}`
 * @param parameters the route’s, by name
 * @param path the event’s own: a slash at its end is kept
 * @returns undefined where the event does not tell
 */
export function routedPath(route: string, parameters: unknown, path: string | undefined): string | undefined {
  if (!route.startsWith('/')) return undefined;
  let isWhole = true;
  const routed = !route.includes('{')
    ? route
    : route.replace(/\{([^{}+]+)\+?\}/g, (_, name: string) => {
        const value = parameterOf(parameters, name);
        isWhole &&= value !== undefined;
        return value ?? '';
      });
  if (!isWhole) return undefined;
  return path?.endsWith('/') && !routed.endsWith('/') ? `${routed}/` : routed;
}

function parameterOf(parameters: unknown, name: string): string | undefined {
  if (typeof parameters !== 'object' || parameters === null || !Object.hasOwn(parameters, name))
    return undefined;
  const value = (parameters as Readonly<Record<string, unknown>>)[name];
  return typeof value === 'string' ? value : undefined;
}
