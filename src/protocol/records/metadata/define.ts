import { Message } from '../../message.js';
import { type FieldTable } from '../../schema.js';

/** A record of the metadata log: its number there and its table. */
export interface MetadataRecord<T extends FieldTable = FieldTable> {
  readonly type: number;
  readonly name: string;
  readonly message: Message<T>;
}

export function defineMetadataRecord<const N extends string, const T extends FieldTable>(table: {
  readonly type: number;
  readonly name: N;
  readonly versions: string;
  readonly flexible: string;
  readonly fields: T;
}): MetadataRecord<T> & { readonly name: N } {
  const message = new Message(table.name, table.fields, table.versions, table.flexible);
  return Object.freeze({ type: table.type, name: table.name, message });
}
