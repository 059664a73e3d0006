/** For a screen, and for A4: tables and charts do not break inside a row, a run starts on a page of its own, and colours are printed. */
export const reportStyle = `
:root { color-scheme: light; font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1.5rem; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #999; font-size: 1.3rem; }
h3 { margin-top: 1.8rem; font-size: 1.05rem; }
.outcome { padding: 0.8rem 1.2rem; border: 3px solid #8a6d00; border-radius: 4px; }
.outcome.holds { border-color: #1b6e3c; }
.outcome.does-not-hold { border-color: #a4161a; }
.outcome strong { font-size: 1.3rem; }
.fails { color: #a4161a; font-weight: bold; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1.2rem; }
dt { font-weight: 600; }
dd { margin: 0; }
.scroll { overflow-x: auto; margin-bottom: 1.2rem; }
table { width: 100%; border-collapse: collapse; font-size: 0.85rem; }
caption { padding: 0.3rem 0; text-align: left; color: #444; }
th, td { padding: 0.25rem 0.5rem; border-bottom: 1px solid #ccc; text-align: left; vertical-align: top; }
td, tbody th { min-width: 7em; }
thead th { border-bottom: 2px solid #666; overflow-wrap: normal; }
td.number { min-width: 3em; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1rem 0; }
figcaption { font-size: 0.85rem; color: #444; }
figcaption ul { display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; margin: 0.3rem 0; padding: 0; list-style: none; }
.swatch { display: inline-block; width: 1.3em; height: 1.3em; margin-right: 0.4em; border: 1px solid #999; text-align: center; line-height: 1.3; vertical-align: middle; }
svg { display: block; width: 100%; height: auto; max-height: 240mm; }
.mono { font-family: ui-monospace, monospace; font-size: 0.85em; }
@page { size: A4; margin: 16mm 14mm; }
@media print {
  :root { font-size: 10.5pt; }
  body { max-width: none; margin: 0; padding: 0; }
  .scroll { overflow: visible; }
  .run { break-before: page; }
  h2, h3, caption { break-after: avoid; }
  tr, figure, .outcome { break-inside: avoid; }
  thead { display: table-header-group; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
