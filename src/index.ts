/** What other programs may import. */
export { type InProcessOptions, startBrokerInProcess as startBroker } from './broker/in-process.js';
export { type ReadyReport, type RunningBroker } from './broker/broker.js';
export { BrokerStartError, type StartFailure } from './broker/errors.js';
export * from './storage/index.js';
