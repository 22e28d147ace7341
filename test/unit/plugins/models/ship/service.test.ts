/** A package that came from elsewhere, and lacks a part. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isProblemError } from '../../../../../plugins/models/problems/errors.ts';
import {
  packagedImages,
  packagedSignatures,
  uploadService,
} from '../../../../../plugins/models/ship/service.ts';

const place = { bucket: 'bucket', prefix: '' };

it.each([undefined, '{"layers":['])(
  'a list of what to upload that is %j is told with what to do',
  async (text) => {
    const folder = await mkdtemp(join(tmpdir(), 'serverless-models-'));
    try {
      if (text !== undefined) {
        await mkdir(join(folder, 'models'));
        await writeFile(join(folder, 'models', 'uploads.json'), text);
      }
      for (const read of [
        () => uploadService(folder, { region: 'us-east-1' }, { layers: place, files: place }, () => {}),
        () => packagedImages(folder),
        // A package of an earlier plugin has none.
        ...(text === undefined ? [] : [() => packagedSignatures(folder)]),
      ]) {
        const error: unknown = await read().catch((reason: unknown) => reason);
        if (!isProblemError(error)) throw error;
        expect(error.message).toMatch(/uploads\.json cannot be read.*Package again/);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
);
