/** `sls models advise` in a service, as a person starts it; its page in a browser. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AdviceNeeds } from '../../core/advice/contract.ts';
import { adviceHtml } from '../../plugins/models/advise/advice-html.ts';
import { advisedModel } from '../../plugins/models/advise/advised.ts';
import { PRICE_LIST } from '../../plugins/models/plan/shared/prices.ts';
import { runAlone, runWarm, type Said } from '../warm-sls.ts';
import { readableInBrowser } from '../written-page.ts';
import { repository } from './endpoint.ts';
import { removeFolder, serviceFolder } from './sls.ts';

const SERVICE = `
service: shop
provider: {name: aws, region: eu-central-1}
models:
  churn:
    artifact: gbm.onnx
    latency: {p95: 200}
    traffic: 20/s
    needs: {update: daily, privacy: central, budget: 200, payload: 20KB}
  fraud:
    artifact: logreg.onnx
    memory: 512
`;

let folder = '';
beforeAll(async () => {
  folder = await serviceFolder(SERVICE, ['gbm.onnx', 'logreg.onnx']);
});
afterAll(() => removeFolder(folder));

/** In a process that is warm; the command with and without --json is in one of its own, too. */
function advise(args: readonly string[], run = runWarm): Promise<Said> {
  const bin = join(repository, 'node_modules', 'osls', 'bin', 'serverless.js');
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_'));
  const env = { ...Object.fromEntries(own), AWS_EC2_METADATA_DISABLED: 'true' };
  return run({ bin, cwd: folder, args: ['models', 'advise', ...args], env, timeout: 280_000 });
}

describe('sls models advise', () => {
  it('takes a bench for one model alone', async () => {
    const { code, stdout } = await advise(['--bench', 'bench.json', '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout).problems).toMatchObject([{ code: 'MODELS_USAGE', key: '--model' }]);
  });

  it('advises on every model, from what is declared, without AWS', async () => {
    const { code, stdout } = await advise(['--json'], runAlone);
    expect(code).toBe(0);
    const { models, prices } = JSON.parse(stdout);
    expect(models.map(({ name, form }: { name: string; form: string }) => [name, form])).toEqual([
      ['churn', 'on-demand'],
      ['fraud', 'on-demand'],
    ]);
    expect(models[0].needs).toMatchObject({
      update: { value: 'daily', from: 'models.churn.needs.update' },
      budget: { value: 200 },
      payload: { value: 20_480 },
      memory: { value: 1769, from: 'models.churn.memory' },
      service: { isGuess: true },
    });
    expect(models[1].needs.memory).toEqual({ value: 512, from: 'models.fraud.memory', isGuess: false });
    expect(prices['alb.hour']).toMatchObject({ dollars: 0.0225, read: '2026-09-20' });
  });

  it('takes the time of a bench that lies beside it, prices of a file, and options before both', async () => {
    await mkdir(join(folder, '.serverless', 'bench', 'churn'), { recursive: true });
    const bench = {
      ...{ schema: 1, at: '2026-11-27T15:00:00.000Z', asked: { bytes: 700 }, target: { kind: 'here' } },
      scenarios: [{ scenario: 'SingleStream', mean: 31, outcomes: { ok: 9 }, cold: { count: 0 }, bytes: 9 }],
    };
    const place = join(folder, '.serverless', 'bench', 'churn', 'bench.json');
    await writeFile(place, JSON.stringify(bench));
    await writeFile(join(folder, 'prices.json'), '{"lambda.gb-second.x86_64": 1}');
    const { code, stdout } = await advise(['--model', 'churn', '--prices', 'prices.json', '--json']);
    const [{ form, needs }] = JSON.parse(stdout).models;
    expect(needs.service).toMatchObject({ value: 0.031, isGuess: false });
    expect(needs.service.from).toContain('.serverless/bench/churn/bench.json, 2026-11-27');
    expect([code, form]).toEqual([0, 'fargate']);
    const other = await advise(['--model', 'churn', '--duration', '9', '--json']);
    expect(JSON.parse(other.stdout).models[0].needs.service).toMatchObject({ value: 0.009 });
  });

  it('ends with 1 where no form keeps what is asked, and says so', async () => {
    const { code, stdout } = await advise(['--model', 'churn', '--latency', '5'], runAlone);
    expect(code).toBe(1);
    expect(stdout).toContain('churn: No form keeps all of this at once: privacy, latency.');
    const wrong = await advise(['--traffic', '0', '--json']);
    expect(wrong.code).toBe(1);
    expect(JSON.parse(wrong.stdout).problems).toMatchObject([{ code: 'MODELS_USAGE', key: '--traffic' }]);
  });

  it('writes a page', async () => {
    await advise(['--html', 'advice.html']);
    const page = await readFile(join(folder, 'advice.html'), 'utf8');
    expect(page).toContain('Where churn, fraud should run');
    expect(page).not.toMatch(/https?:\/\//);
  });
});

const HOSTILE = '</svg><script>alert(1)</script>"\'&';
const given = <T>(value: T) => ({ value, from: `--given ${HOSTILE}`, isGuess: false });
const needs = (more: Partial<AdviceNeeds>): AdviceNeeds => ({
  ...{ deviceUpdate: given('monthly'), burst: given(3), service: given(0.05), start: given(0.5) },
  ...{ payload: given(2048), memory: given(1769), architecture: 'x86_64', http: false, batch: false },
  size: { weights: [{ elements: 7e9, bits: 32, canShrink: true }], rest: 1000 },
  ...more,
});
const subjects = [
  advisedModel(`many ${HOSTILE}`, needs({ traffic: given(500), size: { weights: [], rest: 9 } }), PRICE_LIST),
  advisedModel(
    'a-model-with-a-name-that-is-rather-long-and-has-no-place-to-break-it-in-two',
    needs({ privacy: given('local'), deviceMemory: given(512 * 1024) }),
    PRICE_LIST,
  ),
  advisedModel('little', needs({ latency: given(0.2), size: { weights: [], rest: 9 } }), PRICE_LIST),
];

readableInBrowser(
  'advice',
  () => adviceHtml(subjects, PRICE_LIST),
  2,
  async (page) => {
    expect(await page.locator('.decision.refused').allTextContents()).toEqual([
      'No form keeps all of this at once: privacy, device.',
    ]);
    expect(await page.getByText('7 billion parameters = 28 GB fp32', { exact: false }).isVisible()).toBe(
      true,
    );
    expect(await page.locator('tr.chosen').count()).toBe(1);
    expect(await page.locator('td.over').count()).toBe(4);
  },
);
