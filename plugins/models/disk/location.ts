import { isAbsolute } from 'node:path';

/** Why weights may not lie there, or undefined. ONNX asks for a relative path below the model's folder. */
export function unsafeLocation(location: string): string | undefined {
  if (location === '') return 'which is no name';
  if (location.includes('\0') || location.includes('\\')) return 'which is no path that every system has';
  if (isAbsolute(location)) return 'an absolute path';
  if (/^[a-zA-Z]:/.test(location)) return 'a path that begins with a drive of Windows';
  if (location.split('/').some((part) => part === '..' || part === '.' || part === '')) {
    return 'a path that may lead out of the model’s folder';
  }
  return undefined;
}
