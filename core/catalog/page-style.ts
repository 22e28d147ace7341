/**
 * The docs page’s style: the system’s own fonts and colours scheme, one column until there is room for two.
 */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --paper: light-dark(#f6f7f9, #0f1318);
  --card: light-dark(#ffffff, #171c23);
  --ink: light-dark(#1a2230, #e6eaf0);
  --soft: light-dark(#566175, #9aa7b8);
  --line: light-dark(#d8dde5, #2b333f);
  --edge: light-dark(#8490a3, #67748a);
  --accent: light-dark(#0b5cad, #7cb8ff);
  --on-accent: light-dark(#ffffff, #0b1726);
  --code: light-dark(#eff2f6, #10151b);
  --good: light-dark(#12693a, #6fd79b);
  --bad: light-dark(#ab1f2d, #ff9aa2);
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
[hidden] { display: none !important; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -99rem; top: 0; padding: .5rem 1rem; background: var(--accent); color: var(--on-accent); z-index: 1; }
.skip:focus { left: 0; }
a { color: var(--accent); text-underline-offset: .15em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
header, main, noscript { display: block; max-width: 76rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2rem; display: flex; flex-wrap: wrap; gap: .5rem 2rem; align-items: end; justify-content: space-between; }
header p { margin: .25rem 0 0; color: var(--soft); }
h1 { margin: 0; font-size: 1.6rem; line-height: 1.2; overflow-wrap: anywhere; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: 0; padding: 0; }
section { margin: 1.5rem 0 2rem; padding: 1.5rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
h2 { margin: 0 0 .75rem; font-size: 1.3rem; line-height: 1.2; overflow-wrap: anywhere; }
h3 { margin: 0; font-size: 1rem; }
h4 { margin: 0 0 .25rem; font-size: .9rem; overflow-wrap: anywhere; }
small { font-size: .8em; font-weight: 400; color: var(--soft); }
code, pre, textarea, td { font-family: var(--mono); font-size: .85rem; }
code { overflow-wrap: anywhere; }
.facts { display: flex; flex-wrap: wrap; gap: .5rem 2rem; margin: 0 0 1.25rem; }
.facts dt { font-size: .8rem; color: var(--soft); }
.facts dd { margin: 0; }
.signature { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1rem 2rem; align-items: start; }
.scroll { max-height: 20rem; overflow: auto; }
table { width: 100%; border-collapse: collapse; text-align: left; }
caption { text-align: left; font-weight: 600; padding-bottom: .25rem; }
th, td { padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { font-size: .8rem; font-weight: 400; color: var(--soft); }
tbody th { font-family: var(--mono); font-size: .85rem; font-weight: 400; overflow-wrap: anywhere; }
td { white-space: nowrap; }
.note { font-size: .875rem; color: var(--soft); margin: .75rem 0 0; }
.try { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.5rem 2rem; margin: 1.75rem 0; }
@media (min-width: 56rem) { .try { grid-template-columns: minmax(0, 1.15fr) minmax(0, 1fr); } }
form { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 1rem; align-items: center; align-content: start; }
form > .fields, form > .field { grid-column: 1 / -1; }
.fields { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 9.5rem), 1fr)); gap: 1rem; align-items: start; }
.wide { grid-column: 1 / -1; }
.field label { display: block; font-size: .9rem; font-weight: 600; margin-bottom: .25rem; overflow-wrap: anywhere; }
input[type=text], input[type=password], select, textarea { width: 100%; padding: .5rem .6rem; font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--edge); border-radius: .4rem; }
textarea { font-family: var(--mono); font-size: .85rem; resize: vertical; min-height: 3.5rem; }
[aria-invalid=true] { border-color: var(--bad) !important; }
.hint { margin: .25rem 0 0; font-size: .8rem; color: var(--soft); }
.hint:empty { display: none; }
.error { margin: .25rem 0 0; font-size: .85rem; color: var(--bad); overflow-wrap: anywhere; }
.mode { display: flex; border: 1px solid var(--edge); border-radius: .4rem; padding: 0; margin: 0; overflow: hidden; }
.mode label { position: relative; cursor: pointer; font-size: .85rem; }
.mode input { position: absolute; opacity: 0; inset: 0; margin: 0; cursor: pointer; }
.mode span { display: block; padding: .25rem .8rem; }
.mode :checked + span { background: var(--accent); color: var(--on-accent); }
.mode :focus-visible + span { outline: 2px solid var(--ink); outline-offset: -4px; }
button { font: inherit; cursor: pointer; border-radius: .4rem; }
button[type=submit] { justify-self: start; padding: .55rem 1.75rem; font-weight: 600; color: var(--on-accent); background: var(--accent); border: 1px solid var(--accent); }
button[type=submit]:hover { filter: brightness(1.1); }
button:disabled { opacity: .6; cursor: progress; }
.copy { padding: .15rem .7rem; font-size: .8rem; color: var(--ink); background: none; border: 1px solid var(--edge); }
.answer { align-self: start; position: sticky; top: 1rem; padding: 1rem 1.25rem; background: var(--code); border: 1px solid var(--line); border-left: 4px solid var(--edge); border-radius: .5rem; }
.answer.good { border-left-color: var(--good); }
.answer.bad { border-left-color: var(--bad); }
.status { margin: .25rem 0 0; color: var(--soft); overflow-wrap: anywhere; }
.good .status { color: var(--good); }
.bad .status { color: var(--bad); }
.outputs { display: grid; gap: .9rem; margin-top: 1rem; }
.raw { margin-top: 1rem; font-size: .875rem; }
summary { cursor: pointer; }
pre { margin: .5rem 0 0; padding: .75rem 1rem; max-height: 20rem; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; background: var(--code); border: 1px solid var(--line); border-radius: .5rem; }
.raw pre { background: var(--card); }
.bar { display: flex; justify-content: space-between; align-items: center; }
@media (max-width: 30rem) {
  header, main { padding-left: .75rem; padding-right: .75rem; }
  header { padding-top: 1.25rem; }
  section { padding: 1rem; margin: 1rem 0; }
}
`;
