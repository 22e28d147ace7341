import { isObject } from '../../../core/json/is-object.ts';
import type { Problem } from '../problems/errors.ts';

/**
 * A model's answer is one value with status, headers and body. What streams sends that to the client as it
 * is, with the status 200, whatever was refused:
 * https://docs.aws.amazon.com/lambda/latest/dg/config-rs-invoke-furls.html.
 * A REST API wants another form of it:
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/response-transfer-mode-lambda.html
 *
 * @param key `models.<name>`
 * @param given properties of a framework function
 */
export function streamProblems(key: string, given: Readonly<Record<string, unknown>>): readonly Problem[] {
  const { url, events } = given;
  const problem = (at: string, message: string): Problem => ({
    code: 'MODELS_INVALID_VALUE',
    key: `${key}.function.${at}`,
    message,
    fix: 'Leave it out: a model answers at once and whole.',
  });
  const rest: readonly unknown[] = Array.isArray(events) ? events : [];
  return [
    ...(isObject(url) && url.invokeMode === 'RESPONSE_STREAM'
      ? [
          problem(
            'url.invokeMode',
            'is RESPONSE_STREAM: clients would get the status 200 with every answer, also with a refusal, and the real one in its body.',
          ),
        ]
      : []),
    ...(rest.some(isStreamed)
      ? [
          problem(
            'events',
            'has an `http` event with `response.transferMode: STREAM`, and API Gateway wants another form of an answer then.',
          ),
        ]
      : []),
  ];
}

function isStreamed(event: unknown): boolean {
  const { http } = isObject(event) ? event : {};
  const { response } = isObject(http) ? http : {};
  const { transferMode } = isObject(response) ? response : {};
  return typeof transferMode === 'string' && transferMode.toUpperCase() === 'STREAM';
}
