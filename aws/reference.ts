import { InvokeEndpointCommand, type SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { errorName } from '../core/errors/aws-errors.ts';
import type { ReferencePort } from '../core/ports/aws.ts';

/**
 * SageMaker's real-time endpoints:
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
 */
export function sagemakerReference(client: SageMakerRuntimeClient): ReferencePort {
  return {
    ask: async (endpoint, contentType, body) => {
      try {
        const { Body, ContentType } = await client.send(
          new InvokeEndpointCommand({
            EndpointName: endpoint,
            ContentType: contentType,
            Accept: contentType,
            Body: body,
          }),
        );
        return { contentType: ContentType ?? contentType, body: Body?.transformToString() ?? '' };
      } catch (error) {
        // The container's own 4xx or 5xx; everything else is SageMaker's.
        if (errorName(error) !== 'ModelError') throw error;
        const { OriginalStatusCode, OriginalMessage } = error as ModelFailure;
        return { refused: OriginalMessage ?? '', status: OriginalStatusCode ?? 500 };
      }
    },
  };
}

type ModelFailure = { readonly OriginalStatusCode?: number; readonly OriginalMessage?: string };
