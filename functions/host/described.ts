import type { IncomingMessage } from 'node:http';
import { catalog, ENDING, type Endpoints } from '../../core/catalog/catalog.ts';
import { type CatalogManifest, LIVE } from '../../core/catalog/contract.ts';
import { catalogRoute } from '../../core/catalog/route.ts';
import { fromAnswer, type HttpAnswer, toEvent } from '../../core/host/gateway.ts';
import { readEvent } from '../../core/protocol/event.ts';
import { allowHeader } from '../../core/protocol/http.ts';
import type { Behind } from './behind.ts';
import { asHttp, refusalAnswer } from './replies.ts';

/** Who has which path, and what the catalog says of them: all that needs no model. */
export type Described = {
  /** The model that a POST to this path infers with. @param path as it stands in the request line */
  readonly inferred: (path: string) => string | undefined;
  /** Whatever is no inference; of the request’s body it knows nothing. */
  readonly answer: (request: IncomingMessage) => Promise<HttpAnswer>;
};

type Known = {
  readonly manifest: CatalogManifest;
  readonly paths: ReadonlyMap<string, string>;
  readonly answer: ReturnType<typeof catalog>;
};

export function describeModels({ state, catalog: current, page, pool, local }: Behind): Described {
  const versionOf = (name: string): string | undefined => pool(name)?.standing().version;
  const isHere = (name: string, version: string): boolean => version === LIVE || version === versionOf(name);
  const endpoints: Endpoints = {
    // An inference by a version that is here never comes so far.
    invoke: async (name, version) => ({ failure: isHere(name, version) ? 'failed' : 'absent' }),
    state: async (name, version) => {
      if (!isHere(name, version)) return undefined;
      // Who asks about one model must learn of the end, too: some probes and clients ask nothing else.
      if (state() === 'draining') return ENDING;
      return pool(name)?.isUp() ? 'Active' : 'Pending';
    },
    versions: async (name) => [versionOf(name) ?? []].flat(),
  };
  let known: Known | undefined;
  /** The version that is here is the live one: as an image’s, it need not look like one of Lambda’s. */
  const asLive = (path: string): string =>
    path.replace(OF_VERSION, (whole, model: string, name: string, version: string) =>
      isHere(name, version) ? `${model}/versions/${LIVE}` : whole,
    );
  const now = (): Known => {
    const manifest = current();
    if (known?.manifest !== manifest)
      known = {
        manifest,
        paths: pathsOf(manifest),
        answer: catalog(manifest, endpoints, page, local ? 'local' : 'host'),
      };
    return known;
  };
  const inferred: Described['inferred'] = (path) => {
    const { paths, manifest } = now();
    const found = paths.get(path);
    if (found !== undefined) return found;
    const plain = decoded(path);
    const whole = paths.get(plain);
    if (whole !== undefined) return whole;
    const route = catalogRoute(asLive(plain), manifest.groups);
    return route.kind === 'infer' && isHere(route.model.name, route.version) ? route.model.name : undefined;
  };
  return {
    inferred,
    async answer(request) {
      const { method = 'GET', url: target = '/', headers } = request;
      // The catalog knows no `/invocations`, and would say that nothing is there.
      const [path = ''] = target.split('?', 1);
      if (method !== 'POST' && inferred(path) !== undefined) return POST_ALONE;
      const read = readEvent(toEvent({ method, target, headers, body: Buffer.alloc(0) }));
      const answer = await now().answer({ ...read, path: asLive(read.path) });
      return 'passed' in answer ? fromAnswer(answer.passed) : asHttp(answer);
    },
  };
}

const WRONG_METHOD = refusalAnswer('METHOD_NOT_ALLOWED', 'This path takes POST.');
const POST_ALONE: HttpAnswer = {
  ...WRONG_METHOD,
  headers: { ...WRONG_METHOD.headers, ...allowHeader('POST') },
};

const OF_VERSION = /(\/v2\/models\/([^/]+))\/versions\/([^/]+)/;

function pathsOf({ groups }: CatalogManifest): ReadonlyMap<string, string> {
  const paths = new Map<string, string>();
  for (const { path, models, bare } of groups) {
    const base = path === '/' ? '' : path;
    if (bare !== undefined) paths.set(`${base}/invocations`, bare);
    for (const { name } of models) {
      paths.set(`${base}/v2/models/${name}/infer`, name);
      paths.set(`${base}/models/${name}/invocations`, name);
    }
  }
  return paths;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
