import { createTopicsApi } from '../../../src/protocol/messages/19-create-topics.js';
import { metadataApi } from '../../../src/protocol/messages/03-metadata.js';
import { type Target } from './target.js';

let count = 0;

/** A name that no other test uses, on a broker that many tests share. */
export function topicName(what = 'topic'): string {
  return `${what}-${process.pid}-${(count += 1)}`;
}

export interface NewTopic {
  readonly partitions?: number;
  readonly configs?: Readonly<Record<string, string>>;
}

/** Makes a topic and returns its name and id. */
export async function makeTopic(target: Target, what?: string, { partitions = 1, configs = {} }: NewTopic = {}) {
  const name = topicName(what);
  const { topics } = await target.ask(createTopicsApi, 7, {
    topics: [{
      name, numPartitions: partitions, replicationFactor: 1, configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    }],
  });
  const [topic] = topics;
  if (topic?.errorCode !== 0) throw new Error(`${name} cannot be made: error ${topic?.errorCode} ${topic?.errorMessage}`);
  // Kafka's brokers learn of a topic a little after it was made.
  for (let i = 0; target.kind === 'kafka' && i < 1000; i += 1) {
    const metadata = await target.ask(metadataApi, 9, { topics: [{ name }], allowAutoTopicCreation: false });
    if (metadata.topics[0]?.errorCode === 0) break;
  }
  return { name, id: topic.topicId };
}
