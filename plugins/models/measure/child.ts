/**
 * A server of one model in a process of its own, as `sls models serve` is one: what measures it must not
 * share its event loop.
 */
import { inferPath } from '../serve/ask.ts';
import { listen } from '../serve/listen.ts';
import { type LocalOptions, type ShippedModel, serveLocally } from '../serve/local.ts';

/** From the parent: what is served. */
export type HereTask = Omit<LocalOptions, 'ship' | 'notice' | 'page'> & { readonly shipped: ShippedModel };
/** To the parent: where it is asked, or what its start threw. */
export type HereReport = { readonly url: string } | { readonly error: string };

const tell = (report: HereReport): void => {
  process.send?.(report);
};

process.once('disconnect', () => process.exit());
// Ctrl-C goes to the whole group; the parent ends this process once it has kept what was measured.
process.on('SIGINT', () => {});
process.once('message', async ({ shipped, ...options }: HereTask) => {
  try {
    const local = await serveLocally({ ...options, page: '', notice: () => {}, ship: async () => shipped });
    const { url } = await listen(0, local.handle);
    const [model] = options.models;
    tell({ url: `${url}${model === undefined ? '' : inferPath(model)}` });
  } catch (error) {
    tell({ error: error instanceof Error ? error.message : String(error) });
  }
});
