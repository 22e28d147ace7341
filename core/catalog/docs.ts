import { createHash } from 'node:crypto';
import { cardLines } from '../card/words.ts';
import type { TensorSpec } from '../tensor/contract.ts';
import type { Auth, CatalogGroup, CatalogManifest, CatalogModel } from './contract.ts';
import { escapeHtml as esc } from './escape.ts';
import { field } from './field.ts';
import { PAGE_STYLE } from './page-style.ts';

const sha256 = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Nothing but this very page's script and style runs, and it talks to its own origin only. */
export const docsPolicy = (script: string): string =>
  [
    "default-src 'none'",
    `script-src ${sha256(script)}`,
    `style-src ${sha256(PAGE_STYLE)}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

const AUTH_WORDS = { iam: 'IAM (AWS Signature Version 4)', none: 'no authorization asked' };
const authText = (auth: Auth): string =>
  typeof auth === 'string' ? AUTH_WORDS[auth] : `authorizer ${auth.authorizer}`;

function signatureTable(caption: string, specs: readonly TensorSpec[]): string {
  const rows = specs.map(
    ({ name, datatype, shape }) =>
      `<tr><th scope="row"><bdi>${esc(name)}</bdi></th><td>${datatype}</td><td>[${shape.join(', ')}]</td></tr>`,
  );
  return `<table><caption>${caption}</caption><thead><tr><th scope="col">Name</th><th scope="col">Type</th><th scope="col">Shape</th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function omittedNote(omitted: readonly string[]): string {
  if (omitted.length === 0) return '';
  const names = omitted.map((name) => `<code><bdi>${esc(name)}</bdi></code>`).join(', ');
  return `<p class="note">Not served, since the protocol has no words for maps and sequences: ${names}.</p>`;
}

/** What is told of a model, each with who says it; nothing where nobody says anything. */
function cardPart({ name, card }: CatalogModel): string {
  const lines = card === undefined ? [] : cardLines(card.card);
  if (lines.length === 0) return '';
  const rows = lines.map(
    ([label, text]) => `<tr><th scope="row">${esc(label)}</th><td><bdi>${esc(text)}</bdi></td></tr>`,
  );
  return `<div class="scroll" tabindex="0" role="region" aria-label="Card of ${esc(name)}"><table><caption>Card (<a href="v2/models/${esc(name)}/card">JSON</a>)</caption><tbody>${rows.join('')}</tbody></table></div>
`;
}

/** A model's section has its name as its id, and no model's name begins so. */
const OWN = '_';

function modelSection(model: CatalogModel, index: number): string {
  const { name, signature, auth } = model;
  const id = `${OWN}${index}`;
  const free = [...signature.inputs, ...signature.outputs].some(({ shape }) => shape.includes(-1));
  const token =
    typeof auth === 'object'
      ? `<div class="field wide"><label for="${id}-token">Authorization header</label><input id="${id}-token" name="authorization" type="password" autocomplete="off" spellcheck="false"><p class="hint">What the authorizer asks for; sent with this request only.</p></div>`
      : '';
  const fields = signature.inputs.map((spec, position) => field(spec, `${id}-${position}`)).join('');
  return `<section id="${esc(name)}" aria-labelledby="${id}-h">
<h2 id="${id}-h">${esc(name)}</h2>
<dl class="facts"><div><dt>Endpoint</dt><dd><code>POST v2/models/${esc(name)}/infer</code></dd></div><div><dt>Access</dt><dd>${esc(authText(auth))}</dd></div><div><dt>Opset</dt><dd>${model.opset === 0 ? 'none' : model.opset}</dd></div><div><dt>Identity</dt><dd><code title="${esc(model.identity)}">${esc(model.identity.slice(0, 12))}</code></dd></div></dl>
<div class="signature"><div class="scroll" tabindex="0" role="region" aria-label="Inputs of ${esc(name)}">${signatureTable('Inputs', signature.inputs)}</div><div class="scroll" tabindex="0" role="region" aria-label="Outputs of ${esc(name)}">${signatureTable('Outputs', signature.outputs)}</div></div>
${cardPart(model)}${free ? '<p class="note">−1 is a dimension of any length.</p>' : ''}${omittedNote(signature.omitted)}
<div class="try">
<form data-url="v2/models/${esc(name)}/infer" novalidate>
<h3>Ask</h3>
<fieldset class="mode"><legend class="hidden">Write the request as</legend><label><input type="radio" name="mode" value="form" checked><span>Form</span></label><label><input type="radio" name="mode" value="json"><span>JSON</span></label></fieldset>
<div class="fields">${fields}</div>
<div class="field wide json" hidden><label for="${id}-json">Request body</label><textarea id="${id}-json" name="json" rows="14" spellcheck="false" autocapitalize="off" aria-describedby="${id}-json-e"></textarea><p class="error" id="${id}-json-e" hidden></p></div>
${token}
<button type="submit">Send</button>
</form>
<div class="answer"><h3>Answer</h3><p class="status" role="status" aria-live="polite">Nothing sent yet.</p><div class="outputs" hidden></div><details class="raw" hidden><summary>Body as it came</summary><pre tabindex="0" role="region" aria-label="Answer’s body"></pre></details></div>
</div>
<div class="curl"><div class="bar"><h3>The same with curl</h3><button type="button" class="copy">Copy</button></div><pre tabindex="0" role="region" aria-label="curl command"></pre></div>
</section>`;
}

/**
 * The page where a person sees what a prefix's models take, fills it in and sees what they answer. One string
 * with no request to anywhere but the endpoints beside it; to be served with `docsPolicy`. Every name is
 * escaped. Pure.
 * @param script what runs in it: functions/catalog/browser/page.ts, bundled
 */
export function docsPage(manifest: CatalogManifest, group: CatalogGroup, script: string): string {
  const { models } = group;
  const nav =
    models.length > 1
      ? `<nav aria-label="Models"><ul>${models.map(({ name }) => `<li><a href="#${esc(name)}">${esc(name)}</a></li>`).join('')}</ul></nav>`
      : '';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${esc(manifest.service)}: models</title>
<link rel="icon" href="data:,">
<style>${PAGE_STYLE}</style>
</head>
<body>
<a class="skip" href="#${OWN}main">To the models</a>
<header><div><h1>${esc(manifest.service)}</h1><p>Open Inference Protocol v2 on ONNX Runtime ${esc(manifest.runtime)} · <a href="openapi.json">OpenAPI</a></p></div>${nav}</header>
<main id="${OWN}main">
${models.map(modelSection).join('\n')}
</main>
<noscript><p class="note">The forms need JavaScript; the endpoints do not.</p></noscript>
<script>${script}</script>
</body>
</html>
`;
}
