import type { AdviceNeeds, Form, FormCost, Prices, Unknown } from './contract.ts';
import { memoryWords, numberWords, timeWords } from './words.ts';

/** What the advice does not know, and what would have to be known. */
export function unknownOf(
  needs: AdviceNeeds,
  form: Form | undefined,
  costs: readonly (FormCost | undefined)[],
  prices: Prices,
): readonly Unknown[] {
  const { deviceMemory, http, latency, memory, network, payload, privacy, service, start, traffic, update } =
    needs;
  const { benchLeftOut } = needs;
  const isEdge = form === 'edge' || (form === undefined && privacy?.value === 'local');
  const found: (Unknown | false)[] = [
    traffic === undefined && {
      what: 'How many requests come.',
      needed: '`traffic`, for example 5/s: costs are compared by it.',
    },
    latency === undefined && {
      what: 'Whether somebody waits for an answer, and how long.',
      needed: '`latency`: it decides between batch, real time and edge before all else.',
    },
    privacy === undefined && {
      what: 'Whether the data may leave the place where they are.',
      needed: '`privacy`: central or local.',
    },
    update === undefined && {
      what: 'How often a new version of the model comes.',
      needed: '`update`: hourly, daily, weekly, monthly or never. Devices get updates seldom.',
    },
    benchLeftOut !== undefined && {
      what: `How fast it is at that size: the ${benchLeftOut}, so that its times are left out.`,
      needed:
        'a bench at this memory and architecture, or those of the bench (`--memory`, `--architecture`).',
    },
    service.isGuess && {
      what: `How long a request computes: ${timeWords(service.value)} is assumed, from the size of the file.`,
      needed: 'a bench (`sls models bench`), or `--duration`.',
    },
    start.isGuess && {
      what: `How long a start takes: ${timeWords(start.value)} is assumed, from the size of the file.`,
      needed: '`--start`, from the Init Duration in the function’s log.',
    },
    memory.isGuess && {
      what: `How much memory running it takes: ${memory.value.toLocaleString('en-US')} MB is assumed.`,
      needed: '`--memory`, from a bench.',
    },
    payload.isGuess && {
      what: `How large a request and its answer are: ${memoryWords(payload.value)} is assumed.`,
      needed: '`payload`.',
    },
    network === undefined &&
      !isEdge &&
      form !== 'batch' && {
        what: 'How far callers are: nothing is taken off the latency for the network.',
        needed: '`--network`, milliseconds there and back.',
      },
    !http &&
      form !== 'batch' &&
      !isEdge && {
        what: 'Whether requests come over HTTP: an HTTP API before Lambda is not counted.',
        needed: `\`http\` of the model; it adds $${numberWords(1e6 * prices['http.request'].dollars)} for a million requests.`,
      },
    isEdge &&
      deviceMemory === undefined && {
        what: 'Whether the model fits on the device.',
        needed: '`--device-memory`, and then a measurement on the device.',
      },
    isEdge && {
      what: 'How fast it is on the device, and what devices cost.',
      needed: 'a bench on the device; devices are yours, and are not counted here.',
    },
  ];
  const doubtful = [...new Set(costs.flatMap((cost) => cost?.doubtful ?? []))];
  if (doubtful.length > 0)
    found.push({
      what: `Prices with ?: ${doubtful.join(', ')}. No page of AWS that could be read shows them.`,
      needed: 'what AWS shows in your account’s region, in a file for `--prices`.',
    });
  return found.filter((one) => one !== false);
}
