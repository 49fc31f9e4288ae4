import { colourRules } from './palette.js';

/** The style sheet of a page. Tables scroll by themselves, so that the page never does sideways. */
export const HTML_STYLE = `
${colourRules(':root')}
*{box-sizing:border-box}
html{scroll-padding-top:1rem}
body{margin:0 auto;max-width:1320px;padding:0 1rem 3rem;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.7rem;margin:1.5rem 0 0}
h2{font-size:1.3rem;margin:2.5rem 0 .5rem;padding-top:.7rem;border-top:1px solid var(--line)}
h3{font-size:1.05rem;margin:1.6rem 0 .2rem}
header p{margin:.2rem 0 1rem;color:var(--faint)}
nav ul,.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;margin:.5rem 0;padding:0}
a{color:var(--backend-0)}
a:focus-visible,.scroll:focus-visible,th:focus-visible{outline:2px solid var(--backend-1);outline-offset:2px}
.definition,.note,footer{color:var(--faint);font-size:.87rem;max-width:80ch;margin:.2rem 0 .6rem}
.legend{font-size:.87rem}
.legend li{white-space:nowrap;max-width:100%;overflow:hidden;text-overflow:ellipsis;cursor:default}
.swatch{margin-right:.4rem;vertical-align:middle}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,390px),1fr));gap:1rem 1.2rem}
figure{margin:0;min-width:0;display:flex;flex-direction:column;justify-content:flex-end}
figcaption{font-size:.87rem;font-weight:600}
svg.chart{display:block;width:100%;height:auto;max-width:560px}
svg.chart text{white-space:pre}
.scroll{position:relative;overflow-x:auto;margin:.8rem 0 .3rem}
table{border-collapse:collapse;font-size:.87rem;font-variant-numeric:tabular-nums;overflow-wrap:normal}
caption{text-align:left;font-weight:600;padding:.3rem 0;font-size:.95rem}
th,td{padding:.28rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
thead th{color:var(--faint);font-weight:600;border-bottom-width:2px;white-space:nowrap}
tbody th{font-weight:400}
tbody tr:hover{background:var(--tint)}
.right{text-align:right;white-space:nowrap;min-width:6em}
tbody th{min-width:13em;max-width:24em;overflow-wrap:anywhere}
small{color:var(--faint)}
th.name{white-space:nowrap}
td.left{min-width:8.5em}
td.name{padding-left:calc(.6rem + 28px);text-indent:-28px}
.faint{color:var(--faint);font-style:italic}
.faint .swatch{opacity:.4}
.best{background:var(--best)}
table.sortable thead th{cursor:pointer}
th[aria-sort=ascending]::after{content:" ▲"}
th[aria-sort=descending]::after{content:" ▼"}
.command code{display:block;background:var(--tint);padding:.5rem .7rem;border-radius:4px;font:13px/1.45 ui-monospace,monospace;white-space:pre-wrap}
.repeat{font-size:.87rem;margin:.6rem 0}
summary{cursor:pointer;color:var(--faint)}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.faded{opacity:.12}
.lit{stroke:var(--lit);stroke-opacity:1;stroke-width:2.5}
@media print{nav,.repeat{display:none}figure,tr{break-inside:avoid}}
`;
