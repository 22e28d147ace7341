import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { joinedBytes, joinFiles } from '../../../../../../plugins/models/artifact/onnx/join.ts';

/** As TypeScript writes them, down to the comment without a line end; `a` and `b` ask for each other. */
const FILES: Readonly<Record<string, string>> = {
  'index.js': `"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.a = require("./a.js");
exports.again = require("./a.js");
exports.self = this === exports;
//# sourceMappingURL=index.js.map`,
  'a.js': `"use strict";
exports.early = 1;
exports.b = require("./b.js");
//# sourceMappingURL=a.js.map`,
  'b.js': `exports.seen = require("./a.js").early; // an umlaut: ü`,
};
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'join-'));
  for (const [name, text] of Object.entries(FILES)) await writeFile(join(folder, name), text);
  await writeFile(join(folder, 'package.json'), '{"type":"commonjs"}');
  await joinFiles(folder);
});
afterAll(() => rm(folder, { recursive: true }));

it('one file does what the files did', async () => {
  expect((await readdir(folder)).sort()).toEqual(['index.js', 'package.json']);
  const joined = createRequire(import.meta.url)(folder);
  expect(joined).toMatchObject({ a: { early: 1, b: { seen: 1 } }, self: true });
  expect(joined.again).toBe(joined.a);
});

it('its size is known beforehand', async () => {
  const sizes = Object.entries(FILES).map(([name, text]) => ({ name, bytes: Buffer.byteLength(text) }));
  expect((await stat(join(folder, 'index.js'))).size).toBe(joinedBytes(sizes));
});
