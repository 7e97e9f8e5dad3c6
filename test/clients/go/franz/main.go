// franz-go: github.com/twmb/franz-go/pkg/kgo and kadm.
package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	. "sluice.test/clients/scenarios"
)

var codecs = map[string]kgo.CompressionCodec{
	"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
}

func background() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	time.AfterFunc(90*time.Second, cancel)
	return ctx
}

func client(bootstrap string, opts ...kgo.Opt) *kgo.Client {
	return Must1(kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(bootstrap), kgo.RecordPartitioner(kgo.ManualPartitioner())}, opts...)...))
}

func admin(bootstrap string) *kadm.Client { return kadm.NewClient(client(bootstrap)) }

func create(bootstrap, purpose string, partitions int32, configs map[string]*string) string {
	topic := Fresh(purpose)
	a := admin(bootstrap)
	defer a.Close()
	Must1(a.CreateTopic(background(), partitions, 1, configs, topic))
	return topic
}

func records(topic string, partition int32, values []string) (all []*kgo.Record) {
	for _, value := range values {
		all = append(all, &kgo.Record{Topic: topic, Partition: partition, Value: []byte(value)})
	}
	return
}

func produce(bootstrap, topic string, partition int32, values []string, opts ...kgo.Opt) {
	c := client(bootstrap, opts...)
	defer c.Close()
	Must(c.ProduceSync(background(), records(topic, partition, values)...).FirstErr())
}

func read(c *kgo.Client, count int) (all []*kgo.Record) {
	for ctx := background(); len(all) < count; {
		fetches := c.PollRecords(ctx, count-len(all))
		for _, failure := range fetches.Errors() {
			Must(failure.Err)
		}
		all = append(all, fetches.Records()...)
	}
	return
}

func readAll(bootstrap, topic string, partition int32, at kgo.Offset, count int, opts ...kgo.Opt) []*kgo.Record {
	c := client(bootstrap, append(opts, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {partition: at}}))...)
	defer c.Close()
	return read(c, count)
}

func values(all []*kgo.Record) (values []string) {
	for _, each := range all {
		values = append(values, string(each.Value))
	}
	return
}

var start = kgo.NewOffset().AtStart()

func everyCodec(bootstrap string) {
	hows := map[string][]kgo.Opt{
		"0": {kgo.RequiredAcks(kgo.NoAck()), kgo.DisableIdempotentWrite()}, "1": {kgo.RequiredAcks(kgo.LeaderAck()), kgo.DisableIdempotentWrite()},
		"all": {kgo.DisableIdempotentWrite()}, "idempotent": {},
	}
	for name, codec := range codecs {
		topic := create(bootstrap, name, 1, nil)
		for how, opts := range hows {
			produce(bootstrap, topic, 0, Texts(300, how), append(opts, kgo.ProducerBatchCompression(codec), kgo.ProducerLinger(5*time.Millisecond))...)
		}
		got := values(readAll(bootstrap, topic, 0, start, 300*len(hows)))
		for how := range hows {
			Equal(WithPrefix(got, how+" "), Texts(300, how))
		}
	}
}

func exact(bootstrap string) {
	limit := "11000000"
	topic := create(bootstrap, "exact", 1, map[string]*string{"max.message.bytes": &limit})
	now := time.UnixMilli(time.Now().UnixMilli())
	sent := []*kgo.Record{
		{Key: []byte("k"), Value: []byte("v"), Timestamp: now.Add(-time.Second), Headers: []kgo.RecordHeader{{Key: "h", Value: []byte("1")}, {Key: "h"}, {Key: ""}}},
		{Value: []byte("v"), Timestamp: now.Add(-time.Hour)}, {Key: []byte("k"), Timestamp: now}, {Timestamp: now}, {Key: []byte{}, Value: []byte{}, Timestamp: now},
		{Value: make([]byte, 10_000_000), Timestamp: now}, {Value: make([]byte, 1_000_000), Timestamp: now},
	}
	c := client(bootstrap, kgo.ProducerBatchMaxBytes(20_000_000), kgo.ProducerBatchCompression(kgo.NoCompression()))
	defer c.Close()
	for _, each := range sent {
		each.Topic = topic
		Must(c.ProduceSync(background(), each).FirstErr())
	}
	err := c.ProduceSync(background(), &kgo.Record{Topic: topic, Value: make([]byte, 12_000_000)}).FirstErr()
	Check(errors.Is(err, kerr.MessageTooLarge), "%v", err)
	for i, got := range readAll(bootstrap, topic, 0, start, len(sent)) {
		want := sent[i]
		Equal(got.Timestamp.UnixMilli(), want.Timestamp.UnixMilli())
		Check(string(got.Key) == string(want.Key) && (got.Key == nil) == (want.Key == nil), "key of %d", i)
		Check(string(got.Value) == string(want.Value) && (got.Value == nil) == (want.Value == nil), "value of %d", i)
		Equal(fmt.Sprint(got.Headers), fmt.Sprint(want.Headers))
	}
}

func positions(bootstrap string) {
	topic := create(bootstrap, "where", 2, nil)
	begin := time.UnixMilli(time.Now().UnixMilli() - 100_000)
	c := client(bootstrap)
	for i := 0; i < 100; i++ {
		r := &kgo.Record{Topic: topic, Partition: int32(i % 2), Value: []byte(strconv.Itoa(i)), Timestamp: begin.Add(time.Duration(i) * time.Second)}
		Must(c.ProduceSync(background(), r).FirstErr())
	}
	c.Close()
	first := func(at kgo.Offset, opts ...kgo.Opt) int64 {
		return readAll(bootstrap, topic, 0, at, 1, opts...)[0].Offset
	}
	Equal(first(start), int64(0))
	Equal(first(kgo.NewOffset().At(42)), int64(42))
	Equal(first(kgo.NewOffset().AtEnd().Relative(-5)), int64(45))
	Equal(first(kgo.NewOffset().AfterMilli(begin.Add(41*time.Second).UnixMilli())), int64(21))
	Equal(first(kgo.NewOffset().At(5000), kgo.ConsumeResetOffset(start)), int64(0))
	Equal(first(start, kgo.FetchIsolationLevel(kgo.ReadCommitted())), int64(0))
	c = client(bootstrap, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(start))
	defer c.Close()
	c.PauseFetchPartitions(map[string][]int32{topic: {1}})
	for _, each := range read(c, 50) {
		Equal(each.Partition, int32(0))
	}
	c.ResumeFetchPartitions(map[string][]int32{topic: {1}})
	for _, each := range read(c, 50) {
		Equal(each.Partition, int32(1))
	}
	c.SetOffsets(map[string]map[int32]kgo.EpochOffset{topic: {0: {Epoch: -1, Offset: 40}}})
	Equal(read(c, 10)[0].Offset, int64(40))
	// One that waits at the end.
	go func() { produce(bootstrap, topic, 1, []string{"new"}) }()
	Equal(string(read(c, 1)[0].Value), "new")
}

// member is a consumer of a group that runs by itself.
type member struct {
	client *kgo.Client
	mutex  sync.Mutex
	held   map[int32]bool
	lost   int
	read   *Set
	cancel context.CancelFunc
	ended  chan struct{}
	failed atomic.Value
}

func join(bootstrap, group, topic string, all *Set, opts ...kgo.Opt) *member {
	m := &member{held: map[int32]bool{}, read: all, ended: make(chan struct{})}
	change := func(gained bool) func(context.Context, *kgo.Client, map[string][]int32) {
		return func(_ context.Context, _ *kgo.Client, changed map[string][]int32) {
			m.mutex.Lock()
			defer m.mutex.Unlock()
			for _, partition := range changed[topic] {
				if gained {
					m.held[partition] = true
				} else {
					delete(m.held, partition)
					m.lost++
				}
			}
		}
	}
	m.client = client(bootstrap, append([]kgo.Opt{
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(start), kgo.SessionTimeout(6 * time.Second), kgo.HeartbeatInterval(300 * time.Millisecond),
		kgo.OnPartitionsAssigned(change(true)), kgo.OnPartitionsRevoked(change(false)), kgo.OnPartitionsLost(change(false)),
	}, opts...)...)
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	go func() {
		defer close(m.ended)
		for ctx.Err() == nil {
			fetches := m.client.PollFetches(ctx)
			for _, failure := range fetches.Errors() {
				if !errors.Is(failure.Err, context.Canceled) {
					m.failed.Store(failure.Err)
				}
			}
			fetches.EachRecord(func(r *kgo.Record) { m.read.Add(string(r.Value)) })
		}
	}()
	return m
}

func (m *member) partitions() []int32 {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	var held []int32
	for partition := range m.held {
		held = append(held, partition)
	}
	return held
}

func (m *member) stop() {
	m.cancel()
	<-m.ended
	m.client.Close()
}

func settled(partitions int, members ...*member) {
	WaitFor("a settled group", func() bool {
		all, least, most := map[int32]bool{}, partitions, 0
		count := 0
		for _, m := range members {
			held := m.partitions()
			count += len(held)
			least, most = min(least, len(held)), max(most, len(held))
			for _, partition := range held {
				all[partition] = true
			}
		}
		return len(all) == partitions && count == partitions && most-least <= 1
	})
}

func rebalance(balancer kgo.GroupBalancer) func(string) {
	return func(bootstrap string) {
		topic, group, all := create(bootstrap, "rebalance", 6, nil), Fresh("group"), &Set{}
		sent := 0
		send := func(salt string) {
			for partition := int32(0); partition < 6; partition++ {
				produce(bootstrap, topic, partition, Texts(50, fmt.Sprintf("%s %d", salt, partition)))
				sent += 50
			}
		}
		send("first")
		var members []*member
		for range 3 {
			members = append(members, join(bootstrap, group, topic, all, kgo.Balancers(balancer)))
			settled(6, members...)
		}
		send("second")
		members[0].stop()
		settled(6, members[1:]...)
		// One that dies without a word: its connections end and it sends no LeaveGroup, as a static member does.
		dying := join(bootstrap, group, topic, all, kgo.Balancers(balancer), kgo.InstanceID("dying"))
		settled(6, append(members[1:], dying)...)
		dying.stop()
		settled(6, members[1:]...)
		send("third")
		WaitFor("all records", func() bool { return all.Len() == sent })
		members[1].stop()
		members[2].stop()
	}
}

func staticMember(bootstrap string) {
	topic, group, all := create(bootstrap, "static", 4, nil), Fresh("group"), &Set{}
	one, two := join(bootstrap, group, topic, all, kgo.InstanceID("1")), join(bootstrap, group, topic, all, kgo.InstanceID("2"))
	settled(4, one, two)
	lost := one.lost
	two.stop()
	two = join(bootstrap, group, topic, all, kgo.InstanceID("2"))
	settled(4, one, two)
	Equal(one.lost, lost)
	other := join(bootstrap, group, topic, all, kgo.InstanceID("1"))
	WaitFor("a fenced member", func() bool { failure, _ := one.failed.Load().(error); return errors.Is(failure, kerr.FencedInstanceID) })
	other.stop()
	two.stop()
}

func commits(bootstrap string) {
	topic, group := create(bootstrap, "commit", 1, nil), Fresh("group")
	produce(bootstrap, topic, 0, Texts(100, "x"))
	opts := []kgo.Opt{kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(start)}
	c := client(bootstrap, append(opts, kgo.DisableAutoCommit())...)
	read(c, 40)
	Must(c.CommitUncommittedOffsets(background()))
	c.Close()
	a := admin(bootstrap)
	defer a.Close()
	lag := func() int64 {
		described := Must1(a.Lag(background(), group))[group]
		Must(described.Error())
		return described.Lag.Total()
	}
	Equal(lag(), int64(60))
	c = client(bootstrap, append(opts, kgo.AutoCommitInterval(100*time.Millisecond))...)
	Equal(read(c, 60)[0].Offset, int64(40))
	// Automatic commits are about what an earlier poll gave.
	WaitFor("an automatic commit", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		defer cancel()
		c.PollFetches(ctx)
		return lag() == 0
	})
	c.Close()
}

func survive(bootstrap string) {
	topic, all := create(bootstrap, "survive", 3, nil), &Set{}
	m := join(bootstrap, Fresh("group"), topic, all)
	c := client(bootstrap, kgo.ProducerLinger(2*time.Millisecond), kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.RecordDeliveryTimeout(4*time.Minute))
	var told []Placed
	var mutex sync.Mutex
	var failure error
	count := func() int { mutex.Lock(); defer mutex.Unlock(); return len(told) }
	stop, ended, sent := make(chan struct{}), make(chan struct{}), 0
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			default:
			}
			value := sent
			c.Produce(context.Background(), &kgo.Record{Topic: topic, Partition: int32(sent % 3), Value: []byte(strconv.Itoa(sent))}, func(r *kgo.Record, err error) {
				mutex.Lock()
				defer mutex.Unlock()
				if err != nil {
					failure = err
				}
				told = append(told, Placed{Partition: r.Partition, Offset: r.Offset, Value: value})
			})
			sent++
			time.Sleep(200 * time.Microsecond)
		}
	}()
	ThroughEnds(count, all.Len)
	close(stop)
	<-ended
	Must(c.Flush(background()))
	Must(failure)
	var found []Placed
	a := admin(bootstrap)
	ends := Must1(a.ListEndOffsets(background(), topic))
	for partition := int32(0); partition < 3; partition++ {
		end, _ := ends.Lookup(topic, partition)
		for _, r := range readAll(bootstrap, topic, partition, start, int(end.Offset)) {
			found = append(found, Placed{Partition: r.Partition, Offset: r.Offset, Value: Must1(strconv.Atoi(string(r.Value)))})
		}
	}
	CheckSurvival(sent, told, found)
	WaitFor("all of it in the group", func() bool { return all.Len() == sent })
	m.stop()
}

func again(bootstrap string) {
	topic := create(bootstrap, "again", 1, nil)
	p := client(bootstrap, kgo.MetadataMaxAge(time.Second), kgo.MetadataMinAge(100*time.Millisecond))
	Must(p.ProduceSync(background(), records(topic, 0, []string{"old"})...).FirstErr())
	c := client(bootstrap, kgo.ConsumerGroup(Fresh("group")), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(start), kgo.MetadataMaxAge(time.Second), kgo.MetadataMinAge(100*time.Millisecond))
	Equal(string(read(c, 1)[0].Value), "old")
	a := admin(bootstrap)
	Must1(a.DeleteTopic(background(), topic))
	Must1(a.CreateTopic(background(), 1, 1, nil, topic))
	// franz-go holds on to a topic's id until it is told to forget the topic.
	p.PurgeTopicsFromClient(topic)
	c.PurgeTopicsFromClient(topic)
	c.AddConsumeTopics(topic)
	WaitFor("a record in the new topic", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		return p.ProduceSync(ctx, records(topic, 0, []string{"new"})...).FirstErr() == nil
	})
	WaitFor("a record of the new topic", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		all := c.PollFetches(ctx).Records()
		return len(all) > 0 && string(all[0].Value) == "new"
	})
}

func many(bootstrap string) {
	prefix := Fresh("auto")
	c := client(bootstrap, kgo.ConsumerGroup(Fresh("group")), kgo.ConsumeRegex(), kgo.ConsumeTopics("^"+prefix+"-.*"), kgo.ConsumeResetOffset(start), kgo.MetadataMaxAge(time.Second), kgo.MetadataMinAge(100*time.Millisecond))
	defer c.Close()
	expected, got := 10, map[string]bool{}
	for i := range expected {
		produce(bootstrap, fmt.Sprintf("%s-%d", prefix, i), 0, []string{strconv.Itoa(i)}, kgo.AllowAutoTopicCreation())
	}
	WaitFor("all topics", func() bool { got[string(read(c, 1)[0].Value)] = true; return len(got) == expected })
	topic := create(bootstrap, "wide", 1000, nil)
	p := client(bootstrap)
	defer p.Close()
	var all []*kgo.Record
	for i := range 3000 {
		all = append(all, &kgo.Record{Topic: topic, Partition: int32(i % 1000), Value: []byte(strconv.Itoa(i))})
	}
	Must(p.ProduceSync(background(), all...).FirstErr())
	wide := client(bootstrap, kgo.ConsumerGroup(Fresh("group")), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(start))
	defer wide.Close()
	Equal(Sorted(values(read(wide, 3000))), Sorted(values(all)))
}

func administration(bootstrap string) {
	ctx, a := background(), admin(bootstrap)
	retention := "100000"
	topic := create(bootstrap, "admin", 1, map[string]*string{"retention.ms": &retention})
	produce(bootstrap, topic, 0, Texts(10, "x"))
	_, err := a.CreateTopic(ctx, 1, 1, nil, topic)
	Check(errors.Is(err, kerr.TopicAlreadyExists), "%v", err)
	Must(Must1(a.UpdatePartitions(ctx, 3, topic)).Error())
	config := func(name string) string {
		described := Must1(Must1(a.DescribeTopicConfigs(ctx, topic)).On(topic, nil))
		Must(described.Err)
		for _, each := range described.Configs {
			if each.Key == name {
				return each.MaybeValue()
			}
		}
		panic(name)
	}
	Equal(config("retention.ms"), "100000")
	size := "2000000"
	Must1(a.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "segment.bytes", Value: &size}, {Op: kadm.DeleteConfig, Name: "retention.ms"}}, topic))
	Equal([]string{config("segment.bytes"), config("retention.ms")}, []string{"2000000", "604800000"})
	deleted := Must1(a.DeleteRecords(ctx, kadm.Offsets{topic: {0: {Topic: topic, Partition: 0, At: 4}}}))
	Must(deleted.Error())
	Equal(readAll(bootstrap, topic, 0, start, 6)[0].Offset, int64(4))
	Equal(len(Must1(a.ListTopics(ctx, topic))[topic].Partitions), 3)
	group, all := Fresh("group"), &Set{}
	m := join(bootstrap, group, topic, all)
	settled(3, m)
	described := Must1(a.DescribeGroups(ctx, group))[group]
	Equal([]any{described.State, len(described.Members)}, []any{"Stable", 1})
	m.stop()
	offsets := kadm.Offsets{}
	offsets.AddOffset(topic, 0, 9, -1)
	Must(a.CommitAllOffsets(ctx, group, offsets))
	at, _ := Must1(a.FetchOffsets(ctx, group)).Lookup(topic, 0)
	Equal(at.At, int64(9))
	Must1(a.DeleteGroup(ctx, group))
	Equal(len(Must1(a.DescribeAllLogDirs(ctx, nil))), 1)
	Equal(len(Must1(a.ListBrokers(ctx))), 1)
	Must(Must1(a.DeleteTopics(ctx, topic)).Error())
	_, err = a.DeleteTopic(ctx, topic)
	Check(errors.Is(err, kerr.UnknownTopicOrPartition), "%v", err)
}

func transactional(bootstrap string) {
	c := client(bootstrap, kgo.TransactionalID("t"))
	begun := time.Now()
	topic := create(bootstrap, "tx", 1, nil)
	err := c.BeginTransaction()
	if err == nil {
		err = c.ProduceSync(background(), records(topic, 0, []string{"x"})...).FirstErr()
	}
	Check(errors.Is(err, kerr.TransactionalIDAuthorizationFailed), "%v", err)
	Check(time.Since(begun) < 20*time.Second, "it took %v", time.Since(begun))
}

func serverSide(bootstrap string) {
	topic := create(bootstrap, "new", 1, nil)
	produce(bootstrap, topic, 0, []string{"x"})
	c := client(bootstrap, kgo.ConsumerGroup(Fresh("group")), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(start), kgo.ServerSideBalancer())
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	fetches := c.PollFetches(ctx)
	// It falls back to a classic group, or says why not; it does not wait for ever.
	fmt.Println(fetches.Errors(), len(fetches.Records()))
	Check(ctx.Err() == nil, "neither records nor an error")
}

func main() {
	Add("every codec with acks 0, 1 and all, idempotent and not", everyCodec)
	Add("keys, headers, tombstones, timestamps, records of 10 MB and one too large", exact)
	Add("positions: start, end, offset, time, pause, resume, reset", positions)
	Add("a group whose members come, go and die: range", rebalance(kgo.RangeBalancer()))
	Add("a group whose members come, go and die: cooperative-sticky", rebalance(kgo.CooperativeStickyBalancer()))
	Add("a static member restarts within its session without a rebalance", staticMember)
	Add("commits by hand and automatic; lag", commits)
	Add("clean restart and kill -9 under producer and group: nothing lost, nothing twice", survive)
	Add("a topic that is deleted and made anew under its clients", again)
	Add("topics by pattern and auto-creation; 1,000 partitions", many)
	Add("admin: topics, partitions, configs, records, groups", administration)
	AddButKafka("a transactional producer fails at once", transactional)
	AddButKafka("a consumer of the new group protocol reads or fails, and does not hang", serverSide)
	Exchange(func(bootstrap, topic, codec string, values []string) {
		produce(bootstrap, topic, 0, values, kgo.ProducerBatchCompression(codecs[codec]), kgo.ProducerLinger(20*time.Millisecond))
	}, func(bootstrap, topic string, count int) []string {
		return values(readAll(bootstrap, topic, 0, start, count))
	})
	Main()
}
