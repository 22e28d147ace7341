import type { Datatype, TensorSpec } from '../tensor/contract.ts';

/** A longer example helps nobody: an image model's would be megabytes. */
const EXAMPLE_ELEMENTS = 256;

/**
 * What to send where nothing is known: neither 0, which many graphs divide by, nor "", which tokenisers
 * dislike.
 */
export function exampleValue(datatype: Datatype): number | boolean | string {
  if (datatype === 'BYTES') return 'text';
  if (datatype === 'BOOL') return true;
  return datatype.startsWith('FP') ? 0.5 : 1;
}

/** A shape that the signature allows: free dimensions become 1. */
export function exampleShape(shape: readonly number[]): number[] {
  return shape.map((dimension) => (dimension < 0 ? 1 : dimension));
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

export type ExampleTensor = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: Datatype;
  readonly data: readonly (number | boolean | string)[];
};

/** @returns a request that the endpoint takes, or undefined where it would be too long to read. */
export function exampleRequest(inputs: readonly TensorSpec[]): { inputs: ExampleTensor[] } | undefined {
  const shapes = inputs.map(({ shape }) => exampleShape(shape));
  const elements = shapes.reduce((sum, shape) => sum + elementCount(shape), 0);
  if (elements > EXAMPLE_ELEMENTS) return undefined;
  return {
    inputs: inputs.map(({ name, datatype }, index) => {
      const shape = shapes[index] ?? [];
      return { name, shape, datatype, data: Array(elementCount(shape)).fill(exampleValue(datatype)) };
    }),
  };
}
