/** Each line of docs/not-yet-on-aws.md has one check of `npm run account`, and each check a line. */
import { expect, test } from 'vitest';
import { isRun } from '../../account/check.ts';
import { CHECKS } from '../../account/checks.ts';
import { pages } from '../docs/pages.ts';

const sections = (pages.get('docs/not-yet-on-aws.md') ?? '').split(/^## /m);
const bullets = (sections.find((section) => section.startsWith('What is open')) ?? '')
  .split(/^- /m)
  .slice(1)
  .map((text) => text.replace(/\s+/g, ' ').trim());

test('there are lines', () => {
  expect(bullets.length).toBeGreaterThan(15);
});

test.each(bullets)('%s', (bullet) => {
  expect(CHECKS.filter((check) => bullet.startsWith(check.bullet)).map(({ name }) => name)).toHaveLength(1);
});

test.each(CHECKS)('the check $name is of one line, and says where AWS says it', ({ bullet, page, says }) => {
  expect(bullets.filter((text) => text.startsWith(bullet))).toHaveLength(1);
  expect(bullet.length).toBeGreaterThan(12);
  expect(page).toMatch(/^https:\/\/docs\.aws\.amazon\.com\//);
  expect(says).toMatch(/^[A-Z].*\.$/);
});

test('names are words for --only, each once; what is not run says what a person would do', () => {
  const names = CHECKS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
  const open = CHECKS.flatMap((check) => (isRun(check) ? [] : [check.notRun]));
  expect(open.length).toBeGreaterThan(0);
  for (const text of open) expect(text).toMatch(/\. \S.*[.`]$/);
});
