// AlterConfigs, versions 0-2: replaces all overrides of a resource. Clients since Kafka 2.3 use IncrementalAlterConfigs.
import { alterConfigsApi } from '../../protocol/messages/33-alter-configs.js';
import { configOperations } from '../../metadata/configs.js';
import { defineHandler } from '../registry.js';

export const alterConfigsHandler = defineHandler({
  api: alterConfigsApi,
  async handle(request, { broker }) {
    const outcomes = await broker.configs.change(request.resources.map(({ resourceType, resourceName, configs }) => ({
      resourceType,
      resourceName,
      changes: configs.map(({ name, value }) => ({ name, value, operation: configOperations.set })),
      replacesAll: true,
    })), request.validateOnly);
    return {
      responses: request.resources.map(({ resourceType, resourceName }, index) => {
        const outcome = outcomes[index]!;
        if ('ok' in outcome) return { errorCode: 0, errorMessage: null, resourceType, resourceName };
        return { errorCode: outcome.error.code, errorMessage: outcome.error.told, resourceType, resourceName };
      }),
    };
  },
  failed(request, { code, message }) {
    return {
      responses: request.resources.map(({ resourceType, resourceName }) => ({
        errorCode: code, errorMessage: message, resourceType, resourceName,
      })),
    };
  },
});
