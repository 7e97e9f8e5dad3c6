// DeleteTopics, versions 1-6. 6: by name or by id. Deletion that is switched off has an error of its own from version 3.
import { deleteTopicsApi } from '../../protocol/messages/20-delete-topics.js';
import { type RequestOf } from '../../protocol/api.js';
import { ZERO_UUID } from '../../protocol/uuid.js';
import { topicById } from '../../metadata/image.js';
import { KafkaError, plainError } from '../../metadata/kafka-error.js';
import { requireTime, withinTimeout } from '../deadline.js';
import { defineHandler } from '../registry.js';
import { type BrokerServices } from '../services.js';

interface Answer {
  readonly name: string | null;
  readonly topicId: string;
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

function failure(name: string | null, topicId: string, error: KafkaError): Answer {
  return { name, topicId, errorCode: error.code, errorMessage: error.told };
}

function invalid(name: string | null, topicId: string, message: string): Answer {
  return failure(name, topicId, new KafkaError('INVALID_REQUEST', message));
}

/** Values by how often they occur: those that occur once, and the others. */
function splitDuplicates(values: readonly string[]): { once: string[]; more: string[] } {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const keys = [...counts.keys()];
  return { once: keys.filter((key) => counts.get(key) === 1), more: keys.filter((key) => counts.get(key)! > 1) };
}

/** Which topics are meant, by id; everything that is wrong with the request goes to `answers`. */
function resolve(request: RequestOf<typeof deleteTopicsApi>, broker: BrokerServices, answers: Answer[]): Map<string, string> {
  const { image } = broker.metadata;
  const givenNames = [...request.topicNames];
  const givenIds: string[] = [];
  for (const { name, topicId } of request.topics) {
    if (name === null && topicId === ZERO_UUID) answers.push(invalid(null, ZERO_UUID, 'Neither topic name nor id were specified.'));
    else if (name === null) givenIds.push(topicId);
    else if (topicId === ZERO_UUID) givenNames.push(name);
    else answers.push(invalid(name, topicId, 'You may not specify both topic name and topic id.'));
  }
  const names = splitDuplicates(givenNames);
  const ids = splitDuplicates(givenIds);
  for (const name of names.more) answers.push(invalid(name, ZERO_UUID, 'Duplicate topic name.'));
  for (const id of ids.more) answers.push(invalid(null, id, 'Duplicate topic id.'));
  // Where nothing is to be looked for no time is needed.
  if (names.once.length + ids.once.length > 0) requireTime(request.timeoutMs);
  const named = new Set(ids.more);
  const wanted = new Map<string, string>();
  for (const id of ids.once) {
    const topic = topicById(image, id);
    if (topic === undefined) answers.push(failure(null, id, plainError('UNKNOWN_TOPIC_ID')));
    else wanted.set(id, topic.name);
  }
  for (const name of names.once) {
    const topic = image.topics.get(name);
    if (topic === undefined) {
      answers.push(failure(name, ZERO_UUID, plainError('UNKNOWN_TOPIC_OR_PARTITION')));
    } else if (named.has(topic.id) || wanted.has(topic.id)) {
      wanted.delete(topic.id);
      answers.push(invalid(name, topic.id, 'The provided topic name maps to an ID that was already supplied.'));
    } else {
      wanted.set(topic.id, name);
    }
  }
  return wanted;
}

export const deleteTopicsHandler = defineHandler({
  api: deleteTopicsApi,
  async handle(request, { header, broker }) {
    if (!broker.config.deleteTopics) {
      if (header.apiVersion < 3) throw new KafkaError('INVALID_REQUEST', 'Topic deletion is disabled.');
      throw new KafkaError('TOPIC_DELETION_DISABLED');
    }
    const answers: Answer[] = [];
    const wanted = [...resolve(request, broker, answers)];
    const outcomes = wanted.length === 0 ? [] : await withinTimeout(request.timeoutMs, () => broker.topics.delete(wanted.map(([id]) => id)));
    for (const [index, outcome] of outcomes.entries()) {
      const [id, name] = wanted[index]!;
      if ('error' in outcome) answers.push(failure(name, id, outcome.error));
      else answers.push({ name, topicId: id, errorCode: 0, errorMessage: null });
    }
    return { responses: answers };
  },
  failed(request, { code, message }) {
    const byName = request.topicNames.map((name) => ({ name, topicId: ZERO_UUID, errorCode: code, errorMessage: message }));
    const either = request.topics.map(({ name, topicId }) => ({ name, topicId, errorCode: code, errorMessage: message }));
    return { responses: [...byName, ...either] };
  },
});
