// CreatePartitions, versions 0-3: more partitions for topics that exist.
import { createPartitionsApi } from '../../protocol/messages/37-create-partitions.js';
import { errorCode } from '../../protocol/errors.js';
import { withinTimeout } from '../deadline.js';
import { defineHandler } from '../registry.js';

export const createPartitionsHandler = defineHandler({
  api: createPartitionsApi,
  async handle(request, { broker }) {
    const counts = new Map<string, number>();
    for (const { name } of request.topics) counts.set(name, (counts.get(name) ?? 0) + 1);
    const unique = request.topics.filter(({ name }) => counts.get(name) === 1);
    const duplicates = [...counts.keys()].filter((name) => counts.get(name)! > 1);
    const outcomes = unique.length === 0 ? [] : await withinTimeout(request.timeoutMs, () => broker.topics.addPartitions(unique, request.validateOnly));
    return {
      results: [
        ...duplicates.map((name) => ({
          name, errorCode: errorCode('INVALID_REQUEST'), errorMessage: 'Duplicate topic name.',
        })),
        ...outcomes.map((outcome, index) => {
          const { name } = unique[index]!;
          if ('ok' in outcome) return { name, errorCode: 0, errorMessage: null };
          return { name, errorCode: outcome.error.code, errorMessage: outcome.error.told };
        }),
      ],
    };
  },
  failed(request, { code, message }) {
    return { results: request.topics.map(({ name }) => ({ name, errorCode: code, errorMessage: message })) };
  },
});
