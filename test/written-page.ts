/** A page that a command writes, in a browser without a network: what each keeps, whatever it shows. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keptFromKeyboards, launchBrowser } from './browser.ts';

/** SHOTS names a folder for pictures of the pages. */
const { SHOTS } = process.env;

/** @param looks what this page shows beside; pictures are counted */
export function readableInBrowser(
  name: string,
  html: () => string,
  pictures: number,
  looks: (page: Page) => Promise<void>,
): void {
  describe('the page in a browser without a network', () => {
    let browser: Browser;
    let place = '';
    beforeAll(async () => {
      place = await mkdtemp(join(tmpdir(), `${name}-page-`));
      await writeFile(join(place, `${name}.html`), html());
      browser = await launchBrowser();
    });
    afterAll(async () => {
      await browser?.close();
      await rm(place, { recursive: true, force: true });
    });

    it.each([
      [400, 'light'],
      [400, 'dark'],
      [1400, 'light'],
      [1400, 'dark'],
    ] as const)('is readable at %i pixels, %s', async (width, colorScheme) => {
      const context = await browser.newContext({
        viewport: { width, height: 900 },
        colorScheme,
        offline: true,
      });
      const page = await context.newPage();
      const faults: string[] = [];
      const asked: string[] = [];
      page.on('console', (message) => faults.push(message.text()));
      page.on('pageerror', (error) => faults.push(error.message));
      page.on('dialog', (dialog) => faults.push(`dialog: ${dialog.message()}`));
      page.on('request', (request) => asked.push(request.url()));
      const url = pathToFileURL(join(place, `${name}.html`)).href;
      await page.goto(url);
      expect(asked.filter((address) => address !== url && !address.startsWith('data:'))).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      expect(await keptFromKeyboards(page)).toEqual([]);
      // Every picture is drawn, with a size, and says what it is.
      expect(await page.locator('svg').count()).toBe(pictures);
      for (const svg of await page.locator('svg').all()) {
        expect((await svg.boundingBox())?.width).toBeGreaterThan(150);
        expect(await svg.getAttribute('aria-label')).toMatch(/\S/);
        expect(await svg.innerHTML()).not.toMatch(/NaN|Infinity|undefined/);
      }
      expect(await page.locator('script').count()).toBe(0);
      await looks(page);
      if (SHOTS !== undefined)
        await page.screenshot({ path: join(SHOTS, `${name}-${width}-${colorScheme}.png`), fullPage: true });
      expect(faults).toEqual([]);
      await context.close();
    });
  });
}
