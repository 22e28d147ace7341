/**
 * sha256 of files that this process has just written or read whole, by path and mark: a model of gigabytes is
 * not read again for each question about it.
 */
const known = new Map<string, { readonly mark: string; readonly sha256: string }>();

export const noteSha256 = (path: string, mark: string, sha256: string): void =>
  void known.set(path, { mark, sha256 });

/** @returns undefined where the file is not known, or has another mark now */
export function notedSha256(path: string, mark: string): string | undefined {
  const found = known.get(path);
  return found?.mark === mark ? found.sha256 : undefined;
}
