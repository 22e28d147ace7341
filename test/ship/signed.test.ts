/**
 * Signatures that model-signing's own command made over the model `external` and a file `notes.txt`; whether
 * it says the same of each is seen by `npm run soak -- signed`.
 */
import { createHash, generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { copyFile, cp, mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readArtifact } from '../../plugins/models/artifact/read.ts';
import type { Signed } from '../../plugins/models/artifact/signature/verify.ts';
import { isProblemError } from '../../plugins/models/problems/errors.ts';
import { bundleTransform } from '../../plugins/models/ship/bundled-transform.ts';
import { readSource } from '../../plugins/models/ship/source.ts';
import { FIXTURES, modelOf, newService } from './setup.ts';

const RECORDED = join(FIXTURES, '..', 'signed');
const service = newService();
beforeAll(async () => {
  for (const name of await readdir(RECORDED))
    await service.write(`keys/${name}`, await readFile(join(RECORDED, name)));
});

/** A folder with what was signed, and the signature of this name. */
async function folderOf(name: string, signature = name): Promise<string> {
  const folder = service.at(name);
  await rm(folder, { recursive: true, force: true });
  await cp(join(FIXTURES, 'external'), folder, { recursive: true });
  await writeFile(join(folder, 'notes.txt'), 'Trained on what was there.\n');
  await copyFile(join(RECORDED, `${signature}.sig`), join(folder, 'model.sig'));
  return folder;
}
const read = (artifact: string, signed: Signed) =>
  readArtifact(
    artifact,
    { key: 'models.churn.artifact', serviceDir: service.at(), progress: () => {} },
    () => {},
    signed,
  );
async function refused(artifact: string, signed: Signed): Promise<string> {
  const error: unknown = await read(artifact, signed).catch((reason: unknown) => reason);
  if (!isProblemError(error)) throw error;
  expect(error.problems).toMatchObject([
    { code: 'MODELS_SIGNATURE', key: expect.stringMatching(/^models\.churn\.signed/) },
  ]);
  return error.message;
}
const BY_KEY: Signed = { key: 'keys/p256.pub' };
const BY_ROOT: Signed = { ca: 'keys/root.crt', subject: 'CN=digital' };

describe('who signed', () => {
  it.each([
    ['p256', { key: 'keys/p256.pub' }, /^the key [0-9a-f]{12}…$/],
    ['p384', { key: 'keys/p384.pub' }, /^the key /],
    ['p521', { key: 'keys/p521.pub' }, /^the key /],
    ['digital', BY_ROOT, /^O=Example, CN=digital$/],
    ['direct', { ca: 'keys/root.crt', subject: 'CN=direct, O=Example' }, /CN=direct$/],
    ['code', { ca: 'keys/root.crt', subject: 'O=Example' }, /CN=code$/],
  ] as const)('%s is verified', async (name, signed, by) => {
    await folderOf(name);
    const { signedBy, files } = await read(name, signed);
    expect(signedBy).toMatch(by);
    expect(files.map(({ path }) => path)).toEqual(['model.onnx', 'weights/w.bin']);
  });

  it.each([
    ['stranger', BY_KEY, 'was made with another key'],
    ['p384', BY_KEY, 'was made with another key'],
    ['unfit', { ...BY_ROOT, subject: 'CN=unfit' }, 'that is not for signing'],
    ['deep', { ...BY_ROOT, subject: 'CN=deep' }, 'whose issuer may not issue so long a chain'],
    ['early', { ...BY_ROOT, subject: 'CN=early' }, 'whose issuer was not valid then'],
    ['untrusted', { ca: 'keys/strange.crt', subject: 'CN=digital' }, 'that leads to none of `ca`'],
    ['unchained', BY_ROOT, 'that leads to none of `ca`'],
    ['digital', { ...BY_ROOT, subject: 'CN=else' }, 'was made by O=Example, CN=digital, and not by CN=else'],
    ['digital', { ...BY_ROOT, subject: 'CN=digi' }, 'and not by CN=digi'],
    ['digital', BY_KEY, 'was made with a certificate, and a key is declared'],
    ['p256', BY_ROOT, 'was made with a key, and a certificate is declared'],
    ['p256', { key: 'keys/none.pub' }, 'keys/none.pub does not exist'],
    ['p256', { key: 'keys/p256.sig' }, 'the key is no public key in PEM'],
    ['digital', { ca: 'keys/p256.pub', subject: 'CN=digital' }, '`ca` has no certificate in PEM'],
    ['p256', { ...BY_KEY, file: 'keys/none.sig' }, 'There is no signature keys/none.sig'],
  ] as const)('%s by %j: %s', async (name, signed, message) => {
    await folderOf(name);
    expect(await refused(name, signed)).toContain(message);
  });
});

describe('what was signed', () => {
  it.each([
    [
      'a file changed',
      (at: string) => writeFile(join(at, 'weights', 'w.bin'), Buffer.alloc(64, 1)),
      'weights/w.bin was changed',
    ],
    ['a file missing', (at: string) => rm(join(at, 'notes.txt')), 'notes.txt is missing'],
    [
      'a transform added',
      (at: string) => writeFile(join(at, 'transform.ts'), 'export {}'),
      'transform.ts is not signed',
    ],
    [
      'a file deep below added',
      async (at: string) => {
        await mkdir(join(at, 'weights', 'deep'));
        await writeFile(join(at, 'weights', 'deep', 'x'), 'x');
      },
      'weights/deep/x is not signed',
    ],
    [
      'the same content by a link',
      async (at: string) => {
        await copyFile(join(at, 'notes.txt'), service.at('elsewhere.txt'));
        await rm(join(at, 'notes.txt'));
        await symlink(service.at('elsewhere.txt'), join(at, 'notes.txt'));
      },
      'notes.txt is a link',
    ],
    [
      'no signature',
      (at: string) => rm(join(at, 'model.sig')),
      'There is no signature model.sig beside the artifact',
    ],
    ['a signature cut off', (at: string) => writeFile(join(at, 'model.sig'), '{"mediaType":'), 'is no JSON'],
  ] as const)('%s is refused', async (_, change, message) => {
    const folder = await folderOf('p256');
    await change(folder);
    expect(await refused('p256', BY_KEY)).toContain(message);
  });

  it('a file of the folder is verified by itself, with the weights that it names', async () => {
    const folder = await folderOf('p256');
    expect((await read('p256/model.onnx', BY_KEY)).signedBy).toMatch(/^the key /);
    await writeFile(join(folder, 'weights', 'w.bin'), Buffer.alloc(64, 1));
    expect(await refused('p256/model.onnx', BY_KEY)).toContain('weights/w.bin was changed');
  });

  it('an artifact that was signed is not the other one that stands there now', async () => {
    const folder = await folderOf('p256');
    await copyFile(join(FIXTURES, 'add.onnx'), join(folder, 'model.onnx'));
    expect(await refused('p256', BY_KEY)).toContain('model.onnx was changed');
  });
});

describe('a signature of our own making, whose key is right', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  type Resource = { name: string; algorithm: string; digest: string };
  type Whole = ReturnType<typeof statementOf>;
  const asItIs = (whole: Whole): object => whole;
  /** @param more files of the folder, by path @param reads the artifact, once it is signed */
  async function signed(
    change: (statement: Whole) => object,
    more: Readonly<Record<string, string>> = {},
    reads = (): Promise<unknown> => read('own', { key: 'keys/own.pub' }),
  ): Promise<string> {
    await folderOf('own', 'p256');
    for (const [name, text] of Object.entries(more)) await service.write(`own/${name}`, text);
    await service.write('keys/own.pub', publicKey.export({ type: 'spki', format: 'pem' }));
    const resources: Resource[] = [];
    for (const name of ['model.onnx', 'notes.txt', 'weights/w.bin', ...Object.keys(more)])
      resources.push({ name, algorithm: 'sha256', digest: sha256(await readFile(service.at('own', name))) });
    const payload = Buffer.from(JSON.stringify(change(statementOf(resources))));
    const type = 'application/vnd.in-toto+json';
    const encoded = Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload]);
    const sig = signBytes('sha256', encoded, privateKey).toString('base64');
    const bundle = {
      mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      verificationMaterial: { publicKey: { hint: '' } },
      dsseEnvelope: { payload: payload.toString('base64'), payloadType: type, signatures: [{ sig }] },
    };
    await service.write('own/model.sig', JSON.stringify(bundle));
    return reads().then(
      () => 'verified',
      (error: Error) => error.message,
    );
  }
  const rootOf = (resources: readonly Resource[]): string =>
    sha256(Buffer.concat(resources.map(({ digest }) => Buffer.from(digest, 'hex'))));
  const statementOf = (resources: readonly Resource[], more: object = {}) => ({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'own', digest: { sha256: rootOf(resources) } }],
    predicateType: 'https://model_signing/signature/v1.0',
    predicate: {
      serialization: {
        method: 'files',
        hash_type: 'sha256',
        allow_symlinks: false,
        ignore_paths: [],
        ...more,
      },
      resources,
    },
  });
  const without = (name: string, more: object) => (whole: ReturnType<typeof statementOf>) =>
    statementOf(
      whole.predicate.resources.filter((one) => one.name !== name),
      more,
    );

  it.each([
    ['as it is', asItIs, 'verified'],
    [
      'a file that is not deployed left out',
      without('notes.txt', { ignore_paths: ['notes.txt'] }),
      'verified',
    ],
    [
      'the graph left out',
      without('model.onnx', { ignore_paths: ['model.onnx'] }),
      'model.onnx is not signed',
    ],
    [
      'digests of shards',
      (whole: ReturnType<typeof statementOf>) => statementOf(whole.predicate.resources, { method: 'shards' }),
      'only sha256 of whole files is read',
    ],
    [
      'another digest over all',
      (whole: ReturnType<typeof statementOf>) => ({
        ...whole,
        subject: [{ name: 'x', digest: { sha256: '0'.repeat(64) } }],
      }),
      'that does not fit them',
    ],
    ['no file at all', () => statementOf([]), 'that does not fit them'],
    [
      'a file twice',
      (whole: ReturnType<typeof statementOf>) =>
        statementOf([...whole.predicate.resources, ...whole.predicate.resources]),
      'without a sha256, or twice',
    ],
    [
      'another statement',
      (whole: object) => ({ ...whole, predicateType: 'https://slsa.dev/provenance/v1' }),
      'is no statement about a model',
    ],
    [
      'of 0.2',
      (whole: object) => ({ ...whole, predicateType: 'https://model_signing/Digests/v0.1' }),
      'model-signing 1.0 or later',
    ],
  ] as const)('%s', async (_, change, message) => {
    expect(await signed(change as (statement: Whole) => object)).toContain(message);
  });

  describe('what is bundled', () => {
    const transform = "import { one } from './words/one';\nexport const post = () => one;\n";
    const more = { 'transform.ts': transform, 'words/one.ts': 'export const one = 1;\n' };
    const model = modelOf('own', { signed: { key: 'keys/own.pub' } });
    const bundled = () => readSource(model, service.context());

    it('is verified with the artifact, and is what it would be without', async () => {
      let made: Awaited<ReturnType<typeof bundled>> | undefined;
      const reading = async (): Promise<void> => {
        made = await bundled();
      };
      expect(await signed(asItIs, more, reading)).toBe('verified');
      const { signed: _, ...unsigned } = model;
      const { transform: other } = await readSource(unsigned, service.context());
      expect(made?.transform).toMatchObject({ ...other, files: expect.anything() });
      expect(made?.transform?.files).toEqual(
        Object.entries(more).map(([path, text]) => ({ path, sha256: sha256(Buffer.from(text)) })),
      );
    });

    it.each([
      ['transform.ts', 'transform.ts'],
      ['words/one.ts', 'words'],
    ])('%s must be signed, though who signed left %s out', async (name, path) => {
      const leftOut = without(name, { ignore_paths: [path] });
      expect(await signed(leftOut, more, bundled)).toContain(`${name} is not signed`);
      expect(await signed(leftOut, {}, bundled)).toBe('verified');
    });

    it('is what is held against the signature, whatever the file has by then', async () => {
      const reading = async (): Promise<unknown> => {
        const { signed: by = {} } = model;
        const context = { ...service.context(), key: 'models.churn.artifact' };
        return readArtifact(
          'own',
          context,
          () => {},
          by,
          async (folder) => {
            await service.write('own/transform.ts', 'export const post = () => "evil";');
            const made = await bundleTransform(folder, model);
            await service.write('own/transform.ts', transform);
            return made?.files ?? [];
          },
        );
      };
      expect(await signed(asItIs, more, reading)).toContain('transform.ts was changed');
    });

    it('must be signed by its name where that is a link to elsewhere', async () => {
      const linked = async (): Promise<unknown> => {
        await service.write('elsewhere.ts', 'export const post = () => "evil";');
        await rm(service.at('own/transform.ts'));
        await symlink(service.at('elsewhere.ts'), service.at('own/transform.ts'));
        return bundled();
      };
      const leftOut = without('transform.ts', { ignore_paths: ['transform.ts'] });
      expect(await signed(leftOut, more, linked)).toContain('transform.ts is not signed');
    });

    it.each(['words/one.ts', 'words'])('must be signed where %s leads elsewhere', async (link) => {
      const linked = async (): Promise<unknown> => {
        await service.write('elsewhere/one.ts', 'export const one = "evil";');
        await rm(service.at('own', link), { recursive: true });
        await symlink(
          service.at(link === 'words' ? 'elsewhere' : 'elsewhere/one.ts'),
          service.at('own', link),
        );
        return bundled();
      };
      const leftOut = without('words/one.ts', { ignore_paths: ['words'] });
      expect(await signed(leftOut, more, linked)).toContain('words/one.ts is not signed');
      // What leads nowhere else is what it was.
      expect(await signed(asItIs, more, linked)).toContain('words/one.ts was changed');
    });
  });

  it('with another key, where it does not tell which one it was', async () => {
    expect(await signed((whole) => whole)).toBe('verified');
    await copyFile(join(RECORDED, 'p256.pub'), service.at('keys/own.pub'));
    expect(await refused('own', { key: 'keys/own.pub' })).toContain('does not fit what it signs');
  });
});
