// A log of lines: time, level, message. Warnings and errors go to one stream, the rest to another.

export interface Logger {
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

export interface LineLoggerOptions {
  readonly out: { write(text: string): unknown };
  readonly err: { write(text: string): unknown };
  readonly now?: () => number;
}

export function lineLogger({ out, err, now = Date.now }: LineLoggerOptions): Logger {
  const line = (level: string, message: string): string => `${new Date(now()).toISOString()} ${level} ${printable(message)}\n`;
  return {
    info: (message) => void out.write(line('INFO ', message)),
    warn: (message) => void err.write(line('WARN ', message)),
    error: (message) => void err.write(line('ERROR', message)),
  };
}

/** One message stays one line, whatever a client chose to call itself. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) =>
    character === '\n' ? '\\n' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
