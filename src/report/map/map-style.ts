/** Style of the map's section; every class begins with `map`. */
export const MAP_STYLE = `
.map-section{--map-ground:#fff;--map-ink:#1d2430;--map-faint:#5d6778;--map-line:#c8cfd9;--map-mark:#c2185b;--map-veil:#ffffffcc}
@media (prefers-color-scheme:dark){.map-section{--map-ground:#14181f;--map-ink:#e6eaf0;--map-faint:#9aa5b5;--map-line:#3a4351;--map-mark:#ff6fa5;--map-veil:#14181fcc}}
.map-section{color:var(--map-ink)}
.map-hint,.map-words,.map-axis,.map-readout,.map-legend{color:var(--map-faint);font-size:.875rem}
.map-hint{max-width:70ch}
.map-legend{display:flex;flex-wrap:wrap;gap:.25rem 1rem;list-style:none;padding:0}
.map-swatch{display:inline-block;width:.85em;height:.85em;margin-right:.4em;border:1px solid var(--map-line);vertical-align:-.08em}
.map-controls{display:flex;flex-wrap:wrap;align-items:center;gap:.5rem;margin:.5rem 0}
.map-controls[hidden]{display:none}
.map-controls label{display:flex;align-items:center;gap:.5rem;flex:1 1 16rem}
.map-controls input{flex:1;min-width:6rem}
.map-controls button{font:inherit;padding:.25rem .6rem;color:inherit;background:var(--map-ground);border:1px solid var(--map-line);border-radius:4px;cursor:pointer}
.map-clock{min-width:8ch;font-variant-numeric:tabular-nums}
.map-grid{display:grid;gap:1rem 1.5rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr))}
.map{margin:0;min-width:0;justify-content:flex-start}
.map figcaption{margin-bottom:.25rem;overflow-wrap:anywhere}
.map-words{margin:.25rem 0}
.map-frame{position:relative;height:24rem;overflow:hidden;background:var(--map-ground);border:1px solid var(--map-line)}
.map-picture{display:block;height:100%;max-width:none;image-rendering:pixelated}
.map-canvas{position:absolute;inset:0;width:100%;height:100%;touch-action:none;cursor:crosshair}
.map-canvas:focus-visible,.map-controls :focus-visible{outline:3px solid var(--map-mark);outline-offset:1px}
.map-mark{position:absolute;top:0;bottom:0;border-left:2px dashed var(--map-mark)}
.map-axis{display:flex;justify-content:space-between;font-variant-numeric:tabular-nums}
.map-readout{display:block;min-height:7.5em;margin-top:.25rem;white-space:pre-wrap;overflow-wrap:anywhere;font:.8125rem/1.45 ui-monospace,monospace;color:var(--map-ink)}
.map-readout[hidden]{display:none}
.map details{font-size:.875rem}
.map td,.map th{padding:.1rem .75rem .1rem 0;text-align:left;font-variant-numeric:tabular-nums}
`;
