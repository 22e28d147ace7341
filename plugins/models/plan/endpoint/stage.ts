import { isObject } from '../../../../core/json/is-object.ts';
import type { Json } from '../../contracts/cloudformation.ts';
import { routeLogicalId } from '../../declaration/naming.ts';
import { type HttpRoute, routeKey, routeSettings } from './routes.ts';

/**
 * The framework's stage with a limit for each route of ours. It waits for the routes: a setting for a route
 * that is not there fails the stack.
 */
export function throttledStage(stage: Json, routes: readonly HttpRoute[]): Json {
  const properties = isObject(stage.Properties) ? stage.Properties : {};
  const standard = isObject(properties.DefaultRouteSettings) ? properties.DefaultRouteSettings : {};
  // A route's own settings replace the default ones.
  const metrics = standard.DetailedMetricsEnabled ? { DetailedMetricsEnabled: true } : {};
  const own = Object.entries(routeSettings(routes)).map(([key, limits]) => [
    key,
    { ...metrics, ...(limits as Json) },
  ]);
  return {
    ...stage,
    DependsOn: [...[stage.DependsOn ?? []].flat(), ...routes.map((route) => routeLogicalId(routeKey(route)))],
    Properties: {
      ...properties,
      RouteSettings: {
        ...(isObject(properties.RouteSettings) && properties.RouteSettings),
        ...Object.fromEntries(own),
      },
    },
  };
}
