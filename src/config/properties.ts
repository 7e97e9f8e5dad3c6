// The format of java.util.Properties, in which Kafka's configuration files are written.

/** The text is no properties, as Java sees it too. */
export class PropertiesError extends Error {
  override readonly name = 'PropertiesError';
}

/** Reads a text of properties; where a key stands twice, the last one counts, as with Java. */
export function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>();
  for (const line of logicalLines(text)) {
    const [key, value] = splitLine(line);
    if (BROKEN_ESCAPE.test(line)) throw new PropertiesError(`'${line}' has a \\u without the four hexadecimal digits of a character`);
    properties.set(unescape(key), unescape(value));
  }
  return properties;
}

/** Lines without comments and blank ones, continued lines joined. */
function* logicalLines(text: string): Generator<string> {
  let joined: string | undefined;
  for (const raw of text.split(/\r\n|\n|\r/)) {
    const line = raw.replace(/^[ \t\f]+/, '');
    // What continues a line is no comment, and a blank line ends it; but what continues nothing is a line of its own.
    if (joined === undefined && (line === '' || line.startsWith('#') || line.startsWith('!'))) continue;
    const isContinued = /(?:^|[^\\])(?:\\\\)*\\$/.test(line);
    joined = (joined ?? '') + (isContinued ? line.slice(0, -1) : line);
    if (isContinued) {
      if (joined === '') joined = undefined;
      continue;
    }
    if (joined !== '') yield joined;
    joined = undefined;
  }
  if (joined !== undefined && joined !== '') yield joined;
}

/** The key ends at the first blank, = or : that is not escaped; one = or : and blanks around it are not part of the value. */
function splitLine(line: string): [string, string] {
  let end = 0;
  while (end < line.length && !/[=: \t\f]/.test(line.charAt(end))) end += line.charAt(end) === '\\' ? 2 : 1;
  end = Math.min(end, line.length);
  return [line.slice(0, end), line.slice(end).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '')];
}

const BROKEN_ESCAPE = /^(?:[^\\]|\\[^u]|\\u[0-9a-fA-F]{4})*\\u(?![0-9a-fA-F]{4})/;
const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

function unescape(text: string): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|[^])/g, (_, escaped: string) =>
    escaped.length === 5 ? String.fromCharCode(Number.parseInt(escaped.slice(1), 16)) : (ESCAPES[escaped] ?? escaped));
}
