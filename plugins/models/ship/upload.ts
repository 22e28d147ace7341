import { open } from 'node:fs/promises';
import { s3Client } from '../../../aws/clients/s3.ts';
import { bytesAt, type ObjectPlace, putFile } from '../../../aws/s3/put-file.ts';
import { errorName, errorStatus, messageOf } from '../../../core/errors/aws-errors.ts';
import { type AwsConfig, waitingFor } from '../../../core/ports/config.ts';
import { awsFix } from '../context/aws-fix.ts';
import { sha256Of, type Upload } from '../disk/files.ts';
import { isProblemError, problemError } from '../problems/errors.ts';

/** Milliseconds that a part may take, as nothing shows in between that it goes on: enough for 0.5 Mbit/s. */
const UPLOADING = 10 * 60_000;

/**
 * Puts files under `<prefix><sha256>`. Named by content, they are never overwritten, and one that is there
 * already costs one request.
 *
 * @param prefix ends in `/`
 * @param named `file`: by their own digests, which are checked, since what is under a wrong one stays there;
 * `zipped`: by those of what is in them
 * @returns how many were not there
 */
export async function uploadFiles(
  aws: AwsConfig,
  bucket: string,
  prefix: string,
  files: readonly Upload[],
  progress: (text: string | undefined) => void,
  named: 'file' | 'zipped' = 'file',
): Promise<number> {
  const client = s3Client(waitingFor(aws, UPLOADING));
  let count = 0;
  try {
    for (const file of files) {
      const place = { bucket, key: `${prefix}${file.sha256}` };
      const found = await bytesAt(client, place).catch((error: unknown) => {
        throw failed(place, error);
      });
      // Another zlib packs the same content into other bytes.
      if (found !== undefined && named === 'file' && found !== file.bytes && !Number.isNaN(found))
        throw another(place, file, found);
      if (found !== undefined) continue;
      if (named === 'file' && (await sha256Of(file.from).catch(() => undefined)) !== file.sha256)
        throw damaged(file);
      const told = (share: number): void =>
        progress(
          `Uploading model files (${Math.round(share * 100)} % of ${Math.round(file.bytes / 1e6)} MB)`,
        );
      await put(client, place, file, told).catch((error: unknown) => {
        throw isProblemError(error) ? error : failed(place, error);
      });
      count += 1;
    }
    return count;
  } finally {
    progress(undefined);
    client.destroy();
  }
}

const damaged = ({ from, sha256 }: Upload, cause?: unknown): Error =>
  problemError(
    [
      {
        code: 'MODELS_CACHE',
        key: 'models',
        value: from,
        message: `${from} is gone, or has other bytes than when it was packaged, with the sha256 ${sha256}.`,
        fix: 'Package again.',
      },
    ],
    cause,
  );

/** Nothing is written over it: each deploy would end green, and no version could ever read its file. */
const another = ({ bucket, key }: ObjectPlace, { bytes }: Upload, found: number): Error =>
  problemError([
    {
      code: 'MODELS_AWS',
      key: 'models',
      value: `s3://${bucket}/${key}`,
      message: `s3://${bucket}/${key} has ${found} bytes, and the file that has this digest has ${bytes}: somebody put something else there.`,
      fix: 'Delete this object, and deploy again.',
    },
  ]);

/** AWS names neither bucket nor key of what it refuses. */
const failed = ({ bucket, key }: ObjectPlace, error: unknown): Error =>
  problemError(
    [
      {
        code: 'MODELS_AWS',
        key: 'models',
        message: `s3://${bucket}/${key} cannot be uploaded: ${wordsOf(error)}.`,
        fix:
          errorName(error) === 'NoSuchBucket'
            ? `Make the bucket ${bucket}, in the service’s region, or name one that is there.`
            : awsFix(
                error,
                'Check credentials and --aws-profile; docs/deploy-policy.md lists what a deploy needs.',
              ),
      },
    ],
    error,
  );

/** An answer to HEAD has no words. */
const wordsOf = (error: unknown): string =>
  errorName(error) === 'Unknown' ? `S3 answers ${errorStatus(error)}` : messageOf(error);

async function put(
  client: Parameters<typeof putFile>[0],
  place: ObjectPlace,
  upload: Upload,
  told: (share: number) => void,
): Promise<void> {
  const file = await open(upload.from).catch((error: unknown) => {
    throw damaged(upload, error);
  });
  try {
    const range = async (start: number, end: number): Promise<Buffer> => {
      const part = Buffer.alloc(end - start);
      const { bytesRead } = await file.read(part, 0, part.length, start);
      // Else zeros would be put, and stay, under the digest of what was there.
      if (bytesRead < part.length) throw damaged(upload);
      return part;
    };
    await putFile(client, place, { bytes: upload.bytes, range }, told);
  } finally {
    await file.close();
  }
}
