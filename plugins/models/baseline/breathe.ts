/** Whoever wants to stop a long reckoning is heard between two of its parts. */
export const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
