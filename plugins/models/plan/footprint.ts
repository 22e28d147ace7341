import { isObject } from '../../../core/json/is-object.ts';
import type { Functions } from '../contracts/feature.ts';
import type { FunctionDefinition, Host } from '../contracts/host.ts';
import {
  functionLogicalId,
  HTTP_LOG,
  HTTP_STAGE,
  logGroupLogicalId,
  normalized,
  routeLogicalId,
} from '../declaration/naming.ts';
import { isExternalApi } from './endpoint/routes.ts';

/**
 * What the framework makes of the functions that we add, by its own logical ids, as far as that can be told
 * before it has compiled them: of triggers that a user adds to a model at the least.
 * https://www.serverless.com/framework/docs/providers/aws/guide/resources
 */
export function footprint(functions: Functions): ReadonlyMap<string, readonly string[]> {
  return new Map(Object.entries(functions).map(([key, definition]) => [key, madeOf(key, definition)]));
}

/**
 * The framework's HTTP API, where it makes one for our functions: one is there already where the service's
 * own have routes.
 */
export function madeApi(functions: Functions, host: Host): readonly string[] {
  const uses = (of: Functions): boolean => Object.values(of).some((one) => eventsOf(one).some(isRoute));
  if (isExternalApi(host) || uses(host.functions) || !uses(functions)) return [];
  const { logs } = host.provider;
  return ['HttpApi', HTTP_STAGE, ...(isObject(logs) && logs.httpApi ? [HTTP_LOG] : [])];
}

const eventsOf = ({ events }: FunctionDefinition) => (Array.isArray(events) ? events.filter(isObject) : []);
const isRoute = (event: object): boolean => 'httpApi' in event;

function madeOf(key: string, definition: FunctionDefinition): readonly string[] {
  const id = normalized(key);
  const events = eventsOf(definition);
  const isLogged = !definition.disableLogs;
  return [
    functionLogicalId(key),
    ...(definition.versionFunction ? [`${id}LambdaVersion`] : []),
    ...(isLogged ? [logGroupLogicalId(key)] : []),
    ...(events.some(isRoute) ? [`HttpApiIntegration${id}`, `${id}LambdaPermissionHttpApi`] : []),
    ...(definition.url ? [`${id}LambdaFunctionUrl`, ...permissionsOfUrl(definition.url, id)] : []),
    ...(INVOKED.some((option) => definition[option] !== undefined) ? [`${id}LambdaEvConf`] : []),
    ...events.flatMap((event, index) => madeOfEvent(event, `${id}Event${index}`)),
  ];
}

/** One that IAM guards needs none; a public one may be asked by everybody, and invoked through it. */
const permissionsOfUrl = (url: unknown, id: string): readonly string[] =>
  isObject(url) && url.authorizer === 'aws_iam'
    ? []
    : [`${id}LambdaPermissionFnUrl`, `${id}LambdaPermissionFnUrlInvoke`];

/** Options of a function that the framework makes an `AWS::Lambda::EventInvokeConfig` of. */
const INVOKED = ['destinations', 'maximumEventAge', 'maximumRetryAttempts'];

/** Triggers with a resource of their own beside the permission: a rule, a subscription. */
const PAIRS = ['schedule', 'sns', 'eventBridge', 'cloudwatchEvent', 'cloudwatchLog', 'iot'];

function madeOfEvent(event: Readonly<Record<string, unknown>>, id: string): readonly string[] {
  const [[type = '', settings] = []] = Object.entries(event);
  if (type === 'httpApi') {
    const key = isObject(settings) ? `${settings.method} ${settings.path}` : String(settings);
    return [routeLogicalId(key)];
  }
  const isScheduler = type === 'schedule' && isObject(settings) && settings.method === 'scheduler';
  return PAIRS.includes(type) && !isScheduler ? [id, `${id}Permission`] : [id];
}
