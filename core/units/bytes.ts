/** A size as a person reads it: below a tenth of a megabyte in kilobytes, of 1,000 bytes each. */
export const sizeText = (bytes: number): string =>
  bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
