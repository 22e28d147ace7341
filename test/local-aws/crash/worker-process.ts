/**
 * A Lambda environment with nothing in it but the release worker: the bundled handler, invoked by messages,
 * one after the other, by the clock that the messages tell. Whoever started it may end it by SIGKILL at any
 * time.
 *
 * Arguments: path of the bundle, ARN of the function.
 */
import { flushCompileCache } from 'node:module';
import { pathToFileURL } from 'node:url';

type Message = { readonly event: unknown; readonly now: number };

const [bundle = '', arn = ''] = process.argv.slice(2);
const realNow = Date.now;
let ahead = 0;
// Before the handler is loaded, which keeps this very function.
Date.now = () => realNow() + ahead;

const { handler } = (await import(pathToFileURL(bundle).href)) as {
  handler(event: unknown, context: object): Promise<unknown>;
};
const context = { invokedFunctionArn: arn, getRemainingTimeInMillis: () => 300_000 };

process.on('disconnect', () => process.exit());
process.on('message', ({ event, now }: Message) => {
  ahead = now - realNow();
  handler(event, context).then(
    (answer) => process.send?.({ answer }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }),
  );
});
// What it compiled so far is kept for those who follow, now: nobody who is killed keeps anything at their
// end.
flushCompileCache();
process.send?.('ready');
