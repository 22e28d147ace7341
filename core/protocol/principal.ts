import type { EndpointRequest } from './event.ts';

/** Who asked, and who says so: IAM, a token, or a Lambda authorizer of the service's own. */
export type Principal = { readonly auth: 'iam' | 'jwt' | 'lambda'; readonly name: string };

/**
 * Who asked, as the gateway found out before it called the function: it is in the event, beside what the
 * client sent.
 *
 * A load balancer and a direct invocation say nobody. Whoever may invoke the function directly can send an
 * event that looks like the gateway's: what it says is worth as much as the function's own permissions. HTTP
 * API and function URL:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html,
 * https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html; REST API:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
 */
export function principalOf({
  source,
  event,
}: Pick<EndpointRequest, 'source' | 'event'>): Principal | undefined {
  if (source !== 'http' && source !== 'rest') return undefined;
  const context = inside(event, 'requestContext');
  const authorizer = inside(context, 'authorizer');
  // REST API and payload 1.0 have theirs one level higher.
  const arn =
    text(inside(inside(authorizer, 'iam'), 'userArn')) ??
    text(inside(inside(context, 'identity'), 'userArn'));
  if (arn !== undefined) return { auth: 'iam', name: arn };
  const claims = inside(inside(authorizer, 'jwt'), 'claims') ?? inside(authorizer, 'claims');
  const subject = text(inside(claims, 'sub'));
  if (subject !== undefined) return { auth: 'jwt', name: subject };
  const named =
    text(inside(inside(authorizer, 'lambda'), 'principalId')) ?? text(inside(authorizer, 'principalId'));
  return named === undefined ? undefined : { auth: 'lambda', name: named };
}

function inside(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value.slice(0, LONGEST) : undefined;

/** Characters; ARNs of AWS and subjects of tokens are shorter. */
const LONGEST = 1024;
