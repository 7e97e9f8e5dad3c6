/** The configuration cannot be served. The message is one line: what, where, and what would be right. */
export class ConfigError extends Error {
  /** The setting that it is about, when it is one. */
  readonly setting: string | undefined;

  constructor(message: string, setting?: string) {
    super(message);
    this.name = 'ConfigError';
    this.setting = setting;
  }
}
