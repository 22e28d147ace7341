/** Our side in a process of its own: node read.ts <reference> <cache>. What it read goes to descriptor 3. */
import { writeSync } from 'node:fs';
import { readOnce } from './reading.ts';

const [reference = '', cache = ''] = process.argv.slice(2);
writeSync(3, JSON.stringify(await readOnce(reference, cache)));
