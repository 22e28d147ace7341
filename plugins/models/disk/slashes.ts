import { sep } from 'node:path';

/** A path with slashes, as every system takes it and as archives, documents and commands to copy have it. */
export const withSlashes = (path: string): string => path.split(sep).join('/');
