// The table as Markdown, a part for each workload, since peers and columns differ.
import { FIGURES, type Measurement } from '../suite/measurement.js';
import { type Row, rowsOf } from './rows.js';
import { show, showRatio } from './statistics.js';

export interface Column {
  readonly title: string;
  readonly isNumber: boolean;
  /** Names the row rather than measuring it: said once for the rows that share it. */
  readonly isName?: true;
  cell(row: Row): string;
}

/** The columns that the rows of one workload need. */
export function columnsOf(rows: readonly Row[]): Column[] {
  const peers = [...new Set(rows.flatMap((row) => [...row.peers.keys()]))].sort();
  const has = (use: (row: Row) => boolean) => rows.some(use);
  const columns: Column[] = [{ title: 'what', isNumber: false, isName: true, cell: (row) => row.name }];
  if (has((row) => row.client !== undefined)) columns.push({ title: 'client', isNumber: false, isName: true, cell: (row) => row.client ?? '' });
  if (has((row) => row.mode !== undefined)) columns.push({ title: 'mode', isNumber: false, isName: true, cell: (row) => row.mode ?? '' });
  if (has((row) => row.settings !== '')) columns.push({ title: 'settings', isNumber: false, isName: true, cell: (row) => row.settings });
  columns.push({ title: 'figure', isNumber: false, cell: (row) => FIGURES[row.figure].title });
  columns.push({ title: 'Sluice', isNumber: true, cell: (row) => show(row.sluice) });
  for (const peer of peers) {
    columns.push({ title: peer, isNumber: true, cell: (row) => show(row.peers.get(peer)?.value ?? NaN) });
    columns.push({ title: 'Sluice is better by', isNumber: true, cell: (row) => showRatio(row.peers.get(peer)?.better) });
  }
  if (has((row) => !Number.isNaN(row.bare))) {
    columns.push({ title: 'bare limit', isNumber: true, cell: (row) => show(row.bare) });
    columns.push({ title: '% of the limit', isNumber: true, cell: (row) => (Number.isNaN(row.percentOfBare) ? '-' : row.percentOfBare.toFixed(0)) });
  }
  return columns;
}

/** The cells of all rows; names that are those of the row above are left empty. */
export function cellsOf(columns: readonly Column[], rows: readonly Row[]): string[][] {
  const namesOf = (row: Row) => columns.filter((each) => each.isName).map((each) => each.cell(row)).join('\0');
  return rows.map((row, index) => {
    const above = rows[index - 1];
    const isSame = above !== undefined && namesOf(above) === namesOf(row);
    return columns.map((each) => (each.isName && isSame ? '' : each.cell(row)));
  });
}

/** `titles` names the workloads, in the order wanted. */
export function renderTable(measurements: readonly Measurement[], titles: ReadonlyMap<string, string>): string {
  const rows = rowsOf(measurements);
  const parts: string[] = [];
  for (const [workload, title] of titles) {
    const own = rows.filter((row) => row.workload === workload);
    if (own.length === 0) continue;
    const columns = columnsOf(own);
    const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
    const head = [line(columns.map((each) => each.title)), `|${columns.map((each) => (each.isNumber ? '--:' : '--')).join('|')}|`];
    parts.push([`### ${title}`, '', ...head, ...cellsOf(columns, own).map(line)].join('\n'));
  }
  return parts.join('\n\n');
}
