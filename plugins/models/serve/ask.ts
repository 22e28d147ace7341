import type { InvokePort } from '../../../core/ports/aws.ts';
import { usage } from '../context/context.ts';
import type { Model } from '../declaration/model.ts';

/** What an infer path answered. */
export type Posted = { readonly status: number; readonly body: string };

/** Posts an infer request, JSON. */
export type Ask = (body: string, signal: AbortSignal) => Promise<Posted>;

/** Codes of a host whose process of the model was ended, by itself or for its time. */
const CRASHED = /"code"\s*:\s*"(ENDPOINT_FAILED|TIMED_OUT)"/;

/**
 * An infer path of the protocol where the gate else has a Lambda: the same requests, the same answers. What
 * no function of ours says (the gateway's 5xx) is a crash; there is no report, so neither memory nor cold
 * starts.
 */
export function askHttp(ask: Ask): InvokePort {
  return {
    invoke: async (_, __, payload, patience) => {
      const signal = AbortSignal.timeout(patience);
      const late = new Promise<undefined>((resolve) => {
        signal.addEventListener('abort', () => resolve(undefined), { once: true });
      });
      const posted = ask(payload, signal).then(
        ({ status, body }) =>
          status >= 500 && (!/"error"\s*:/.test(body) || CRASHED.test(body))
            ? {
                payload: JSON.stringify({ errorType: `HTTP ${status}`, errorMessage: '' }),
                crashed: 'Unhandled',
              }
            : { payload: body },
        (error: unknown) => {
          if (signal.aborted) return undefined;
          throw error;
        },
      );
      return Promise.race([posted, late]);
    },
  };
}

/**
 * Where a model’s inferences are asked, below its host; one that is invoke-only on AWS stands at `/` here.
 */
export const inferPath = ({ name, http }: Model): string =>
  `${http === undefined || http.path === '/' ? '' : http.path}/v2/models/${name}/infer`;

/**
 * @param url of a server; its path is put before the model's
 * @throws a problem of `--url`, where it is no address, or has a query
 */
export function inferUrl(url: string, model: Model): URL {
  const example = 'Write for example http://127.0.0.1:8080.';
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw usage('--url', `${url} is not an address.`, example);
  const base = new URL(url);
  // Not told in full: a query may hold a key.
  if (base.search !== '' || base.hash !== '')
    throw usage(
      '--url',
      `${base.origin}${base.pathname} has ${base.search === '' ? 'a fragment' : 'a query'}, which no path can follow.`,
      example,
    );
  base.pathname = `${base.pathname.replace(/\/+$/, '')}${inferPath(model)}`;
  return base;
}
