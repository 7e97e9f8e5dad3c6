"""aiokafka, the client for asyncio."""
import asyncio
import os
import time

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, OffsetOutOfRangeError, UnknownTopicOrPartitionError

from scenarios import broker, exchange, fresh, main, scenario, texts, wait_for_async

CODECS = [None, 'gzip', 'snappy', 'lz4', 'zstd']


class admin:
    def __init__(self, bootstrap):
        self.client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)

    async def __aenter__(self):
        await self.client.start()
        return self.client

    async def __aexit__(self, *_):
        await self.client.close()


TOPIC_ALREADY_EXISTS = 36


async def create(bootstrap, purpose, partitions=1, config=None):
    topic = fresh(purpose)
    async with admin(bootstrap) as a:
        answer = await a.create_topics([NewTopic(topic, partitions, 1, topic_configs=config or {})])
        assert [error for _, error, _ in answer.topic_errors] == [0], answer
    return topic


async def produce(bootstrap, topic, values, partition=0, **config):
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, **config) as p:
        futures = [await p.send(topic, value, partition=partition) for value in values]
        return [m and m.offset for m in await asyncio.gather(*futures)]


def consumer(bootstrap, group=None, *topics, **config):
    return AIOKafkaConsumer(*topics, bootstrap_servers=bootstrap, group_id=group, **{
        'auto_offset_reset': 'earliest', 'enable_auto_commit': False, 'session_timeout_ms': 6000, 'heartbeat_interval_ms': 500, **config})


async def read(c, count):
    async def all():
        return [await c.getone() for _ in range(count)]
    return await asyncio.wait_for(all(), 60)


async def read_all(bootstrap, topic, count, partition=0, **config):
    async with consumer(bootstrap, **config) as c:
        c.assign([TopicPartition(topic, partition)])
        return await read(c, count)


@scenario('every codec with acks 0, 1 and all, idempotent and not')
async def _(bootstrap):
    for codec in CODECS:
        topic = await create(bootstrap, f'codec-{codec}')
        for how in [0, 1, 'all', 'idempotent']:
            config = {'enable_idempotence': True} if how == 'idempotent' else {'acks': how}
            await produce(bootstrap, topic, texts(300, f'acks={how}'), compression_type=codec, linger_ms=5, **config)
        got = [m.value for m in await read_all(bootstrap, topic, 1200)]
        for how in [0, 1, 'all', 'idempotent']:
            assert [v for v in got if v.startswith(f'acks={how} '.encode())] == texts(300, f'acks={how}')


@scenario('keys, headers, tombstones, timestamps, large records')
async def _(bootstrap):
    topic = await create(bootstrap, 'exact', config={'max.message.bytes': '6000000'})
    now = int(time.time() * 1000)
    sent = [
        (b'k', b'v', (('h', b'1'), ('h', b'2'), ('', b'')), now - 1000), (None, b'v', (), now - 5_000_000), (b'k', None, (), now),
        (b'', b'', (), now + 10), (b'big', os.urandom(5_000_000), (), now), (None, b'small', (), now),
    ]
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, max_request_size=12_000_000) as p:
        for key, value, headers, timestamp in sent:
            await p.send_and_wait(topic, value, key, 0, timestamp, list(headers))
        try:
            await p.send_and_wait(topic, os.urandom(7_000_000), partition=0)
            raise AssertionError('too large, and taken')
        except MessageSizeTooLargeError:
            pass
    got = [(m.key, m.value, m.headers, m.timestamp) for m in await read_all(bootstrap, topic, len(sent))]
    assert got == sent


@scenario('positions: seek, pause, by time, out of range, read_committed')
async def _(bootstrap):
    topic = await create(bootstrap, 'where', 2)
    start = int(time.time() * 1000) - 100_000
    one, two = TopicPartition(topic, 0), TopicPartition(topic, 1)
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as p:
        for i in range(100):
            await p.send(topic, str(i).encode(), partition=i % 2, timestamp_ms=start + i * 1000)
    async with consumer(bootstrap, isolation_level='read_committed') as c:
        c.assign([one, two])
        assert await c.beginning_offsets([one, two]) == {one: 0, two: 0}
        assert await c.end_offsets([one, two]) == {one: 50, two: 50}
        found = await c.offsets_for_times({one: start + 41_500, two: start + 10 ** 9})
        assert (found[one].offset, found[two]) == (21, None), found
        c.pause(two)
        assert {m.partition for m in await read(c, 50)} == {0}
        c.resume(two)
        assert {m.partition for m in await read(c, 50)} == {1}
        c.seek(one, 40)
        assert [m.offset for m in await read(c, 10)] == list(range(40, 50))
        await c.seek_to_end(one)
        await produce(bootstrap, topic, [b'new'])
        assert (await read(c, 1))[0].value == b'new'
    async with consumer(bootstrap, auto_offset_reset='none') as c:
        c.assign([one])
        c.seek(one, 5000)
        try:
            await asyncio.wait_for(c.getone(), 30)
            raise AssertionError('read what is not there')
        except OffsetOutOfRangeError:
            pass


class Member:
    def __init__(self, bootstrap, group, topic, **config):
        self.values, self.held = [], set()
        self.consumer = consumer(bootstrap, group, **config)
        member = self

        class Listener(ConsumerRebalanceListener):
            async def on_partitions_revoked(self, revoked):
                member.held = set()
                if member.consumer.assignment():
                    await member.consumer.commit()

            async def on_partitions_assigned(self, assigned):
                member.held = {tp.partition for tp in assigned}
        self.consumer.subscribe([topic], listener=Listener())

    async def start(self):
        await self.consumer.start()
        self.task = asyncio.ensure_future(self.run())
        return self

    async def run(self):
        async for m in self.consumer:
            self.values.append(m.value)

    def __str__(self):
        return f'member with {len(self.values)} values, holds {self.held}, {self.task}'

    async def stop(self):
        self.task.cancel()
        await self.consumer.stop()


async def settled(members, partitions):
    async def condition():
        held = [p for m in members for p in m.held]
        sizes = [len(m.held) for m in members]
        return len(held) == len(set(held)) == partitions and max(sizes) - min(sizes) <= 1
    await wait_for_async('a settled group', condition, seen=lambda: [str(m) for m in members])


@scenario('a group whose members come, go and die')
async def _(bootstrap):
    topic = await create(bootstrap, 'group', 6)
    group = fresh('group')
    expected = set()

    async def send(salt):
        for partition in range(6):
            values = texts(50, f'{salt} {partition}')
            await produce(bootstrap, topic, values, partition)
            expected.update(values)
    strategy = {'partition_assignment_strategy': (RangePartitionAssignor, StickyPartitionAssignor)}
    await send('first')
    members = []
    for _ in range(3):
        members.append(await Member(bootstrap, group, topic, **strategy).start())
        await settled(members, 6)
    await send('second')
    gone = members.pop(0)
    await gone.stop()
    await settled(members, 6)
    # One that falls silent: its heartbeats end without a word, and the session's time puts it out.
    silent = members.pop(0)
    silent.task.cancel()
    silent.consumer._coordinator._coordination_task.cancel()
    silent.consumer._coordinator._heartbeat_task.cancel()
    await settled(members, 6)
    await send('third')

    async def complete():
        return {v for m in [gone, silent] + members for v in m.values} == expected
    await wait_for_async('all records', complete)
    for m in members:
        await m.stop()


@scenario('commits: by hand, automatic, with metadata; lag')
async def _(bootstrap):
    topic = await create(bootstrap, 'commit')
    tp = TopicPartition(topic, 0)
    group = fresh('group')
    await produce(bootstrap, topic, texts(100, 'x'))
    async with consumer(bootstrap, group, topic) as c:
        await read(c, 40)
        await c.commit({tp: (40, 'the note')})
    async with admin(bootstrap) as a:
        found = await a.list_consumer_group_offsets(group)
        assert found == {tp: (40, 'the note')}, found
        assert group in [g[0] for g in await a.list_consumer_groups()]
    async with consumer(bootstrap, group, topic, enable_auto_commit=True, auto_commit_interval_ms=100) as c:
        assert (await read(c, 30))[0].offset == 40
        assert (await c.end_offsets([tp]))[tp] == 100

        async def committed():
            return (await c.committed(tp)) == 70
        await wait_for_async('an automatic commit', committed)
    async with consumer(bootstrap, group, topic) as c:
        assert (await read(c, 1))[0].offset == 70


async def survive(bootstrap, ends):
    topic = await create(bootstrap, 'survive', 3)
    acknowledged, sent, feeding = [], 0, True
    member = await Member(bootstrap, fresh('group'), topic, metadata_max_age_ms=1000).start()
    p = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, linger_ms=2, compression_type='snappy', request_timeout_ms=60_000)
    await p.start()

    async def feed():
        nonlocal sent
        waiting = []
        while feeding:
            future = await p.send(topic, str(sent).encode(), partition=sent % 3)
            value = sent
            future.add_done_callback(lambda f, value=value: acknowledged.append((f.result().partition, f.result().offset, value)))
            waiting.append(future)
            sent += 1
            await asyncio.sleep(0.001)
        await asyncio.gather(*waiting)
    feeder = asyncio.ensure_future(feed())

    def seen():
        return f'{sent} sent, {len(acknowledged)} acknowledged, {feeder}, {member}'

    async def progress():
        before, read_before = len(acknowledged), len(member.values)

        async def more():
            assert not feeder.done() and not member.task.done(), seen()
            return len(acknowledged) > before + 200 and len(member.values) > read_before
        await wait_for_async('progress', more, seen=seen)
    for end in ends:
        await progress()
        await asyncio.to_thread(broker, end)
        await asyncio.to_thread(broker, 'start')
    await progress()
    feeding = False
    await feeder
    await p.stop()
    got = []
    for partition in range(3):
        async with consumer(bootstrap) as c:
            tp = TopicPartition(topic, partition)
            c.assign([tp])
            count = (await c.end_offsets([tp]))[tp]
            own = [(partition, m.offset, int(m.value)) for m in await read(c, count)]
        assert [v for _, _, v in own] == sorted(v for _, _, v in own)
        got += own
    assert sorted(v for _, _, v in got) == list(range(sent))
    assert set(acknowledged) == set(got)

    async def complete():
        return {int(v) for v in member.values} == set(range(sent))
    await wait_for_async('all of it in the group', complete, seen=seen)
    await member.stop()


@scenario('clean restart and kill -9 under producer and group: nothing lost, nothing twice')
async def _(bootstrap):
    await survive(bootstrap, ['stop', 'kill9', 'kill9'])


@scenario('a topic that is deleted and made anew under its clients')
async def _(bootstrap):
    topic = await create(bootstrap, 'again')
    p = AIOKafkaProducer(bootstrap_servers=bootstrap, metadata_max_age_ms=500)
    await p.start()
    await p.send_and_wait(topic, b'old', partition=0)
    async with consumer(bootstrap, fresh('group'), topic, metadata_max_age_ms=500) as c:
        assert (await read(c, 1))[0].value == b'old'
        async with admin(bootstrap) as a:
            await a.delete_topics([topic])
            # The producer looks at the topic twice a second, and looking makes it.
            answer = await a.create_topics([NewTopic(topic, 1, 1)])
            assert answer.topic_errors[0][1] in (0, TOPIC_ALREADY_EXISTS), answer

        async def sent():
            try:
                return await p.send_and_wait(topic, b'new', partition=0)
            except KafkaError:
                return None
        await wait_for_async('a record in the new topic', sent)
        assert (await read_all(bootstrap, topic, 1))[0].value == b'new'

        async def received():
            await p.send_and_wait(topic, b'more', partition=0)
            try:
                return (await asyncio.wait_for(c.getone(), 1)).value in (b'new', b'more')
            except asyncio.TimeoutError:
                return False
        await wait_for_async('a record of the new topic', received)
    await p.stop()


@scenario('topics come into being by producing, and a pattern finds them; 300 partitions')
async def _(bootstrap):
    prefix = fresh('auto')
    c = consumer(bootstrap, fresh('group'), metadata_max_age_ms=300)
    c.subscribe(pattern=f'^{prefix}-.*')
    await produce(bootstrap, f'{prefix}-0', [b'0'])
    async with c:
        got = set()
        for i in range(1, 5):
            await produce(bootstrap, f'{prefix}-{i}', [str(i).encode()])
        while got != {str(i).encode() for i in range(5)}:
            got |= {m.value for m in await read(c, 1)}
    topic = await create(bootstrap, 'wide', 300)
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as p:
        await asyncio.gather(*[await p.send(topic, str(i).encode(), partition=i % 300) for i in range(1500)])
    async with consumer(bootstrap, fresh('group'), topic) as c:
        assert sorted(int(m.value) for m in await read(c, 1500)) == list(range(1500))


@scenario('admin: topics, partitions, configs, records')
async def _(bootstrap):
    topic = await create(bootstrap, 'admin', 1, {'retention.ms': '100000'})
    await produce(bootstrap, topic, texts(10, 'x'))
    async with admin(bootstrap) as a:
        again = await a.create_topics([NewTopic(topic, 1, 1)])
        assert again.topic_errors[0][1] == 36, again
        await a.create_partitions({topic: NewPartitions(3)})
        described = (await a.describe_topics([topic]))[0]
        assert len(described['partitions']) == 3 and described['error_code'] == 0, described
        resource = ConfigResource(ConfigResourceType.TOPIC, topic)
        (answer,) = await a.describe_configs([resource])
        values = {entry[0]: entry[1] for entry in answer.resources[0][4]}
        assert values['retention.ms'] == '100000' and values['cleanup.policy'] == 'delete'
        await a.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {'segment.bytes': '2000000'})])
        (answer,) = await a.describe_configs([resource])
        values = {entry[0]: entry[1] for entry in answer.resources[0][4]}
        assert (values['retention.ms'], values['segment.bytes']) == ('604800000', '2000000'), values
        tp = TopicPartition(topic, 0)
        assert await a.delete_records({tp: RecordsToDelete(before_offset=4)}) == {tp: 4}
        cluster = await a.describe_cluster()
        assert [b['node_id'] for b in cluster['brokers']] == [1]
        assert (await read_all(bootstrap, topic, 6))[0].offset == 4
        await a.delete_topics([topic])
        assert topic not in await a.list_topics()
        gone = await a.delete_topics([topic])
        assert gone.topic_error_codes[0][1] == UnknownTopicOrPartitionError.errno, gone


@scenario('a transactional producer fails at once', but_kafka=True)
async def _(bootstrap):
    p = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id='t')
    try:
        await asyncio.wait_for(p.start(), 20)
        await asyncio.wait_for(p.begin_transaction(), 20)
        raise AssertionError('transactions began')
    except KafkaError as error:
        assert type(error).__name__ == 'TransactionalIdAuthorizationFailed', repr(error)


async def write_coded(bootstrap, topic, codec, values):
    await produce(bootstrap, topic, values, compression_type=None if codec == 'none' else codec, linger_ms=20)


async def read_coded(bootstrap, topic, count):
    return [m.value for m in await read_all(bootstrap, topic, count)]

exchange(write_coded, read_coded)

if __name__ == '__main__':
    main()
