import type { FormCost, Prices, PriceUsed } from './contract.ts';

/** Adds up what a form costs, and remembers which of its prices are not certain. */
export function bill(prices: Prices) {
  const dollars: Record<string, number> = {};
  const used = new Set<PriceUsed>();
  return {
    /** @returns dollars of one unit */
    price: (name: PriceUsed): number => {
      used.add(name);
      return prices[name].dollars;
    },
    add: (cause: string, amount: number): void => {
      dollars[cause] = (dollars[cause] ?? 0) + amount;
    },
    sum: (made: string): FormCost => ({
      dollars,
      total: Object.values(dollars).reduce((sum, amount) => sum + amount, 0),
      doubtful: [...used].filter((name) => prices[name].doubt !== undefined),
      made,
    }),
  };
}
