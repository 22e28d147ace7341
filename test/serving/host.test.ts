/** The host outside Lambda, with real models: what it answers, and what must not bring it down. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixtures, type Served, serve } from './endpoint.ts';
import { type Hosted, hostFolder, ODDITIES, silentConnections } from './host.ts';

type Case = { readonly inputs: object[]; readonly outputs: object[] };

/** More than a process is kept from answering on a busy machine. */
const ODD_SECONDS = 8;

let cases: Record<string, Case> = {};
let folder: Awaited<ReturnType<typeof hostFolder>>;
let host: Hosted;
beforeAll(async () => {
  cases = JSON.parse(await readFile(join(fixtures, 'answers.json'), 'utf8')).models;
  folder = await hostFolder([
    { name: 'add', path: 'add.onnx', workers: 2 },
    { name: 'types', path: 'types/all.onnx', workers: 1 },
    {
      name: 'strings',
      path: 'strings.onnx',
      workers: 1,
      environment: { GLIBC_TUNABLES: 'glibc.rtld.nns=5' },
    },
    { name: 'logreg', path: 'logreg.onnx', workers: 1 },
    { name: 'odd', path: 'add.onnx', transform: ODDITIES, workers: 2, timeout: ODD_SECONDS },
    // What a busy machine needs to fill its memory is not what is tested.
    { name: 'hungry', path: 'add.onnx', transform: ODDITIES, workers: 1, timeout: 60, memory: 400 },
    { name: 'slow', path: 'add.onnx', transform: ODDITIES, workers: 1, timeout: 60 },
  ]);
  host = await folder.start();
});
afterAll(async () => {
  await host?.stop();
  await folder?.remove();
});

const asked = (id?: string): string =>
  JSON.stringify({ ...(id !== undefined && { id }), inputs: cases['add.onnx']?.inputs });
const isGood = async (answer: Promise<Response>): Promise<boolean> => (await answer).status === 200;
const probeMs = async (path = '/v2/health/live'): Promise<number> => {
  const began = performance.now();
  expect((await fetch(`${host.url}${path}`)).status).toBe(200);
  return performance.now() - began;
};
/** Sends bytes as they are. @returns all that comes back until the server closes */
const raw = (bytes: string, port = host.port): Promise<string> =>
  new Promise((resolve, reject) => {
    let heard = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
    });
    socket.on('error', reject).on('close', () => resolve(heard));
  });
const workersOf = (name: string): number[] =>
  execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(host.child.pid)], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(`/${name}/`))
    .map((line) => Number.parseInt(line.trim(), 10));

it.runIf(process.platform === 'linux')(
  'its processes ask for huge pages, unless they are told otherwise',
  async () => {
    const tunables = async (model: string): Promise<string | undefined> =>
      /(?:^|\0)GLIBC_TUNABLES=([^\0]*)/.exec(
        await readFile(`/proc/${workersOf(model)[0]}/environ`, 'utf8'),
      )?.[1];
    expect(await tunables('add')).toContain('glibc.malloc.hugetlb=1');
    expect(await tunables('strings')).toBe('glibc.rtld.nns=5');
  },
);

describe('answers', () => {
  const served: Record<string, Served> = {};
  beforeAll(async () => {
    for (const [name, path] of [
      ['add', 'add.onnx'],
      ['types', 'types/all.onnx'],
      ['strings', 'strings.onnx'],
    ] as const)
      served[name] = await serve(path, { name });
  });
  afterAll(async () => {
    for (const one of Object.values(served)) await one.stop();
  });
  const requests: [string, string, string, Record<string, string>][] = ['add', 'types', 'strings'].flatMap(
    (name): [string, string, string, Record<string, string>][] => [
      [name, 'JSON', 'inputs', {}],
      [name, 'binary outputs', 'binary', {}],
      [name, 'a refusal', '{"inputs": []}', {}],
      [name, 'no JSON', '{', {}],
      [name, 'broken gzip', 'xyz', { 'content-encoding': 'gzip' }],
    ],
  );

  it.each(requests)('%s, %s: as Lambda’s handler', async (name, _, what, headers) => {
    const { inputs } = cases[name === 'types' ? 'types/all.onnx' : `${name}.onnx`] as Case;
    const parameters = what === 'binary' ? { parameters: { binary_data_output: true } } : {};
    const body = /^[{x]/.test(what) ? what : JSON.stringify({ inputs, ...parameters });
    const here = await host.infer(name, body, { ...headers, 'x-request-id': 'same' });
    const there = await served[name]?.infer(body, { ...headers, 'x-request-id': 'same' });
    expect(here.status).toBe(there?.status);
    expect(Buffer.from(await here.arrayBuffer())).toEqual(there?.body);
    for (const [header, value] of Object.entries(there?.headers ?? {}))
      expect(here.headers.get(header), header).toBe(value);
  });

  it('describe themselves by the catalog', async () => {
    expect(await (await fetch(`${host.url}/v2/models/add/versions/1`)).json()).toMatchObject({
      versions: ['1'],
    });
    expect((await fetch(`${host.url}/v2/models/add/versions/2`)).status).toBe(404);
    expect((await host.infer('add/versions/1', asked())).status).toBe(200);
    expect((await host.infer('add/versions/2', asked())).status).toBe(404);
    expect((await host.infer('nobody', asked())).status).toBe(404);
    const { paths } = (await (await fetch(`${host.url}/openapi.json`)).json()) as {
      paths: Record<string, { post: { responses: object } }>;
    };
    const own = Object.keys(paths['/v2/models/add/infer']?.post.responses ?? {});
    expect(own).toEqual(expect.arrayContaining(['408', '431', '503', '504']));
    expect((await fetch(`${host.url}/v2/health/ready`)).status).toBe(200);
  });
});

describe('its metrics', () => {
  it('have the sums of what the outputs say, over answers without error', async () => {
    const { inputs, outputs } = cases['logreg.onnx'] as Case;
    const { data = [] } = outputs[1] as { data?: number[] };
    const labels = [0, 1, 2].map((row) => ((data[2 * row] ?? 0) >= (data[2 * row + 1] ?? 0) ? -1 : 1));
    const score = labels.reduce((sum, label) => sum + label, 0) / labels.length;
    for (let count = 0; count < 3; count++) await host.infer('logreg', JSON.stringify({ inputs }));
    await host.infer('logreg', '{"inputs": []}');
    const text = await (await fetch(`${host.url}/metrics`)).text();
    const sum = (name: string): number =>
      Number(new RegExp(`output_sum\\{model="logreg",.*"label2_f1",sum="${name}"\\} (.*)\n`).exec(text)?.[1]);
    expect(sum('a')).toBeCloseTo(3 * score, 3);
    expect(sum('aa')).toBeCloseTo(3 * score ** 2, 3);
    expect(text).toContain('signal="confidence_f1",sum="ab"');
    // The line that has them for CloudWatch goes no further.
    expect(host.output()).not.toContain('_aws');
  });
});

describe('a model that', () => {
  it('never ends is 504, and harms neither its neighbours nor the next request', async () => {
    const before = workersOf('odd');
    const endless = host.infer('odd', asked('endless'));
    const around = [host.infer('odd', asked()), host.infer('add', asked())];
    expect(await Promise.all(around.map(isGood))).toEqual([true, true]);
    // The run takes as long as it may: whoever waited for it would wait for longer.
    expect(await probeMs()).toBeLessThan(ODD_SECONDS * 1000);
    const answer = await endless;
    expect(answer.status).toBe(504);
    expect(await answer.json()).toMatchObject({ code: 'TIMED_OUT' });
    await expect.poll(() => host.metric('workers_up', 'odd')).toBe(2);
    expect(workersOf('odd').filter((pid) => before.includes(pid))).toHaveLength(1);
    expect(await isGood(host.infer('odd', asked()))).toBe(true);
    expect(host.output()).toMatch(/^\w+: Task timed out after 8 s.$/m);
  });

  it('takes all memory is ended at its limit: 502', async () => {
    const answer = await host.infer('hungry', asked('memory'));
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({ code: 'ENDPOINT_FAILED' });
    expect(host.output()).toContain('more than 400 MB');
    expect(await isGood(host.infer('hungry', asked()))).toBe(true);
    await expect.poll(() => host.metric('workers_up', 'hungry')).toBe(1);
  });

  it('is killed in the middle of a request is 502, and replaced', async () => {
    const sleeping = host.infer('slow', asked('ms30000'));
    await expect.poll(() => host.metric('busy_share', 'slow')).toBe(1);
    const waits = host.infer('slow', asked());
    for (const pid of workersOf('slow')) process.kill(pid, 'SIGKILL');
    expect((await sleeping).status).toBe(502);
    expect(await isGood(waits)).toBe(true);
  });

  it('is killed while nobody asks is replaced before somebody does', async () => {
    const [pid = 0] = workersOf('slow');
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => workersOf('slow').some((other) => other !== pid)).toBe(true);
    expect(await isGood(host.infer('slow', asked()))).toBe(true);
  });
});

describe('too much', () => {
  it('is refused on headers, before the body: 503 with Retry-After', async () => {
    // The first ones tell how long a request takes; then no more may wait than four.
    for (let count = 0; count < 3; count++) await host.infer('slow', asked('ms400'));
    let isRunning = true;
    const first = host.infer('slow', asked('ms8000')).finally(() => {
      isRunning = false;
    });
    await expect.poll(() => host.metric('busy_share', 'slow')).toBe(1);
    const all = [first, ...Array.from({ length: 8 }, () => host.infer('slow', asked('ms20')))];
    await expect.poll(() => host.metric('queue', 'slow')).toBe(4);
    const head = 'POST /v2/models/slow/infer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n';
    const answer = await raw(`${head}Content-Length: 5000000\r\n\r\n`);
    // It has waited for nobody.
    expect(isRunning).toBe(true);
    expect(answer).toMatch(/^HTTP\/1.1 503 /);
    expect(answer).toMatch(/\r\nretry-after: 1\r\n/i);
    expect(answer).toContain('"OVERLOADED"');
    const statuses = (await Promise.all(all)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(5);
    expect(statuses.filter((status) => status === 503)).toHaveLength(4);
    expect(await host.metric('shed_total', 'slow')).toBeGreaterThanOrEqual(5);
  });

  it('is nothing whose client has gone: it is computed by nobody, and its place is free', async () => {
    const running = host.infer('slow', asked('ms8000'));
    await expect.poll(() => host.metric('busy_share', 'slow')).toBe(1);
    const gone = new AbortController();
    const waits = fetch(`${host.url}/v2/models/slow/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: asked('ms4000'),
      signal: gone.signal,
    }).catch(() => {});
    await expect.poll(() => host.metric('queue', 'slow')).toBe(1);
    const shed = await host.metric('shed_total', 'slow');
    gone.abort();
    await waits;
    await expect.poll(() => host.metric('queue', 'slow')).toBe(0);
    expect(await isGood(running)).toBe(true);
    expect(await isGood(host.infer('slow', asked()))).toBe(true);
    expect(await host.metric('shed_total', 'slow')).toBe(shed);
  });

  it('leaves answers, probes and memory as they were', async () => {
    const ids = Array.from({ length: 40 }, () => 'ms20');
    /** For so long, and until so many are answered, where the machine was held up meanwhile. */
    const round = async (
      callers: number,
      seconds: number,
      least = 0,
    ): Promise<{ good: number; shed: number }> => {
      const began = performance.now();
      const count = { good: 0, shed: 0 };
      const isOver = (): boolean => {
        const passed = (performance.now() - began) / 1000;
        return passed > 60 || (passed > seconds && count.good > least);
      };
      const caller = async (at: number): Promise<void> => {
        while (!isOver()) {
          const answer = await host.infer('slow', asked(ids[at % ids.length]));
          await answer.arrayBuffer();
          if (answer.status === 200) count.good++;
          else {
            count.shed++;
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        }
      };
      await Promise.all(Array.from({ length: callers }, (_, at) => caller(at)));
      return count;
    };
    const capacity = await round(2, 3);
    const rss = (): number =>
      Number(execFileSync('ps', ['-o', 'rss=', '-p', String(host.child.pid)], { encoding: 'utf8' })) / 1024;
    const before = rss();
    const probes: number[] = [];
    let over = false;
    const probing = (async () => {
      while (!over) {
        probes.push(await probeMs());
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    const overload = await round(60, 3, capacity.good * 0.1);
    over = true;
    await probing;
    expect(overload.shed).toBeGreaterThan(overload.good);
    // Loosely, for a machine that is shared; `npm run bench` holds figures.
    expect(overload.good).toBeGreaterThan(capacity.good * 0.1);
    expect(probes.toSorted((one, other) => one - other)[Math.floor(probes.length / 2)]).toBeLessThan(3000);
    expect(rss() - before).toBeLessThan(300);
  });

  it('of a body is 413 on headers, and where it comes without a length, at the limit', async () => {
    const head = 'POST /v2/models/add/infer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n';
    expect(await raw(`${head}Content-Length: 7000000\r\n\r\n`)).toMatch(/^HTTP\/1.1 413 .*BODY_TOO_LARGE/s);
    const chunk = `${(1024 * 1024).toString(16)}\r\n${' '.repeat(1024 * 1024)}\r\n`;
    const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(6)}1\r\n \r\n`;
    expect(await raw(chunked)).toMatch(/^HTTP\/1.1 413 .*BODY_TOO_LARGE/s);
    expect((await host.infer('add', Buffer.alloc(7 * 1024 * 1024, ' '))).status).toBe(413);
  });

  it('is told to a client that asks before it sends, which else may send', async () => {
    const head =
      'POST /v2/models/add/infer HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n';
    const refused = await raw(`${head}Content-Length: 7000000\r\n\r\n`);
    expect(refused).toMatch(/^HTTP\/1.1 413 /);
    const body = asked();
    const taken = await raw(`${head}Content-Length: ${body.length}\r\n\r\n${body}`);
    expect(taken).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 /);
  });

  it('of headers is 431', async () => {
    const answer = await raw(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1.1 431 .*HEADERS_TOO_LARGE/s);
    const many = await raw(`GET / HTTP/1.1\r\nHost: x\r\n${'X: x\r\n'.repeat(120)}\r\n`);
    expect(many).toMatch(/^HTTP\/1.1 431 .*A request may have 100 headers, and 16 KB of them\./s);
    expect(await raw('what is this\r\n\r\n')).toMatch(/^HTTP\/1.1 400 .*INVALID_REQUEST/s);
  });

  it('of connections that send nothing changes nothing, and they are closed', async () => {
    // One that begins, and then sends nothing more.
    const begun = raw('POST /v2/models/add/infer HTTP/1.1\r\nHost: x\r\n');
    const { count, closed } = await silentConnections(host.port);
    expect(await isGood(fetch(`${host.url}/v2/health/live`))).toBe(true);
    expect(await isGood(host.infer('add', asked()))).toBe(true);
    expect(closed()).toBeLessThan(count);
    await expect.poll(closed, { timeout: 200_000, interval: 200 }).toBe(count);
    expect(await begun).toMatch(/^HTTP\/1.1 408 .*SLOW_REQUEST/s);
    expect(await isGood(fetch(`${host.url}/v2/health/live`))).toBe(true);
  });

  it('of patience: bodies that come by the byte hold no place', async () => {
    for (let count = 0; count < 3; count++) await host.infer('slow', asked('ms400'));
    const sockets = Array.from({ length: 20 }, () => {
      const socket = connect(host.port, '127.0.0.1');
      socket.on('error', () => {});
      const head = 'POST /v2/models/slow/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n';
      socket.write(head);
      return socket;
    });
    const drip = setInterval(() => {
      for (const socket of sockets) socket.write(' ');
    }, 100);
    try {
      const good = (): Promise<boolean> => isGood(host.infer('slow', asked()));
      await Promise.all(sockets.map((socket) => once(socket, 'connect')));
      // As many as would fill every place, and each is given up after a second.
      await new Promise((resolve) => setTimeout(resolve, 1500));
      await expect.poll(good).toBe(true);
      expect(await good()).toBe(true);
    } finally {
      clearInterval(drip);
      for (const socket of sockets) socket.destroy();
    }
    expect(await isGood(host.infer('slow', asked()))).toBe(true);
  });
});

describe('its end', () => {
  it('waits for what was taken: ready falls first, each request is answered, then 0', async () => {
    // Long enough for the balancer here to see it, whatever keeps it from looking.
    const ending = await folder.start({ drain: 10_000 });
    let asking = true;
    const lost: unknown[] = [];
    let answered = 0;
    const ask = async (id: string): Promise<void> => {
      try {
        const answer = await ending.infer('slow', asked(id));
        await answer.json();
        if (answer.status === 200 || answer.status === 503) answered++;
        else lost.push(answer.status);
      } catch (error) {
        lost.push((error as Error).cause);
      }
    };
    const callers = Array.from({ length: 8 }, async () => {
      while (asking) await ask('ms20');
    });
    await expect.poll(() => answered).toBeGreaterThan(20);
    ending.child.kill('SIGTERM');
    // As a balancer does: it sends until it learns that nobody is ready.
    await expect
      .poll(async () => (await fetch(`${ending.url}/v2/health/ready`)).status, { interval: 10 })
      .toBe(503);
    expect((await fetch(`${ending.url}/v2/health/live`)).status).toBe(200);
    asking = false;
    // These are there long after the port is closed.
    const last = Array.from({ length: 3 }, () => ask('ms4000'));
    expect(await ending.ended).toBe(0);
    await Promise.all([...callers, ...last]);
    expect(lost).toEqual([]);
    await expect(fetch(ending.url)).rejects.toThrow();
  });

  it('comes at once with the second signal', async () => {
    const ending = await folder.start({ drain: 30_000 });
    ending.child.kill('SIGTERM');
    await expect
      .poll(async () => (await fetch(`${ending.url}/v2/health/ready`)).status, { interval: 10 })
      .toBe(503);
    ending.child.kill('SIGTERM');
    expect(await ending.ended).toBe(143);
  });

  it('comes at its start, with the reason, where the port is taken or a handler does not load', async () => {
    const other = createServer().listen(0);
    const { port } = other.address() as AddressInfo;
    for (const wrong of ['abc', '-1', '65536', '80 80', 'tcp://10.0.0.1:80'])
      await expect(folder.start({}, { PORT: wrong })).rejects.toThrow(
        /ended with 1: .*PORT is .*, which is no port\. Write a number from 0 to 65535, or leave it out/s,
      );
    await expect(folder.start({}, { MODELS_HOST: '/not/there' })).rejects.toThrow(
      /ended with 1: .*MODELS_HOST names .*\/not\/there.*, which cannot be read: ENOENT/s,
    );
    await expect(folder.start({}, { PORT: String(port) })).rejects.toThrow(
      new RegExp(`ended with 1: .*Port ${port} cannot be used: .*EADDRINUSE.*PORT`, 's'),
    );
    other.close();
    const models = [{ name: 'm', handler: '/nowhere/handler.mjs', version: '1', timeout: 1 }];
    await expect(folder.start({ models })).rejects.toThrow(/ended with 1: .*nowhere/s);
    await expect(folder.start({ models: [] })).rejects.toThrow(/ended with 1: .*models must/s);
  });

  it('leaves no process, even where the host is killed and a model never ends', async () => {
    const ending = await folder.start();
    const endless = ending.infer('odd', asked('endless')).catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 300));
    const pids = execFileSync('ps', ['-o', 'pid=', '--ppid', String(ending.child.pid)], { encoding: 'utf8' });
    ending.child.kill('SIGKILL');
    await endless;
    const alive = (): string[] =>
      pids.split('\n').filter((pid) => {
        try {
          return pid.trim() !== '' && process.kill(Number(pid), 0);
        } catch {
          return false;
        }
      });
    await expect.poll(alive).toEqual([]);
  });
});
