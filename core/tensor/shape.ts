/** Elements of a tensor of this shape; 1 of a scalar. */
export const sizeOfShape = (shape: readonly number[]): number =>
  shape.reduce((product, dimension) => product * dimension, 1);
