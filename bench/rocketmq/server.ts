// A RocketMQ name server and broker, in one directory that goes with them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { javaCommand } from '../../test/support/java.js';
import { BackgroundProcess } from '../../test/support/process.js';
import { freePort, makeTempDirectory, removeDirectory } from '../../test/support/temp.js';
import { classPath } from './jars.js';

/** What its start scripts open of the JDK; heap as Kafka's here. */
const JVM_FLAGS = [
  '-server', '-Xms1g', '-Xmx1g', '-XX:+UseG1GC', '-XX:MaxDirectMemorySize=2g',
  '--add-opens=java.base/java.nio=ALL-UNNAMED', '--add-opens=java.base/sun.nio.ch=ALL-UNNAMED',
  '--add-exports=java.base/sun.nio.ch=ALL-UNNAMED', '--add-exports=java.base/jdk.internal.ref=ALL-UNNAMED',
] as const;
const START_TIMEOUT_MS = 240_000;

async function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

export class RocketMqServer {
  readonly nameServer: string;
  readonly #directory: string;
  readonly #names: BackgroundProcess;
  readonly #broker: BackgroundProcess;

  private constructor(nameServer: string, directory: string, names: BackgroundProcess, broker: BackgroundProcess) {
    this.nameServer = nameServer;
    this.#directory = directory;
    this.#names = names;
    this.#broker = broker;
  }

  /** With SYNC_FLUSH: durable before the answer. */
  static async start(): Promise<RocketMqServer> {
    const directory = makeTempDirectory('rocketmq');
    const [namesPort, brokerPort] = [await freePort(), await freePort()];
    const nameServer = `127.0.0.1:${namesPort}`;
    const names = spawn(directory, 'names', 'org.apache.rocketmq.namesrv.NamesrvStartup', { bindAddress: '127.0.0.1', listenPort: namesPort });
    const broker = spawn(directory, 'broker', 'org.apache.rocketmq.broker.BrokerStartup', {
      bindAddress: '127.0.0.1', listenPort: brokerPort, brokerIP1: '127.0.0.1', brokerName: 'bench', namesrvAddr: nameServer,
      storePathRootDir: join(directory, 'store'),
      storePathCommitLog: join(directory, 'store', 'commitlog'), flushDiskType: 'SYNC_FLUSH', brokerRole: 'ASYNC_MASTER',
      // It refuses what has waited longer; a slow machine should be slow instead.
      waitTimeMillsInSendQueue: 10_000,
    });
    const server = new RocketMqServer(nameServer, directory, names, broker);
    try {
      await Promise.all([awaitPort(names, namesPort), awaitPort(broker, brokerPort)]);
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  cpuSeconds(): number {
    return this.#broker.cpuSeconds();
  }

  rssMb(): number {
    return this.#broker.rssBytes() / 1e6;
  }

  async stop(): Promise<void> {
    await this.#broker.stop('SIGKILL');
    await this.#names.stop('SIGKILL');
    removeDirectory(this.#directory);
  }
}

function spawn(directory: string, name: string, mainClass: string, properties: Readonly<Record<string, string | number>>): BackgroundProcess {
  // Its logs go below the user's home.
  const home = join(directory, name);
  mkdirSync(home, { recursive: true });
  const file = join(home, 'server.conf');
  writeFileSync(file, Object.entries(properties).map(([key, value]) => `${key}=${value}\n`).join(''));
  const homes = [`-Duser.home=${home}`, `-Drocketmq.home.dir=${home}`];
  return new BackgroundProcess(javaCommand(), [...JVM_FLAGS, ...homes, '-cp', classPath, mainClass, '-c', file], { cwd: home });
}

async function awaitPort(process: BackgroundProcess, port: number): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (!(await answers(port))) {
    if (process.hasExited || performance.now() > deadline) throw new Error(`RocketMQ does not answer:\n${process.output.slice(-3000)}`);
    await delay(20);
  }
}
