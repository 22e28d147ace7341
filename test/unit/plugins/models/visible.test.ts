/** What a terminal is given: names and answers of others do nothing there but be read. */
import { expect, it } from 'vitest';
import { visibly } from '../../../../plugins/models/context/same-service.ts';
import { formatProblem, visible } from '../../../../plugins/models/problems/errors.ts';

const HOSTILE = 'a\u001B[2J\r\u009Bb\u202Eexe\u200B\uFEFF\u{E0041}\u2028c';
const SHOWN = 'a\\u001b[2J\\u000d\\u009bb\\u202eexe\\u200b\\ufeff\\udb40\\udc41\\u2028c';

it('is escaped; lines, tabs and letters of any script stay', () => {
  expect(visible(HOSTILE)).toBe(SHOWN);
  const text = 'auc 0.9 → 0.91\n\t“données” 数据 😀 é';
  expect(visible(text)).toBe(text);
  expect(formatProblem({ code: 'MODELS_AWS', key: 'a', message: `${HOSTILE}.`, fix: 'Look.' })).toBe(
    `a: ${SHOWN}. Look. [MODELS_AWS]`,
  );
});

it('JSON has the same value', () => {
  const value = { name: HOSTILE, list: [HOSTILE] };
  expect(JSON.parse(visible(JSON.stringify(value, null, 2)))).toEqual(value);
});

it('whatever the framework is given to say goes through it', () => {
  const said: (string | undefined)[] = [];
  const say = (text?: string): void => void said.push(text);
  const utils = visibly({
    log: { notice: say, warning: say },
    writeText: say,
    progress: { get: (name) => ({ notice: say, remove: () => say(name) }) },
  });
  utils.log.notice(HOSTILE);
  utils.log.notice();
  utils.log.warning(HOSTILE);
  utils.writeText(HOSTILE);
  const line = utils.progress.get('models');
  line.notice(HOSTILE);
  line.remove();
  expect(said).toEqual([SHOWN, undefined, SHOWN, SHOWN, SHOWN, 'models']);
});
