/** What other programs may import. */
export { type BrokerOptions, type ReadyReport, type RunningBroker, startBroker } from './broker/broker.js';
export { BrokerStartError, type StartFailure } from './broker/errors.js';
