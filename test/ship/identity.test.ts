/**
 * Signatures by an identity: one that a person made by model-signing at Sigstore's public instance
 * (test/fixtures/sigstore), verified offline by npm's `sigstore` itself.
 */
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { beforeEach, describe, expect, it } from 'vitest';
import { readArtifact } from '../../plugins/models/artifact/read.ts';
import { faultOfIdentity, loadSigstore } from '../../plugins/models/artifact/signature/identity.ts';
import { type Signed, verifySigned } from '../../plugins/models/artifact/signature/verify.ts';
import { sha256Of } from '../../plugins/models/disk/files.ts';
import { isProblemError } from '../../plugins/models/problems/errors.ts';
import { FIXTURES, newService } from './setup.ts';

const RECORDED = join(FIXTURES, '..', 'sigstore');
const VERIFY = fileURLToPath(new URL('../../plugins/models/artifact/signature/verify.ts', import.meta.url));
const BY: Signed = {
  identity: 'stefanb@us.ibm.com',
  issuer: 'https://sigstore.verify.ibm.com/oauth2',
  root: 'trusted_root.json',
};

const service = newService();
beforeEach(async () => {
  await rm(service.at('model'), { recursive: true, force: true });
  await mkdir(service.at('model'));
  for (const name of ['signme-1', 'signme-2', 'model.sig'])
    await cp(join(RECORDED, name), service.at('model', name));
  await cp(join(RECORDED, 'trusted_root.json'), service.at('trusted_root.json'));
});

/** @returns who signed, or why it is refused */
const verified = async (signed: Signed): Promise<string> =>
  verifySigned(signed, {
    key: 'models.churn.signed',
    serviceDir: service.at(),
    folder: service.at('model'),
    names: undefined,
    beside: service.at('model', 'model.sig'),
    shipped: [{ path: 'signme-1', isLink: false, sha256: await sha256Of(service.at('model', 'signme-1')) }],
  }).catch((error: unknown) => {
    if (!isProblemError(error)) throw error;
    expect(error.code).toBe('MODELS_SIGNATURE');
    return error.message;
  });

/** The signature, with something of it changed. */
// biome-ignore lint/suspicious/noExplicitAny: any part of a bundle is changed here
async function changed(change: (bundle: any) => void): Promise<void> {
  const bundle = JSON.parse(await readFile(join(RECORDED, 'model.sig'), 'utf8'));
  change(bundle);
  await writeFile(service.at('model', 'model.sig'), JSON.stringify(bundle));
}

it('is verified, and says who signed, and who knows them', async () => {
  expect(await verified(BY)).toBe('stefanb@us.ibm.com (https://sigstore.verify.ibm.com/oauth2)');
});

describe('who signed', () => {
  it.each([
    ['another one', { ...BY, identity: 'ann@us.ibm.com' }, 'was made by stefanb@us.ibm.com, and not by ann@'],
    // As a pattern each of these would fit.
    ['a pattern', { ...BY, identity: 'stefanb@us.ibm.co.' }, 'and not by stefanb@us.ibm.co.'],
    ['a part', { ...BY, identity: 'stefanb' }, 'and not by stefanb.'],
    ['an empty pattern', { ...BY, identity: '.*' }, 'and not by .*'],
    [
      'by another issuer',
      { ...BY, issuer: 'https://accounts.google.com' },
      'was made by who https://sigstore.verify.ibm.com/oauth2 knows as stefanb@us.ibm.com, and not https://accounts.google.com',
    ],
    ['by a root that is not there', { ...BY, root: 'none.json' }, 'none.json does not exist'],
    ['by a root that is none', { ...BY, root: 'model/signme-1' }, '`root` is no trusted root'],
    ['a key', { key: 'model/signme-1' }, 'cannot be checked: the key is no public key in PEM'],
  ] as const)('%s', async (_, signed, message) => {
    expect(await verified(signed)).toContain(message);
  });

  it('by an instance that is not the one that is trusted', async () => {
    const root = JSON.parse(await readFile(join(RECORDED, 'trusted_root.json'), 'utf8'));
    for (const part of ['tlogs', 'certificateAuthorities', 'ctlogs'])
      for (const one of root[part]) {
        const key = one.publicKey?.rawBytes === undefined ? undefined : one.publicKey;
        if (key !== undefined) one.logId = { keyId: Buffer.alloc(32).toString('base64') };
        else one.certChain.certificates = root.timestampAuthorities[0].certChain.certificates;
      }
    await writeFile(service.at('trusted_root.json'), JSON.stringify(root));
    expect(await verified(BY)).toContain('is not one that Sigstore vouches for');
  });
});

describe('a signature that was changed', () => {
  it.each([
    [
      'not noted in the log',
      // biome-ignore lint/suspicious/noExplicitAny: as above
      (bundle: any) => {
        bundle.verificationMaterial.tlogEntries = [];
      },
      'expected 1 tlog entries, got 0',
    ],
    [
      'noted with another body',
      // biome-ignore lint/suspicious/noExplicitAny: as above
      (bundle: any) => {
        const [entry] = bundle.verificationMaterial.tlogEntries;
        const body = JSON.parse(Buffer.from(entry.canonicalizedBody, 'base64').toString());
        body.spec.payloadHash.value = '0'.repeat(64);
        entry.canonicalizedBody = Buffer.from(JSON.stringify(body)).toString('base64');
      },
      'is not one that Sigstore vouches for',
    ],
    [
      'without a proof of the log',
      // biome-ignore lint/suspicious/noExplicitAny: as above
      (bundle: any) => {
        bundle.verificationMaterial.tlogEntries[0].inclusionProof.hashes.pop();
      },
      'is not one that Sigstore vouches for',
    ],
    [
      'over another statement',
      // biome-ignore lint/suspicious/noExplicitAny: as above
      (bundle: any) => {
        const statement = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString());
        statement.subject[0].name = 'another';
        bundle.dsseEnvelope.payload = Buffer.from(JSON.stringify(statement)).toString('base64');
      },
      'is not one that Sigstore vouches for',
    ],
    [
      'without a certificate',
      // biome-ignore lint/suspicious/noExplicitAny: as above
      (bundle: any) => {
        delete bundle.verificationMaterial.certificate;
      },
      'is not one that Sigstore vouches for',
    ],
  ] as const)('%s', async (_, change, message) => {
    await changed(change);
    expect(await verified(BY)).toContain(message);
  });

  it('one by a key is none by an identity', async () => {
    await cp(join(RECORDED, '..', 'signed', 'p256.sig'), service.at('model', 'model.sig'));
    expect(await verified(BY)).toContain('is not one that Sigstore vouches for');
  });
});

describe('what was signed', () => {
  it.each([
    ['a file changed', () => writeFile(service.at('model', 'signme-2'), 'x'), 'signme-2 was changed'],
    ['a file missing', () => rm(service.at('model', 'signme-2')), 'signme-2 is missing'],
    ['a file extra', () => writeFile(service.at('model', 'transform.ts'), ''), 'transform.ts is not signed'],
  ] as const)('%s', async (_, change, message) => {
    await change();
    expect(await verified(BY)).toContain(message);
  });

  it('an artifact that is another one is refused when it is read', async () => {
    await cp(join(FIXTURES, 'add.onnx'), service.at('model', 'model.onnx'));
    const context = { key: 'models.churn.artifact', serviceDir: service.at(), progress: () => {} };
    await expect(readArtifact('model', context, () => {}, BY)).rejects.toThrow(
      'does not fit the artifact: model.onnx is not signed',
    );
  });
});

describe('the package that verifies', () => {
  it('is looked for from the service, then from the plugin', async () => {
    expect(typeof loadSigstore(service.at())?.Verifier).toBe('function');
    const own = service.at('own');
    const modules = join(own, 'node_modules');
    await mkdir(join(modules, 'sigstore'), { recursive: true });
    await writeFile(join(modules, 'sigstore', 'index.js'), '');
    for (const name of ['bundle', 'verify', 'protobuf-specs', 'tuf']) {
      await mkdir(join(modules, '@sigstore', name), { recursive: true });
      await writeFile(join(modules, '@sigstore', name, 'index.js'), 'exports.of = "the service";');
    }
    expect(loadSigstore(own)).toMatchObject({ of: 'the service' });
  });

  it('where it is not there, it is told how to get it, and which Node it takes', async () => {
    // The plugin in a folder that has no package.
    const outfile = service.at('elsewhere', 'verify.mjs');
    await build({ entryPoints: [VERIFY], bundle: true, platform: 'node', format: 'esm', outfile });
    const plugin: { readonly verifySigned: typeof verifySigned } = await import(outfile);
    const error: unknown = await plugin
      .verifySigned(BY, {
        ...{ key: 'models.churn.signed', serviceDir: service.at(), folder: undefined, names: undefined },
        ...{ beside: service.at('model', 'model.sig'), shipped: [] },
      })
      .catch((reason: unknown) => reason);
    expect(String(error)).toMatch(
      /models\.churn\.signed\.identity: The package sigstore, .* is not installed\. Install it: `npm install --save-dev sigstore@5`\. It takes Node 22\.22\.2/,
    );
  });

  it('says of a public instance that cannot be reached that it cannot be checked', async () => {
    const sigstore = loadSigstore(service.at());
    if (sigstore === undefined) throw new Error('sigstore is not installed');
    const getTrustedRoot = async (): Promise<never> => {
      throw new Error('error refreshing TUF metadata');
    };
    const text = await readFile(join(RECORDED, 'model.sig'), 'utf8');
    const wanted = { identity: BY.identity ?? '', issuer: BY.issuer ?? '', root: undefined };
    expect(await faultOfIdentity({ ...sigstore, getTrustedRoot }, text, wanted)).toBe(
      'cannot be checked: Sigstore’s own root cannot be had (error refreshing TUF metadata)',
    );
  });
});
