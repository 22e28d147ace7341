import { describe, expect, it } from 'vitest';
import { hostPorts, readHostConfig } from '../../../../core/host/config.ts';

const model = { name: 'm', handler: '/m/handler.mjs', version: '1', timeout: 10 };
const config = { schema: 1, port: 8080, catalog: { groups: [] }, models: [model] };
const read = (changes: object): unknown => readHostConfig(JSON.stringify({ ...config, ...changes }));
const entry = { name: 'm', signature: { inputs: [], outputs: [], omitted: [] } };
const withGroup = (group: unknown): unknown => read({ catalog: { groups: [group] } });
const withModel = (changes: object): unknown => read({ models: [{ ...model, ...changes }] });

describe('the host’s configuration', () => {
  it('is read as it is', () => {
    expect(read({})).toEqual(config);
    const whole = { workers: 2, memory: 512, environment: { A: 'b' }, slowEdges: [1, 2] };
    expect(withModel(whole)).toMatchObject({ models: [whole] });
    const group = { path: '/', auth: 'none', models: [entry], bare: 'm' };
    expect(withGroup(group)).toMatchObject({ catalog: { groups: [group] } });
  });

  it.each([
    ['schema', () => read({ schema: 2 })],
    ['port', () => read({ port: 70_000 })],
    ['port', () => read({ port: 80.5 })],
    ['grpc', () => read({ grpc: 80.5 })],
    ['grpc', () => read({ grpc: 70_000 })],
    ['grpc', () => read({ grpc: 8080 })],
    ['address', () => read({ address: 1 })],
    ['local', () => read({ local: 'yes' })],
    ['drain', () => read({ drain: -1 })],
    ['catalog', () => read({ catalog: [] })],
    ['catalog.groups[0]', () => withGroup(null)],
    ['catalog.groups[0].path', () => withGroup({ models: [] })],
    ['catalog.groups[0].path', () => withGroup({ path: 'lab', models: [] })],
    ['catalog.groups[0].models', () => withGroup({ path: '/' })],
    ['catalog.groups[0].models[1]', () => withGroup({ path: '/', models: [entry, 1] })],
    ['catalog.groups[0].models[0].name', () => withGroup({ path: '/', models: [{ ...entry, name: '' }] })],
    ['catalog.groups[0].models[0].signature', () => withGroup({ path: '/', models: [{ name: 'm' }] })],
    [
      'catalog.groups[0].models[0].signature',
      () => withGroup({ path: '/', models: [{ name: 'm', signature: { inputs: [] } }] }),
    ],
    ['models', () => read({ models: [] })],
    ['models', () => read({ models: [model, model] })],
    ['models[0]', () => read({ models: [1] })],
    ['models[0].name', () => withModel({ name: '' })],
    ['models[0].handler', () => withModel({ handler: null })],
    ['models[0].timeout', () => withModel({ timeout: 0 })],
    ['models[0].workers', () => withModel({ workers: 1.5 })],
    ['models[0].memory', () => withModel({ memory: 1 })],
    ['models[0].environment.TOKEN', () => withModel({ environment: { TOKEN: 1 } })],
    ['models[0].slowEdges', () => withModel({ slowEdges: [2, 1] })],
  ])('names %s where it is wrong, and what to do', (key, wrong) => {
    expect(wrong).toThrow(`: ${key} must `);
    expect(wrong).toThrow(/; found .*Correct it/);
  });

  it('names no value of the environment, which may be a secret', () =>
    expect(() => withModel({ environment: { TOKEN: 12345 } })).toThrow(/^((?!12345).)*$/));

  it('is JSON', () => expect(() => readHostConfig('port: 1')).toThrow('must be JSON'));
});

describe('where it listens', () => {
  it.each<[object, Record<string, string>, object]>([
    [{ port: 1 }, {}, { port: 1, grpc: undefined }],
    [{ port: 1, grpc: 2 }, {}, { port: 1, grpc: 2 }],
    [{ port: 1 }, { PORT: '8080' }, { port: 8080, grpc: undefined }],
    [{ port: 1 }, { PORT: '' }, { port: 1, grpc: undefined }],
    [{ port: 1, grpc: 2 }, { MODELS_GRPC_PORT: '8081' }, { port: 1, grpc: 8081 }],
    [{ port: 0 }, { MODELS_GRPC_PORT: '0' }, { port: 0, grpc: 0 }],
    [{ port: 1, grpc: 2 }, { MODELS_GRPC_PORT: '' }, { port: 1, grpc: 2 }],
  ])('%j with %j', (given, environment, expected) => {
    expect(hostPorts({ ...config, ...given }, environment)).toEqual(expected);
  });

  it.each(['grpc', '-1', '65536', '80.5', ' 80'])('gRPC: not at %j', (port) => {
    const asked = (): unknown => hostPorts(config as never, { MODELS_GRPC_PORT: port });
    expect(asked).toThrow(`MODELS_GRPC_PORT must be a port, 0 to 65535; found ${JSON.stringify(port)}.`);
    expect(asked).toThrow('leave it out');
  });

  it('gRPC: what Kubernetes sets for a Service of that name is told, with what ends it', () => {
    const asked = (): unknown => hostPorts(config as never, { MODELS_GRPC_PORT: 'tcp://10.0.0.1:8081' });
    expect(asked).toThrow(/called models-grpc: write `enableServiceLinks: false`/);
  });

  it.each(['abc', '-1', '65536', 'tcp://10.0.0.1:80'])('HTTP: not at %j', (PORT) =>
    expect(() => hostPorts(config as never, { PORT })).toThrow(
      `PORT is ${JSON.stringify(PORT)}, which is no port. Write a number from 0 to 65535, or leave it out for `,
    ),
  );

  it('gRPC: not where HTTP is', () =>
    expect(() => hostPorts(config as never, { PORT: '8081', MODELS_GRPC_PORT: '8081' })).toThrow(
      'be another port than HTTP’s 8081',
    ));
});
