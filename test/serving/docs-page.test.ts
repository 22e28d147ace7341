import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keptFromKeyboards, launchBrowser } from '../browser.ts';
import { type Running, removeFolder, serviceFolder, startSls } from './sls.ts';

const SERVICE = `
service: shop
provider: {name: aws, region: eu-central-1}
models:
  add:
    artifact: add.onnx
  gbm:
    artifact: gbm.onnx
  strings:
    artifact: strings.onnx
  names:
    artifact: names.onnx
  scalar:
    artifact: scalar.onnx
`;
const MODELS = ['add', 'gbm', 'strings', 'names', 'scalar'];

let folder = '';
let server: Running;
let browser: Browser;
beforeAll(async () => {
  folder = await serviceFolder(
    SERVICE,
    MODELS.map((name) => `${name}.onnx`),
  );
  server = await startSls(folder, ['serve']);
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  await server?.interrupt();
  await removeFolder(folder);
});

/** A page that has the docs open, with everything that went wrong in it and every address that it asked. */
async function open(
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<{ page: Page; context: BrowserContext; faults: string[]; asked: string[] }> {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  const asked: string[] = [];
  page.on('console', (message) => faults.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('dialog', (dialog) => faults.push(`dialog: ${dialog.message()}`));
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(`${server.url}/docs`);
  return { page, context, faults, asked };
}
const model = (page: Page, name: string) => page.locator(`section#${name}`);

describe('the docs page in a browser', () => {
  it('sends the prefilled form of every model and shows the answer', async () => {
    const { page, context, faults, asked } = await open();
    for (const name of MODELS) {
      await model(page, name).getByRole('button', { name: 'Send' }).click();
      const status = model(page, name).getByRole('status');
      await expect.poll(() => status.textContent()).toMatch(/^200 in [\d.]+ ms, version 1$/);
      expect(await model(page, name).locator('.outputs code').first().textContent()).toMatch(/\S/);
    }
    expect(faults).toEqual([]);
    expect(asked.filter((url) => !url.startsWith(server.url) && !url.startsWith('data:'))).toEqual([]);
    await context.close();
  });

  it('can be used with the keyboard alone', async () => {
    const { page, context } = await open();
    const field = model(page, 'add').locator('.value').first();
    await field.focus();
    for (let step = 0; step < 20; step += 1) {
      if (await page.evaluate(() => Reflect.get(globalThis, 'document').activeElement.textContent === 'Send'))
        break;
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Enter');
    await expect.poll(() => model(page, 'add').getByRole('status').textContent()).toMatch(/^200 /);
    await context.close();
  });

  it('says what is wrong with a value, at its field, and sends nothing', async () => {
    const { page, context, asked } = await open();
    const form = model(page, 'gbm');
    const field = form.locator('textarea.value').first();
    await field.fill('1, x');
    await form.getByRole('button', { name: 'Send' }).click();
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    expect(await form.locator('.error').first().textContent()).toMatch(/Row 1/);
    expect(
      await field.evaluate((element) => element === Reflect.get(globalThis, 'document').activeElement),
    ).toBe(true);
    expect(asked.filter((url) => url.endsWith('/infer'))).toEqual([]);
    await context.close();
  });

  it('makes no text of a large field that is empty, and says at its field that it is too large', async () => {
    const { page, context, asked } = await open();
    const section = model(page, 'add');
    await section
      .locator('[data-name]')
      .first()
      .evaluate((element) => {
        Object.assign(Reflect.get(element, 'dataset'), {
          shape: '[1,3,16384,16384]',
          kind: 'json',
          fill: '0.5',
        });
      });
    await section.locator('.value').first().fill('');
    expect(await section.getByLabel('curl command').textContent()).toContain('--data-binary @request.json');
    await section.getByRole('button', { name: 'Send' }).click();
    expect(await section.locator('.error').first().textContent()).toMatch(/3222 MB/);
    expect(asked.filter((url) => url.endsWith('/infer'))).toEqual([]);
    await context.close();
  });

  it('takes the request as JSON, too, and shows what the endpoint says of it', async () => {
    const { page, context } = await open();
    const section = model(page, 'add');
    await section.getByRole('radio', { name: 'JSON' }).check();
    const body = section.getByLabel('Request body');
    expect(JSON.parse(await body.inputValue())).toHaveProperty('inputs');
    await body.fill('{"inputs": []}');
    await section.getByRole('button', { name: 'Send' }).click();
    await expect.poll(() => section.getByRole('status').textContent()).toMatch(/^400 in .*: \S/);
    await context.close();
  });

  it('shows a curl command of the same request', async () => {
    const { page, context } = await open();
    const section = model(page, 'names');
    const command = (await section.getByLabel('curl command').textContent()) ?? '';
    const { execFileSync } = await import('node:child_process');
    const answer = JSON.parse(execFileSync('sh', ['-c', `${command} -s`], { encoding: 'utf8' }));
    expect(answer).toMatchObject({ model_name: 'names' });
    await context.close();
  });

  it('copies that command, and marks it where the browser lets nobody copy: over HTTP from elsewhere', async () => {
    const { page, context, faults } = await open({ permissions: ['clipboard-read', 'clipboard-write'] });
    const curl = model(page, 'add').locator('.curl');
    const text = (await curl.locator('pre').textContent()) ?? '';
    await curl.getByRole('button').click();
    await expect.poll(() => curl.getByRole('button').textContent()).toBe('Copied');
    expect(
      await page.evaluate(() => Reflect.get(globalThis, 'navigator' as string).clipboard.readText()),
    ).toBe(text);
    await page.evaluate(() =>
      Object.defineProperty(Reflect.get(globalThis, 'navigator'), 'clipboard', { value: undefined }),
    );
    await curl.getByRole('button').click();
    await expect.poll(() => curl.getByRole('button').textContent()).toBe('Marked');
    expect(await page.evaluate(() => String(Reflect.get(globalThis, 'getSelection')()))).toBe(text);
    expect(faults).toEqual([]);
    await context.close();
  });

  it.each([
    ['light', 400],
    ['light', 1400],
    ['dark', 400],
    ['dark', 1400],
  ] as const)('fits in %s at %i px', async (colorScheme, width) => {
    const { page, context } = await open({ colorScheme, viewport: { width, height: 900 } });
    const overflow = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = Reflect.get(globalThis, 'document').documentElement;
      return scrollWidth - clientWidth;
    });
    expect(overflow).toBeLessThanOrEqual(0);
    expect(await contrasts(page)).toEqual([]);
    expect(await keptFromKeyboards(page)).toEqual([]);
    await context.close();
  });
});

/** Texts with less contrast than WCAG 2.2 AA asks for (4.5 to 1). */
function contrasts(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { document, getComputedStyle } = globalThis as unknown as {
      document: { querySelectorAll(selector: string): Iterable<El> };
      getComputedStyle(element: El): { color: string; backgroundColor: string };
    };
    type El = {
      parentElement: El | null;
      textContent: string | null;
      childNodes: Iterable<{ nodeType: number; textContent: string }>;
      offsetParent: El | null;
    };
    const parts = (color: string): number[] => (color.match(/[\d.]+/g) ?? []).map(Number);
    const luminance = (color: string): number => {
      const [r = 0, g = 0, b = 0] = parts(color).map((value) => {
        const share = value / 255;
        return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (element: El | null): string => {
      if (element === null) return 'rgb(255, 255, 255)';
      const { backgroundColor } = getComputedStyle(element);
      return parts(backgroundColor)[3] === 0 ? ground(element.parentElement) : backgroundColor;
    };
    const poor: string[] = [];
    for (const element of document.querySelectorAll('main *, header *')) {
      const own = [...element.childNodes].some(
        (node) => node.nodeType === 3 && node.textContent.trim() !== '',
      );
      if (!own || element.offsetParent === null) continue;
      const [a, b] = [luminance(getComputedStyle(element).color), luminance(ground(element))];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      if (ratio < 4.5) poor.push(`${ratio.toFixed(2)}: ${element.textContent}`);
    }
    return poor;
  });
}
