// IncrementalAlterConfigs, versions 0-1: sets and deletes single overrides, appends to and subtracts from lists.
import { incrementalAlterConfigsApi } from '../../protocol/messages/44-incremental-alter-configs.js';
import { defineHandler } from '../registry.js';

export const incrementalAlterConfigsHandler = defineHandler({
  api: incrementalAlterConfigsApi,
  async handle(request, { broker }) {
    const outcomes = await broker.configs.change(request.resources.map(({ resourceType, resourceName, configs }) => ({
      resourceType,
      resourceName,
      changes: configs.map(({ name, value, configOperation }) => ({ name, value, operation: configOperation })),
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
