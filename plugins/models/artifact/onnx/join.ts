import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Several files of CommonJS that ask for each other by `./name.js`, as one `index.js`. Node resolves, opens
 * and compiles every file by itself, at every cold start: for the 21 files of onnxruntime-common that is 5 ms
 * of about 70 (`npm run bench -- cold`). Plain text around plain text, so that the bytes depend on nothing
 * but the files.
 */
const HEAD = `'use strict';
const made = {};
const load = (name) => {
  if (made[name] === undefined) {
    made[name] = { exports: {} };
    files[name].call(made[name].exports, made[name], made[name].exports, load);
  }
  return made[name].exports;
};
const files = {
`;
/** Parentheses tell V8 to compile the function at once rather than to skim it first. */
const before = (name: string): string => `'./${name}': (function (module, exports, require) {\n`;
const AFTER = '\n}),\n';
const FOOT = `};
module.exports = load('./index.js');
`;

/** Puts all .js files of a folder, which has an index.js, into that index.js. */
export async function joinFiles(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.js')).sort();
  let text = HEAD;
  for (const name of names) text += before(name) + (await readFile(join(folder, name), 'utf8')) + AFTER;
  for (const name of names) await rm(join(folder, name));
  await writeFile(join(folder, 'index.js'), text + FOOT);
}

/** @returns size of the joined file, in bytes, from the files' names and sizes */
export function joinedBytes(files: readonly { readonly name: string; readonly bytes: number }[]): number {
  const around = files.reduce((sum, { name }) => sum + Buffer.byteLength(before(name) + AFTER), 0);
  return Buffer.byteLength(HEAD + FOOT) + around + files.reduce((sum, { bytes }) => sum + bytes, 0);
}
