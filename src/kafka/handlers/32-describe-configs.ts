// DescribeConfigs, versions 1-4: all settings of topics and brokers, each with where its value comes from.
// 3: types and documentation. A broker without a name means what was set for all brokers of the cluster.
import { describeConfigsApi } from '../../protocol/messages/32-describe-configs.js';
import { type RequestOf } from '../../protocol/api.js';
import { overridesOf, resourceTypes } from '../../metadata/image.js';
import { parseNodeId } from '../../metadata/ids.js';
import { KafkaError, plainError } from '../../metadata/kafka-error.js';
import { topicNameProblem } from '../../metadata/topic-names.js';
import { defineHandler } from '../registry.js';
import { Once, Repeats } from '../repeats.js';
import { type BrokerServices, type ConfigEntry } from '../services.js';

type Request = RequestOf<typeof describeConfigsApi>;

const KNOWN_TYPES = new Set<number>(Object.values(resourceTypes));

function findEntries(resourceType: number, resourceName: string, broker: BrokerServices): readonly ConfigEntry[] {
  const { image } = broker.metadata;
  const { nodeId } = broker.config;
  switch (resourceType) {
    case resourceTypes.topic: {
      const problem = topicNameProblem(resourceName);
      if (problem !== null) throw new KafkaError('INVALID_TOPIC_EXCEPTION', `Topic name is invalid: ${problem}`);
      if (!image.topics.has(resourceName)) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION');
      return broker.configs.describeTopic(overridesOf(image, resourceType, resourceName));
    }
    case resourceTypes.broker: {
      if (resourceName === '') return broker.configs.describeBrokerDefaults();
      const id = parseNodeId(resourceName);
      if (id === undefined) {
        throw new KafkaError('INVALID_REQUEST', `Broker id must be an integer, but it is: ${resourceName}`);
      }
      if (id !== nodeId) {
        throw new KafkaError('INVALID_REQUEST', `Unexpected broker id, expected ${nodeId} or empty string, but received ${resourceName}`);
      }
      return broker.configs.describeBroker();
    }
    case resourceTypes.brokerLogger:
    case resourceTypes.clientMetrics:
    case resourceTypes.group:
      throw new KafkaError('INVALID_REQUEST', `Configs of resource type ${resourceType} are not supported by this broker.`);
    default:
      throw new Error(`resource type ${resourceType} was not refused`);
  }
}

function view(entry: ConfigEntry, { includeSynonyms, includeDocumentation }: Request) {
  const { name, value, readOnly, isSensitive, source, type, documentation, synonyms } = entry;
  return {
    name,
    value,
    readOnly,
    configSource: source,
    isSensitive,
    synonyms: includeSynonyms ? synonyms : [],
    configType: type,
    documentation: includeDocumentation ? documentation : null,
  };
}

export const describeConfigsHandler = defineHandler({
  api: describeConfigsApi,
  handle(request, { broker }) {
    // One resource of a type that there is not spoils all of them.
    if (request.resources.some(({ resourceType }) => !KNOWN_TYPES.has(resourceType))) throw plainError('INVALID_REQUEST');
    const found = new Once<readonly ConfigEntry[]>();
    const repeats = new Repeats();
    return {
      results: request.resources.map(({ resourceType, resourceName, configurationKeys }) => {
        let entries: readonly ConfigEntry[];
        try {
          entries = found.get(`${resourceType} ${resourceName}`, () => findEntries(resourceType, resourceName, broker));
        } catch (error) {
          if (!(error instanceof KafkaError)) throw error;
          return { errorCode: error.code, errorMessage: error.told ?? '', resourceType, resourceName, configs: [] };
        }
        const keys = configurationKeys === null || configurationKeys.length === 0 ? null : new Set(configurationKeys);
        const wanted = keys === null ? entries : entries.filter(({ name }) => keys.has(name));
        repeats.add(entries, wanted.length);
        return { errorCode: 0, errorMessage: '', resourceType, resourceName, configs: wanted.map((entry) => view(entry, request)) };
      }),
    };
  },
  failed(request, { code, message }) {
    return {
      results: request.resources.map(({ resourceType, resourceName }) => ({
        errorCode: code, errorMessage: message, resourceType, resourceName, configs: [],
      })),
    };
  },
});
