// ListConfigResources, versions 0-1: the resources that can have settings. 0: client metrics, of which there are none
// here. 1: by type; none named means all.
import { listConfigResourcesApi } from '../../protocol/messages/74-list-config-resources.js';
import { resourceTypes } from '../../metadata/image.js';
import { KafkaError } from '../../metadata/kafka-error.js';
import { defineHandler } from '../registry.js';
import { type BrokerServices } from '../services.js';

const KNOWN = new Set<number>(Object.values(resourceTypes));

function resourcesOf(type: number, broker: BrokerServices): string[] {
  switch (type) {
    case resourceTypes.topic: return [...broker.metadata.image.topics.keys()];
    case resourceTypes.broker:
    case resourceTypes.brokerLogger: return [...broker.metadata.image.brokers.keys()].map(String);
    default: return [];
  }
}

export const listConfigResourcesHandler = defineHandler({
  api: listConfigResourcesApi,
  handle(request, { header, broker }) {
    if (header.apiVersion === 0) return { errorCode: 0, configResources: [] };
    const unknown = request.resourceTypes.find((type) => !KNOWN.has(type));
    if (unknown !== undefined) throw new KafkaError('UNSUPPORTED_VERSION', `Unsupported resource type ${unknown}`);
    const types = request.resourceTypes.length === 0 ? KNOWN : new Set(request.resourceTypes);
    return {
      errorCode: 0,
      configResources: [...types].flatMap((resourceType) =>
        resourcesOf(resourceType, broker).map((resourceName) => ({ resourceName, resourceType }))),
    };
  },
  failed(_request, { code }) {
    return { errorCode: code, configResources: [] };
  },
});
