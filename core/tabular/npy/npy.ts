import type { TabularFormat } from '../cells/tabular-format.ts';

/** An array of NumPy: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
export const npy: TabularFormat = {
  suffix: '.npy',
  streams: false,
  isArray: true,
  nests: false,
  async open(source, signature, extras) {
    const { openNpy } = await import('./read.ts');
    return openNpy(source, signature, extras);
  },
  async writer(columns, outputs) {
    const { npyWriter } = await import('./write.ts');
    return () => npyWriter(columns, outputs);
  },
};
