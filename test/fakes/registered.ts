import type { MlflowFailure, MlflowPort } from '../../core/ports/mlflow.ts';
import type { Chaos } from './chaos.ts';

/** A registry of models that is told what is live, in memory. */
export function fakeRegistered(chaos: Chaos, at = 'https://mlflow.example', alias = 'production') {
  /** `churn@production` → version; `churn/3 key` → value. */
  const aliases = new Map<string, string>();
  const tags = new Map<string, string>();
  const gone = new Set<string>();
  const state: { failing?: MlflowFailure; asked: number } = { asked: 0 };
  const port: MlflowPort = {
    at,
    alias,
    write: async (writes) => {
      state.asked += 1;
      for (const write of writes) {
        await chaos(`before mlflow ${write.set}`);
        if (state.failing !== undefined) return state.failing;
        const { name, version } = write;
        if (gone.has(`${name}/${version}`)) {
          if (write.set === 'tag' && write.mayBeGone) continue;
          return { failed: 'refuses 404', refuses: true };
        }
        if (write.set === 'alias') aliases.set(`${name}@${write.alias}`, version);
        else tags.set(`${name}/${version} ${write.key}`, write.value);
        await chaos(`after mlflow ${write.set}`);
      }
      return 'ok';
    },
  };
  return { port, aliases, tags, gone, state };
}
