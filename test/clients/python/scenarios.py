"""What the programs of this folder share: the list of scenarios, and the way to ask for a restart of the broker."""
import asyncio
import hashlib
import inspect
import os
import sys
import time
import traceback
import uuid

_scenarios = {}
_hidden = {}


def scenario(name, but_kafka=False):
    """Registers a scenario, a coroutine or a plain function. `but_kafka`: it is about what a broker lacks, and Kafka does not lack it."""
    def register(function):
        if not (but_kafka and os.environ.get('SLUICE_COMPAT_TARGET') == 'kafka'):
            _scenarios[name] = function
        return function
    return register


def exchange(write, read):
    """What a client does among others: write(bootstrap, topic, codec, values), and read(bootstrap, topic, count), which returns values."""
    def write_all(bootstrap):
        topic, client = sys.argv[3:5]
        for codec in ['none', 'gzip', 'snappy', 'lz4', 'zstd']:
            _result(write(bootstrap, topic, codec, texts(100, f'{client} {codec}')))

    def read_all(bootstrap):
        values = _result(read(bootstrap, sys.argv[3], int(sys.argv[4])))
        print('sha256', hashlib.sha256(b'\n'.join(values)).hexdigest())
    _hidden.update(write=write_all, read=read_all)


def _result(value):
    return asyncio.run(value) if inspect.iscoroutine(value) else value


def main():
    if sys.argv[1] == '--list':
        print('\n'.join(_scenarios))
        return
    bootstrap, name = sys.argv[1:3]
    try:
        _result((_scenarios.get(name) or _hidden[name])(bootstrap))
        code = 0
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of clients that are stuck do not keep the program.
    os._exit(code)


def broker(request):
    """stop, start or kill9."""
    print(f'broker: {request}', flush=True)
    answer = sys.stdin.readline()
    assert answer == 'done\n', f'the broker: {answer!r}'


def fresh(purpose):
    """A name that no other run has."""
    return f'{purpose}-{uuid.uuid4().hex[:8]}'


def wait_for(what, condition, seconds=60, seen=str):
    """The value of the condition, as soon as it is true. `seen` says what there was instead."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f'not within {seconds} s: {what} {seen()}'
        time.sleep(0.02)


async def wait_for_async(what, condition, seconds=60, seen=str):
    deadline = time.monotonic() + seconds
    while True:
        value = await condition()
        if value:
            return value
        assert time.monotonic() < deadline, f'not within {seconds} s: {what} {seen()}'
        await asyncio.sleep(0.02)


def texts(count, salt, width=40):
    return [f'{salt} {i} {"abc " * (i % width)}'.encode() for i in range(count)]
