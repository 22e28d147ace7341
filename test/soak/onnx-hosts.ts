import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostRuntime } from '../../plugins/models/artifact/onnx/runtime.ts';
import { cacheFolder } from '../../plugins/models/disk/cache.ts';
import { bringTools, lackingTools } from '../image-tools.ts';
import { runPython } from '../python.ts';
import { baseHere, imageRoom } from '../serving/image-of-cases.ts';
import type { Case, Stored } from '../serving/onnx-cases.ts';
import { type ThroughHosts, throughHosts } from '../serving/onnx-hosts.ts';

/** Runs at a time: of each, most is the start of processes, which wait for one another. */
const AT_ONCE = 6;
/** Between two lines of how far it is. */
const PART = 20;

/**
 * All of ONNX’s node cases through zip, image and host, whose answers must be the same bytes.
 * @throws with the cases that differ
 */
export async function onnxThroughHosts(): Promise<string> {
  const lacks = lackingTools().filter((tool) => tool === 'umoci' || tool === 'bwrap');
  if (lacks.length > 0) throw new Error(`needs ${lacks.join(', ')}: ${bringTools(lacks)}`);
  const folder = await mkdtemp(join(tmpdir(), 'onnx-cases-'));
  const before = process.env.SERVERLESS_MODELS_CACHE;
  try {
    await hostRuntime();
    const shared = cacheFolder('onnxruntime');
    // A thousand models and their layers are of no use to anybody afterwards.
    process.env.SERVERLESS_MODELS_CACHE = join(folder, 'cache');
    await mkdir(cacheFolder());
    await symlink(shared, cacheFolder('onnxruntime'));
    const script = join(import.meta.dirname, '..', 'serving', 'onnx_cases.py');
    await runPython(script, [folder], { timeout: 600_000, env: { LOCPATH: '/nonexistent' } });
    const lines = (await readFile(join(folder, 'cases.jsonl'), 'utf8')).trimEnd().split('\n');
    const ran = lines.map((line): Case => JSON.parse(line)).flatMap((one) => ('model' in one ? [one] : []));
    const tensors = await readFile(join(folder, 'tensors.bin'));
    const content = ({ at, bytes }: Stored): Buffer => tensors.subarray(at, at + bytes);
    const base = await baseHere();
    let [done, wrong] = [0, 0];
    const shares = Array.from({ length: AT_ONCE }, async (_, share) => {
      const own = join(folder, `images-${share}`);
      await mkdir(own);
      const room = imageRoom(own, base);
      const cases = ran.filter((__, at) => at % AT_ONCE === share);
      const through: ThroughHosts[] = [];
      for (let first = 0; first < cases.length; first += PART) {
        const part = await throughHosts(cases.slice(first, first + PART), content, room);
        through.push(...part);
        done += part.length;
        for (const one of part) {
          if (!('different' in one)) continue;
          wrong += 1;
          console.error(`${one.case}: ${one.different}`);
        }
        console.error(`${done} of ${ran.length} cases, ${wrong} differ`);
      }
      return through;
    });
    // Each has ended before the folder is gone.
    const ended = await Promise.allSettled(shares);
    const found = ended.flatMap((share) => {
      if (share.status === 'rejected') throw share.reason;
      return share.value;
    });
    const different = found.flatMap((one) => ('different' in one ? [`${one.case}: ${one.different}`] : []));
    if (different.length > 0) throw new Error(`${different.length} differ: ${different.join('; ')}`);
    const same = found.flatMap((one) => ('same' in one ? [one.same] : []));
    const refused = found.flatMap((one) => ('refused' in one ? [`${one.case}: ${one.refused}`] : []));
    // What the protocol cannot say is not packaged; that is little.
    if (refused.length > ran.length / 20) throw new Error(`${refused.length} refused: ${refused.join('; ')}`);
    const requests = same.reduce((sum, count) => sum + count, 0);
    return `${same.length} cases, ${requests} requests: the same bytes from the zip, from the host by HTTP and gRPC, and from as many unpacked images, as Lambda’s runtime and by HTTP; ${refused.length} cannot be packaged`;
  } finally {
    if (before === undefined) delete process.env.SERVERLESS_MODELS_CACHE;
    else process.env.SERVERLESS_MODELS_CACHE = before;
    await rm(folder, { recursive: true, force: true });
  }
}
