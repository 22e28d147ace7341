import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { REGISTRY_LIMITS } from '../../../../../../plugins/models/ship/oci/exchange.ts';
import type { Blob } from '../../../../../../plugins/models/ship/oci/image.ts';
import { openRepository } from '../../../../../../plugins/models/ship/oci/registry.ts';
import { selfSigned } from '../../../../../fakes/certificate.ts';
import { type ImageRegistry, imageRegistry, sha256 } from '../../../../../fakes/image-registry.ts';

const limits = { ...REGISTRY_LIMITS, pause: 1 };
/** Long enough for a busy machine to do anything within it. */
const impatient = { ...limits, patience: 3000, attempts: 1 };
const BYTES = randomBytes(3_000_000);
const DIGEST = sha256(BYTES);
const KEY = `models ${DIGEST}`;

let folder = '';
let blob: Blob;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serverless-models-'));
  const file = join(folder, 'blob');
  await writeFile(file, BYTES);
  blob = { mediaType: 'x', digest: DIGEST, size: BYTES.length, from: { file } };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let server: ImageRegistry;
beforeEach(async () => {
  server = await imageRegistry();
});
afterEach(() => server.stop());
const open = (options: Parameters<typeof openRepository>[1] = {}, repository = 'models') =>
  openRepository({ url: server.url, repository }, { write: true, limits, ...options });
const methods = (): readonly string[] => server.asked.map(({ method }) => method);
const fault = (kind: string, message: RegExp) => ({ kind, message: expect.stringMatching(message) });

describe('a blob is sent', () => {
  it('whole, from a file or from memory, and is then there', async () => {
    const registry = open();
    expect(await registry.hasBlob(DIGEST)).toBe(false);
    let told = 0;
    expect(await registry.putBlob(blob, undefined, (bytes) => (told = bytes))).toBe(BYTES.length);
    expect(told).toBe(BYTES.length);
    expect(await registry.hasBlob(DIGEST)).toBe(true);
    expect(server.blobs.get(KEY)?.equals(BYTES)).toBe(true);
    const bytes = Buffer.from('{}');
    const small: Blob = { mediaType: 'x', digest: sha256(bytes), size: 2, from: { bytes } };
    expect(await registry.putBlob(small)).toBe(2);
    expect(server.blobs.get(`models ${sha256(bytes)}`)).toEqual(bytes);
  });

  it('from another repository of the registry without a byte, and by itself where it is not there', async () => {
    server.blobs.set(`base ${DIGEST}`, BYTES);
    expect(await open().putBlob(blob, 'base')).toBe(0);
    expect(await open({}, 'other').putBlob(blob, 'nowhere')).toBe(BYTES.length);
  });

  it('by itself where who may send here may not read there, as its registry or its server of tokens says', async () => {
    server.blobs.set(`base ${DIGEST}`, BYTES);
    server.misbehave = ({ path }, request, response) => {
      if (!path.includes('mount=')) return false;
      request.resume();
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${server.url}/token",service="s"` }).end();
      return true;
    };
    const refusing = server.misbehave;
    for (const status of [200, 403]) {
      server.blobs.delete(KEY);
      server.misbehave = (asked, request, response) => {
        if (!asked.path.startsWith('/token')) return refusing(asked, request, response);
        response.writeHead(status).end(JSON.stringify({ token: 'of-here-alone' }));
        return true;
      };
      expect(await open().putBlob(blob, 'base'), String(status)).toBe(BYTES.length);
      expect(server.blobs.get(KEY)?.equals(BYTES)).toBe(true);
    }
  });

  it('from where it was cut off, where the registry kept that', async () => {
    let cuts = 0;
    server.misbehave = ({ method, path }, request, response) => {
      if (method !== 'PATCH' || cuts > 0) return false;
      cuts += 1;
      // Half of it arrives, as through a proxy that gives up.
      void (async () => {
        const id = /uploads\/(\d+)/.exec(path)?.[1] ?? '';
        const kept: Buffer[] = [];
        let bytes = 0;
        for await (const chunk of request as AsyncIterable<Buffer>) {
          kept.push(chunk);
          bytes += chunk.length;
          if (bytes > BYTES.length / 2) break;
        }
        server.keep(id, Buffer.concat(kept));
        response.destroy();
      })().catch(() => {});
      return true;
    };
    const sent = await open().putBlob(blob);
    expect(server.blobs.get(KEY)?.equals(BYTES)).toBe(true);
    expect(cuts).toBe(1);
    const second = server.asked.findLast(({ method }) => method === 'PATCH');
    expect(second?.headers['content-range']).toMatch(/^[1-9]\d+-2999999$/);
    // The second time only the rest came in.
    expect(server.received()).toBeLessThan(BYTES.length / 2);
    expect(sent).toBeLessThan(BYTES.length * 1.9);
  });

  it('as often as it is cut off, where each time more of it has come in', async () => {
    let cuts = 0;
    server.misbehave = ({ method, path }, request, response) => {
      if (method !== 'PATCH' || cuts > limits.attempts) return false;
      cuts += 1;
      void (async () => {
        const kept: Buffer[] = [];
        for await (const chunk of request as AsyncIterable<Buffer>) {
          kept.push(chunk);
          if (Buffer.concat(kept).length > 300_000) break;
        }
        server.keep(/uploads\/(\d+)/.exec(path)?.[1] ?? '', Buffer.concat(kept));
        response.destroy();
      })().catch(() => {});
      return true;
    };
    await open().putBlob(blob);
    expect(server.blobs.get(KEY)?.equals(BYTES)).toBe(true);
    expect(cuts).toBeGreaterThan(limits.attempts);
    expect(methods().filter((method) => method === 'POST')).toHaveLength(1);
  });

  it('from the start, where the registry has forgotten what it had', async () => {
    let cuts = 0;
    server.misbehave = ({ method }, request) => {
      if (method !== 'PATCH' || cuts++ > 1) return false;
      request.once('data', () => request.socket.destroy());
      return true;
    };
    await open().putBlob(blob);
    expect(server.blobs.get(KEY)?.equals(BYTES)).toBe(true);
    expect(methods().filter((method) => method === 'POST')).toHaveLength(3);
  });

  it('from the start, where the registry kept something else', async () => {
    let cuts = 0;
    server.misbehave = ({ method, path }, request) => {
      if (method !== 'PATCH' || cuts++ > 0) return false;
      request.once('data', () => {
        server.keep(/uploads\/(\d+)/.exec(path)?.[1] ?? '', Buffer.alloc(1000));
        request.socket.destroy();
      });
      return true;
    };
    await open().putBlob(blob);
    expect(server.blobs.get(KEY)?.equals(BYTES)).toBe(true);
    expect(methods().filter((method) => method === 'POST')).toHaveLength(2);
  });

  it('once, where only the last answer is lost', async () => {
    let lost = 0;
    server.misbehave = ({ method, path }, request) => {
      if (method !== 'PUT' || lost++ > 0) return false;
      server.blobs.set(KEY, BYTES);
      server.forget(/uploads\/(\d+)/.exec(path)?.[1] ?? '');
      request.socket.destroy();
      return true;
    };
    expect(await open().putBlob(blob)).toBe(BYTES.length);
    expect(server.received()).toBe(BYTES.length);
  });

  it('not again, where all of it is there and only the answer to it is lost', async () => {
    let lost = 0;
    server.misbehave = ({ method, path }, request) => {
      if (method !== 'PATCH' || lost++ > 0) return false;
      void (async () => {
        const all: Buffer[] = [];
        for await (const chunk of request as AsyncIterable<Buffer>) all.push(chunk);
        server.keep(/uploads\/(\d+)/.exec(path)?.[1] ?? '', Buffer.concat(all));
        request.socket.destroy();
      })();
      return true;
    };
    expect(await open().putBlob(blob)).toBe(BYTES.length);
    expect(server.blobs.get(KEY)?.equals(BYTES)).toBe(true);
    expect(methods()).toEqual(['POST', 'PATCH', 'HEAD', 'GET', 'PUT']);
  });

  it.each([429, 500, 502, 503])('again after %i, when it is told to', async (status) => {
    let refused = 0;
    const at: number[] = [];
    server.misbehave = ({ method }, request, response) => {
      if (method !== 'POST') return false;
      at.push(performance.now());
      if (refused++ > 0) return false;
      request.resume();
      response.writeHead(status, { 'retry-after': '1' }).end();
      return true;
    };
    await open().putBlob(blob);
    expect(server.blobs.get(KEY)?.equals(BYTES)).toBe(true);
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThan(990);
  });

  it('not again for ever', async () => {
    server.misbehave = (_, request, response) => {
      request.resume();
      response.writeHead(503).end('<html>');
      return true;
    };
    await expect(open().putBlob(blob)).rejects.toMatchObject({
      ...fault('unreachable', /^answers 503$/),
      status: 503,
    });
    expect(server.asked).toHaveLength(limits.attempts);
  });

  it('not at all where the registry refuses it, or answers it otherwise', async () => {
    server.misbehave = ({ method }, request, response) => {
      if (method !== 'POST') return false;
      request.resume();
      response.writeHead(403).end(JSON.stringify({ errors: [{ code: 'DENIED', message: 'no\nway.' }] }));
      return true;
    };
    await expect(open().putBlob(blob)).rejects.toMatchObject(
      fault('refused', /^refuses \(403\): DENIED: no way$/),
    );
    expect(server.asked).toHaveLength(1);
    server.misbehave = ({ method }, request, response) => {
      if (method !== 'POST') return false;
      request.resume();
      response.writeHead(202).end();
      return true;
    };
    await expect(open().putBlob(blob)).rejects.toMatchObject(fault('wrong', /without saying where to go on/));
  });

  it('no further once it is answered, and leaves no connection', async () => {
    let closed: Promise<unknown> | undefined;
    server.misbehave = ({ method }, request) => {
      if (method !== 'PATCH') return false;
      const { socket } = request;
      closed = new Promise((resolve) => socket.once('close', resolve));
      // By a response Node’s server would have a limit of time for the connection.
      socket.write('HTTP/1.1 413 Payload Too Large\r\ncontent-length: 0\r\n\r\n');
      request.resume();
      return true;
    };
    const large = join(folder, 'too-large');
    await writeFile(large, Buffer.alloc(40_000_000));
    await expect(open().putBlob({ ...blob, size: 40_000_000, from: { file: large } })).rejects.toMatchObject(
      fault('wrong', /^answers 413/),
    );
    await closed;
  });

  it('and its digest is the registry’s own finding', async () => {
    await expect(open().putBlob({ ...blob, digest: sha256(Buffer.from('other')) })).rejects.toMatchObject(
      fault('wrong', /^answers 400: DIGEST_INVALID/),
    );
  });

  it('no further where its file cannot be read', async () => {
    const gone = { ...blob, from: { file: join(folder, 'gone') } };
    await expect(open().putBlob(gone)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(methods()).not.toContain('PUT');
  });
});

describe('a registry that is slow', () => {
  it('is given up after a while without an answer', async () => {
    server.misbehave = (_, request) => {
      request.resume();
      return true;
    };
    await expect(open({ limits: impatient }).hasBlob(DIGEST)).rejects.toMatchObject(
      fault('unreachable', /^sends and takes nothing for 3 s$/),
    );
  });

  it('is given up where it stops in the middle of a blob', async () => {
    server.misbehave = (_, _request, response) => {
      response.writeHead(200, { 'content-length': BYTES.length }).write(BYTES.subarray(0, 1000));
      return true;
    };
    await expect(open({ limits: impatient }).getBlob(blob, join(folder, 'slow'))).rejects.toMatchObject(
      fault('unreachable', /after 1000 of 3000000 bytes/),
    );
  });

  it.each([
    ['writes', 'PATCH'],
    ['checks', 'PUT'],
  ])('is waited for while it %s a blob that has come whole', async (_, slow) => {
    server.misbehave = ({ method }, request, response) => {
      if (method !== 'PATCH' && method !== 'PUT') return false;
      request.resume();
      const answer = () => response.writeHead(method === 'PUT' ? 201 : 202, { location: '/next' }).end();
      request.once('end', () => setTimeout(answer, method === slow ? 4000 : 0));
      return true;
    };
    await open({ limits: impatient }).putBlob(blob);
  });

  it('is given up where it stops taking a blob', async () => {
    server.misbehave = ({ method }, request) => {
      if (method === 'PATCH') request.pause();
      return method === 'PATCH';
    };
    const large = join(folder, 'large');
    await writeFile(large, Buffer.alloc(40_000_000));
    const most = { ...blob, size: 40_000_000, from: { file: large } };
    await expect(open({ limits: impatient }).putBlob(most)).rejects.toMatchObject(
      fault('unreachable', /^sends and takes nothing for 3 s$/),
    );
  });

  it('is not given up while bytes come', async () => {
    server.misbehave = (_, _request, response) => {
      response.writeHead(200, { 'content-length': BYTES.length });
      const pieces = 6;
      const size = BYTES.length / pieces;
      // All of them take longer than its patience, and no two lie near it.
      for (let piece = 0; piece < pieces; piece += 1)
        setTimeout(() => response.write(BYTES.subarray(piece * size, (piece + 1) * size)), piece * 2500);
      return true;
    };
    const to = join(folder, 'trickles');
    await open({ limits: { ...impatient, patience: 10_000 } }).getBlob(blob, to);
    expect((await readFile(to)).equals(BYTES)).toBe(true);
  });
});

describe('a blob is fetched', () => {
  it('whole', async () => {
    server.blobs.set(KEY, BYTES);
    const to = join(folder, 'new', 'fetched');
    await open().getBlob(blob, to);
    expect((await readFile(to)).equals(BYTES)).toBe(true);
  });

  it('again where it is cut off', async () => {
    server.blobs.set(KEY, BYTES);
    let cuts = 0;
    server.misbehave = (_, _request, response) => {
      if (cuts++ > 0) return false;
      response.writeHead(200, { 'content-length': BYTES.length }).write(BYTES.subarray(0, 1000), () => {
        response.destroy();
      });
      return true;
    };
    const to = join(folder, 'cut');
    await open().getBlob(blob, to);
    expect((await readFile(to)).equals(BYTES)).toBe(true);
  });

  it.each([
    ['others', Buffer.alloc(BYTES.length), /sends a blob for sha256:\w+ whose digest is sha256:/],
    ['more', Buffer.concat([BYTES, BYTES]), /sends more than the 3000000 bytes/],
    ['fewer', BYTES.subarray(1), /ends after 2999999 of 3000000 bytes/],
  ])('not where it has %s bytes', async (_, bytes, why) => {
    server.blobs.set(KEY, bytes);
    await expect(open().getBlob(blob, join(folder, 'wrong'))).rejects.toThrow(why);
  });

  it('not where it is not there', async () => {
    await expect(open().getBlob(blob, join(folder, 'none'))).rejects.toMatchObject(
      fault('absent', /\(404\)/),
    );
  });

  it('not onto a disk that takes nothing', async () => {
    server.blobs.set(KEY, BYTES);
    await expect(open().getBlob(blob, '/dev/full')).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(server.asked).toHaveLength(1);
  });
});

describe('a manifest', () => {
  const bytes = Buffer.from('{"schemaVersion":2}');
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const document = { bytes, mediaType, digest: sha256(bytes) };

  it('is put under a name, and found by it and by its digest', async () => {
    const registry = open();
    await registry.putManifest('v1', document);
    expect(await registry.getManifest('v1')).toEqual(document);
    expect(await registry.getManifest(document.digest)).toEqual(document);
  });

  it('is refused where it is not the one that was asked for', async () => {
    const other = sha256(Buffer.from('other'));
    server.manifests.set(`models ${other}`, { type: mediaType, bytes });
    await expect(open().getManifest(other)).rejects.toMatchObject(fault('wrong', /whose digest is sha256:/));
  });

  it('is refused where the registry keeps it as another', async () => {
    server.misbehave = (_, request, response) => {
      request.resume();
      response.writeHead(201, { 'docker-content-digest': 'sha256:1' }).end();
      return true;
    };
    await expect(open().putManifest('v1', document)).rejects.toMatchObject(
      fault('wrong', /keeps the manifest as/),
    );
  });

  describe('at a registry that writes a tag once', () => {
    const TAKEN = `The image tag 'v1' already exists in the 'models' repository and cannot be overwritten because the tag is immutable.`;
    /** @param lost the answer that would have told that it was written */
    const once = (kept: Buffer, lost: boolean) => {
      if (!lost) server.manifests.set('models v1', { type: mediaType, bytes: kept });
      server.misbehave = ({ method }, request, response) => {
        if (method !== 'PUT') return false;
        request.resume();
        if (!server.manifests.has('models v1')) {
          server.manifests.set('models v1', { type: mediaType, bytes: kept });
          request.socket.destroy();
        } else
          response.writeHead(400).end(JSON.stringify({ errors: [{ code: 'TAG_INVALID', message: TAKEN }] }));
        return true;
      };
    };

    it.each([
      ['by this push, whose answer is lost', true],
      ['by an earlier push', false],
    ])('is there: %s', async (_, lost) => {
      once(bytes, lost);
      await open().putManifest('v1', document);
    });

    it.each([true, false])('is not there, where the tag is another’s (answer lost: %s)', async (lost) => {
      once(Buffer.from('{}'), lost);
      await expect(open().putManifest('v1', document)).rejects.toMatchObject({
        ...fault('wrong', /^answers 400: TAG_INVALID: The image tag 'v1' already exists/),
        fix: expect.stringMatching(/^Push under another tag/),
      });
    });
  });

  it('is sent again by who may not pull, where the answer is lost', async () => {
    let puts = 0;
    server.misbehave = ({ method }, request, response) => {
      if (method === 'PUT' && puts++ > 0) return false;
      request.resume();
      if (method === 'PUT') request.socket.destroy();
      else response.writeHead(403).end();
      return true;
    };
    await open().putManifest('v1', document);
    expect(puts).toBe(2);
    expect(server.manifests.has('models v1')).toBe(true);
  });

  it('is refused where it has no end', async () => {
    server.misbehave = (_, _request, response) => {
      response.writeHead(200).end(Buffer.alloc(5_000_000));
      return true;
    };
    await expect(open().getManifest('v1')).rejects.toMatchObject(fault('wrong', /more than 4194304 bytes/));
  });
});

describe('who asks', () => {
  const login = { username: 'me', password: 'secret-word' };
  const basic = `Basic ${Buffer.from('me:secret-word').toString('base64')}`;

  it('is told to a registry that wants a name, and to none before it asks', async () => {
    await server.stop();
    server = await imageRegistry({ authorization: basic });
    server.blobs.set(KEY, BYTES);
    expect(await open({ login: async () => login }).hasBlob(DIGEST)).toBe(true);
    expect(server.asked.map(({ headers }) => headers.authorization)).toEqual([undefined, basic]);
    await expect(open().hasBlob(DIGEST)).rejects.toMatchObject(fault('refused', /^refuses \(401\)/));
    const other = { username: 'me', password: 'another' };
    await expect(open({ login: async () => other }).hasBlob(DIGEST)).rejects.toMatchObject(
      fault('refused', /^refuses \(401\)/),
    );
  });

  it('gets a token for what it does, and another once that is too old', async () => {
    const scopes: (string | null)[] = [];
    let token = 0;
    await server.stop();
    server = await imageRegistry();
    server.misbehave = ({ path, headers }, request, response) => {
      const url = new URL(path, server.url);
      if (url.pathname === '/token') {
        scopes.push(...url.searchParams.getAll('scope'), url.searchParams.get('service'));
        response.end(JSON.stringify({ token: `t${headers.authorization === basic ? ++token : 'nobody'}` }));
        return true;
      }
      if (headers.authorization === `Bearer t${token}` && token > 0) return false;
      request.resume();
      const challenge = `Bearer realm="${server.url}/token",service="s, \\"x\\"",scope="repository:x:pull"`;
      response.writeHead(401, { 'www-authenticate': challenge }).end();
      return true;
    };
    const registry = open({ login: async () => login });
    await registry.putBlob(blob, 'base');
    expect(scopes).toEqual([
      'repository:models:pull,push',
      'repository:base:pull',
      // As a proxy calls it.
      'repository:x:pull',
      's, "x"',
    ]);
    token += 1;
    expect(await registry.hasBlob(DIGEST)).toBe(true);
    expect(scopes).toHaveLength(7);
    await expect(
      open({ login: async () => undefined, limits: { ...limits, attempts: 1 } }).hasBlob(DIGEST),
    ).rejects.toMatchObject(fault('refused', /401/));
  });

  it('gets a token for the repository as the registry calls it: behind a mirror it has another name', async () => {
    server.misbehave = ({ path, headers }, request, response) => {
      const url = new URL(path, server.url);
      if (url.pathname === '/token') {
        response.end(JSON.stringify({ token: url.searchParams.getAll('scope').join(' ') }));
        return true;
      }
      if (headers.authorization?.includes('repository:hub/models:pull')) return false;
      request.resume();
      const challenge = `Bearer realm="${server.url}/token",service="s",scope="repository:hub/models:pull"`;
      response.writeHead(401, { 'www-authenticate': challenge }).end();
      return true;
    };
    server.blobs.set(KEY, BYTES);
    expect(await open().hasBlob(DIGEST)).toBe(true);
  });

  it('is told to no other server, wherever the registry sends on', async () => {
    const heard: (string | undefined)[] = [];
    const other = createServer((request, response) => {
      heard.push(request.headers.authorization);
      response.writeHead(200, { 'content-length': BYTES.length }).end(BYTES);
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    await server.stop();
    server = await imageRegistry({ authorization: basic });
    const elsewhere = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    server.misbehave = ({ headers }, request, response) => {
      if (headers.authorization !== basic) return false;
      request.resume();
      response.writeHead(307, { location: `${elsewhere}/blob` }).end();
      return true;
    };
    const to = join(folder, 'elsewhere');
    await open({ login: async () => login }).getBlob(blob, to);
    expect((await readFile(to)).equals(BYTES)).toBe(true);
    expect(heard).toEqual([undefined]);
    // A place for an upload that is another server's.
    server.misbehave = ({ method, headers }, request, response) => {
      if (headers.authorization !== basic || method !== 'POST') return false;
      request.resume();
      response.writeHead(202, { location: `${elsewhere}/upload` }).end();
      return true;
    };
    await expect(open({ login: async () => login }).putBlob(blob)).rejects.toMatchObject({ kind: 'wrong' });
    expect(heard).toEqual([undefined, undefined]);
    other.closeAllConnections();
    other.close();
  });

  it('is not told to a token server of another site', async () => {
    await server.stop();
    server = await imageRegistry({
      authorization: 'Bearer x',
      challenge: 'Bearer realm="https://tokens.example.com/",service="s"',
    });
    await expect(open({ login: async () => login }).hasBlob(DIGEST)).rejects.toMatchObject(
      fault('refused', /asks for a token of tokens.example.com, which is not of its own site/),
    );
  });

  it('is not in what is shown, also where the registry repeats it', async () => {
    server.misbehave = ({ headers }, request, response) => {
      request.resume();
      response
        .writeHead(headers.authorization === undefined ? 401 : 403, { 'www-authenticate': 'Basic realm="r"' })
        .end(JSON.stringify({ errors: [{ message: `not secret-word (${headers.authorization})` }] }));
      return true;
    };
    await expect(open({ login: async () => login }).hasBlob(DIGEST)).rejects.toMatchObject(
      fault('refused', /^refuses \(403\)$/),
    );
  });

  it('is told in the first way that is known here, whatever else a registry asks by', async () => {
    const token = 'Bearer realm="URL/token",service="s"';
    for (const [challenges, who, sent] of [
      [[`${token}, Basic realm="r"`], undefined, 'Bearer t'],
      [['Basic realm="r"', token], undefined, 'Bearer t'],
      [['Basic realm="r"', token], login, 'Bearer t'],
      [['Negotiate', 'NTLM abc/d==, Basic realm="r"'], login, basic],
    ] as const) {
      const heard: (string | undefined)[] = [];
      server.misbehave = ({ path, headers }, request, response) => {
        request.resume();
        if (path.startsWith('/token')) response.end('{"token":"t"}');
        else {
          heard.push(headers.authorization);
          const asks = challenges.map((challenge) => challenge.replace('URL', server.url));
          const isKnown = headers.authorization !== undefined;
          response.writeHead(isKnown ? 200 : 401, isKnown ? {} : { 'www-authenticate': asks }).end();
        }
        return true;
      };
      expect(await open({ login: async () => who }).hasBlob(DIGEST)).toBe(true);
      expect(heard).toEqual([undefined, sent]);
    }
    server.misbehave = (_, _request, response) => {
      response.writeHead(401, { 'www-authenticate': ['Negotiate', 'Basic realm="r"'] }).end();
      return true;
    };
    await expect(open().hasBlob(DIGEST)).rejects.toMatchObject(fault('refused', /^refuses \(401\)/));
  });

  it('is asked for no longer than anything else, where a server of tokens cannot answer', async () => {
    let asked = 0;
    server.misbehave = ({ path }, request, response) => {
      request.resume();
      const isToken = path.startsWith('/token');
      if (isToken) asked += 1;
      const challenge = `Bearer realm="${server.url}/token"`;
      response.writeHead(isToken ? 503 : 401, isToken ? {} : { 'www-authenticate': challenge }).end();
      return true;
    };
    await expect(open().hasBlob(DIGEST)).rejects.toMatchObject(
      fault('unreachable', /^gives no token: .* answers 503$/),
    );
    expect(asked).toBe(limits.attempts);
  });

  it.each([
    ['a token', { identityToken: 'secret/token+' }],
    ['a long token', { identityToken: 'secret'.repeat(100) }],
    ['a password', { username: 'me', password: 'secret-word' }],
  ])('is not in what is shown, also where a server of tokens repeats %s', async (_, who) => {
    const said = async (request: IncomingMessage): Promise<string> => {
      let body = '';
      for await (const chunk of request) body += chunk;
      const form = new URLSearchParams(body).get('refresh_token');
      return form === null ? `${request.headers.authorization}` : `${form} or ${encodeURIComponent(form)}`;
    };
    server.misbehave = ({ path }, request, response) => {
      void (async () => {
        const told = await said(request);
        const isToken = path.startsWith('/token');
        response
          .writeHead(401, { 'www-authenticate': `Bearer realm="${server.url}/token",service="s"` })
          .end(isToken ? JSON.stringify({ errors: [{ code: 'OLD', message: `${told} is too old` }] }) : '');
      })();
      return true;
    };
    await expect(open({ login: async () => who }).hasBlob(DIGEST)).rejects.toMatchObject(
      fault('refused', /^gives no token: 127\.0\.0\.1:\d+ refuses \(401\)$/),
    );
  });

  it('may be told to a token server of another site by who is known there', async () => {
    const heard: (string | undefined)[] = [];
    const scopes: string[] = [];
    const tokens = createServer((request, response) => {
      heard.push(request.headers.authorization);
      scopes.push(...new URL(request.url ?? '/', 'http://tokens').searchParams.getAll('scope'));
      response.end('{"token":"t"}');
    });
    await new Promise<void>((resolve) => tokens.listen(0, '127.0.0.1', resolve));
    const host = `127.0.0.1:${(tokens.address() as AddressInfo).port}`;
    await server.stop();
    server = await imageRegistry({
      authorization: 'Bearer t',
      // What the registry would like to read there is not its own.
      challenge: `Bearer realm="http://${host}/",service="s",scope="repository:secret:pull"`,
    });
    server.blobs.set(KEY, BYTES);
    const known = open({
      login: async () => ({ username: 'me', password: 'another' }),
      tokenLogin: async (at) => (at === host ? login : undefined),
    });
    expect(await known.hasBlob(DIGEST)).toBe(true);
    expect(heard).toEqual([basic]);
    expect(scopes).toEqual(['repository:models:pull,push']);
    await expect(open({ login: async () => login }).hasBlob(DIGEST)).rejects.toMatchObject({
      ...fault('refused', /which is not of its own site and is not told who asks/),
      fix: expect.stringContaining(`\`crane auth login ${host}\``),
    });
    expect(heard).toHaveLength(1);
    tokens.closeAllConnections();
    tokens.close();
  });

  it.each([
    ['Negotiate', /asks for negotiate, which nobody here speaks/],
    [['Negotiate abc==', 'NTLM'], /asks for negotiate, ntlm, which nobody here speaks/],
    ['Bearer service="s"', /asks for a token of a server that it does not name/],
  ])('is not known to a registry that asks by %s', async (challenge, why) => {
    await server.stop();
    server = await imageRegistry({ authorization: 'x', challenge });
    await expect(open({ login: async () => login }).hasBlob(DIGEST)).rejects.toThrow(why);
  });
});

it('follows from one address to the next, but not for ever', async () => {
  server.blobs.set(KEY, BYTES);
  server.misbehave = ({ path }, _, response) => {
    if (path.includes('again')) return false;
    response.writeHead(302, { location: `${path}?again` }).end();
    return true;
  };
  expect(await open().hasBlob(DIGEST)).toBe(true);
  server.misbehave = (_, _request, response) => {
    response.writeHead(302, { location: '?on' }).end();
    return true;
  };
  await expect(open().hasBlob(DIGEST)).rejects.toMatchObject(fault('wrong', /from one address to the next/));
  server.misbehave = (_, _request, response) => {
    response.writeHead(302, { location: 'ftp://127.0.0.1/blob' }).end();
    return true;
  };
  await expect(open().hasBlob(DIGEST)).rejects.toMatchObject(fault('wrong', /^sends on to ftp$/));
});

it('says which key is missing where its certificate is of an unknown authority, and asks once', async () => {
  const hidden = createHttps(selfSigned());
  let asked = 0;
  hidden.on('tlsClientError', () => {
    asked += 1;
  });
  await new Promise<void>((resolve) => hidden.listen(0, '127.0.0.1', resolve));
  const url = `https://localhost:${(hidden.address() as AddressInfo).port}`;
  const there = openRepository({ url, repository: 'models' }, { limits });
  await expect(there.hasBlob(DIGEST)).rejects.toMatchObject({
    ...fault('wrong', /^has a certificate that is not trusted here: DEPTH_ZERO_SELF_SIGNED_CERT$/),
    fix: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
  });
  expect(asked).toBeLessThanOrEqual(1);
  hidden.close();
});

it('says which of HTTP and HTTPS to write, where the other was asked', async () => {
  const tls = openRepository({ url: server.url.replace('http', 'https'), repository: 'models' }, { limits });
  await expect(tls.hasBlob(DIGEST)).rejects.toMatchObject({
    ...fault('wrong', /^does not speak TLS there: /),
    fix: expect.stringContaining('`http://`'),
  });
  server.misbehave = (_, _request, response) => {
    response.writeHead(400).end('Client sent an HTTP request to an HTTPS server.');
    return true;
  };
  await expect(open().hasBlob(DIGEST)).rejects.toMatchObject({
    ...fault('wrong', /^answers 400/),
    fix: expect.stringContaining('`https://`'),
  });
});

it('says that nobody is there', async () => {
  await server.stop();
  await expect(open().hasBlob(DIGEST)).rejects.toMatchObject(
    fault('unreachable', /^cannot be reached: ECONNREFUSED$/),
  );
  server = await imageRegistry();
});
