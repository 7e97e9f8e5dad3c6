"""confluent-kafka: librdkafka from Python."""
import os
import signal
import subprocess
import sys
import threading
import time

from confluent_kafka import (OFFSET_BEGINNING, OFFSET_END, Consumer, KafkaError, KafkaException, Producer, TopicPartition,
                             ConsumerGroupTopicPartitions)
from confluent_kafka.admin import (AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic, OffsetSpec,
                                   ResourceType)

from scenarios import broker, exchange, fresh, main, scenario, texts, wait_for

CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']


_admins = {}


def admin(bootstrap):
    # Kept: futures of an admin client that is collected fail.
    return _admins.setdefault(bootstrap, AdminClient({'bootstrap.servers': bootstrap}))


def done(futures):
    return {key: future.result(30) for key, future in futures.items()}


def create(bootstrap, purpose, partitions=1, config=None):
    topic = fresh(purpose)
    done(admin(bootstrap).create_topics([NewTopic(topic, partitions, 1, config=config or {})]))
    return topic


def producer(bootstrap, **config):
    return Producer({'bootstrap.servers': bootstrap, **{k.replace('_', '.'): v for k, v in config.items()}})


def consumer(bootstrap, group=None, **config):
    return Consumer({
        'bootstrap.servers': bootstrap, 'group.id': group or fresh('group'), 'auto.offset.reset': 'earliest', 'check.crcs': True,
        'enable.auto.commit': False, **{k.replace('_', '.'): v for k, v in config.items()},
    })


def produce(bootstrap, topic, values, partition=0, **config):
    """Produces, waits, and returns the offsets."""
    reports = []
    p = producer(bootstrap, **config)
    for value in values:
        while True:
            try:
                p.produce(topic, value, partition=partition, on_delivery=lambda error, message: reports.append((error, message)))
                break
            except BufferError:
                p.poll(0.1)
    assert p.flush(60) == 0
    assert [str(error) for error, _ in reports if error] == []
    return [message.offset() for _, message in reports]


def read(c, count, seconds=60):
    """The next `count` messages; any error but the end of a partition is one."""
    messages = []
    deadline = time.monotonic() + seconds
    while len(messages) < count:
        assert time.monotonic() < deadline, f'{len(messages)} of {count} messages'
        message = c.poll(0.2)
        if message is None:
            continue
        if message.error():
            raise KafkaException(message.error())
        messages.append(message)
    return messages


def read_all(bootstrap, topic, count, partition=0, offset=OFFSET_BEGINNING, **config):
    c = consumer(bootstrap, **config)
    c.assign([TopicPartition(topic, partition, offset)])
    messages = read(c, count)
    c.close()
    return messages


@scenario('every codec with acks 0, 1 and all, idempotent and not')
def _(bootstrap):
    for codec in CODECS:
        topic = create(bootstrap, f'codec-{codec}')
        for how in ['0', '1', 'all', 'idempotent']:
            config = {'enable_idempotence': True} if how == 'idempotent' else {'acks': how}
            produce(bootstrap, topic, texts(300, f'acks={how}'), compression_type=codec, linger_ms=5, **config)
        got = [m.value() for m in read_all(bootstrap, topic, 1200)]
        # With acks=0 nobody knows when they arrive.
        for how in ['0', '1', 'all', 'idempotent']:
            assert [v for v in got if v.startswith(f'acks={how} '.encode())] == texts(300, f'acks={how}')


@scenario('keys, headers, tombstones and timestamps')
def _(bootstrap):
    topic = create(bootstrap, 'exact')
    now = int(time.time() * 1000)
    sent = [
        (b'k', b'v', [('h', b'1'), ('h', b'2'), ('null', None), ('', b'')], now - 1000),
        (None, b'v', None, now - 5_000_000), (b'k', None, None, now), (None, None, None, now), (b'', b'', None, now + 10),
        ('ключ'.encode(), '値'.encode() * 1000, [(f'h{i}', b'x' * i) for i in range(200)], now),
    ]
    p = producer(bootstrap)
    for key, value, headers, timestamp in sent:
        p.produce(topic, value, key, partition=0, headers=headers, timestamp=timestamp)
    assert p.flush(30) == 0
    got = [(m.key(), m.value(), m.headers(), m.timestamp()[1]) for m in read_all(bootstrap, topic, len(sent))]
    assert got == sent, got


@scenario('records of 1 to 10 MB with raised limits, and one too large')
def _(bootstrap):
    topic = create(bootstrap, 'large', config={'max.message.bytes': '11000000'})
    values = [os.urandom(size) for size in (1_000_000, 3_000_000, 10_000_000, 10, 6_000_000)]
    for codec in ('none', 'zstd'):
        produce(bootstrap, topic, values, message_max_bytes=11_000_000, compression_type=codec)
    assert [m.value() for m in read_all(bootstrap, topic, len(values) * 2)] == values * 2
    failed = []
    p = producer(bootstrap, message_max_bytes=20_000_000)
    p.produce(topic, os.urandom(12_000_000), partition=0, on_delivery=lambda error, _: failed.append(error.code()))
    assert p.flush(30) == 0
    assert failed == [KafkaError.MSG_SIZE_TOO_LARGE], failed


@scenario('earliest, latest, by offset, by time, from the tail, out of range')
def _(bootstrap):
    topic = create(bootstrap, 'where')
    start = int(time.time() * 1000) - 100_000
    p = producer(bootstrap)
    for i in range(100):
        p.produce(topic, str(i).encode(), partition=0, timestamp=start + i * 1000)
    assert p.flush(30) == 0

    def first(offset, **config):
        return read_all(bootstrap, topic, 1, offset=offset, **config)[0].offset()
    assert first(OFFSET_BEGINNING) == 0
    assert first(42) == 42
    assert first(-2000 - 10) == 90  # OFFSET_TAIL(10)
    assert first(5000, auto_offset_reset='earliest') == 0
    c = consumer(bootstrap, auto_offset_reset='error')
    c.assign([TopicPartition(topic, 0, 5000)])
    error = wait_for('an error', lambda: c.poll(0.2)).error()
    assert error.code() == KafkaError._AUTO_OFFSET_RESET, error
    assert c.get_watermark_offsets(TopicPartition(topic, 0)) == (0, 100)
    asked = [TopicPartition(topic, 0, start + 41_500), TopicPartition(topic, 0, start + 10 ** 9)]
    assert [c.offsets_for_times([each])[0].offset for each in asked] == [42, -1]
    c.assign([TopicPartition(topic, 0, OFFSET_END)])
    assert c.poll(1) is None
    produce(bootstrap, topic, [b'new'])
    assert read(c, 1)[0].value() == b'new'
    c.close()


@scenario('pause, resume and seek')
def _(bootstrap):
    topic = create(bootstrap, 'pause', 2)
    for partition in (0, 1):
        produce(bootstrap, topic, texts(200, f'p{partition}'), partition)
    c = consumer(bootstrap)
    c.assign([TopicPartition(topic, p, 0) for p in (0, 1)])
    c.pause([TopicPartition(topic, 1)])
    assert {m.partition() for m in read(c, 200)} == {0}
    assert c.poll(0.5) is None
    c.resume([TopicPartition(topic, 1)])
    assert {m.partition() for m in read(c, 200)} == {1}
    c.seek(TopicPartition(topic, 0, 150))
    assert [m.offset() for m in read(c, 50)] == list(range(150, 200))
    c.close()


@scenario('manual commits with metadata, automatic commits, lag')
def _(bootstrap):
    topic = create(bootstrap, 'commit')
    group = fresh('group')
    produce(bootstrap, topic, texts(100, 'x'))
    c = consumer(bootstrap, group)
    c.subscribe([topic])
    read(c, 40)
    c.commit(offsets=[TopicPartition(topic, 0, 40, metadata='the note')], asynchronous=False)
    assert c.committed([TopicPartition(topic, 0)])[0].offset == 40
    c.close()
    a = admin(bootstrap)
    found = list(a.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]).values())[0].result(30).topic_partitions
    assert [(t.topic, t.partition, t.offset, t.metadata) for t in found] == [(topic, 0, 40, 'the note')]
    end = list(a.list_offsets({TopicPartition(topic, 0): OffsetSpec.latest()}).values())[0].result(30).offset
    assert end - found[0].offset == 60
    c = consumer(bootstrap, group, enable_auto_commit=True, auto_commit_interval_ms=100)
    c.subscribe([topic])
    assert read(c, 30)[0].offset() == 40
    wait_for('an automatic commit', lambda: c.poll(0) or c.committed([TopicPartition(topic, 0)])[0].offset > 40)
    c.close()
    c = consumer(bootstrap, group)
    c.subscribe([topic])
    assert read(c, 1)[0].offset() > 40
    c.close()


class Member:
    """A consumer of a group in its own thread."""

    def __init__(self, bootstrap, group, topics, **config):
        self.values, self.held, self.stopping, self.error, self.revoked = [], set(), False, None, []
        self.consumer = consumer(bootstrap, group, session_timeout_ms=6000, heartbeat_interval_ms=500, **config)
        cooperative = config.get('partition_assignment_strategy') == 'cooperative-sticky'

        def assigned(c, partitions):
            new = {(p.topic, p.partition) for p in partitions}
            self.held = self.held | new if cooperative else new

        def revoked(c, partitions):
            gone = {(p.topic, p.partition) for p in partitions}
            self.revoked.append(gone)
            self.held -= gone
            try:
                c.commit(asynchronous=False)
            except KafkaException:
                pass  # nothing to commit
        self.consumer.subscribe(topics, on_assign=assigned, on_revoke=revoked, on_lost=lambda c, p: self.held.clear())
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stopping:
            message = self.consumer.poll(0.05)
            if message is None:
                continue
            if message.error():
                if not message.error().retriable():
                    self.error = message.error()
                continue
            self.values.append(message.value())
        self.consumer.close()

    def __str__(self):
        return f'member with {len(self.values)} values, holds {self.held}, alive {self.thread.is_alive()}, error {self.error}'

    def stop(self):
        self.stopping = True
        self.thread.join(30)
        assert not self.thread.is_alive()


def settled(members, partitions):
    def condition():
        held = [p for m in members for p in m.held]
        sizes = [len(m.held) for m in members]
        return len(held) == len(set(held)) == partitions and max(sizes) - min(sizes) <= 1
    wait_for('a settled group', condition, seen=lambda: [str(m) for m in members])


def rebalance(bootstrap, strategy):
    topic = create(bootstrap, 'rebalance', 6)
    group = fresh('group')
    expected = []

    def send(salt):
        for partition in range(6):
            values = texts(50, f'{salt} {partition}')
            produce(bootstrap, topic, values, partition)
            expected.extend(values)
    send('first')
    members = [Member(bootstrap, group, [topic], partition_assignment_strategy=strategy)]
    settled(members, 6)
    for _ in range(2):
        members.append(Member(bootstrap, group, [topic], partition_assignment_strategy=strategy))
        settled(members, 6)
    send('second')
    gone = members.pop(0)
    gone.stop()
    settled(members, 6)
    # One that dies without a word: a process that is killed, put out after its session's time.
    child = subprocess.Popen([sys.executable, '-c', f'''
import confluent_client as c
m = c.Member({bootstrap!r}, {group!r}, [{topic!r}], partition_assignment_strategy={strategy!r})
c.wait_for("its share", lambda: m.held)
print("in", flush=True)
m.thread.join()
'''], stdout=subprocess.PIPE)
    assert child.stdout.readline() == b'in\n'
    child.send_signal(signal.SIGKILL)
    child.wait()
    settled(members, 6)
    send('third')
    everyone = [gone] + members
    # What the dead one read and did not commit is read again by the others.
    wait_for('all messages', lambda: {v for m in everyone for v in m.values} == set(expected))
    for m in members:
        m.stop()
        assert m.error is None, m.error
    if strategy == 'cooperative-sticky':
        assert all(len(gone) < 6 for m in members for gone in m.revoked if gone)


@scenario('a group of several members that join, leave and die: range')
def _(bootstrap):
    rebalance(bootstrap, 'range')


@scenario('a group of several members that join, leave and die: cooperative-sticky')
def _(bootstrap):
    rebalance(bootstrap, 'cooperative-sticky')


@scenario('a static member restarts within its session without a rebalance')
def _(bootstrap):
    topic = create(bootstrap, 'static', 4)
    group = fresh('group')
    members = [Member(bootstrap, group, [topic], group_instance_id=f'i{i}') for i in (0, 1)]
    settled(members, 4)
    held = members[1].held.copy()
    revocations = len(members[0].revoked)
    members[1].stop()  # librdkafka sends no LeaveGroup for a static member
    members[1] = Member(bootstrap, group, [topic], group_instance_id='i1')
    settled(members, 4)
    assert members[1].held == held
    assert len(members[0].revoked) == revocations
    # A second one of the same name fences the first.
    other = Member(bootstrap, group, [topic], group_instance_id='i0')
    wait_for('a fenced member', lambda: members[0].error is not None)
    assert members[0].error.code() in (KafkaError._FATAL, KafkaError.FENCED_INSTANCE_ID), members[0].error
    for m in (other, members[1]):
        m.stop()


@scenario('a member that does not poll is put out, and comes back')
def _(bootstrap):
    topic = create(bootstrap, 'lazy')
    group = fresh('group')
    produce(bootstrap, topic, texts(10, 'x'))
    c = consumer(bootstrap, group, max_poll_interval_ms=6000, session_timeout_ms=6000, heartbeat_interval_ms=500)
    c.subscribe([topic])
    read(c, 1)
    other = Member(bootstrap, group, [topic])
    wait_for('the other to hold it', lambda: len(other.held) == 1)
    error = wait_for('the error', lambda: c.poll(0.2)).error()
    assert error.code() == KafkaError._MAX_POLL_EXCEEDED, error
    other.stop()
    assert len(read(c, 1)) == 1
    c.close()


@scenario('admin: topics, partitions, configs, groups, offsets, records')
def _(bootstrap):
    a = admin(bootstrap)
    topic = create(bootstrap, 'admin', 2, {'retention.ms': '100000'})
    exists = a.create_topics([NewTopic(topic, 1, 1)])[topic].exception(30)
    assert exists.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS
    wrong = a.create_topics([NewTopic(fresh('wrong'), 1, 3)])
    assert list(wrong.values())[0].exception(30).args[0].code() == KafkaError.INVALID_REPLICATION_FACTOR
    done(a.create_partitions([NewPartitions(topic, 3)]))
    described = wait_for('three partitions', lambda: (m := a.list_topics(topic).topics[topic]) and len(m.partitions) == 3 and m)
    assert sorted(described.partitions) == [0, 1, 2]
    resource = ConfigResource(ResourceType.TOPIC, topic)
    change = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[
        ConfigEntry('cleanup.policy', 'compact', incremental_operation=AlterConfigOpType.APPEND),
        ConfigEntry('retention.ms', None, incremental_operation=AlterConfigOpType.DELETE),
        ConfigEntry('segment.bytes', '2000000', incremental_operation=AlterConfigOpType.SET)])
    done(a.incremental_alter_configs([change]))
    configs = list(done(a.describe_configs([resource])).values())[0]
    assert (configs['cleanup.policy'].value, configs['retention.ms'].value, configs['segment.bytes'].value) == ('delete,compact', '604800000', '2000000')
    bad = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[ConfigEntry('retention.ms', 'abc', incremental_operation=AlterConfigOpType.SET)])
    assert list(a.incremental_alter_configs([bad]).values())[0].exception(30).args[0].code() == KafkaError.INVALID_CONFIG
    topic2 = create(bootstrap, 'records')
    produce(bootstrap, topic2, texts(50, 'x'))
    assert list(done(a.delete_records([TopicPartition(topic2, 0, 20)])).values())[0].low_watermark == 20
    assert read_all(bootstrap, topic2, 30)[0].offset() == 20
    beyond = list(a.delete_records([TopicPartition(topic2, 0, 99)]).values())[0].exception(30)
    assert beyond.args[0].code() == KafkaError.OFFSET_OUT_OF_RANGE, beyond
    group = fresh('group')
    m = Member(bootstrap, group, [topic2])
    settled([m], 1)
    wait_for('its records', lambda: len(m.values) == 30)
    described = a.describe_consumer_groups([group])[group].result(30)
    assert described.state.name == 'STABLE' and described.members[0].assignment.topic_partitions[0].topic == topic2
    assert group in [g.group_id for g in a.list_consumer_groups().result(30).valid]
    busy = a.delete_consumer_groups([group])[group].exception(30)
    assert busy.args[0].code() == KafkaError.NON_EMPTY_GROUP
    m.stop()
    a.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, [TopicPartition(topic2, 0, 33)])])[group].result(30)
    c = consumer(bootstrap, group)
    c.subscribe([topic2])
    assert read(c, 1)[0].offset() == 33
    c.close()
    done(a.delete_consumer_groups([group]))
    cluster = a.describe_cluster().result(30)
    assert cluster.controller.id == 1 and len(cluster.nodes) == 1
    done(a.delete_topics([topic, topic2]))
    assert topic not in a.list_topics().topics


class Feeder:
    """Sends numbered records from a thread, and keeps what was acknowledged."""

    def __init__(self, bootstrap, topic, partitions=3, **config):
        self.acknowledged, self.failed, self.sent, self.stopping, self.topic, self.partitions = [], [], 0, False, topic, partitions
        self.producer = producer(bootstrap, linger_ms=2, **config)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        def report(error, message):
            if error:
                self.failed.append((error, message.value()))
            else:
                self.acknowledged.append((message.partition(), message.offset(), message.value()))
        while not self.stopping:
            try:
                self.producer.produce(self.topic, str(self.sent).encode(), partition=self.sent % self.partitions, on_delivery=report)
                self.sent += 1
            except BufferError:
                pass
            self.producer.poll(0)
            if self.sent % 50 == 0:
                time.sleep(0.005)

    def __str__(self):
        return f'feeder with {self.sent} sent, {len(self.acknowledged)} acknowledged, failed {self.failed[:3]}, alive {self.thread.is_alive()}'

    def stop(self):
        self.stopping = True
        self.thread.join(10)
        assert self.producer.flush(60) == 0
        assert self.failed == [], self.failed[:3]


def survive(bootstrap, ends):
    topic = create(bootstrap, 'survive', 3)
    feeder = Feeder(bootstrap, topic, enable_idempotence=True, compression_type='lz4')
    member = Member(bootstrap, fresh('group'), [topic])
    assigned = consumer(bootstrap)
    assigned.assign([TopicPartition(topic, p, 0) for p in range(3)])

    def seen():
        return f'{feeder}, {member}'

    def progress(what, values, count):
        before = len(values)

        def more():
            assert feeder.thread.is_alive() and member.thread.is_alive() and feeder.failed == [] and member.error is None, seen()
            return len(values) > before + count
        wait_for(f'progress of the {what}', more, seen=seen)
    for end in ends:
        progress('producer', feeder.acknowledged, 1000)
        progress('group', member.values, 0)
        broker(end)
        broker('start')
    progress('producer', feeder.acknowledged, 1000)
    feeder.stop()
    expected = [str(i).encode() for i in range(feeder.sent)]
    values = []
    deadline = time.monotonic() + 60
    while len(values) < len(expected):
        assert time.monotonic() < deadline, f'{len(values)} of {len(expected)}'
        message = assigned.poll(0.2)
        if message is not None and not message.error():
            values.append((message.partition(), message.offset(), message.value()))
        elif message is not None:
            assert message.error().retriable() or message.error().code() < 0, message.error()
    # Once each, in the order of sending, at the offset that was told.
    assert sorted(int(v) for _, _, v in values) == list(range(feeder.sent))
    for p in range(3):
        own = [int(v) for q, _, v in values if p == q]
        assert own == sorted(own)
    assert set(feeder.acknowledged) == set(values)
    wait_for('all of it in the group', lambda: set(member.values) == set(expected), seen=seen)
    member.stop()
    assert member.error is None, member.error
    assigned.close()


@scenario('clean restarts under producer and consumers: nothing lost, nothing twice')
def _(bootstrap):
    survive(bootstrap, ['stop', 'stop'])


@scenario('kill -9 under producer and consumers: nothing lost, nothing twice')
def _(bootstrap):
    survive(bootstrap, ['kill9', 'kill9', 'kill9'])


@scenario('a topic that is deleted and made anew under its clients')
def _(bootstrap):
    topic = create(bootstrap, 'again', 2)
    p = producer(bootstrap, topic_metadata_refresh_interval_ms=500)
    p.produce(topic, b'old', partition=0)
    assert p.flush(30) == 0
    c = consumer(bootstrap, topic_metadata_refresh_interval_ms=500)
    c.subscribe([topic])
    assert read(c, 1)[0].value() == b'old'
    a = admin(bootstrap)
    done(a.delete_topics([topic]))
    done(a.create_topics([NewTopic(topic, 2, 1)]))
    failed = []

    def sent():
        p.produce(topic, b'new', partition=0, on_delivery=lambda error, m: failed.append(error) if error else None)
        p.flush(30)
        return not failed or failed.clear()
    wait_for('a record in the new topic', sent)
    assert read_all(bootstrap, topic, 1)[0].value() == b'new'
    deadline = time.monotonic() + 60
    while True:
        assert time.monotonic() < deadline
        p.produce(topic, b'more', partition=0)
        message = c.poll(0.5)
        if message is not None and not message.error():
            assert message.value() in (b'new', b'more')
            break
    c.close()


@scenario('topics come into being by producing, and a pattern finds them')
def _(bootstrap):
    prefix = fresh('auto')
    c = consumer(bootstrap, topic_metadata_refresh_interval_ms=300)
    c.subscribe([f'^{prefix}-.*'])
    # A pattern that finds nothing yet is an error that goes away.
    error = wait_for('an error', lambda: c.poll(0.2)).error()
    assert error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART, error
    expected = set()
    for i in range(20):
        produce(bootstrap, f'{prefix}-{i}', [str(i).encode()])
        expected.add(str(i).encode())
    expected.add(b'late')
    produce(bootstrap, f'{prefix}-late', [b'late'])
    # Each topic that is found is a rebalance, and what was not committed is read again.
    got = set()
    wait_for('all topics', lambda: got.update(m.value() for m in read(c, 1)) or got == expected)
    c.close()
    c = consumer(bootstrap, allow_auto_create_topics=False)
    c.subscribe([fresh('absent')])
    error = wait_for('an error', lambda: c.poll(0.2)).error()
    assert error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART, error
    c.close()


@scenario('1,000 partitions in one topic')
def _(bootstrap):
    topic = create(bootstrap, 'wide', 1000)
    p = producer(bootstrap, linger_ms=50)
    for i in range(5000):
        p.produce(topic, str(i).encode(), partition=i % 1000)
        p.poll(0)
    assert p.flush(60) == 0
    c = consumer(bootstrap)
    c.subscribe([topic])
    assert sorted(int(m.value()) for m in read(c, 5000)) == list(range(5000))
    c.commit(asynchronous=False)
    assert all(t.offset == 5 for t in c.committed([TopicPartition(topic, i) for i in range(1000)]))
    c.close()
    done(admin(bootstrap).delete_topics([topic]))


@scenario('a slow consumer and one that waits')
def _(bootstrap):
    topic = create(bootstrap, 'slow', config={'max.message.bytes': '2000000'})
    c = consumer(bootstrap, queued_max_messages_kbytes=1024, fetch_message_max_bytes=100_000, fetch_wait_max_ms=2000, fetch_min_bytes=50_000)
    c.assign([TopicPartition(topic, 0, 0)])
    assert c.poll(1) is None
    produce(bootstrap, topic, [b'one'])
    assert read(c, 1)[0].value() == b'one'  # after fetch.wait.max.ms, as fetch.min.bytes is not reached
    values = [os.urandom(100_000) for _ in range(60)]
    produce(bootstrap, topic, values, message_max_bytes=2_000_000)
    got = []
    while len(got) < 60:
        got.append(read(c, 1)[0].value())
        time.sleep(0.005)
    assert got == values
    c.close()


@scenario('clients come and go')
def _(bootstrap):
    topic = create(bootstrap, 'churn')
    for i in range(60):
        produce(bootstrap, topic, [str(i).encode()])
    assert [int(m.value()) for m in read_all(bootstrap, topic, 60, isolation_level='read_committed')] == list(range(60))


@scenario('a transactional producer fails at once', but_kafka=True)
def _(bootstrap):
    p = producer(bootstrap, transactional_id='t')
    begun = time.monotonic()
    try:
        p.init_transactions(60)
        raise AssertionError('transactions began')
    except KafkaException as failure:
        error = failure.args[0]
    assert time.monotonic() - begun < 20
    assert error.fatal() and not error.retriable(), (error, error.fatal(), error.retriable())
    assert error.code() == KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, error


@scenario('a consumer of the new group protocol fails with a clear error', but_kafka=True)
def _(bootstrap):
    c = Consumer({'bootstrap.servers': bootstrap, 'group.id': fresh('group'), 'group.protocol': 'consumer'})
    c.subscribe(['any'])
    error = wait_for('an error', lambda: c.poll(0.2)).error()
    assert error.code() == KafkaError._FATAL and 'API version not supported' in error.str(), error
    c.close()


exchange(lambda bootstrap, topic, codec, values: produce(bootstrap, topic, values, compression_type=codec, linger_ms=20),
         lambda bootstrap, topic, count: [m.value() for m in read_all(bootstrap, topic, count)])

if __name__ == '__main__':
    main()
