import type { Model } from '../declaration/model.ts';
import { askHttp, inferUrl } from '../serve/ask.ts';
import { keptPost } from './post.ts';
import type { BenchTarget } from './target.ts';

/** A running `serve`, a device or anything else that speaks the protocol. */
export async function benchUrl<T>(
  model: Model,
  url: string,
  work: (target: BenchTarget) => Promise<T>,
): Promise<T> {
  const base = inferUrl(url, model);
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
