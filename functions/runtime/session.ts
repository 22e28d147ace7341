import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { InferenceSession, OnnxValue } from 'onnxruntime-common';
import { type Manifest, MB_PER_VCPU } from '../../core/endpoint/contract.ts';
import { withoutTelemetry } from '../../core/node/telemetry.ts';
import type { Session } from '../../core/ports/session.ts';
import { ortTypeOf, type Tensor } from '../../core/tensor/datatypes.ts';

type Ort = Pick<typeof import('onnxruntime-common'), 'Tensor' | 'env'>;

/**
 * What onnxruntime-node is below its JavaScript: `InferenceSession.run` of the package lets the event loop go
 * round once and checks what the signature has had checked, which is a quarter of a small model's time. The
 * package comes in our own layer, one version by its digest, so this is as firm as the rest of it.
 */
type Native = {
  readonly binding: {
    readonly InferenceSession: new () => {
      loadModel(path: string, options: InferenceSession.SessionOptions): void;
      readonly outputMetadata: readonly { readonly name: string }[];
      run(
        feeds: Readonly<Record<string, OnnxValue>>,
        fetches: Readonly<Record<string, null>>,
        options: object,
      ): InferenceSession.OnnxValueMapType;
    };
  };
  /** Once; reads `env.logLevel`. */
  initOrt(): void;
};

/**
 * Loads the model: from a path, so that external weights are mapped rather than read; with as many threads as
 * there are whole vCPUs, since ONNX Runtime counts the host's cores and would fight itself for the share that
 * the memory setting buys.
 *
 * @throws where ONNX Runtime is not on the NODE_PATH, a file is missing, or the model is refused
 */
export async function openSession(manifest: Manifest, environment: NodeJS.ProcessEnv): Promise<Session> {
  const { ort, native } = loadRuntime();
  // ONNX Runtime prints a failed kernel's message, with values of the request in it, to the log. We tell of
  // failures.
  ort.env.logLevel = 'fatal';
  const path = join(await artifactFolder(manifest, environment), manifest.file);
  native.initOrt();
  const session = new native.binding.InferenceSession();
  session.loadModel(path, {
    intraOpNumThreads: threadsFor(environment.AWS_LAMBDA_FUNCTION_MEMORY_SIZE),
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    logSeverityLevel: 4,
  });
  const all = wanted(session.outputMetadata.map(({ name }) => name));
  return {
    run(tensors, fetches) {
      const feeds: Record<string, OnnxValue> = Object.create(null);
      for (const name in tensors) feeds[name] = ortValue(ort, tensors[name] as Tensor);
      return session.run(feeds, fetches === undefined ? all : wanted(fetches), {});
    },
  };
}

function wanted(names: readonly string[]): Record<string, null> {
  const fetches: Record<string, null> = Object.create(null);
  for (const name of names) fetches[name] = null;
  return fetches;
}

function loadRuntime(): { readonly ort: Ort; readonly native: Native } {
  try {
    withoutTelemetry(process.env);
    // Not bundled and not imported: it comes with the layer, found by NODE_PATH, which only CommonJS honours.
    const require = createRequire(import.meta.url);
    return { ort: require('onnxruntime-node'), native: require('onnxruntime-node/dist/binding.js') };
  } catch (cause) {
    throw new Error('ONNX Runtime could not be loaded. Is its layer attached, for this architecture?', {
      cause,
    });
  }
}

/** @param memory MB, as Lambda says it; elsewhere absent */
export function threadsFor(memory: string | undefined): number {
  return Math.max(1, Math.floor(Number(memory ?? 0) / MB_PER_VCPU));
}

function ortValue(ort: Ort, { datatype, data, shape }: Tensor): OnnxValue {
  if (datatype === 'FP16') {
    // Where JavaScript has Float16Array, the constructor would make one of this, which the binding cannot
    // read ("not enough space: expected 6, got 0"); it reads any object of a tensor's shape.
    return { type: 'float16', data, dims: shape, location: 'cpu' } as unknown as OnnxValue;
  }
  return new ort.Tensor(ortTypeOf(datatype) as 'float32', data as Float32Array, shape as number[]);
}

/**
 * The folder below which `manifest.file` lies: the zip's own, or one in /tmp where parts of the artifact come
 * from the bucket.
 */
async function artifactFolder(manifest: Manifest, environment: NodeJS.ProcessEnv): Promise<string> {
  const root = environment.LAMBDA_TASK_ROOT ?? process.cwd();
  if (manifest.remote.length === 0) return root;
  // Imported here, as few artifacts need it: node:fs/promises alone would be 3 ms of every cold start.
  const { wholeArtifact } = await import('./remote.ts');
  return wholeArtifact(manifest, root, environment);
}
