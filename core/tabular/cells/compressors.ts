import * as zlib from 'node:zlib';

/** @param length that it must have unpacked: more is not unpacked */
type Unpack = (input: Uint8Array, length: number) => Uint8Array;

/**
 * What unpacks Parquet’s pages: Node has what hyparquet leaves to others (Snappy it brings itself); Zstandard
 * since 22.15.
 */
export const COMPRESSORS: { readonly GZIP: Unpack; readonly BROTLI: Unpack; readonly ZSTD?: Unpack } = {
  GZIP: (input, length) => zlib.gunzipSync(input, limit(length)),
  BROTLI: (input, length) => zlib.brotliDecompressSync(input, limit(length)),
  ...('zstdDecompressSync' in zlib
    ? { ZSTD: (input: Uint8Array, length: number) => zlib.zstdDecompressSync(input, limit(length)) }
    : {}),
};

const limit = (length: number): { readonly maxOutputLength: number } => ({
  maxOutputLength: Math.max(1, length),
});
