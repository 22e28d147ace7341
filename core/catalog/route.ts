import { type CatalogGroup, type CatalogModel, LIVE } from './contract.ts';

/** What a path asks for, and of whom. */
export type CatalogRoute =
  | { readonly kind: 'server' | 'live' | 'ready' | 'openapi' | 'docs'; readonly group: CatalogGroup }
  | {
      readonly kind: 'metadata' | 'modelReady' | 'ping' | 'infer';
      readonly group: CatalogGroup;
      readonly model: CatalogModel;
      /** A version’s number, or `live`. */
      readonly version: string;
    }
  | { readonly kind: 'card'; readonly group: CatalogGroup; readonly model: CatalogModel }
  | { readonly kind: 'unknown'; readonly error: string };

const unknown = (error: string): CatalogRoute => ({ kind: 'unknown', error });
const NOTHING = unknown('Nothing is at this path; GET /v2, /openapi.json and /docs say what is.');

const SERVER: Readonly<Record<string, 'server' | 'live' | 'ready' | 'openapi' | 'docs'>> = {
  v2: 'server',
  'v2/health/live': 'live',
  'v2/health/ready': 'ready',
  'openapi.json': 'openapi',
  docs: 'docs',
};

/** The group whose prefix is the longest that `path` starts with. */
function groupOf(path: string, groups: readonly CatalogGroup[]): CatalogGroup | undefined {
  const candidates = groups.filter(
    (group) => group.path === '/' || path === group.path || path.startsWith(`${group.path}/`),
  );
  return candidates.toSorted((a, b) => b.path.length - a.path.length)[0];
}

/**
 * Reads a request's path. Pure.
 * @param path decoded, without the query; one slash at its end is forgiven
 */
export function catalogRoute(path: string, groups: readonly CatalogGroup[]): CatalogRoute {
  const group = groupOf(path, groups);
  if (group === undefined) return NOTHING;
  const rest = path.slice(group.path === '/' ? 1 : group.path.length + 1).replace(/\/$/, '');
  const server = Object.hasOwn(SERVER, rest) ? SERVER[rest] : undefined;
  if (server !== undefined) return { kind: server, group };
  const model = (name: string | undefined): CatalogModel | undefined =>
    group.models.find((candidate) => candidate.name === name);

  if (rest === 'ping') {
    const bare = model(group.bare);
    return bare === undefined ? NOTHING : { kind: 'ping', group, model: bare, version: LIVE };
  }
  const [first, second, name, ...tail] = rest.startsWith('v2/') ? rest.split('/') : ['', ...rest.split('/')];
  if (second !== 'models' || name === undefined) return NOTHING;
  const found = model(name);
  if (found === undefined) return unknown('No such model here; GET /docs lists them.');

  if (first === '') {
    return tail.join('/') === 'ping' ? { kind: 'ping', group, model: found, version: LIVE } : NOTHING;
  }
  const versioned = tail[0] === 'versions';
  const version = versioned ? tail[1] : LIVE;
  const action = tail.slice(versioned ? 2 : 0);
  if (version === undefined || action.length > 1) return NOTHING;
  // It is of what was deployed, and no version's own.
  if (!versioned && action[0] === 'card') return { kind: 'card', group, model: found };
  // A name beyond these could reach another qualifier than a published version: $LATEST, or somebody's alias.
  if (version !== LIVE && !/^[1-9]\d{0,14}$/.test(version)) return unknown('No such version of this model.');
  const kind = KINDS[action[0] ?? ''];
  return kind === undefined ? NOTHING : { kind, group, model: found, version };
}

const KINDS: Readonly<Record<string, 'metadata' | 'modelReady' | 'infer'>> = Object.freeze(
  Object.assign(Object.create(null), { '': 'metadata', ready: 'modelReady', infer: 'infer' }),
);
