import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Registry } from '../../../../../core/registry/port.ts';
import { registry } from '../../../../../core/registry/registry.ts';
import type { Datatype } from '../../../../../core/tensor/contract.ts';
import { aliasLogicalId } from '../../../../../plugins/models/declaration/naming.ts';
import { parseModels } from '../../../../../plugins/models/declaration/parse.ts';
import { askLive } from '../../../../../plugins/models/releases/ask-live.ts';
import {
  type Comparison,
  compareSignature,
  comparisonLines,
  keepSignatures,
  signatureNotices,
} from '../../../../../plugins/models/releases/live-signature.ts';
import type { ClientSignature } from '../../../../../plugins/models/releases/signature.ts';
import { packagedSignatures } from '../../../../../plugins/models/ship/service.ts';
import { SCOPE } from '../../../../fakes/world.ts';
import { live, type World } from '../../../core/release/traffic.ts';

const { models } = parseModels({ churn: { artifact: 'm.onnx' } });
const stepless = parseModels({ churn: { artifact: 'm.onnx', release: { strategy: 'allAtOnce' } } }).models;
const signature = (name: string, datatype: Datatype = 'FP32'): ClientSignature => ({
  inputs: [{ name, datatype, shape: [-1, 3] }],
  outputs: [{ name: 'sum', datatype: 'FP32', shape: [-1] }],
});
const offer = (fingerprint: string) => ({
  model: 'churn',
  identity: 'i',
  source: 's',
  layer: 'l',
  fingerprint,
});
const of = (one: ClientSignature) => new Map([['churn', one]]);
const there = async () => new Set([aliasLogicalId('churn')]);

/** Version 3, of the fingerprint `a`, is live; what its deploy kept is `kept`. */
async function released(kept?: ClientSignature): Promise<{ w: World; documents: Registry }> {
  const w = await live();
  const documents = registry(w.objects.port, SCOPE);
  if (kept !== undefined) await keepSignatures(documents, [offer('a')], of(kept), 'now');
  return { w, documents };
}
const told = (documents: Registry, offered: ClientSignature, aliases = there, declared = models) =>
  signatureNotices(documents, aliases, declared, of(offered), 'prod');

describe('before a deploy uploads anything', () => {
  it('says what of the signature differs from the live version', async () => {
    const { documents } = await released(signature('x'));
    expect(await told(documents, signature('y'))).toEqual([
      'churn: its signature differs from that of version 3, which is live:',
      '  input x is called y now: requests that have x are refused',
      'Clients that send what version 3 takes may be refused; if the change is intended, promote it once clients follow: `sls models promote --model churn --stage prod`.',
    ]);
    expect((await told(documents, signature('y'), there, stepless)).at(-1)).toMatch(/released without steps/);
  });

  it('says nothing where it is the same, where a model is new, and where nothing is packaged', async () => {
    const { documents } = await released(signature('x'));
    expect(await told(documents, signature('x'))).toEqual([]);
    expect(await signatureNotices(documents, there, models, new Map(), 'prod')).toEqual([]);
    const { documents: empty } = await released(signature('x'));
    const other = parseModels({ fraud: { artifact: 'm.onnx' } }).models;
    const offered = new Map([['fraud', signature('y')]]);
    expect(await signatureNotices(empty, there, other, offered, 'prod')).toEqual([]);
  });

  it('says nothing of a live version that was deployed before signatures were kept', async () => {
    const { documents } = await released();
    expect(await told(documents, signature('y'))).toEqual([]);
  });

  it('finds a live version that only its number tells of by its record', async () => {
    const { w, documents } = await released(signature('x'));
    const key = `${SCOPE}releases/churn/live.json`;
    const { stable, ...rest } = JSON.parse(w.objects.objects.get(key)?.text ?? '');
    w.objects.set(key, JSON.stringify({ ...rest, stable: { version: stable.version } }));
    expect((await told(documents, signature('y')))[1]).toMatch(/input x is called y now/);
  });

  it('compares with a document of a newer schema, which tells what is stable, too', async () => {
    const { w, documents } = await released(signature('x'));
    const key = `${SCOPE}releases/churn/live.json`;
    w.objects.set(key, JSON.stringify({ ...JSON.parse(w.objects.objects.get(key)?.text ?? ''), schema: 2 }));
    expect((await told(documents, signature('y')))[1]).toMatch(/input x is called y now/);
  });

  it('says nothing of what was live in a model that was removed, and asks the stack only where something differs', async () => {
    const { documents } = await released(signature('x'));
    let asked = 0;
    const none = async () => {
      asked += 1;
      return new Set<string>();
    };
    expect(await told(documents, signature('x'), none)).toEqual([]);
    expect(asked).toBe(0);
    expect(await told(documents, signature('y'), none)).toEqual([]);
    expect(asked).toBe(1);
    const denied = async (): Promise<never> => Promise.reject(new Error('AccessDenied'));
    expect(await told(documents, signature('y'), denied)).toHaveLength(3);
  });

  it('fails for nothing that it cannot read', async () => {
    const { w, documents } = await released(signature('x'));
    w.objects.set(`${SCOPE}releases/churn/live.json`, 'no JSON');
    expect(await told(documents, signature('y'))).toEqual([]);
    const offered = { model: 'churn', signature: signature('y') };
    expect(await compareSignature(documents, there, offered)).toEqual({
      compared: false,
      reason: expect.stringMatching(/^the registry cannot be read \(.*is not a release document\)$/),
    });
  });
});

describe('what is kept of a deploy', () => {
  const kept = ({ w }: { w: World }): readonly string[] =>
    [...w.objects.objects.keys()].filter((key) => key.includes('/signatures/'));

  it('the signature that clients see, without what they do not', async () => {
    const found = await released();
    const packaged = { ...signature('x'), omitted: ['map'] };
    expect(await keepSignatures(found.documents, [offer('b')], of(packaged), 'now')).toEqual([]);
    expect(kept(found)).toEqual([`${SCOPE}signatures/churn/b.json`]);
    expect(await found.documents.signature('churn', 'b')).toEqual({
      schema: 1,
      model: 'churn',
      fingerprint: 'b',
      at: 'now',
      ...signature('x'),
    });
  });

  it('none without a fingerprint or a package, and none that is too large to be of use', async () => {
    const found = await released();
    const inputs = Array.from({ length: 5000 }, (_, i) => ({
      name: `column-${i}`,
      datatype: 'FP32' as const,
      shape: [-1, 1],
    }));
    for (const [fingerprint, signatures] of [
      ['', of(signature('x'))],
      ['b', new Map()],
      ['b', of({ ...signature('x'), inputs })],
    ] as const)
      expect(await keepSignatures(found.documents, [offer(fingerprint)], signatures, 'now')).toEqual([]);
    expect(kept(found)).toEqual([]);
  });

  it('says so where the registry takes none, and does not fail', async () => {
    const keepSignature = async (): Promise<never> => Promise.reject(new Error('Access Denied'));
    expect(await keepSignatures({ keepSignature }, [offer('b')], of(signature('x')), 'now')).toEqual([
      'churn: its signature could not be kept, so later deploys are not compared with it: Access Denied',
    ]);
  });

  it('is read from the package, whoever made it; from one of an earlier plugin nothing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'models-package-'));
    try {
      expect(await packagedSignatures(folder)).toEqual(new Map());
      await mkdir(join(folder, 'models'));
      const uploads = { layers: [], files: [], registry: [], optimised: [] };
      await writeFile(join(folder, 'models', 'uploads.json'), JSON.stringify(uploads));
      expect(await packagedSignatures(folder)).toEqual(new Map());
      const signatures = { churn: signature('x') };
      await writeFile(join(folder, 'models', 'uploads.json'), JSON.stringify({ ...uploads, signatures }));
      expect(await packagedSignatures(folder)).toEqual(of(signature('x')));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('the lines of a plan', () => {
  const lines = (...found: readonly (readonly [string, Comparison])[]): readonly string[] =>
    comparisonLines(
      parseModels({ churn: { artifact: 'm' }, fraud: { artifact: 'm' } }).models,
      new Map(found),
      'dev',
    );

  it('tell of each model, or once why none is compared', () => {
    const none = { compared: false, reason: 'AWS did not answer within 3 s' } as const;
    const same = { compared: true, version: '4', changes: [] } as const;
    expect(lines(['churn', none], ['fraud', none])).toEqual([
      'not compared with what is live: AWS did not answer within 3 s',
    ]);
    expect(
      lines(['churn', same], ['fraud', { compared: false, reason: 'no version of it is live' }]),
    ).toEqual([
      'churn: the same as that of version 4, which is live',
      'fraud: not compared with what is live: no version of it is live',
    ]);
    const changes = [{ breaks: 'requests', text: 'input x is gone' }] as const;
    expect(lines(['churn', { ...same, changes }], ['fraud', same])).toEqual([
      'churn: its signature differs from that of version 4, which is live:',
      '  input x is gone',
      expect.stringMatching(/^Clients that send what version 4 takes may be refused/),
      'fraud: the same as that of version 4, which is live',
    ]);
    expect(lines()).toEqual([]);
  });
});

describe('a command that must work without AWS', () => {
  const service = { name: 'shop', stage: 'dev', region: 'us-east-1', dir: '.', stack: 'shop-dev' };
  const OFFERED = [{ model: 'churn', signature: signature('x') }];
  const keys = async () => ({ accessKeyId: 'k', secretAccessKey: 's' });
  /** The real clients, against a place that is no AWS. */
  const asked = async (
    endpoint: string,
    credentials: () => ReturnType<typeof keys> = keys,
    bucket: () => Promise<string> = async () => 'b',
    limits: Parameters<typeof askLive>[2] = undefined,
  ) => {
    const begun = performance.now();
    const aws = { region: 'us-east-1', credentials, endpoint };
    const found = await askLive({ aws, bucket, service }, OFFERED, limits);
    const [{ comparison } = {}] = [...found.values()];
    return {
      reason: comparison?.compared === false ? comparison.reason : '',
      took: performance.now() - begun,
    };
  };
  const at = async <T>(
    answer: Parameters<typeof createServer>[1],
    work: (endpoint: string) => Promise<T>,
  ): Promise<T> => {
    const server = createServer(answer ?? (() => {}));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    try {
      return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  };
  /** Where AWS answers, it may take as long as a busy machine needs. */
  const PATIENT = { credentials: 60_000, all: 60_000 };
  const CALLER =
    '<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>a</Arn><Account>1</Account></GetCallerIdentityResult></GetCallerIdentityResponse>';

  it('asks nothing without models', async () => {
    expect(await askLive({ aws: { region: 'x' }, bucket: keys as never, service }, [])).toEqual(new Map());
  });

  it('does not wait for credentials that do not come', async () => {
    const { reason, took } = await asked('http://127.0.0.1:1', () => new Promise(() => {}));
    expect(reason).toBe('there are no credentials of AWS: none were found within 1.5 s');
    expect(took).toBeLessThan(30_000);
  });

  it('says why there are none', async () => {
    const none = async (): Promise<never> => Promise.reject(new Error('Could not load any.\nAnd more.'));
    expect((await asked('http://127.0.0.1:1', none)).reason).toBe(
      'there are no credentials of AWS: Could not load any',
    );
  });

  it('does not wait for an AWS that does not answer', async () => {
    const { reason, took } = await at(
      () => {},
      (endpoint) => asked(endpoint),
    );
    expect(reason).toBe('AWS did not answer within 3 s');
    expect(took).toBeLessThan(30_000);
  });

  it('asks the framework for nothing where AWS is out of reach', async () => {
    let named = 0;
    const bucket = async (): Promise<string> => {
      named += 1;
      return 'b';
    };
    const { reason } = await at(
      (_, answer) => void answer.socket?.destroy(),
      (endpoint) => asked(endpoint, keys, bucket, PATIENT),
    );
    expect(reason).toMatch(/^AWS cannot be asked: /);
    expect(named).toBe(0);
  });

  it('says that the service is not deployed, and does not wait for a bucket that does not come', async () => {
    const caller: Parameters<typeof createServer>[1] = (_, answer) => void answer.end(CALLER);
    const missing = async (): Promise<never> =>
      Promise.reject(new Error('Stack with id shop-dev does not exist'));
    expect((await at(caller, (endpoint) => asked(endpoint, keys, missing, PATIENT))).reason).toBe(
      'shop-dev is not deployed in us-east-1',
    );
    const never = (): Promise<string> => new Promise(() => {});
    expect(
      (await at(caller, (endpoint) => asked(endpoint, keys, never, { credentials: 200, all: 500 }))).reason,
    ).toBe('AWS did not answer within 0.5 s');
  });
});
