import type { ImagePort } from '../../core/ports/aws.ts';
import { type Chaos, calm } from './chaos.ts';

/** ECR's images by repository and tag, as `repository:tag`. */
export function fakeImages(chaos: Chaos = calm) {
  const images = new Set<string>();
  const port: ImagePort = {
    remove: async (repository, tag) => {
      await chaos('before delete image');
      images.delete(`${repository}:${tag}`);
      await chaos('after delete image');
    },
  };
  return { port, images };
}
