import { z } from 'zod';
import { key } from './key.ts';
import { between, inSeconds, map, positive, text } from './kinds.ts';

/** `models.<name>.gate`. */
export const gateKey = key(
  map({
    /** A path, relative to the service. */
    cases: key(text, {
      description: 'JSON lines of `{inputs, outputs}` as the protocol writes them, answered as expected.',
      example: 'tests/churn.jsonl',
      fix: 'Write the path of a file with a case a line.',
    }),
    /** The endpoint's name alone. */
    reference: key(
      z
        .string()
        .regex(/^sagemaker:[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/)
        .transform((reference) => reference.replace(/^sagemaker:/, '')),
      {
        description: 'A running endpoint that answers the cases, instead of `outputs`.',
        example: 'sagemaker:churn-prod',
        fix: 'Write sagemaker:<name of the endpoint>.',
      },
    ),
    tolerance: key(between(0, 1), {
      unit: 'difference, of values beyond 1 relative to the value',
      default: 1e-4,
      description: 'Largest difference, of values beyond 1 relative to the value.',
    }),
    load: key(
      map({
        // The worker has a third of a vCPU: beyond this it would measure itself.
        rate: key(positive(100), {
          unit: 'requests a second',
          required: true,
          description: 'Requests a second.',
        }),
        duration: key(inSeconds, {
          default: '30s',
          description: 'How long.',
          fix: 'Write a duration, for example 30s.',
        }),
      }),
      { description: 'Synthetic requests; their p95 must keep to `latency`.' },
    ),
  }),
  { description: 'What a version must pass before any traffic.' },
);
