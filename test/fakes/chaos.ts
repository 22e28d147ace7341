/**
 * Where a fake goes wrong: called before and after each effect, and between. It may throw (a crash, a lost
 * answer) or wait (another worker gets in between). The default does nothing.
 */
export type Chaos = (point: string) => Promise<void>;

export const calm: Chaos = async () => {};
