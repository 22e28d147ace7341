/**
 * The program that loads a bundled transform.ts and says what it exports, in a process of its own: the plugin
 * runs in the framework's, which somebody's endless loop or `process.exit` would take with it. `sandbox/`
 * starts it.
 */
import { pathToFileURL } from 'node:url';
import type { ProcessReply } from '../sandbox/sandbox.ts';

/** What a transform exports. `inputs` and `outputs` are as JSON carries them, and unchecked. */
export type Exports = {
  readonly names: readonly string[];
  readonly inputs?: unknown;
  readonly outputs?: unknown;
  /** What `typeof` says. */
  readonly pre: string;
  readonly post: string;
};

// `on` keeps the process for an await that never ends: the deadline says then what it was.
process.on('message', async ({ file }: { readonly file: string }) => {
  const reply = await evaluate(file).then(
    (result): ProcessReply<Exports> => ({ kind: 'done', result }),
    (error: unknown): ProcessReply<Exports> => ({
      kind: 'failed',
      stage: 'loading',
      message: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    }),
  );
  process.send?.(reply, () => process.exit(0));
});

async function evaluate(file: string): Promise<Exports> {
  process.send?.({ kind: 'stage', stage: 'loading' } satisfies ProcessReply<Exports>);
  const loaded: Readonly<Record<string, unknown>> = await import(pathToFileURL(file).href);
  // A function is nothing to JSON, which would be told as a fault of the JSON.
  const plain = (value: unknown): unknown =>
    value === undefined ? undefined : JSON.parse(JSON.stringify(value) ?? 'null');
  return {
    names: Object.keys(loaded),
    inputs: plain(loaded.inputs),
    outputs: plain(loaded.outputs),
    pre: typeof loaded.pre,
    post: typeof loaded.post,
  };
}
