import type { ArtifactFormat } from '../../contracts/artifact-format.ts';
import { inspect } from './inspect.ts';
import { withLocale } from './locale-source.ts';
import { type OnnxInfo, readOnnxFile } from './onnx.ts';
import { optimise } from './optimise.ts';
import { hostRuntime, lambdaRuntime, layerBytes, ON_LAMBDA, ORT_VERSION } from './runtime.ts';
import { short } from './short.ts';

const MAIN = 'model.onnx';

/** A graph, its weights in it or in files beside it. */
export const onnxFormat: ArtifactFormat<OnnxInfo> = {
  name: 'onnx',
  main: MAIN,
  matches: (files) => files.some((path) => path.endsWith('.onnx')),
  read: readOnnxFile,
  adapt: withLocale,
  inspect,
  prepare: async (source, key, runtime, how) =>
    how.optimize
      ? optimise(source, key, runtime, how)
      : { files: source.files, optimized: 'Not optimised: optimize is false.' },
  runtime: {
    name: 'ONNX Runtime',
    version: ORT_VERSION,
    purl: `pkg:npm/onnxruntime-node@${ORT_VERSION}`,
    here: hostRuntime,
    bytes: layerBytes,
    onLambda: { ...ON_LAMBDA, folder: lambdaRuntime },
    gist: short,
    session: 'plugins/models/artifact/onnx/session',
  },
};
