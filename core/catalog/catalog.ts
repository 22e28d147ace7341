import { createHash } from 'node:crypto';
import type { CardDocument } from '../card/contract.ts';
import { REFUSALS, type RefusalCode } from '../errors/refusals.ts';
import type { EndpointRequest } from '../protocol/event.ts';
import { type Answer, allowHeader, errorAnswer, JSON_HEADERS, jsonAnswer } from '../protocol/http.ts';
import { mountOf } from '../protocol/mount.ts';
import {
  type CatalogGroup,
  type CatalogManifest,
  type CatalogModel,
  EXTENSIONS,
  LIVE,
  PLATFORM,
} from './contract.ts';
import { docsPage, docsPolicy } from './docs.ts';
import { openapi } from './openapi.ts';
import type { Server } from './responses.ts';
import { type CatalogRoute, catalogRoute } from './route.ts';

/** Somebody else's finished answer, in the shape that the event's source wants. */
export type Passed = { readonly passed: unknown };

/** What became of a request to one version. `absent`: there is no such version. */
export type VersionAnswer =
  | { readonly answer: unknown }
  | { readonly failure: 'absent' | 'throttled' | 'tooLarge' | 'notReady' | 'failed' };

/** The endpoints behind the catalog, by Lambda's function name. The narrowest port that it needs. */
export type Endpoints = {
  invoke(name: string, version: string, event: unknown): Promise<VersionAnswer>;
  /**
   * Lambda's state of a version, for example `Active` or `Pending`, or `ENDING` of a host; undefined where
   * there is no such version.
   */
  state(name: string, version: string): Promise<string | undefined>;
  /** Numbers of the published versions, oldest first. */
  versions(name: string): Promise<readonly string[]>;
};

/** The state of each model of a host that is told to end and still answers. */
export const ENDING = 'Ending';

const NO_STORE = { 'cache-control': 'no-store' };
const json = (status: number, value: unknown): Answer => {
  const answer = jsonAnswer(status, value);
  return { ...answer, headers: { ...answer.headers, ...NO_STORE } };
};
const failure = (code: RefusalCode, message: string, headers: Answer['headers'] = {}): Answer => {
  const answer = errorAnswer({ status: REFUSALS[code].status, code, message });
  return { ...answer, headers: { ...answer.headers, ...NO_STORE, ...headers } };
};

/** A text that changes with a deploy only, and the mark that a client keeps it by. */
type Described = { readonly body: string; readonly etag: string };

/** How many of them are kept: one a group or model, and by each address that the group has. */
const MOST_KEPT = 64;

/**
 * Makes each once: a description of many columns takes tens of milliseconds, in which a host answers nobody,
 * its probes included.
 */
function keeper(): (key: string, make: () => string) => Described {
  const kept = new Map<string, Described>();
  return (key, make) => {
    const found = kept.get(key);
    if (found !== undefined) return found;
    const body = make();
    const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 32)}"`;
    if (kept.size >= MOST_KEPT) kept.clear();
    kept.set(key, { body, etag });
    return { body, etag };
  };
}

/** It is kept by the client, too, and asked about each time. */
function revalidated(
  headers: Answer['headers'],
  { body, etag }: Described,
  request: EndpointRequest,
): Answer {
  const kept = { ...headers, 'cache-control': 'no-cache', etag };
  return isKept(request.headers['if-none-match'] ?? '', etag)
    ? { status: 304, headers: kept, body: '' }
    : { status: 200, headers: kept, body };
}

/**
 * What compresses on the way makes a mark a weak one, and that is as good here:
 * https://www.rfc-editor.org/rfc/rfc9110#name-if-none-match
 */
const isKept = (marks: string, etag: string): boolean =>
  marks.trim() === '*' || [...marks.matchAll(/"[^"]*"/g)].some(([mark]) => mark === etag);

const FAILURES = {
  absent: failure('NOT_FOUND', 'No such version of this model.'),
  throttled: failure('THROTTLED', 'The version is at its concurrency limit; try again.', {
    'retry-after': '1',
  }),
  tooLarge: failure('BODY_TOO_LARGE', 'The request is beyond Lambda’s 6 MB.'),
  notReady: failure('NOT_READY', 'Lambda is bringing the version back; try again.', { 'retry-after': '5' }),
  failed: failure('ENDPOINT_FAILED', 'The version failed or ran out of its time.'),
} as const;

/**
 * The catalog without its runtime: one function for Lambda and for this machine.
 *
 * A model is ready when the version that clients reach is one that Lambda would run now (state `Active`): not
 * missing, not still being prepared, not put aside after weeks without a request. It does not run the model,
 * since a health check that is polled would then pay for inference and keep an environment warm; whether the
 * version answers is the release's concern.
 *
 * What describes one numbered version is asked of that version: its signature may differ from the deployed
 * one's.
 * @param script of the docs page
 * @param server who takes the requests
 */
export function catalog(
  manifest: CatalogManifest,
  endpoints: Endpoints,
  script: string,
  server: Server = 'gateway',
): (request: EndpointRequest) => Promise<Answer | Passed> {
  const parts = { manifest, endpoints, script, server, once: keeper() };
  return async (request) => {
    const route = catalogRoute(request.path, manifest.groups);
    if (route.kind === 'unknown') return failure('NOT_FOUND', route.error);
    const wanted = route.kind === 'infer' ? 'POST' : 'GET';
    if (request.method !== wanted && !(wanted === 'GET' && request.method === 'HEAD')) {
      return failure('METHOD_NOT_ALLOWED', `This path takes ${wanted}.`, allowHeader(wanted));
    }
    return answer(parts, route, request);
  };
}

type Parts = {
  readonly manifest: CatalogManifest;
  readonly endpoints: Endpoints;
  readonly script: string;
  readonly server: Server;
  readonly once: ReturnType<typeof keeper>;
};

async function answer(
  parts: Parts,
  route: Exclude<CatalogRoute, { kind: 'unknown' }>,
  request: EndpointRequest,
): Promise<Answer | Passed> {
  const { manifest, endpoints, server, once } = parts;
  switch (route.kind) {
    case 'server':
      return json(200, { name: manifest.service, version: manifest.version, extensions: EXTENSIONS });
    case 'live':
      return json(200, { live: true });
    case 'ready': {
      const states = await Promise.all(route.group.models.map((model) => readiness(parts, model, LIVE)));
      const waiting = states.find((state) => state !== undefined);
      return waiting ?? json(200, { ready: true });
    }
    case 'modelReady':
    case 'ping': {
      const waiting = await readiness(parts, route.model, route.version);
      if (waiting !== undefined) return waiting;
      return route.kind === 'ping' ? json(200, {}) : json(200, { name: route.model.name, ready: true });
    }
    case 'metadata':
      return route.version === LIVE
        ? metadata(endpoints, route.model)
        : passOn(endpoints, route.model, route.version, request);
    case 'card':
      return card(route.model, once, request);
    case 'infer':
      return passOn(endpoints, route.model, route.version, request);
    case 'openapi': {
      const { group } = route;
      const mount = mountOf(request);
      const made = once(`openapi ${group.path} ${mount}`, () =>
        JSON.stringify(openapi(manifest, group, { server, mount })),
      );
      return revalidated(JSON_HEADERS, made, request);
    }
    case 'docs':
      // Its links are relative, and would lead below it.
      if (request.path.endsWith('/'))
        return { status: 308, headers: { ...NO_STORE, location: '../docs' }, body: '' };
      return docs(parts, route.group, request);
  }
}

function card(
  { name, card: told, signature }: CatalogModel,
  once: Parts['once'],
  request: EndpointRequest,
): Answer {
  if (told === undefined) return failure('NOT_FOUND', `${name} was packaged without a card.`);
  const { inputs, outputs } = signature;
  const document: CardDocument = { ...told, inputs, outputs };
  return revalidated(
    JSON_HEADERS,
    once(`card ${name}`, () => JSON.stringify(document)),
    request,
  );
}

function docs({ manifest, script, once }: Parts, group: CatalogGroup, request: EndpointRequest): Answer {
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': docsPolicy(script),
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  };
  return revalidated(
    headers,
    once(`docs ${group.path}`, () => docsPage(manifest, group, script)),
    request,
  );
}

/** @returns why not, or undefined when ready */
async function readiness(
  { endpoints, server }: Parts,
  { name, function: functionName }: CatalogModel,
  version: string,
): Promise<Answer | undefined> {
  const state = await endpoints.state(functionName, version);
  if (state === 'Active') return undefined;
  if (state === undefined) {
    return version === LIVE ? failure('NOT_READY', `${name} has not been released yet.`) : FAILURES.absent;
  }
  if (server === 'gateway')
    return failure('NOT_READY', `${name} is not ready: Lambda’s state of it is ${state}.`);
  const why = state === ENDING ? 'The host is ending.' : `${name} has no worker that is up.`;
  return failure('NOT_READY', why, { 'retry-after': '1' });
}

async function metadata(endpoints: Endpoints, model: CatalogModel): Promise<Answer> {
  const { name, signature } = model;
  const versions = await endpoints.versions(model.function);
  const { inputs, outputs } = signature;
  return json(200, { name, versions, platform: PLATFORM, inputs, outputs });
}

async function passOn(
  endpoints: Endpoints,
  model: CatalogModel,
  version: string,
  { event }: EndpointRequest,
): Promise<Answer | Passed> {
  const invoked = await endpoints.invoke(model.function, version, event);
  return 'failure' in invoked ? FAILURES[invoked.failure] : { passed: invoked.answer };
}
