import { OTHER_TYPES } from './data-types.ts';
import { beginOf } from './short.ts';

/** ONNX Runtime's refusals name what it lacks; what helps depends on it. */
export function cureOf(refusal: string): string {
  const message = beginOf(refusal);
  const ir = /max supported IR version: (\d+)/.exec(message)?.[1];
  if (ir !== undefined)
    return `Set the model’s IR version to ${ir} or lower (in Python: \`model.ir_version = ${ir}\`, then onnx.save), or export it with an older onnx.`;
  const operator = /(\S+?)(?:\(-?\d+\))? is not a registered function\/op/.exec(message)?.[1];
  if (operator !== undefined)
    return `Replace the operator ${operator}, which ONNX Runtime does not have: export the model without it, or compute it in a transform.ts.`;
  const [, typed] = /Unsupported data type: (\d+)/.exec(message) ?? [];
  const type = typed === undefined ? undefined : OTHER_TYPES[Number(typed)];
  if (type !== undefined)
    return `Cast outputs of ${type} to float32 at the end of the graph, or export the model in float32 or float16: ONNX Runtime’s binding for Node loads no graph that has an output of ${type}.`;
  const complex = /MLDataType for: tensor\((complex\d+)\)/.exec(message)?.[1];
  if (complex !== undefined)
    return `Give the real and the imaginary part of ${complex} as a tensor each: ONNX Runtime has no complex numbers.`;
  const data = /offset: (\d+) size to read: (\d+) given file_length: (\d+)/.exec(message);
  if (data !== null)
    return `Put the whole file of the external data beside the graph: the one that is there has ${data[3]} bytes, and the graph reads to byte ${Number(data[1]) + Number(data[2])}. It may have been copied or downloaded in part.`;
  const [, wrong, refusing] =
    /Type '(?:tensor\((\w+)\)|[^']*)' of input parameter .*? of operator \((\w+)\)/.exec(message) ?? [];
  if (refusing !== undefined)
    return wrong === 'double'
      ? `Convert the data to float32 before the export (in Python: X.astype("float32"), or FloatTensorType for each number): ${refusing} takes no float64, which the exporter gave it.`
      : `Export the model with types that ${refusing} takes, or with a newer exporter: this one made a graph that ONNX does not allow.`;
  const [, declares, giving, gives] =
    /Type \(tensor\((\w+)\)\) of output arg \(.*?\) of node \((.*?)\) does not match expected type \(tensor\((\w+)\)\)/.exec(
      message,
    ) ?? [];
  if (giving !== undefined)
    return declares === 'double' && gives === 'float'
      ? `Convert the data to float32 before the export (in Python: X.astype("float32")): ${giving} gives float32, and the exporter declares float64, as the data are.`
      : `Declare the output of ${giving} as ${gives} in the graph, where it is ${declares}, or export the model with a newer exporter.`;
  const [, mixing, one, other] =
    /of Optype \((\w+)\) bound to different types \(tensor\((\w+)\) and tensor\((\w+)\)/.exec(message) ?? [];
  if (mixing !== undefined)
    return `Give the inputs of ${mixing} one type: the graph has ${one} and ${other} there. Convert all of it to float16 or to float32, or put a Cast before ${mixing}.`;
  const [, lacking] = /Could not find an implementation for (\w+)\(\d+\)/.exec(message) ?? [];
  if (lacking !== undefined)
    return `Export the model in float32: ONNX Runtime has ${lacking}, but not for the types that this graph gives it. Or compute that part in a transform.ts.`;
  return 'Export the model again, for an opset that this version knows.';
}
