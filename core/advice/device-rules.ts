import type { AdviceNeeds, RuleReason } from './contract.ts';
import { bytesStored, cutFor, parametersOf, rungsOf, scaleBytes } from './device.ts';
import { countWords, memoryWords, numberWords, weightWords } from './words.ts';

/**
 * What ONNX Runtime's WebAssembly takes by itself, in a browser or another host of it: 14.24 MB (1.30). Node
 * takes 44 MB without a model.
 */
const RUNTIME_BYTES = 14.24e6;

/** Does a device hold the weights? By their shapes alone. */
export function deviceRule({ deviceMemory, size }: AdviceNeeds): RuleReason | undefined {
  if (deviceMemory === undefined) return undefined;
  const { value: room, from } = deviceMemory;
  const rungs = rungsOf(size);
  const smallest = rungs.at(-1)?.bytes ?? bytesStored(size);
  const told = rungs.map(({ bytes, name }) => `${weightWords(bytes)} ${name}`).join(', ');
  if (smallest > room) {
    const parameters = parametersOf(size);
    const what =
      parameters > 0
        ? `${countWords(parameters)} parameters = ${told} (scales of blocks of 32 add ${weightWords(scaleBytes(size))} to int8 and int4)`
        : `${weightWords(smallest)}, and nothing in it that could be quantised,`;
    return {
      rule: 'device',
      words: `${what} against ${memoryWords(room)} (${from}): the smallest is ${numberWords(smallest / room)} times too large, so the smallest cut is 1/${numberWords(cutFor(smallest, room))}. Distil a smaller model, or take hardware for it.`,
      excludes: ['edge'],
    };
  }
  if (RUNTIME_BYTES > room)
    return {
      rule: 'device',
      words: `${weightWords(smallest)} of weights would fit into ${memoryWords(room)} (${from}), but ONNX Runtime itself takes ${weightWords(RUNTIME_BYTES)}. Such a device needs the model as code of its own, which this plugin does not make.`,
      excludes: ['edge'],
    };
  const stored = bytesStored(size);
  const fits =
    stored <= room ? 'as they are' : `as ${rungs.find(({ bytes }) => bytes <= room)?.name ?? 'they are'}`;
  return {
    rule: 'device',
    words: `the weights (${told || weightWords(stored)}) fit into ${memoryWords(room)} (${from}) ${fits}. What running it takes is more, and has to be measured.`,
    excludes: [],
  };
}
