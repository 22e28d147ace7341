// One cold start: `node cold.mjs <handler.mjs> <event.json>` loads the handler as Lambda's runtime would,
// answers one event, writes the answer to file descriptor 3 and ends. Plain JavaScript, since stripping types
// would be timed too.
//
// Not imported: an import of node:fs evaluates its getters, streams among them, and so would take 5 ms off
// whatever the handler loads itself.
const { readFileSync, writeSync } = process.getBuiltinModule('node:fs');
const { pathToFileURL } = process.getBuiltinModule('node:url');

const [, , file, eventFile] = process.argv;
const { handler } = await import(pathToFileURL(file).href);
const event = JSON.parse(readFileSync(eventFile, 'utf8'));
const context = { awsRequestId: 'bench', getRemainingTimeInMillis: () => 10_000 };
writeSync(3, `${JSON.stringify(await handler(event, context))}\n`);
process.exit(0);
