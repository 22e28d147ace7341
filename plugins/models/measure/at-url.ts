import { usage } from '../context/context.ts';
import type { Model } from '../declaration/model.ts';
import { askHttp, inferPath } from '../serve/ask.ts';
import { keptPost } from './post.ts';
import type { BenchTarget } from './target.ts';

/** A running `serve`, a device or anything else that speaks the protocol. */
export async function benchUrl<T>(
  model: Model,
  url: string,
  work: (target: BenchTarget) => Promise<T>,
): Promise<T> {
  let base: URL;
  try {
    base = new URL(`${url.replace(/\/+$/, '')}${inferPath(model)}`);
    if (!/^https?:$/.test(base.protocol)) throw new Error('scheme');
  } catch {
    throw usage('--url', `${url} is not an address.`, 'Write for example http://127.0.0.1:8080.');
  }
  const { post, close } = keptPost(base);
  try {
    const { name } = model;
    return await work({
      kind: 'url',
      name: base.origin,
      functionName: name,
      version: base.origin,
      invoke: askHttp(post),
    });
  } finally {
    close();
  }
}
