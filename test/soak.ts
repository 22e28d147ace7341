/**
 * `npm run soak [-- name…]`: what is too long or needs too much for every test run. Each part prints one line,
 * `soak <name> <figures> ok|failed`.
 */
import { performance } from 'node:perf_hooks';
import { arm64Inference } from './soak/arm64.ts';
import { largeArtifact } from './soak/large.ts';

const parts: Readonly<Record<string, () => Promise<string>>> = {
  arm64: arm64Inference,
  large: largeArtifact,
};

const wanted = process.argv.slice(2);
for (const [name, part] of Object.entries(parts)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const began = performance.now();
  try {
    const figures = await part();
    console.log(`soak ${name} ${figures}, ${((performance.now() - began) / 1000).toFixed(0)} s ok`);
  } catch (error) {
    console.log(`soak ${name} ${error instanceof Error ? error.message : error} failed`);
    process.exitCode = 1;
  }
}
