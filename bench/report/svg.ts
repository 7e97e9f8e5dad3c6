// Two kinds of drawings as SVG text: lines over an axis, and bars beside each other. No library, no script, nothing loaded.
import { type Axis, linearAxis, shortNumber } from './scale.js';
import { type Role, type Theme } from './theme.js';

export interface Series {
  readonly label: string;
  readonly role: Role;
  /** A broker that syncs is drawn solid beside one that does not, or the other way round. */
  readonly isDashed?: boolean;
  readonly points: readonly (readonly [number, number])[];
}

export interface LineChart {
  readonly title: string;
  readonly subtitle: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

export interface Bar {
  readonly label: string;
  readonly role: Role;
  readonly isPale?: boolean;
  readonly value: number;
}

export interface BarChart {
  readonly title: string;
  readonly subtitle: string;
  readonly unit: string;
  readonly groups: readonly { readonly label: string; readonly detail?: string; readonly bars: readonly Bar[] }[];
}

const DASHES = " stroke-dasharray='6 4'";
const FONT = "font-family='Inter,system-ui,-apple-system,Segoe UI,DejaVu Sans,sans-serif'";
const WIDTH = 640;

export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;');
}

function text(at: { x: number; y: number }, content: string, fill: string, more = ''): string {
  return `<text x='${at.x.toFixed(1)}' y='${at.y.toFixed(1)}' style='fill:${fill}' ${more}>${escapeText(content)}</text>`;
}

function frame(height: number, title: string, subtitle: string, theme: Theme, body: string): string {
  return [
    `<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 ${WIDTH} ${height}' role='img' aria-label='${escapeText(`${title}: ${subtitle}`)}' ${FONT} font-size='12'>`,
    `<rect width='${WIDTH}' height='${height}' style='fill:${theme.surface}'/>`,
    text({ x: 20, y: 28 }, title, theme.ink, "font-size='16' font-weight='600'"),
    text({ x: 20, y: 47 }, subtitle, theme.quiet),
    body,
    '</svg>',
  ].join('');
}

/** Names of the lines below the drawing, in as many rows as they need. */
function legend(series: readonly Pick<Series, 'label' | 'role' | 'isDashed'>[], top: number, theme: Theme): { body: string; height: number } {
  let [x, y] = [64, top];
  const parts = series.map(({ label, role, isDashed }) => {
    const width = 40 + label.length * 6.8;
    if (x + width > WIDTH - 16) [x, y] = [64, y + 20];
    const part = `<line x1='${x}' x2='${x + 22}' y1='${y - 4}' y2='${y - 4}' style='stroke:${theme[role]}' stroke-width='2.5'${isDashed ? DASHES : ''}/>`
      + text({ x: x + 28, y }, label, theme.ink);
    x += width;
    return part;
  });
  return { body: parts.join(''), height: y - top + 20 };
}

export function lineChart(chart: LineChart, theme: Theme): string {
  const box = { left: 64, right: WIDTH - 24, top: 86, bottom: 330 };
  const px = (value: number) => box.left + chart.x.place(value) * (box.right - box.left);
  const py = (value: number) => box.bottom - chart.y.place(value) * (box.bottom - box.top);
  const parts: string[] = [];
  for (const tick of chart.y.ticks) {
    const y = py(tick.value);
    parts.push(`<line x1='${box.left}' x2='${box.right}' y1='${y.toFixed(1)}' y2='${y.toFixed(1)}' style='stroke:${theme.line}'/>`);
    parts.push(text({ x: box.left - 8, y: y + 4 }, tick.text, theme.quiet, "text-anchor='end'"));
  }
  for (const tick of chart.x.ticks) parts.push(text({ x: px(tick.value), y: box.bottom + 18 }, tick.text, theme.quiet, "text-anchor='middle'"));
  parts.push(text({ x: box.right, y: box.bottom + 36 }, chart.x.label, theme.quiet, "text-anchor='end'"));
  parts.push(text({ x: box.left, y: box.top - 8 }, chart.y.label, theme.quiet));
  for (const each of chart.series) {
    const path = each.points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${px(x).toFixed(1)} ${py(y).toFixed(1)}`).join('');
    parts.push(`<path d='${path}' fill='none' style='stroke:${theme[each.role]}' stroke-width='2.5' stroke-linejoin='round'${each.isDashed ? DASHES : ''}/>`);
    for (const [x, y] of each.points) {
      const told = escapeText(`${each.label}: ${shortNumber(y)} at ${shortNumber(x)}`);
      parts.push(`<circle cx='${px(x).toFixed(1)}' cy='${py(y).toFixed(1)}' r='3' style='fill:${theme[each.role]}'><title>${told}</title></circle>`);
    }
  }
  const names = legend(chart.series, box.bottom + 60, theme);
  return frame(box.bottom + 60 + names.height, chart.title, chart.subtitle, theme, parts.join('') + names.body);
}

export function barChart(chart: BarChart, theme: Theme): string {
  const left = 205;
  const right = WIDTH - 140;
  const greatest = Math.max(...chart.groups.flatMap((group) => group.bars.map((bar) => bar.value)));
  const axis = linearAxis(chart.unit, greatest);
  const parts: string[] = [];
  let y = 72;
  for (const group of chart.groups) {
    const height = group.bars.length * 17;
    const middle = y + height / 2 + (group.detail === undefined ? 4 : -3);
    parts.push(text({ x: left - 12, y: middle }, group.label, theme.ink, "text-anchor='end'"));
    if (group.detail !== undefined) parts.push(text({ x: left - 12, y: middle + 15 }, group.detail, theme.quiet, "text-anchor='end' font-size='11'"));
    for (const bar of group.bars) {
      const width = Math.max(1, axis.place(bar.value) * (right - left));
      const told = escapeText(`${bar.label}: ${shortNumber(bar.value)} ${chart.unit}`);
      const paleness = bar.isPale ? " fill-opacity='0.5'" : '';
      parts.push(`<rect x='${left}' y='${y}' width='${width.toFixed(1)}' height='13' rx='2' style='fill:${theme[bar.role]}'${paleness}><title>${told}</title></rect>`);
      parts.push(text({ x: left + width + 6, y: y + 11 }, `${shortNumber(bar.value)} \u2002${bar.label}`, theme.quiet, "font-size='11'"));
      y += 17;
    }
    y += 14;
  }
  return frame(y + 6, chart.title, chart.subtitle, theme, parts.join(''));
}
