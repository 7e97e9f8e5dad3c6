// Sluice's own settings.
import { atLeast, between, oneOf } from '../range.js';
import { define } from '../setting.js';
import { defineTopic } from '../topic-setting.js';

const MIB = 1024 * 1024;

export const sluiceSettings = [
  define('sluice.durability', 'string', 'fsync', 'served',
    'fsync: a record is acknowledged, and seen by consumers, when it is on disk and survives a power cut. os: when it is in the ' +
    'page cache, as with Kafka. Topics may differ, see the topic setting of the same name.',
    { importance: 'high', range: oneOf('fsync', 'os') }),
  define('sluice.journal.bytes', 'long', `${512 * MIB}`, 'served',
    'Space on disk for the journal. More of it lets segments be synced less often, and makes a start after a crash longer. It grows as it is needed; ' +
    'as much again is held back beside it, and 16 MiB more, so that a disk that others fill cannot keep records from being recovered. On a small disk it ' +
    'stays below a sixteenth of it, but 16 MiB.',
    { range: atLeast(16 * MIB) }),
  define('sluice.reactors', 'int', '1', 'served',
    'Threads of the data plane. This version has one.', { range: between(1, 1) }),
  define('sluice.io.driver', 'string', 'auto', 'served',
    'How the data plane talks to the kernel: io_uring, epoll (with writes on the pool), or auto, which is io_uring where the kernel ' +
    'allows it.', { range: oneOf('auto', 'io_uring', 'epoll') }),
  define('sluice.pool.threads', 'int', '2', 'served',
    'Threads for compression, reading of cold data and other work that may block.', { range: between(1, 64) }),
  define('sluice.scrub.bytes.per.second', 'long', `${8 * MIB}`, 'served',
    'How fast sealed segments are read again in the background, and each batch\'s CRC checked. Damage is said in the log by file, partition and position, and a fetch ' +
    'of it answers CORRUPT_MESSAGE until the next start. What was not in the page cache does not stay there. 0: never.', { range: atLeast(0) }),
  define('sluice.scrub.interval.ms', 'long', `${7 * 24 * 3600 * 1000}`, 'served',
    'How long after the beginning of one such round over all segments the next one begins. The first begins ten minutes after the start, or after this time if that is shorter.',
    { range: between(1, 365 * 24 * 3600 * 1000) }),
  define('sluice.memory.request.bytes', 'long', `${256 * MIB}`, 'served',
    'Memory for requests that are being received or worked on, over all connections. Reading stops where it is used up. It is raised ' +
    'to socket.request.max.bytes where that is more.', { importance: 'high', range: atLeast(MIB) }),
  define('sluice.memory.response.bytes', 'long', `${256 * MIB}`, 'served',
    'Memory for answers that clients have not read yet, over all connections; records are not in it, they are sent from their files. Beyond it ' +
    'who has an answer waiting gets no further one, and a quarter beyond it connections that do not read theirs are closed.', { range: atLeast(MIB) }),
  define('sluice.memory.socket.bytes', 'long', `${256 * MIB}`, 'served',
    'Memory of the kernel for answers on their way to clients, over all connections; it takes twice the size of a buffer. As many connections as it is enough for have ' +
    'one of socket.send.buffer.bytes, or more: those that lately read answers larger than that. Further ones have 49152 bytes. Not limited where ' +
    'socket.send.buffer.bytes is -1.', { range: atLeast(MIB) }),
  define('sluice.socket.send.buffer.max.bytes', 'int', `${384 * 1024}`, 'served',
    'The SO_SNDBUF of the sockets of clients that have read answers larger than socket.send.buffer.bytes, while sluice.memory.socket.bytes has room. ' +
    'Where it is less than socket.send.buffer.bytes, or that is -1, there are none.', { range: atLeast(0) }),
  define('sluice.memory.connection.bytes', 'long', null, 'served',
    'Memory for the requests of one connection. Not set: twice socket.request.max.bytes. At least socket.request.max.bytes.',
    { range: { kind: 'number', min: MIB, mayBeNull: true } }),
] as const;

export const sluiceTopicSettings = [
  defineTopic('sluice.durability', 'string', 'fsync', 'served',
    'fsync: a record is acknowledged, and seen by consumers, when it is on disk and survives a power cut. os: when it is in the ' +
    'page cache, as with Kafka. flush.messages=1 means fsync.',
    { range: oneOf('fsync', 'os'), synonyms: ['sluice.durability'] }),
] as const;

/** Settings that Kafka takes only while it runs, and not from a file. */
export const runtimeSettings = [
  define('leader.replication.throttled.rate', 'long', '9223372036854775807', 'ignored',
    'Bytes a second that throttled replicas are copied with, on the leader\'s side. There is one replica.',
    { range: atLeast(0), update: 'cluster-wide' }),
  define('follower.replication.throttled.rate', 'long', '9223372036854775807', 'ignored',
    'Bytes a second that throttled replicas are copied with, on the follower\'s side. There is one replica.',
    { range: atLeast(0), update: 'cluster-wide' }),
  define('replica.alter.log.dirs.io.max.bytes.per.second', 'long', '9223372036854775807', 'ignored',
    'Bytes a second that replicas move between directories with. Sluice has one directory.',
    { range: atLeast(0), update: 'cluster-wide' }),
] as const;
