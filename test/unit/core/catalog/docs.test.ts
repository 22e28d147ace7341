import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { docsPage, docsPolicy } from '../../../../core/catalog/docs.ts';
import { escapeHtml } from '../../../../core/catalog/escape.ts';
import { fieldKind } from '../../../../core/catalog/field.ts';
import { pageScript } from '../../../../plugins/models/ship/page-script.ts';
import { CARDS } from '../../../cards.ts';
import { group, manifest, model, tensor } from './models.ts';

const script = await pageScript();
const pageOf = (...names: readonly string[]): string => {
  const one = group([
    model('m', {
      inputs: names.map((name) => tensor(name, 'FP32', [-1, 2])),
      outputs: names.map((name) => tensor(name, 'BYTES', [])),
      omitted: names,
    }),
  ]);
  return docsPage(manifest(one), one, script);
};
/** Tags of a page, script and style apart: what a browser would make elements of. */
const tagsOf = (html: string): string[] =>
  html.replace(/<(script|style)>.*?<\/\1>/gs, '').match(/<[a-z!/][^>]*>/gi) ?? [];

describe('the docs page', () => {
  it('shows the card, each value with who says it; texts of others stay text', () => {
    const one = group([model('m', {}, { card: CARDS.mlflow })]);
    const page = docsPage(manifest(one), one, script);
    expect(page).toContain('<th scope="row">licence</th><td><bdi>Apache-2.0 (card, MLflow)</bdi></td>');
    expect(page).toContain('href="v2/models/m/card"');
    const other = group([model('m', {}, { card: CARDS.hostile })]);
    expect(
      tagsOf(docsPage(manifest(other), other, script)).filter((tag) => /^<(script|img)|javascript/.test(tag)),
    ).toEqual([]);
    const none = group([model('m', {}, { card: CARDS.bare })]);
    expect(docsPage(manifest(none), none, script)).not.toContain('<caption>Card');
  });

  it('writes no example of a tensor without values, whatever its other dimensions are', () => {
    const huge = [1_000_000_000, 3_000_000_000, 0];
    const one = group([model('m', { inputs: [tensor('x', 'FP32', huge), tensor('y', 'FP32', [2, 0])] })]);
    const page = docsPage(manifest(one), one, script);
    expect(page.length).toBeLessThan(100_000);
    expect(page).toContain('>[]</textarea>');
    expect(page).toContain('>[[], []]</textarea>');
  });

  it('lets nothing run but its own script and style', () => {
    const page = pageOf('x');
    for (const [tag, directive] of [
      ['script', 'script-src'],
      ['style', 'style-src'],
    ]) {
      const inside = [...page.matchAll(new RegExp(`<${tag}>(.*?)</${tag}>`, 'gs'))].map(
        ([, text = '']) => text,
      );
      expect(inside.length).toBe(1);
      const digest = createHash('sha256')
        .update(inside[0] ?? '')
        .digest('base64');
      expect(docsPolicy(script)).toContain(`${directive} 'sha256-${digest}'`);
    }
    expect(page).not.toMatch(/\son[a-z]+=|\sstyle=|javascript:/i);
  });

  it('asks nothing of any other place', () => {
    const links = [...pageOf('x').matchAll(/(?:href|src)="([^"]*)"/g)].map(([, link]) => link);
    expect(links).toEqual(['data:,', '#_main', 'openapi.json']);
  });

  it('makes no element of any name', () => {
    const plain = tagsOf(pageOf('x')).length;
    const wild = fc.string({
      unit: fc.constantFrom(
        '<',
        '>',
        '"',
        "'",
        '&',
        '`',
        '=',
        '/',
        'a',
        'b',
        ' ',
        '\n',
        '\r',
        'script',
        '<img',
        '-->',
      ),
    });
    fc.assert(
      fc.property(wild, (name) => {
        expect(tagsOf(pageOf(name)).length).toBe(plain);
      }),
    );
  });

  it('escapes so that a browser reads the same text', () => {
    const special = fc.oneof(fc.constantFrom(...'<>"\'&`\r'), fc.string({ unit: 'binary', maxLength: 1 }));
    const back: Record<string, string> = {
      amp: '&',
      lt: '<',
      gt: '>',
      quot: '"',
      '#39': "'",
      '#96': '`',
      '#13': '\r',
    };
    fc.assert(
      fc.property(fc.string({ unit: special }), (text) => {
        const escaped = escapeHtml(text);
        expect(escaped).not.toMatch(/[<>"'`\r]/);
        expect(escaped.replace(/&(#?\w+);/g, (_, entity: string) => back[entity] ?? '?')).toBe(text);
      }),
    );
  });

  it('has each id once, so that links lead to the model that they name', () => {
    const all = group(['main', 'other', 'm0-h', 'm1-0'].map((name) => model(name)));
    const ids = [...docsPage(manifest(all), all, script).matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
    expect(ids).toEqual(expect.arrayContaining(['main', 'other']));
  });

  it('labels every field and ties its hint and error to it', () => {
    const page = pageOf('a', 'b', 'c');
    const ids = [...page.matchAll(/<(?:input|textarea|select) id="([^"]+)"/g)].map(([, id]) => id);
    expect(ids.length).toBe(4);
    for (const id of ids) expect(page).toContain(`<label for="${id}">`);
    for (const [, described = ''] of page.matchAll(/aria-describedby="([^"]+)"/g)) {
      for (const id of described.split(' ')) expect(page).toContain(`id="${id}"`);
    }
  });

  it('asks for an authorization only where an authorizer does', () => {
    const closed = group([model('m', {}, { auth: { authorizer: 'login' } })]);
    expect(docsPage(manifest(closed), closed, script)).toContain('name="authorization"');
    expect(pageOf('x')).not.toContain('name="authorization"');
  });

  it.each([
    [[], 'one'],
    [[1], 'one'],
    [[-1, 1], 'one'],
    [[1, 1], 'one'],
    [[-1], 'json'],
    [[3], 'json'],
    [[-1, 3], 'rows'],
    [[1, -1], 'rows'],
    [[-1, -1], 'rows'],
    [[2, 0], 'json'],
    [[-1, 3, 4], 'json'],
  ])('has for the shape %j a field of kind %s', (shape, kind) => expect(fieldKind(shape)).toBe(kind));
});
