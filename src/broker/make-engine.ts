// The addon's engine as the broker uses it: what one turn of the event loop has for it, appends of metadata and of groups and answers to
// clients, crosses together.
import { type EngineEvents, type EngineOptions, type NativeEngine } from '../native/binding.js';
import { NativeError } from '../native/errors.js';
import { loadBinding } from '../native/load.js';
import { Appender } from '../storage/appender.js';
import { Flights } from '../storage/flights.js';
import { type EnginePort } from './engine-port.js';

export function makeEngine(options: EngineOptions, events: EngineEvents): EnginePort {
  const flights = new Flights((failure) => new NativeError(failure));
  const engine = loadBinding().createEngine(options, { ...events, onAppended: (groups, failures) => flights.onAppended(groups, failures) });
  const appenders = new Map<string, Appender>();
  let tokens: number[] = [];
  let responses: Uint8Array[] = [];

  const appenderOf = (topicId: string): Appender => {
    const known = appenders.get(topicId) ?? new Appender(engine, topicId, flights);
    appenders.set(topicId, known);
    return known;
  };
  const sendResponses = (): void => {
    if (tokens.length === 0) return;
    nativeRespond(tokens, responses);
    tokens = [];
    responses = [];
  };

  const nativeRespond = engine.respond.bind(engine);
  const nativeClose = engine.close.bind(engine);
  const port: Pick<EnginePort, 'appendRecords' | 'respond' | 'close'> = {
    appendRecords: ({ topicId, partition }, records, { control = false } = {}) =>
      appenderOf(topicId).append(partition, records, { compression: 'none', control }),
    respond(token, response) {
      if (tokens.length === 0) process.nextTick(sendResponses);
      tokens.push(token);
      responses.push(response);
    },
    close(how) {
      for (const appender of appenders.values()) appender.flush();
      sendResponses();
      return nativeClose(how);
    },
  };
  // The addon's own methods are read-only, so that these are laid over them.
  for (const [name, value] of Object.entries(port)) Object.defineProperty(engine, name, { value });
  return engine as NativeEngine & typeof port;
}
