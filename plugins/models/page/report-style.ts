/** The report's style: the system's own fonts and its light or dark scheme, readable from 400 pixels on. */
export const REPORT_STYLE = `
:root {
  color-scheme: light dark;
  --paper: light-dark(#f6f7f9, #0f1318);
  --card: light-dark(#ffffff, #171c23);
  --ink: light-dark(#1a2230, #e6eaf0);
  --soft: light-dark(#566175, #9aa7b8);
  --line: light-dark(#d8dde5, #2b333f);
  --edge: light-dark(#8490a3, #67748a);
  --accent: light-dark(#0b5cad, #7cb8ff);
  --good: light-dark(#12693a, #6fd79b);
  --bad: light-dark(#ab1f2d, #ff9aa2);
  --warm: light-dark(#96600a, #e7b45c);
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
header, main { max-width: 76rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.5rem; }
header p { margin: .25rem 0 0; color: var(--soft); }
h1 { margin: 0; font-size: 1.5rem; line-height: 1.2; overflow-wrap: anywhere; }
section { margin: 1.25rem 0 2rem; padding: 1.25rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
h2 { margin: 0; font-size: 1.3rem; overflow-wrap: anywhere; }
h3 { margin: 1.5rem 0 .5rem; font-size: 1.05rem; }
p { margin: .25rem 0 .75rem; }
.note { font-size: .875rem; color: var(--soft); }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 1rem 2rem; }
.histograms { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr)); gap: 1rem 1.5rem; margin: 1rem 0; }
.charts > div { min-width: 0; }
figure { margin: 0; min-width: 0; }
figcaption { font-size: .9rem; font-weight: 600; overflow-wrap: anywhere; }
svg { display: block; width: 100%; height: auto; }
svg text { font-size: 12px; fill: var(--soft); }
/* A picture that is drawn half as large keeps its words as large. */
@media (max-width: 40rem) { .charts svg text { font-size: 20px; } }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .15rem 1rem; margin: .25rem 0 0; padding: 0; font-size: .85rem; }
.legend li { overflow-wrap: anywhere; }
.legend i { display: inline-block; width: .8rem; height: .2rem; margin-right: .4rem; vertical-align: middle; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; text-align: left; font-size: .875rem; }
th, td { padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; white-space: nowrap; }
td.text { white-space: normal; min-width: 16rem; overflow-wrap: anywhere; }
thead th { font-weight: 400; color: var(--soft); }
tbody th { font-weight: 400; }
.drifted th b { color: var(--bad); }
@media print { section { break-inside: avoid; border: 0; } }
`;
