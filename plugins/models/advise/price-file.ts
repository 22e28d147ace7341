import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { PRICES_USED, type Price, type Prices, type PriceUsed } from '../../../core/advice/contract.ts';
import { isObject } from '../../../core/json/is-object.ts';
import { usage } from '../context/context.ts';
import { PRICE_LIST } from '../plan/shared/prices.ts';
import { type Problem, throwProblems } from '../problems/errors.ts';

/** Dollars: more than any of these units costs. */
const MOST = 10_000;

/**
 * The plugin's prices, those of a person's file in their place. @throws ProblemError with all that is wrong
 */
export async function pricesOf(file: string | undefined, folder: string): Promise<Prices> {
  const ours = Object.fromEntries(PRICES_USED.map((name) => [name, PRICE_LIST[name]])) as Record<
    PriceUsed,
    Price
  >;
  if (file === undefined) return ours;
  const text = await readFile(resolve(folder, file), 'utf8').catch((error: unknown) => {
    throw fault(file, `cannot be read: ${error instanceof Error ? error.message : error}.`);
  });
  let given: unknown;
  try {
    // Windows' editors begin a file with a byte order mark.
    given = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw fault(file, `is not JSON: ${error instanceof Error ? error.message : error}.`);
  }
  if (!isObject(given)) throw fault(file, 'is no JSON object of prices by name.');
  const { prices, problems } = pricesFrom(given, file, ours);
  throwProblems(problems);
  return prices;
}

const fault = (file: string, message: string): Error =>
  usage(
    '--prices',
    `${file} ${message}`,
    'Write for example {"ec2.c7g.large.hour": 0.08}; `--json` prints all names.',
  );

/** A plain number, or what `--json` prints of a price. Whoever writes a number stands for it. */
function pricesFrom(
  given: Readonly<Record<string, unknown>>,
  file: string,
  ours: Prices,
): { readonly prices: Prices; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const prices: Record<PriceUsed, Price> = { ...ours };
  for (const [name, value] of Object.entries(given)) {
    const key = `--prices ${name}`;
    const known = PRICES_USED.find((one) => one === name);
    if (known === undefined) {
      const fix = `Use one of ${PRICES_USED.join(', ')}.`;
      problems.push({
        code: 'MODELS_USAGE',
        key,
        message: `in ${file} is not a price that exists here.`,
        fix,
      });
      continue;
    }
    const dollars = isObject(value) ? value.dollars : value;
    if (typeof dollars !== 'number' || !(dollars >= 0 && dollars <= MOST)) {
      problems.push({
        code: 'MODELS_USAGE',
        key,
        value: dollars,
        message: `${JSON.stringify(dollars) ?? 'nothing'} in ${file} is not a number of dollars from 0 to ${MOST.toLocaleString('en-US')}.`,
        fix: `Write what one ${ours[known].unit} costs, for example ${ours[known].dollars}.`,
      });
      continue;
    }
    const told = isObject(value) ? value : {};
    prices[known] = {
      dollars,
      unit: ours[known].unit,
      source: typeof told.source === 'string' ? told.source : file,
      read: typeof told.read === 'string' ? told.read : 'as given',
      ...(isObject(value) && typeof told.doubt === 'string' && { doubt: told.doubt }),
    };
  }
  return { prices, problems };
}
