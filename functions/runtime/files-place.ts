import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { ENV } from '../../core/endpoint/contract.ts';
import type { ReadRange } from '../../core/ports/files.ts';

/** Where an artifact’s files are that are not beside the handler: each named by its digest. */
export type FilesPlace = {
  readonly read: ReadRange;
  /** The variable and its value, for what goes wrong: `MODELS_FILES_FOLDER (/mnt/models)`. */
  readonly name: string;
  /** What to do about a file that is not what was packaged. */
  readonly fix: string;
};

/**
 * The folder that the environment names, else its bucket.
 * @throws Error that names the variable, its value and the fix
 */
export async function filesPlace(environment: NodeJS.ProcessEnv): Promise<FilesPlace> {
  const { [ENV.filesFolder]: folder } = environment;
  if (folder !== undefined) return folderPlace(folder);
  const { [ENV.filesBucket]: bucket, [ENV.filesPrefix]: prefix } = environment;
  if (bucket === undefined || prefix === undefined)
    throw new Error(
      `The environment lacks ${ENV.filesBucket} or ${ENV.filesPrefix}, where the model’s files are. Set both, or ${ENV.filesFolder}.`,
    );
  const { AWS_ENDPOINT_URL_S3: own, AWS_ENDPOINT_URL: all } = environment;
  return bucketPlace(bucket, prefix, (own ?? all) !== undefined);
}

function folderPlace(folder: string): FilesPlace {
  const name = `${ENV.filesFolder} (${folder})`;
  if (!isAbsolute(folder))
    throw new Error(`${name} is not an absolute path. Set it to that of a folder with the model’s files.`);
  const fix = 'Copy it there again from the registry.';
  const read: ReadRange = async (sha256, start, end) => {
    const path = join(folder, sha256);
    try {
      // A pipe would else be waited for.
      const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        if (!(await file.stat()).isFile()) throw Object.assign(new Error(), { code: 'EISDIR' });
        return await readWhole(file, start, end);
      } finally {
        await file.close();
      }
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      const [what, todo] = FAULTS[code] ?? ['it cannot be read', 'Check the volume that is mounted there'];
      throw new Error(`${name}: ${what}: ${path} (${code}). ${todo}.`, { cause: error });
    }
  };
  return { read, name, fix };
}

const MISSING = 'the file is not there';
const FAULTS: Readonly<Record<string, readonly [what: string, fix: string]>> = {
  ENOENT: [MISSING, 'Mount the folder, and copy the file there from the registry, under this name'],
  ENOTDIR: [MISSING, 'Name a folder'],
  EACCES: ['it may not be read', 'Let the user that the host runs as read it'],
  EPERM: ['it may not be read', 'Let the user that the host runs as read it'],
  EISDIR: ['it is no file', 'Remove it, and copy the file there from the registry, under this name'],
  ELOOP: ['its links lead nowhere', 'Copy the file there from the registry, under this name'],
};

async function readWhole(
  file: Awaited<ReturnType<typeof open>>,
  start: number,
  end: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - start);
  let at = 0;
  while (at < bytes.length) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, start + at);
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return bytes.subarray(0, at);
}

/** @param isOther another store than AWS’s, which need not have a name for each bucket */
async function bucketPlace(bucket: string, prefix: string, isOther: boolean): Promise<FilesPlace> {
  // The SDK is the runtime’s, and a host that reads a folder need not have it.
  const { bucketRanges } = await import('../../aws/s3/ranges.ts');
  const name = `${ENV.filesBucket} (${bucket})`;
  const fix = 'Put it there again: deploy, or copy it from the registry.';
  const ranges = bucketRanges(bucket, prefix, isOther);
  const read: ReadRange = async (sha256, start, end) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await ranges(sha256, start, end);
      } catch (error) {
        const isCut = breaksOff(error);
        if (isCut && attempt < ATTEMPTS) continue;
        const { name: code, message } = error instanceof Error ? error : new Error(String(error));
        const what = isCut ? `its answer breaks off (${message})` : `${code}: ${message}`;
        const todo = isCut
          ? 'Check the network between'
          : (REFUSED[code] ?? 'Check the bucket, AWS_ENDPOINT_URL_S3 and the credentials');
        throw new Error(`${name}: s3://${bucket}/${prefix}${sha256} cannot be read: ${what}. ${todo}.`, {
          cause: error,
        });
      }
    }
  };
  return { read, name, fix };
}

/** A large model comes in hundreds of ranges, and one that breaks off is not to end an instance’s start. */
const ATTEMPTS = 3;

/**
 * The SDK repeats what fails before an answer’s head is there, and says so in what it throws; not what breaks
 * off in its body.
 */
const breaksOff = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ECONNRESET' && !('$metadata' in error);

const REFUSED: Readonly<Record<string, string>> = {
  NoSuchBucket: 'Name the bucket of the registry',
  NoSuchKey: `Put it there: deploy, or copy it from the registry; ${ENV.filesPrefix} is what stands before it`,
  AccessDenied: 'Allow s3:GetObject on it; without s3:ListBucket, what is missing is denied, too',
  InvalidRange: 'It was cut off: put it there again',
};
