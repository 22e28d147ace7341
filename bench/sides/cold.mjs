// One cold start: `node cold.mjs <handler.mjs> <event.json>` loads the handler as Lambda's runtime would, answers one
// event, writes the answer to file descriptor 3 and ends. Plain JavaScript, since stripping types would be timed too.
import { readFileSync, writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [, , file, eventFile] = process.argv;
const { handler } = await import(pathToFileURL(file).href);
const event = JSON.parse(readFileSync(eventFile, 'utf8'));
const context = { awsRequestId: 'bench', getRemainingTimeInMillis: () => 10_000 };
writeSync(3, `${JSON.stringify(await handler(event, context))}\n`);
process.exit(0);
