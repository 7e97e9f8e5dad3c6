// docs/settings.md from the table of settings: `npm run docs` writes it, a unit test says when that was forgotten.
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rangeText } from '../../src/config/range.js';
import { type Setting } from '../../src/config/setting.js';
import { allTopicSettings, settingGroups } from '../../src/config/settings/index.js';

const FILE = join('docs', 'settings.md');

const INTRODUCTION = `# Settings

<!-- Written by \`npm run docs\` from src/config/settings. Change it there. -->

Names, types, defaults and ranges are those of Apache Kafka 4.4; \`sluice.*\` is Sluice's own. A setting is **served**, or **ignored**
(accepted, and named in one warning at start, since it tunes something that Sluice does not have), or **refused** (any value but the default
ends the start, since leaving it out would change safety or topology). *Dynamic* settings can be changed while the broker runs, for this
broker or for all of them. Without a file some defaults are those of Kafka's shipped configuration for one node: see the README.
`;

const cell = (text: string): string => text.replaceAll('|', '\\|');

function row(setting: Setting): string {
  const range = setting.range === undefined ? '' : rangeText(setting.range);
  const type = range === '' || range.startsWith('non-') ? setting.type : `${setting.type} ${range}`;
  const value = setting.default === null ? '' : setting.default === '' ? 'empty' : `\`${setting.default}\``;
  const dynamic = setting.update !== 'read-only' && setting.use === 'served' ? ' *Dynamic.*' : '';
  const internal = setting.isInternal ? ' *Internal.*' : '';
  return `| \`${setting.name}\` | ${cell(type)} | ${cell(value)} | ${setting.use} | ${cell(setting.prose)}${dynamic}${internal} |`;
}

function table(settings: readonly Setting[]): string {
  return ['| name | type | default | | what it does |', '|--|--|--|--|--|', ...settings.map(row)].join('\n');
}

export function settingsDocument(): string {
  const sections = settingGroups.map(({ title, settings }) => `## ${title}\n\n${table(settings)}\n`);
  const topics = `## Topics\n\nWhere a topic does not have a setting, the broker's counterpart counts.\n\n${table(allTopicSettings)}\n`;
  return [INTRODUCTION, ...sections, topics].join('\n');
}

const program = process.argv[1];
if (program !== undefined && resolve(program) === fileURLToPath(import.meta.url)) writeFileSync(FILE, settingsDocument());
