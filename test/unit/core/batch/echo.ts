import type { Manifest } from '../../../../core/endpoint/contract.ts';
import type { Session } from '../../../../core/ports/session.ts';

/** A model of one value that gives back what it takes. */
export const ECHO: Manifest = {
  schema: 1,
  model: 'm',
  identity: 'i',
  signature: {
    inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 1] }],
    outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }],
    omitted: [],
  },
  opset: 17,
  file: 'f',
  remote: [],
};

/** Answers in other memory, as ONNX Runtime does; breaks where a value is below 0. */
export const echoSession: Session = {
  run: ({ x }) => {
    const data = Float32Array.from((x?.data ?? []) as Float32Array);
    if (data.some((value) => value < 0)) throw new Error();
    return { y: { type: 'float32', dims: x?.shape ?? [], data } } as never;
  },
};

export const echoBlock = (values: readonly number[]) => ({
  part: 0,
  read: values.length,
  rows: values.map((_, i) => i + 1),
  tensors: { x: { datatype: 'FP32' as const, shape: [values.length, 1], data: Float32Array.from(values) } },
  carried: [],
  faults: [],
});
