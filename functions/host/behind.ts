import type { CatalogManifest } from '../../core/catalog/contract.ts';
import type { Pool } from './pool.ts';

/** What the front asks of the host behind it. */
export type Behind = {
  readonly catalog: () => CatalogManifest;
  /** Script of the docs page. */
  readonly page: string;
  readonly pool: (model: string) => Pool | undefined;
  readonly pools: () => readonly Pool[];
  readonly state: () => 'starting' | 'serving' | 'draining';
  /** Only this machine’s programs and this server’s own pages may call. */
  readonly local: boolean;
};
