import middy from '@middy/core';
import { lambdaClient } from '../../aws/clients/lambda.ts';
import { lambdaEndpoints } from '../../aws/lambda/invoke-version.ts';
import { catalog, type Endpoints, type Passed } from '../../core/catalog/catalog.ts';
import type { CatalogManifest } from '../../core/catalog/contract.ts';
import { isRefusal, refusal } from '../../core/errors/refusals.ts';
import { nodeBase64 } from '../../core/node/base64.ts';
import { type EndpointRequest, readEvent, writeAnswer } from '../../core/protocol/event.ts';
import { type Answer, errorAnswer } from '../../core/protocol/http.ts';
import { createLog, placeInCode } from '../runtime/log.ts';

type LambdaContext = { readonly awsRequestId: string };

/**
 * The catalog as a Lambda handler, for HTTP API, REST API, function URL and ALB.
 * @param script of the docs page
 * @param endpoints for tests; Lambda itself by default
 * @returns a handler that never throws: whatever goes wrong is an answer with `{"error"}`
 */
export function createCatalog(
  manifest: CatalogManifest,
  script: string,
  endpoints: Endpoints = lambdaEndpoints(lambdaClient()),
): (event: unknown, context: LambdaContext) => Promise<unknown> {
  const log = createLog(`${manifest.service}-catalog`);
  const answer = catalog(manifest, endpoints, script);
  const handler = middy()
    .use({
      before: (state) => {
        state.event = readEvent(state.event, state.context);
      },
      after: (state) => {
        const response: Answer | Passed = state.response;
        state.response =
          'passed' in response ? response.passed : writeAnswer(state.event, response, nodeBase64);
      },
      onError: (state) => {
        const { event: request, error } = state;
        if (!isRefusal(error)) log.error('catalog failed', { requestId: request.id, at: placeInCode(error) });
        const said = isRefusal(error) ? error : refusal('INTERNAL', 'The catalog could not answer.');
        state.response = writeAnswer(request, errorAnswer(said), nodeBase64);
      },
    })
    .handler((request: EndpointRequest) => answer(request));
  return handler as unknown as (event: unknown, context: LambdaContext) => Promise<unknown>;
}
