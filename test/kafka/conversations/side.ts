// One broker of a conversation: it is asked in its own ids, and its answers are shown with what must differ between two brokers taken out.
import { type Api } from '../../../src/protocol/api.js';
import { ProtocolError } from '../../../src/protocol/error.js';
import { errorName } from '../../../src/protocol/errors.js';
import { type FieldTable } from '../../../src/protocol/schema.js';
import { ZERO_UUID } from '../../../src/protocol/uuid.js';
import { KafkaClient } from '../../support/kafka-client.js';

export type AnyApi = Api<FieldTable, FieldTable>;

/** What a script calls the things whose ids each broker chooses. */
export interface Names {
  /** The id of the topic that has, or last had, this name; a made up one when it never was. */
  topicId(name: string): string;
  readonly clusterId: string;
  /** The id that this member was given. */
  memberId(label: string): string;
}

export interface Step {
  readonly note: string;
  readonly api: AnyApi;
  readonly version: number;
  readonly request: (names: Names) => object;
  /** Asking again changes nothing. */
  readonly isRead: boolean;
  /** What of the answer is not compared, and why stands in the script. */
  readonly hide?: (answer: any) => unknown;
  /** The member that the answer tells the id of. */
  readonly member?: string;
}

export type Shown = unknown;

/** Answers whose order means nothing: Kafka's comes from a hash map. */
const UNORDERED = new Set([
  'topics', 'results', 'responses', 'partitions', 'configs', 'groups', 'coordinators', 'brokers', 'configResources', 'members', 'groupIds',
]);
const HIDDEN = new Set(['throttleTimeMs', 'unknownTags', 'finalizedFeaturesEpoch', 'commitTimestamp']);
const UNKNOWN_ID = Buffer.alloc(16, 7).toString('base64url');

export class Side implements Names {
  readonly port: number;
  clusterId = '';
  #client: KafkaClient | undefined;
  /** Of each name, every id that it had. */
  readonly #ids = new Map<string, string[]>();
  readonly #labels = new Map<string, string>();
  readonly #members = new Map<string, string>();
  readonly #producerIds: string[] = [];

  constructor(port: number) {
    this.port = port;
  }

  topicId(name: string): string {
    return this.#ids.get(name)?.at(-1) ?? UNKNOWN_ID;
  }

  memberId(label: string): string {
    return this.#members.get(label) ?? label;
  }

  async connection(): Promise<KafkaClient> {
    if (this.#client === undefined || this.#client.isClosed) this.#client = await KafkaClient.connect(this.port);
    return this.#client;
  }

  close(): void {
    this.#client?.close();
  }

  async ask({ api, version, request, hide, member }: Step): Promise<Shown> {
    const client = await this.connection();
    let answer: unknown;
    try {
      answer = await client.ask(api, version, request(this) as never);
    } catch (error) {
      if (error instanceof ProtocolError) throw error;
      return 'closed';
    }
    if (member !== undefined) {
      const { memberId } = answer as { memberId: string };
      this.#members.set(member, memberId);
      this.#labels.set(memberId, member);
    }
    this.#learn(answer);
    const shown = this.#show(answer, '');
    return hide === undefined ? shown : hide(shown);
  }

  #learn(value: unknown): void {
    if (Array.isArray(value)) return value.forEach((each) => this.#learn(each));
    if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return;
    const { name, topicName, topicId } = value as { name?: string; topicName?: string; topicId?: string };
    const called = name ?? topicName;
    if (typeof topicId === 'string' && topicId !== ZERO_UUID && called !== undefined && called !== null && called !== '') {
      const ids = this.#ids.get(called) ?? [];
      if (!ids.includes(topicId) && topicId !== UNKNOWN_ID) {
        ids.push(topicId);
        this.#labels.set(topicId, `id of ${called}`);
      }
      this.#ids.set(called, ids);
    }
    Object.values(value).forEach((each) => this.#learn(each));
  }

  #show(value: unknown, field: string): unknown {
    if (typeof value === 'bigint') return this.#number(value, field);
    if (Buffer.isBuffer(value)) return value.toString('latin1');
    if (Array.isArray(value)) {
      // Sluice has settings of its own.
      const parts = value.filter((each) => !String(each?.name).startsWith('sluice.')).map((each) => this.#show(each, field));
      if (!UNORDERED.has(field)) return parts;
      return parts.map((part) => [JSON.stringify(part), part] as const).sort(([a], [b]) => (a < b ? -1 : 1)).map(([, part]) => part);
    }
    if (typeof value === 'object' && value !== null) {
      const shown: Record<string, unknown> = {};
      for (const [name, part] of Object.entries(value)) if (!HIDDEN.has(name)) shown[name] = this.#show(part, name);
      return shown;
    }
    if (typeof value === 'number') return this.#code(value, field);
    return typeof value === 'string' ? this.#text(value, field) : value;
  }

  #number(value: bigint, field: string): string {
    if (field === 'producerId' && value >= 0n) {
      if (!this.#producerIds.includes(String(value))) this.#producerIds.push(String(value));
      return `producer ${this.#producerIds.indexOf(String(value))}`;
    }
    if (field === 'totalBytes' || field === 'usableBytes') return value > 0n ? 'some' : String(value);
    return String(value);
  }

  #code(value: number, field: string): unknown {
    if (field === 'errorCode' || field === 'topicConfigErrorCode') return errorName(value);
    if (field === 'port' && value > 0) return 'port';
    return value;
  }

  #text(value: string, field: string): string {
    if (field === 'clusterId') return value === this.clusterId ? 'cluster' : value;
    if (field === 'logDir') return 'directory';
    let text = this.#labels.get(value) ?? value;
    if (field === 'errorMessage' || field === 'message') for (const [id, label] of this.#labels) text = text.replaceAll(id, label);
    return text;
  }
}
