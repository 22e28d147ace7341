import { isObject } from '../json/is-object.ts';
import { HOST_GRPC_PORT, type HostConfig, type HostModel } from './contract.ts';

/**
 * Reads the host’s configuration document.
 * @throws Error that names the key, its value, what is allowed and the fix
 */
export function readHostConfig(text: string): HostConfig {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong('(all of it)', text.slice(0, 40), 'be JSON');
  }
  if (!isObject(value)) throw wrong('(all of it)', value, 'be an object');
  const { schema, address, port, grpc, local, catalog, models, drain } = value;
  if (schema !== 1) throw wrong('schema', schema, 'be 1');
  if (address !== undefined && typeof address !== 'string') throw wrong('address', address, 'be a text');
  if (local !== undefined && local !== true) throw wrong('local', local, 'be true or absent');
  whole('port', port, 0, 65_535);
  if (grpc !== undefined) whole('grpc', grpc, 0, 65_535);
  if (grpc !== undefined && grpc !== 0 && grpc === port)
    throw wrong('grpc', grpc, 'be another port than port');
  if (drain !== undefined) within('drain', drain, 0, 600_000);
  if (!isObject(catalog) || !Array.isArray(catalog.groups))
    throw wrong('catalog', typeof catalog, 'be a catalog');
  for (const [index, group] of catalog.groups.entries()) checkGroup(`catalog.groups[${index}]`, group);
  if (!Array.isArray(models) || models.length === 0)
    throw wrong('models', models, 'be a list of at least one');
  for (const [index, model] of models.entries()) checkModel(`models[${index}]`, model);
  const names = models.map(({ name }: HostModel) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw wrong('models', twice, 'name each model once');
  return value as unknown as HostConfig;
}

/**
 * Where the host listens: the environment goes before the document.
 * @returns `grpc` undefined: HTTP alone
 * @throws Error that names the variable, its value, what is allowed and the fix
 */
export function hostPorts(
  { port, grpc }: Pick<HostConfig, 'port' | 'grpc'>,
  environment: Readonly<Record<string, string | undefined>>,
): { readonly port: number; readonly grpc: number | undefined } {
  const { PORT = '', [HOST_GRPC_PORT]: calls = '' } = environment;
  if (PORT !== '' && !isPort(PORT))
    throw new Error(
      `The host’s environment: PORT is ${shown(PORT)}, which is no port. Write a number from 0 to 65535, or leave it out for ${port}.`,
    );
  const http = PORT === '' ? port : Number(PORT);
  if (calls === '') return { port: http, grpc };
  const opened = isPort(calls) ? Number(calls) : Number.NaN;
  if (opened === 0 || (opened >= 0 && opened !== http)) return { port: http, grpc: opened };
  const must = opened === http ? `be another port than HTTP’s ${http}` : 'be a port, 0 to 65535';
  // https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
  const fix = calls.startsWith('tcp://')
    ? 'Kubernetes sets it so beside a Service that is called models-grpc: write `enableServiceLinks: false` into the pod’s spec.'
    : 'Correct it, or leave it out where gRPC is not to be open.';
  throw new Error(`The host’s environment: ${HOST_GRPC_PORT} must ${must}; found ${shown(calls)}. ${fix}`);
}
const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) <= 65_535;

/**
 * What paths are made of, and what is told of a model: the first request would else end the host.
 * @throws Error, as `readHostConfig`
 */
function checkGroup(key: string, group: unknown): void {
  if (!isObject(group)) throw wrong(key, group, 'be an object');
  const { path, models } = group;
  if (typeof path !== 'string' || !path.startsWith('/'))
    throw wrong(`${key}.path`, path, 'be a text that begins with a slash');
  if (!Array.isArray(models)) throw wrong(`${key}.models`, models, 'be a list');
  for (const [index, model] of models.entries()) {
    const at = `${key}.models[${index}]`;
    if (!isObject(model)) throw wrong(at, model, 'be an object');
    const { name, signature } = model;
    if (typeof name !== 'string' || name === '') throw wrong(`${at}.name`, name, 'be a text');
    if (!isObject(signature) || !Array.isArray(signature.inputs) || !Array.isArray(signature.outputs))
      throw wrong(`${at}.signature`, signature, 'have the lists inputs and outputs');
  }
}

/** @param key where it stands in the document. @throws Error, as `readHostConfig` */
function checkModel(key: string, model: unknown): void {
  if (!isObject(model)) throw wrong(key, model, 'be an object');
  for (const name of ['name', 'handler', 'version'])
    if (typeof model[name] !== 'string' || model[name] === '')
      throw wrong(`${key}.${name}`, model[name], 'be a text');
  within(`${key}.timeout`, model.timeout, 0.001, 3600);
  if (model.workers !== undefined) whole(`${key}.workers`, model.workers, 1, 256);
  if (model.memory !== undefined) within(`${key}.memory`, model.memory, 16, 16 * 1024 * 1024);
  const { environment, slowEdges } = model;
  if (environment !== undefined) {
    if (!isObject(environment))
      throw wrong(`${key}.environment`, typeof environment, 'be an object of texts');
    // Its value may be a secret.
    for (const [name, value] of Object.entries(environment))
      if (typeof value !== 'string') throw wrong(`${key}.environment.${name}`, typeof value, 'be a text');
  }
  if (slowEdges !== undefined && !isAscending(slowEdges))
    throw wrong(`${key}.slowEdges`, slowEdges, 'be ascending milliseconds above 0');
}

function isAscending(edges: unknown): boolean {
  if (!Array.isArray(edges)) return false;
  return edges.every(
    (edge, index) => Number.isFinite(edge) && edge > (index === 0 ? 0 : (edges[index - 1] as number)),
  );
}

function within(key: string, value: unknown, least: number, most: number): void {
  if (typeof value === 'number' && value >= least && value <= most) return;
  throw wrong(key, value, `be a number from ${least} to ${most}`);
}

function whole(key: string, value: unknown, least: number, most: number): void {
  within(key, value, least, most);
  if (!Number.isInteger(value)) throw wrong(key, value, 'be a whole number');
}

const wrong = (key: string, value: unknown, must: string): Error =>
  new Error(
    `The host’s configuration: ${key} must ${must}; found ${shown(value)}. Correct it in the document that MODELS_HOST names.`,
  );

const shown = (value: unknown): string => (JSON.stringify(value) ?? 'nothing').slice(0, 80);
