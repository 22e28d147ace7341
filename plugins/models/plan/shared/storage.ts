import type { Facts, Model } from '../../declaration/model.ts';

/** MB of /tmp that every function has, at no price. */
const STORAGE = 512;
/** MB beside the files that are fetched at init, for what the handler itself may write. */
const ROOM = 64;

/** @returns MB of /tmp that a model's function needs: what its settings ask, and room for fetched files */
export function storageSize(model: Pick<Model, 'function'>, { remote }: Pick<Facts, 'remote'>): number {
  const asked = Number(model.function.ephemeralStorageSize ?? STORAGE);
  const bytes = remote.reduce((sum, file) => sum + file.bytes, 0);
  const fetched = bytes === 0 ? 0 : Math.ceil(bytes / 1024 ** 2) + ROOM;
  return Math.max(asked, STORAGE, fetched);
}

/** @returns GB of /tmp that are billed: https://aws.amazon.com/lambda/pricing/ */
export const billedStorage = (model: Pick<Model, 'function'>, facts: Pick<Facts, 'remote'>): number =>
  (storageSize(model, facts) - STORAGE) / 1024;
