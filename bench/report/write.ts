// Everything that a run leaves behind beside its results: the table, the drawings, the page.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Measurement } from '../suite/measurement.js';
import { type Run } from '../suite/results.js';
import { judgeGoals, renderGoals } from './goals.js';
import { renderHtml } from './html.js';
import { plotsOf } from './plots.js';
import { renderTable } from './table.js';
import { lightTheme } from './theme.js';

const PNG_WIDTH = '1280';
const NO_PNG =
  "the drawings are there as SVG only: PNG needs rsvg-convert (Debian: apt-get install -y librsvg2-bin fonts-dejavu-core), then '--report' makes them";

/** Returns the Markdown, and what could not be made. */
export function writeReport(
  directory: string, run: Run, measurements: readonly Measurement[], titles: ReadonlyMap<string, string>,
): { markdown: string; notes: string[] } {
  const notes: string[] = [];
  const plotDirectory = join(directory, 'plots');
  mkdirSync(plotDirectory, { recursive: true });
  const svgs = plotsOf(measurements).map((plot) => {
    const file = join(plotDirectory, `${plot.name}.svg`);
    writeFileSync(file, plot.draw(lightTheme));
    return file;
  });
  const failed = svgs.find((svg) => spawnSync('rsvg-convert', ['--width', PNG_WIDTH, '--output', svg.replace(/svg$/, 'png'), svg]).status !== 0);
  if (failed !== undefined) notes.push(NO_PNG);
  writeFileSync(join(directory, 'report.html'), renderHtml(run, measurements, titles));
  const markdown = [renderGoals(judgeGoals(measurements)), renderTable(measurements, titles)].filter((part) => part !== '').join('\n\n');
  const machine = `Linux ${run.kernel}, ${run.cpus.length} x ${run.cpus[0] ?? ''}, Node ${run.node}, Kafka ${run.kafka}`;
  writeFileSync(join(directory, 'report.md'), `\`${run.command}\`, ${run.date}, commit ${run.commit}, ${machine}\n\n${markdown}\n`);
  return { markdown, notes };
}
