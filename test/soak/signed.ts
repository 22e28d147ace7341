import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { venvPython } from '../../local-aws/venv.ts';
import { readArtifact } from '../../plugins/models/artifact/read.ts';

const run = promisify(execFile);
const MODEL = join(import.meta.dirname, '..', 'fixtures', 'models', 'external');
const RECORDED = join(import.meta.dirname, '..', 'fixtures', 'signed');

/** Who signs, and by what that is checked. */
const SIGNERS = {
  p256: { key: 'p256.pub' },
  p384: { key: 'p384.pub' },
  p521: { key: 'p521.pub' },
  stranger: { signs: 'other', key: 'p256.pub' },
  digital: { chain: ['middle'], ca: 'root.crt' },
  code: { chain: ['middle'], ca: 'root.crt' },
  direct: { chain: ['root'], ca: 'root.crt' },
  unfit: { chain: ['middle'], ca: 'root.crt' },
  deep: { chain: ['second', 'middle'], ca: 'root.crt' },
  early: { chain: ['middle'], ca: 'root.crt' },
  untrusted: { signs: 'digital', chain: ['middle'], ca: 'strange.crt' },
  unchained: { signs: 'digital', chain: ['root'], ca: 'root.crt' },
} as const;

type Signer = {
  readonly signs?: string;
  readonly key?: string;
  readonly ca?: string;
  readonly chain?: readonly string[];
};

/** What is done to a folder after it was signed. */
const CHANGES: Readonly<Record<string, (folder: string) => Promise<unknown>>> = {
  nothing: async () => {},
  'a file changed': (folder) => writeFile(join(folder, 'weights', 'w.bin'), Buffer.alloc(64, 1)),
  'a file missing': (folder) => rm(join(folder, 'notes.txt')),
  'a file extra': (folder) => writeFile(join(folder, 'transform.ts'), 'export const pre = () => ({});'),
  'a file extra, deep below': async (folder) => {
    await mkdir(join(folder, 'weights', 'deep'));
    await writeFile(join(folder, 'weights', 'deep', 'x'), 'x');
  },
  'a link in place of a file': async (folder) => {
    await rm(join(folder, 'notes.txt'));
    await symlink('model.onnx', join(folder, 'notes.txt'));
  },
  'a file that git keeps': (folder) => writeFile(join(folder, '.gitattributes'), '*.onnx filter=lfs'),
};

/**
 * Each signature of model-signing's own command, over each change of what was signed: its verdict is ours.
 * `UPDATE=1` keeps signatures, keys and certificates, which the tests of every run read.
 */
export async function signedModels(): Promise<string> {
  const python = await venvPython({
    name: 'venv-signed',
    requirements: join(import.meta.dirname, 'signed', 'requirements.txt'),
    least: [3, 11],
    who: 'The soak of signatures',
    announce: 'model-signing: installing into .local/venv-signed (about 100 MB) …',
    log: (line) => console.error(line),
  });
  const folder = await mkdtemp(join(tmpdir(), 'soak-signed-'));
  const cache = process.env.SERVERLESS_MODELS_CACHE;
  process.env.SERVERLESS_MODELS_CACHE = join(folder, 'cache');
  const command = join(dirname(python), 'model_signing');
  try {
    await run(python, [join(import.meta.dirname, 'signed', 'keys.py'), folder]);
    let [verdicts, good] = [0, 0];
    for (const [name, signer] of Object.entries(SIGNERS)) {
      await prepare(join(folder, name));
      await sign(command, folder, name, signer);
      if (process.env.UPDATE) await record(folder, name, signer);
      const isTrusted = (await theirs(command, folder, name, signer)) === '';
      for (const [change, make] of Object.entries(isTrusted ? CHANGES : { nothing: async () => {} })) {
        await prepare(join(folder, name), 'model.sig');
        await make(join(folder, name));
        const [their, our] = [await theirs(command, folder, name, signer), await ours(folder, name, signer)];
        console.error(`${name}, ${change}: ${our || 'verified'}`);
        if ((their === '') !== (our === ''))
          throw new Error(
            `${name}, ${change}: theirs is ${their || 'verified'}; ours is ${our || 'verified'}`,
          );
        verdicts += 1;
        if (our === '') good += 1;
      }
    }
    return `${verdicts} verdicts as model-signing’s own, ${good} of them verified`;
  } finally {
    if (cache === undefined) delete process.env.SERVERLESS_MODELS_CACHE;
    else process.env.SERVERLESS_MODELS_CACHE = cache;
    await rm(folder, { recursive: true, force: true });
  }
}

/** The model as it is signed; a signature that is there already stays. */
async function prepare(folder: string, keep?: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder))
    if (name !== keep) await rm(join(folder, name), { recursive: true });
  await cp(MODEL, folder, { recursive: true });
  await writeFile(join(folder, 'notes.txt'), 'Trained on what was there.\n');
}

async function sign(
  command: string,
  folder: string,
  name: string,
  { signs = name, key, chain = [] }: Signer,
) {
  const place = join(folder, name);
  const way =
    key === undefined
      ? [
          'certificate',
          ...['--signing_certificate', join(folder, `${signs}.crt`)],
          ...chain.flatMap((one) => ['--certificate_chain', join(folder, `${one}.crt`)]),
        ]
      : ['key'];
  const more = ['--private_key', join(folder, `${signs}.pem`), '--signature', join(place, 'model.sig')];
  await run(command, ['sign', ...way, ...more, place]);
}

/** @returns why it is not verified; empty where it is */
async function theirs(
  command: string,
  folder: string,
  name: string,
  { key, ca = '' }: Signer,
): Promise<string> {
  const place = join(folder, name);
  const way =
    key === undefined
      ? ['certificate', '--certificate_chain', join(folder, ca)]
      : ['key', '--public_key', join(folder, key)];
  return run(command, ['verify', ...way, '--signature', join(place, 'model.sig'), place]).then(
    () => '',
    (error: { readonly stdout?: string; readonly stderr?: string }) =>
      `${error.stdout}${error.stderr}`.trim() || 'refused',
  );
}

async function ours(folder: string, name: string, { key, ca, signs = name }: Signer): Promise<string> {
  const signed = key === undefined ? { ca, subject: `CN=${signs}` } : { key };
  const context = { key: 'models.churn.artifact', serviceDir: folder, progress: () => {} };
  return readArtifact(name, context, () => {}, signed).then(
    () => '',
    (error: Error) => error.message,
  );
}

async function record(folder: string, name: string, { key, ca = '' }: Signer): Promise<void> {
  await mkdir(RECORDED, { recursive: true });
  await copyFile(join(folder, name, 'model.sig'), join(RECORDED, `${name}.sig`));
  const trusted = key ?? ca;
  await copyFile(join(folder, trusted), join(RECORDED, trusted));
}
