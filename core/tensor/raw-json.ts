// TypeScript does not know it yet: https://github.com/tc39/proposal-json-parse-with-source
declare global {
  interface JSON {
    rawJSON(text: string): unknown;
  }
}

/** An integer as JSON.stringify writes it with every digit, also one that a double cannot hold. */
export const exactInteger = (value: bigint): unknown => JSON.rawJSON(String(value));

/** A zero as JSON.stringify writes it with its sign. */
export const negativeZero = (): unknown => JSON.rawJSON('-0');
