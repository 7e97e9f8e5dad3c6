// The report as one page that needs nothing but itself: big numbers, drawings, goals, then every table. It follows the reader's light or dark.
import { type Measurement } from '../suite/measurement.js';
import { type Run } from '../suite/results.js';
import { judgeGoals, type Verdict } from './goals.js';
import { tilesOf } from './headline.js';
import { plotsOf } from './plots.js';
import { type Row, rowsOf } from './rows.js';
import { escapeText as text } from './svg.js';
import { cellsOf, columnsOf } from './table.js';
import { pageTheme, themeVariables } from './theme.js';

const STYLE = `
:root{color-scheme:light dark;${themeVariables('light')};--page:#f4f6f9}
@media (prefers-color-scheme:dark){:root{${themeVariables('dark')};--page:#0c0f14}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 Inter,system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif}
main{max-width:1360px;margin:0 auto;padding:40px 24px 80px}
h1{font-size:32px;letter-spacing:-.02em;margin:0 0 4px}
h2{font-size:20px;margin:48px 0 14px;letter-spacing:-.01em}
.lead{color:var(--quiet);margin:0}
.lead code{color:var(--ink)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(230px,1fr));gap:14px;margin:32px 0 0}
.card{background:var(--surface);border:1px solid var(--line);border-radius:12px}
.tile{padding:18px 20px}
.tile b{display:block;font-size:40px;line-height:1.1;letter-spacing:-.03em;font-variant-numeric:tabular-nums;color:var(--sluice)}
.tile.behind b{color:var(--bad)}
.tile span{display:block;font-weight:600;margin-top:4px}
.tile small{color:var(--quiet)}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,520px),1fr));gap:16px}
.plots figure{margin:0;padding:8px;overflow:hidden}
.plots svg{display:block;width:100%;height:auto}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:13.5px}
th,td{text-align:left;padding:7px 12px;border-top:1px solid var(--line);vertical-align:top}
thead th{border-top:0;color:var(--quiet);font-weight:500;white-space:nowrap}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
tr.same td{border-top:0;padding-top:2px}
td.better{color:var(--good);font-weight:600}
td.worse{color:var(--bad);font-weight:600}
.mark{font-weight:700}
.mark.yes{color:var(--good)}
.mark.no{color:var(--bad)}
details{margin:0 0 12px}
summary{cursor:pointer;padding:14px 18px;font-weight:600}
details[open] summary{border-bottom:1px solid var(--line)}
footer{margin-top:48px;color:var(--quiet);font-size:13.5px}
`;

function tiles(measurements: readonly Measurement[]): string {
  return tilesOf(measurements)
    .map((tile) => `<div class="card tile${tile.isGood ? '' : ' behind'}"><b>${text(tile.big)}</b><span>${text(tile.what)}</span><small>${text(tile.detail)}</small></div>`)
    .join('');
}

function goals(verdicts: readonly Verdict[]): string {
  const judged = verdicts.filter((each) => each.isMet !== undefined);
  if (judged.length === 0) return '';
  const rows = judged.map((each) => {
    const mark = each.isMet ? '<td class="mark yes">&#10003; met</td>' : '<td class="mark no">&#10007; not met</td>';
    return `<tr>${mark}<td>${text(each.workload)}</td><td>${text(each.goal)}</td><td>${text(each.found)}</td></tr>`;
  });
  const count = judged.filter((each) => each.isMet).length;
  return `<h2>Goals: ${count} of ${judged.length} met</h2><div class="card scroll"><table><thead><tr><th></th><th></th><th>goal</th><th>found</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

function ratioClass(cell: string): string {
  const ratio = /^([\d.,]+)x/.exec(cell);
  if (ratio === null) return '';
  const value = Number((ratio[1] ?? '').replaceAll(',', ''));
  return value >= 1.05 ? ' better' : value < 0.95 ? ' worse' : '';
}

function table(rows: readonly Row[]): string {
  const columns = columnsOf(rows);
  const head = columns.map((each) => `<th${each.isNumber ? ' class="n"' : ''}>${text(each.title)}</th>`).join('');
  const body = cellsOf(columns, rows).map((cells) => {
    const isSame = cells[0] === '';
    const line = cells.map((cell, index) => `<td class="${columns[index]?.isNumber ? 'n' : ''}${ratioClass(cell)}">${text(cell)}</td>`).join('');
    return `<tr${isSame ? ' class="same"' : ''}>${line}</tr>`;
  });
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}

export function renderHtml(run: Run, measurements: readonly Measurement[], titles: ReadonlyMap<string, string>): string {
  const rows = rowsOf(measurements);
  const tables = [...titles].flatMap(([workload, title]) => {
    const own = rows.filter((row) => row.workload === workload);
    return own.length === 0 ? [] : [`<details class="card" open><summary>${text(title)}</summary>${table(own)}</details>`];
  });
  const plots = plotsOf(measurements).map((plot) => `<figure class="card">${plot.draw(pageTheme)}</figure>`);
  const cores = `${run.cpus.length} x ${run.cpus[0] ?? 'unknown'}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Sluice, measured</title><style>${STYLE}</style></head><body><main>
<h1>Sluice, measured</h1>
<p class="lead">${text(run.date.slice(0, 16).replace('T', ' '))} UTC, commit ${text(run.commit)}, beside Apache Kafka ${text(run.kafka)}</p>
<p class="lead">${text(cores)}, ${run.memoryGb} GB, Linux ${text(run.kernel)}, Node ${text(run.node)}; brokers and clients share the machine</p>
<p class="lead"><code>${text(run.command)}</code></p>
<div class="tiles">${tiles(measurements)}</div>
${plots.length === 0 ? '' : `<h2>Drawn</h2><div class="plots">${plots.join('')}</div>`}
${goals(judgeGoals(measurements))}
<h2>Every figure</h2>${tables.join('')}
<footer>Durable (fsync): acknowledged when the disk has it. Page cache (os): acknowledged when the kernel has it, Kafka's default. Figures are medians of all starts of a
side; a ratio is above 1 where Sluice is better, and its spread is that of neighbouring starts. The bare limit is a server of one thread that does only the necessary work.
Scale ${run.scale.toPrecision(2)} of the full durations.</footer>
</main></body></html>
`;
}
