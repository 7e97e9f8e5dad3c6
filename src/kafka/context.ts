import { type BrokerServices } from './services.js';

/** What the request header says. */
export interface RequestHeader {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
}

/** All that a handler may know besides the request itself. */
export interface RequestContext {
  readonly header: RequestHeader;
  /** The address of the client, without its port. */
  readonly peerHost: string;
  /** The listener by which the request came, as its index in the broker's list. */
  readonly listener: number;
  readonly broker: BrokerServices;
}
