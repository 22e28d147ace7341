/**
 * ONNX Runtime tells Microsoft of the processes that load it, on Linux and macOS since 1.29: names and
 * digests of models, the machine, counts of runs. For that it keeps an id and a database in the home folder.
 * This variable, set before it is initialised, turns all of it off; a value of the user's own stays.
 * https://github.com/microsoft/onnxruntime/blob/main/docs/Privacy.md
 * https://github.com/microsoft/onnxruntime/pull/27379
 *
 * @param environment the process's own: what native code reads
 */
export function withoutTelemetry(environment: Record<string, string | undefined>): void {
  environment.ORT_DISABLE_TELEMETRY ??= '1';
}
