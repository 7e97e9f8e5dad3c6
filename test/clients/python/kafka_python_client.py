"""kafka-python, the pure Python client."""
import os
import threading
import time

from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import KafkaError, MessageSizeTooLargeError, TopicAlreadyExistsError, UnknownTopicOrPartitionError

from scenarios import broker, exchange, fresh, main, scenario, texts, wait_for

CODECS = [None, 'gzip', 'snappy', 'lz4', 'zstd']
_admins = {}


def admin(bootstrap):
    if bootstrap not in _admins:
        _admins[bootstrap] = KafkaAdminClient(bootstrap_servers=bootstrap)
    return _admins[bootstrap]


def create(bootstrap, purpose, partitions=1, config=None):
    topic = fresh(purpose)
    admin(bootstrap).create_topics({topic: {'num_partitions': partitions, 'replication_factor': 1, 'configs': config or {}}})
    return topic


def produce(bootstrap, topic, values, partition=0, **config):
    p = KafkaProducer(bootstrap_servers=bootstrap, **config)
    futures = [p.send(topic, value, partition=partition) for value in values]
    p.flush(60)
    offsets = [future.get(60).offset for future in futures]
    p.close()
    return offsets


def consumer(bootstrap, group=None, *topics, **config):
    return KafkaConsumer(*topics, bootstrap_servers=bootstrap, group_id=group, **{
        'auto_offset_reset': 'earliest', 'enable_auto_commit': False, 'session_timeout_ms': 6000, 'heartbeat_interval_ms': 500, **config})


def read(c, count, seconds=60):
    """The next records, in the order of each partition; leaves none of a poll unread."""
    got = []
    deadline = time.monotonic() + seconds
    while len(got) < count:
        left = deadline - time.monotonic()
        assert left > 0, f'{len(got)} of {count}, assigned {c.assignment()}'
        # A poll ends with the first records. One that runs out while the consumer joins anew, because metadata changed, leaves it without partitions for good.
        for records in c.poll(int(left * 1000), max_records=count - len(got)).values():
            got += records
    return got


def read_all(bootstrap, topic, count, partition=0, **config):
    c = consumer(bootstrap, **config)
    c.assign([TopicPartition(topic, partition)])
    got = read(c, count)
    c.close()
    return got


@scenario('every codec with acks 0, 1 and all, idempotent and not')
def _(bootstrap):
    for codec in CODECS:
        topic = create(bootstrap, f'codec-{codec}')
        for how in [0, 1, 'all', 'idempotent']:
            config = {'enable_idempotence': True} if how == 'idempotent' else {'enable_idempotence': False, 'acks': how}
            produce(bootstrap, topic, texts(300, f'acks={how}'), compression_type=codec, linger_ms=5, **config)
        got = [m.value for m in read_all(bootstrap, topic, 1200)]
        for how in [0, 1, 'all', 'idempotent']:
            assert [v for v in got if v.startswith(f'acks={how} '.encode())] == texts(300, f'acks={how}')


@scenario('keys, headers, tombstones, timestamps, large records')
def _(bootstrap):
    topic = create(bootstrap, 'exact', config={'max.message.bytes': '2000000'})
    now = int(time.time() * 1000)
    sent = [
        (b'k', b'v', [('h', b'1'), ('h', b'2'), ('', b'')], now - 1000), (None, b'v', [], now - 5_000_000), (b'k', None, [], now),
        (b'', b'', [], now + 10), (b'big', os.urandom(1_500_000), [], now), (None, b'small', [], now),
    ]
    p = KafkaProducer(bootstrap_servers=bootstrap, max_request_size=12_000_000)
    for key, value, headers, timestamp in sent:
        p.send(topic, value, key, headers, 0, timestamp).get(30)
    try:
        p.send(topic, os.urandom(3_000_000), partition=0).get(30)
        raise AssertionError('too large, and taken')
    except MessageSizeTooLargeError:
        pass
    p.close()
    got = [(m.key, m.value, list(m.headers), m.timestamp) for m in read_all(bootstrap, topic, len(sent))]
    assert got == sent, [(a[0], a[2:], b[2:]) for a, b in zip(got, sent)]


@scenario('positions: seek, pause, by time, out of range, read_committed')
def _(bootstrap):
    topic = create(bootstrap, 'where', 2)
    start = int(time.time() * 1000) - 100_000
    one, two = TopicPartition(topic, 0), TopicPartition(topic, 1)
    p = KafkaProducer(bootstrap_servers=bootstrap)
    for i in range(100):
        p.send(topic, str(i).encode(), partition=i % 2, timestamp_ms=start + i * 1000)
    p.close()
    c = consumer(bootstrap, isolation_level='read_committed')
    c.assign([one, two])
    assert c.beginning_offsets([one, two]) == {one: 0, two: 0}
    assert c.end_offsets([one, two]) == {one: 50, two: 50}
    found = c.offsets_for_times({one: start + 41_500, two: start + 10 ** 9})
    assert (found[one].offset, found[two]) == (21, None), found
    c.pause(two)
    assert {m.partition for m in read(c, 50)} == {0}
    assert c.poll(300) == {}
    c.resume(two)
    assert {m.partition for m in read(c, 50)} == {1}
    c.seek(one, 40)
    assert [m.offset for m in read(c, 10)] == list(range(40, 50))
    c.seek(one, 5000)
    assert read(c, 1)[0].offset == 0
    c.close()


class Member:
    def __init__(self, bootstrap, group, topic, **config):
        self.values, self.held, self.stopping, self.dying, self.error = [], set(), False, False, None
        self.consumer = consumer(bootstrap, group, enable_auto_commit=True, **config)
        member = self

        class Listener(ConsumerRebalanceListener):
            def on_partitions_revoked(self, revoked):
                member.held -= {tp.partition for tp in revoked}

            def on_partitions_assigned(self, assigned):
                member.held |= {tp.partition for tp in assigned}
        self.consumer.subscribe([topic], listener=Listener())
        # One that joins before it knows the topic is given nothing, and joins anew; its polls are too short for that (see read).
        wait_for('the topic', lambda: self.consumer.partitions_for_topic(topic))
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            while not self.stopping:
                for records in self.consumer.poll(50).values():
                    self.values += [m.value for m in records]
            self.consumer.close()
        except Exception as error:  # told to the scenario
            self.error = error

    def __str__(self):
        return f'member with {len(self.values)} values, holds {self.held}, assigned {self.consumer.assignment()}, alive {self.thread.is_alive()}, error {self.error!r}'

    def stop(self):
        self.stopping = True
        self.thread.join(30)
        assert not self.thread.is_alive() and self.error is None, self.error


def settled(members, partitions):
    def condition():
        for m in members:
            assert m.error is None, m.error
        held = [p for m in members for p in m.held]
        sizes = [len(m.held) for m in members]
        return len(held) == len(set(held)) == partitions and max(sizes) - min(sizes) <= 1
    wait_for('a settled group', condition, seen=lambda: [str(m) for m in members])


def rebalance(bootstrap, assignor):
    topic = create(bootstrap, 'group', 6)
    group = fresh('group')
    expected = set()

    def send(salt):
        for partition in range(6):
            values = texts(50, f'{salt} {partition}')
            produce(bootstrap, topic, values, partition)
            expected.update(values)
    send('first')
    members = []
    for _ in range(3):
        members.append(Member(bootstrap, group, topic, partition_assignment_strategy=(assignor,)))
        settled(members, 6)
    send('second')
    gone = members.pop(0)
    gone.stop()
    settled(members, 6)
    send('third')
    wait_for('all records', lambda: {v for m in [gone] + members for v in m.values} == expected)
    for m in members:
        m.stop()


@scenario('a group whose members come and go: range')
def _(bootstrap):
    rebalance(bootstrap, RangePartitionAssignor)


@scenario('a group whose members come and go: cooperative-sticky')
def _(bootstrap):
    rebalance(bootstrap, CooperativeStickyAssignor)


@scenario('commits: by hand, automatic, with metadata; lag')
def _(bootstrap):
    topic = create(bootstrap, 'commit')
    tp = TopicPartition(topic, 0)
    group = fresh('group')
    produce(bootstrap, topic, texts(100, 'x'))
    c = consumer(bootstrap, group, topic, group_instance_id='static')
    read(c, 40)
    c.commit({tp: OffsetAndMetadata(40, 'the note', -1)})
    c.close()
    found = admin(bootstrap).list_group_offsets([group])[group]
    assert (found[tp].offset, found[tp].metadata) == (40, 'the note'), found
    end = admin(bootstrap).list_partition_offsets({tp: OffsetSpec.LATEST})[tp].offset
    assert end - found[tp].offset == 60
    c = consumer(bootstrap, group, topic, enable_auto_commit=True, auto_commit_interval_ms=100, group_instance_id='static')
    assert read(c, 30)[0].offset == 40
    wait_for('an automatic commit', lambda: (c.poll(10, max_records=1), c.committed(tp) >= 70)[1])
    c.close()


def survive(bootstrap, ends):
    topic = create(bootstrap, 'survive', 3)
    acknowledged, failed, stopping = [], [], threading.Event()
    member = Member(bootstrap, fresh('group'), topic)
    p = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=2, compression_type='lz4', reconnect_backoff_max_ms=500)
    sent = 0

    def feed():
        nonlocal sent
        while not stopping.is_set():
            future = p.send(topic, str(sent).encode(), partition=sent % 3)
            future.add_callback(lambda m, value=sent: acknowledged.append((m.partition, m.offset, value)))
            future.add_errback(failed.append)
            sent += 1
            time.sleep(0.001)
    feeder = threading.Thread(target=feed, daemon=True)
    feeder.start()

    def seen():
        return f'{sent} sent, {len(acknowledged)} acknowledged, failed {failed[:3]}, feeder alive {feeder.is_alive()}, {member}'

    def progress():
        before, read_before = len(acknowledged), len(member.values)

        def more():
            assert feeder.is_alive() and failed == [] and member.error is None, seen()
            return len(acknowledged) > before + 200 and len(member.values) > read_before
        wait_for('progress', more, seen=seen)
    for end in ends:
        progress()
        broker(end)
        broker('start')
    progress()
    stopping.set()
    feeder.join()
    p.flush(60)
    p.close()
    assert failed == [], failed[:3]
    got = []
    c = consumer(bootstrap)
    for partition in range(3):
        tp = TopicPartition(topic, partition)
        c.assign([tp])
        c.seek(tp, 0)
        own = [(partition, m.offset, int(m.value)) for m in read(c, c.end_offsets([tp])[tp])]
        assert [v for _, _, v in own] == sorted(v for _, _, v in own)
        got += own
    c.close()
    assert sorted(v for _, _, v in got) == list(range(sent))
    assert set(acknowledged) == set(got)
    wait_for('all of it in the group', lambda: {int(v) for v in member.values} == set(range(sent)), seen=seen)
    member.stop()


@scenario('clean restart and kill -9 under producer and group: nothing lost, nothing twice')
def _(bootstrap):
    survive(bootstrap, ['stop', 'kill9', 'kill9'])


@scenario('a topic that is deleted and made anew under its clients')
def _(bootstrap):
    a = admin(bootstrap)
    topic = create(bootstrap, 'again')
    p = KafkaProducer(bootstrap_servers=bootstrap, metadata_max_age_ms=500)
    p.send(topic, b'old', partition=0).get(30)
    c = consumer(bootstrap, fresh('group'), topic, metadata_max_age_ms=500)
    assert read(c, 1)[0].value == b'old'
    a.delete_topics([topic])
    try:
        a.create_topics({topic: {'num_partitions': 1, 'replication_factor': 1}})
    except TopicAlreadyExistsError:
        pass  # the producer looks at the topic twice a second, and looking makes it

    def sent():
        try:
            return p.send(topic, b'new', partition=0).get(30)
        except KafkaError:
            return None
    wait_for('a record in the new topic', sent)
    assert read_all(bootstrap, topic, 1)[0].value == b'new'

    def received():
        p.send(topic, b'more', partition=0).get(30)
        return [m.value in (b'new', b'more') for records in c.poll(10_000).values() for m in records]
    wait_for('a record of the new topic', received, seen=lambda: f'assigned {c.assignment()}')
    c.close()
    p.close()


@scenario('topics come into being by producing, and a pattern finds them; 300 partitions')
def _(bootstrap):
    prefix = fresh('auto')
    c = consumer(bootstrap, fresh('group'), metadata_max_age_ms=300)
    c.subscribe(pattern=f'^{prefix}-.*')
    got = set()
    for i in range(5):
        produce(bootstrap, f'{prefix}-{i}', [str(i).encode()])
    wait_for('all topics', lambda: got.update(m.value for m in read(c, 1)) or got == {str(i).encode() for i in range(5)})
    c.close()
    topic = create(bootstrap, 'wide', 300)
    p = KafkaProducer(bootstrap_servers=bootstrap)
    for i in range(1500):
        p.send(topic, str(i).encode(), partition=i % 300)
    p.close()
    c = consumer(bootstrap, fresh('group'), topic)
    assert sorted(int(m.value) for m in read(c, 1500)) == list(range(1500))
    c.close()


@scenario('admin: topics, partitions, configs, records, groups')
def _(bootstrap):
    a = admin(bootstrap)
    topic = create(bootstrap, 'admin', 1, {'retention.ms': '100000'})
    produce(bootstrap, topic, texts(10, 'x'))
    try:
        a.create_topics({topic: {'num_partitions': 1, 'replication_factor': 1}})
        raise AssertionError('made twice')
    except TopicAlreadyExistsError:
        pass
    a.create_partitions({topic: 3})
    wait_for('three partitions', lambda: len(a.describe_topics([topic])[0]['partitions']) == 3)
    resource = [ConfigResource(ConfigResourceType.TOPIC, topic)]

    def config(name):
        return a.describe_configs(resource, config_filter='all')['topic'][topic][name]['value']
    assert config('retention.ms') == '100000'
    a.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {'segment.bytes': '2000000', 'cleanup.policy': ('append', 'compact')})])
    assert (config('segment.bytes'), config('cleanup.policy'), config('retention.ms')) == ('2000000', 'delete,compact', '100000')
    a.reset_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {'retention.ms': None})])
    assert config('retention.ms') == '604800000'
    tp = TopicPartition(topic, 0)
    assert a.delete_records({tp: 4})[tp]['low_watermark'] == 4
    assert read_all(bootstrap, topic, 6)[0].offset == 4
    group = fresh('group')
    member = Member(bootstrap, group, topic)
    settled([member], 3)
    described = a.describe_groups([group])[group]
    assert described['group_state'] == 'Stable' and len(described['members']) == 1, described
    assert group in [g['group_id'] for g in a.list_groups()]
    member.stop()
    a.alter_group_offsets(group, {tp: OffsetAndMetadata(9, '', -1)})
    assert a.list_group_offsets([group])[group][tp].offset == 9
    a.delete_groups([group])
    assert group not in [g['group_id'] for g in a.list_groups()]
    assert [b['broker_id'] for b in a.describe_cluster()['brokers']] == [1]
    assert a.describe_topic_partitions([topic])['topics'][0]['name'] == topic
    assert a.describe_features()['metadata.version']['finalized'] == (33, 33)
    a.delete_topics([topic])
    assert topic not in a.list_topics()
    try:
        a.delete_topics([topic])
        raise AssertionError('deleted twice')
    except UnknownTopicOrPartitionError:
        pass


@scenario('a transactional producer fails at once', but_kafka=True)
def _(bootstrap):
    p = KafkaProducer(bootstrap_servers=bootstrap, transactional_id='t')
    begun = time.monotonic()
    try:
        p.init_transactions()
        raise AssertionError('transactions began')
    except KafkaError as error:
        assert type(error).__name__ == 'TransactionalIdAuthorizationFailedError', repr(error)
    assert time.monotonic() - begun < 20


exchange(lambda bootstrap, topic, codec, values: produce(bootstrap, topic, values, compression_type=None if codec == 'none' else codec, linger_ms=20),
         lambda bootstrap, topic, count: [m.value for m in read_all(bootstrap, topic, count)])

if __name__ == '__main__':
    main()
