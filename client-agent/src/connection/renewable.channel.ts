import type { Channel, ChannelInterface } from '@grpc/grpc-js';
import { type ClientCertificate, type Endpoint, type KeepalivePace, openChannel } from './wire.channel.js';

type CreateCall = ChannelInterface['createCall'];

/**
 * One channel for all services, whose connection can be replaced while they use it. New calls take the new connection, also the next try of a transfer that
 * began on the old one; calls under way end on the old one, which grpc-js closes after the last of them.
 */
export class RenewableChannel implements ChannelInterface {
  /** Which connection new calls take: the first, the second … */
  number = 1;
  #current: Channel;

  constructor(
    private endpoint: Endpoint,
    private certificate: ClientCertificate,
    private readonly pace?: KeepalivePace,
  ) {
    this.#current = openChannel(endpoint, certificate, pace);
  }

  replace(endpoint: Endpoint, certificate: ClientCertificate): void {
    this.endpoint = endpoint;
    this.certificate = certificate;
    this.reopen();
  }

  /** Leaves the connection for a new one. */
  reopen(): void {
    const old = this.#current;
    this.number += 1;
    this.#current = openChannel(this.endpoint, this.certificate, this.pace);
    old.close();
  }

  close(): void {
    this.#current.close();
  }

  getTarget(): string {
    return this.#current.getTarget();
  }

  getConnectivityState(tryToConnect: boolean): ReturnType<ChannelInterface['getConnectivityState']> {
    return this.#current.getConnectivityState(tryToConnect);
  }

  watchConnectivityState(...watch: Parameters<ChannelInterface['watchConnectivityState']>): void {
    this.#current.watchConnectivityState(...watch);
  }

  getChannelzRef(): ReturnType<ChannelInterface['getChannelzRef']> {
    return this.#current.getChannelzRef();
  }

  createCall(...call: Parameters<CreateCall>): ReturnType<CreateCall> {
    return this.#current.createCall(...call);
  }
}
