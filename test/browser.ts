/** A Chromium for the tests: the system's own, or the one that npm brings. */
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Chromium, { inflate } from '@sparticuz/chromium';
import { type Browser, chromium, type Page } from 'playwright-core';
import { lock } from '../local-aws/venv.ts';

/** The machine's network may be closed, and nothing here needs it. */
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

export async function launchBrowser(): Promise<Browser> {
  const system = process.env.CHROMIUM ?? '/usr/bin/chromium';
  if (existsSync(system)) return chromium.launch({ executablePath: system, args: ARGS });
  const { executablePath, libraries } = await unpacked();
  try {
    return await chromium.launch({ executablePath, args: ARGS });
  } catch (error) {
    if (!/error while loading shared libraries/.test(String(error))) throw error;
    // A slim image has no NSS and the like; those of the package are made for Amazon Linux, and are taken
    // last.
    const env = { ...process.env, LD_LIBRARY_PATH: libraries };
    return chromium.launch({ executablePath, args: ARGS, env });
  }
}

const KEPT_FROM_KEYBOARDS = `[...document.querySelectorAll('*')].filter((one) => {
  const isScrolled = /auto|scroll/.test(getComputedStyle(one).overflowX) && one.scrollWidth > one.clientWidth;
  const isRead = one.hasAttribute('role') && /\\S/.test(one.getAttribute('aria-label') ?? '');
  return one.hasAttribute('tabindex') ? !isRead : isScrolled;
}).map((one) => one.outerHTML.slice(0, 80))`;

/**
 * @returns what a page scrolls and gives no focus, so that no keyboard reaches it; and what has the focus,
 * but not both a role and a name: without a role no reader of screens reads a name.
 * https://www.w3.org/TR/wai-aria-1.2/#generic
 */
export const keptFromKeyboards = (page: Page): Promise<unknown> => page.evaluate(KEPT_FROM_KEYBOARDS);

/** Several test files may ask at once, each in a process of its own. */
async function unpacked(): Promise<{ readonly executablePath: string; readonly libraries: string }> {
  const unlock = await lock(join(tmpdir(), 'chromium.lock'));
  try {
    const executablePath = await Chromium.executablePath();
    const packed = fileURLToPath(new URL('../bin/al2023.tar.br', import.meta.resolve('@sparticuz/chromium')));
    const libraries = join(tmpdir(), 'al2023', 'lib');
    if (!existsSync(libraries)) await inflate(packed);
    return { executablePath, libraries };
  } finally {
    await unlock();
  }
}
