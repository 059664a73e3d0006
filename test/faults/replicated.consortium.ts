import { join } from 'node:path';
import { parseAddress } from '@coferment/consortium';
import { ServerDatabase } from '../../coordinator/src/testing/server-database.fixture.js';
import type { CoordinatorMember, Listening } from '../../demo/src/members/coordinator.member.js';
import { COORDINATOR_PROGRAM } from '../../demo/src/members/program.path.js';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';
import { TestConsortium } from '../e2e/test.consortium.js';
import { TcpBalancer } from './tcp.balancer.fixture.js';

/** A consortium with two coordinators on one PostgreSQL database and one object folder, behind a TCP balancer. Real processes, made as docs/replicas.md says. */
export class ReplicatedConsortium extends TestConsortium {
  /** The second one; `coordinator` is the first. */
  readonly replica: CoordinatorMember;
  balancer!: TcpBalancer;
  readonly #database: ServerDatabase;
  readonly #replicaFolder: string;

  /** @param server URL of a PostgreSQL server on which a database may be made */
  constructor(server: string) {
    super(['--objects', temporaryFolder('coferment-objects')]);
    this.#database = new ServerDatabase(server);
    this.#replicaFolder = join(this.folders.out, 'coordinator-b');
    this.replica = this.coordinatorIn({ ...this.folders, coordinator: this.#replicaFolder, logs: join(this.folders.logs, 'b') });
  }

  /** The processes of this consortium take the database from the environment, as an operator gives it. */
  override async start(): Promise<Listening> {
    await this.#database.create();
    process.env['DATABASE_URL'] = this.#database.url;
    const first = await super.start();
    await this.group.run({
      name: 'coferment replica make',
      script: COORDINATOR_PROGRAM,
      args: ['replica', 'make', '--data', this.folders.coordinator, '--out', this.#replicaFolder],
      logFile: join(this.folders.logs, 'operator.log'),
    });
    const second = await this.replica.restart();
    this.balancer = await TcpBalancer.start([first, second].map(({ address }) => parseAddress(address)!));
    this.dialled = this.balancer.address;
    return first;
  }

  /** What is left of it; the database too. */
  override async stop(): Promise<void> {
    await super.stop();
    await this.balancer?.stop();
    await this.#database.drop();
  }
}
