// sarama: github.com/IBM/sarama.
package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/IBM/sarama"

	. "sluice.test/clients/scenarios"
)

var codecs = []sarama.CompressionCodec{
	sarama.CompressionNone, sarama.CompressionGZIP, sarama.CompressionSnappy, sarama.CompressionLZ4, sarama.CompressionZSTD,
}

func config(change func(*sarama.Config)) *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.MaxVersion
	c.Producer.Return.Successes = true
	c.Producer.Partitioner = sarama.NewManualPartitioner
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Consumer.Return.Errors = true
	c.Consumer.Group.Session.Timeout = 6 * time.Second
	c.Consumer.Group.Heartbeat.Interval = 300 * time.Millisecond
	// Apache Kafka tells of partitions before it can write to them.
	c.Producer.Retry.Max, c.Producer.Retry.Backoff = 100, 200*time.Millisecond
	c.Metadata.Retry.Max, c.Metadata.Retry.Backoff = 100, 200*time.Millisecond
	if change != nil {
		change(c)
	}
	return c
}

func idempotent(c *sarama.Config) {
	c.Producer.Idempotent, c.Producer.RequiredAcks, c.Net.MaxOpenRequests = true, sarama.WaitForAll, 1
	c.Producer.Retry.Max, c.Producer.Retry.Backoff = 1000, 100*time.Millisecond
}

func admin(bootstrap string) sarama.ClusterAdmin {
	return Must1(sarama.NewClusterAdmin([]string{bootstrap}, config(nil)))
}

func create(bootstrap, purpose string, partitions int32, configs map[string]*string) string {
	topic := Fresh(purpose)
	a := admin(bootstrap)
	defer a.Close()
	Must(a.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1, ConfigEntries: configs}, false))
	return topic
}

func produce(bootstrap, topic string, partition int32, values []string, change func(*sarama.Config)) {
	p := Must1(sarama.NewSyncProducer([]string{bootstrap}, config(change)))
	defer p.Close()
	var all []*sarama.ProducerMessage
	for _, value := range values {
		all = append(all, &sarama.ProducerMessage{Topic: topic, Partition: partition, Value: sarama.StringEncoder(value)})
	}
	Must(p.SendMessages(all))
}

// readAll keeps a consumer of one partition until it has given `count` records.
func readAll(bootstrap, topic string, partition int32, offset int64, count int, change func(*sarama.Config)) (all []*sarama.ConsumerMessage) {
	c := Must1(sarama.NewConsumer([]string{bootstrap}, config(change)))
	defer c.Close()
	p := Must1(c.ConsumePartition(topic, partition, offset))
	defer p.Close()
	timeout := time.After(90 * time.Second)
	for len(all) < count {
		select {
		case message := <-p.Messages():
			all = append(all, message)
		case err := <-p.Errors():
			Must(err)
		case <-timeout:
			panic(fmt.Sprintf("%d of %d records", len(all), count))
		}
	}
	return
}

func values(all []*sarama.ConsumerMessage) (values []string) {
	for _, each := range all {
		values = append(values, string(each.Value))
	}
	return
}

func everyCodec(bootstrap string) {
	hows := map[string]func(*sarama.Config){
		"0": func(c *sarama.Config) { c.Producer.RequiredAcks = sarama.NoResponse }, "1": func(c *sarama.Config) { c.Producer.RequiredAcks = sarama.WaitForLocal },
		"all": func(c *sarama.Config) { c.Producer.RequiredAcks = sarama.WaitForAll }, "idempotent": idempotent,
	}
	// An old protocol too: what sarama speaks unless it is told a version.
	for _, version := range []sarama.KafkaVersion{sarama.DefaultVersion, sarama.MaxVersion} {
		for _, codec := range codecs {
			topic := create(bootstrap, codec.String(), 1, nil)
			for how, change := range hows {
				produce(bootstrap, topic, 0, Texts(300, how), func(c *sarama.Config) {
					change(c)
					c.Version, c.Producer.Compression, c.Producer.Flush.Frequency = version, codec, 5*time.Millisecond
				})
			}
			got := values(readAll(bootstrap, topic, 0, 0, 300*len(hows), func(c *sarama.Config) { c.Version = version }))
			for how := range hows {
				Equal(WithPrefix(got, how+" "), Texts(300, how))
			}
		}
	}
}

func exact(bootstrap string) {
	limit := "11000000"
	topic := create(bootstrap, "exact", 1, map[string]*string{"max.message.bytes": &limit})
	now := time.UnixMilli(time.Now().UnixMilli())
	headers := []sarama.RecordHeader{{Key: []byte("h"), Value: []byte("1")}, {Key: []byte("h"), Value: []byte("2")}, {Key: []byte(""), Value: []byte("")}}
	sent := []*sarama.ProducerMessage{
		{Key: sarama.StringEncoder("k"), Value: sarama.StringEncoder("v"), Headers: headers, Timestamp: now.Add(-time.Second)},
		{Value: sarama.StringEncoder("v"), Timestamp: now.Add(-time.Hour)}, {Key: sarama.StringEncoder("k"), Timestamp: now}, {Timestamp: now},
		{Value: sarama.ByteEncoder(make([]byte, 10_000_000)), Timestamp: now}, {Value: sarama.ByteEncoder(make([]byte, 1_000_000)), Timestamp: now},
	}
	p := Must1(sarama.NewSyncProducer([]string{bootstrap}, config(func(c *sarama.Config) { c.Producer.MaxMessageBytes = 20_000_000 })))
	defer p.Close()
	for i, each := range sent {
		each.Topic = topic
		_, offset, err := p.SendMessage(each)
		Must(err)
		Equal(offset, int64(i))
	}
	_, _, err := p.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.ByteEncoder(make([]byte, 12_000_000))})
	Check(errors.Is(err, sarama.ErrMessageSizeTooLarge), "%v", err)
	bytes := func(e sarama.Encoder) string {
		if e == nil {
			return "null"
		}
		return string(Must1(e.Encode()))
	}
	orNull := func(b []byte) string {
		if b == nil {
			return "null"
		}
		return string(b)
	}
	for i, got := range readAll(bootstrap, topic, 0, 0, len(sent), nil) {
		want := sent[i]
		Equal(got.Timestamp.UnixMilli(), want.Timestamp.UnixMilli())
		Check(orNull(got.Key) == bytes(want.Key), "key of %d", i)
		Check(orNull(got.Value) == bytes(want.Value), "value of %d", i)
		Equal(len(got.Headers), len(want.Headers))
		for j, h := range got.Headers {
			Equal([]string{string(h.Key), string(h.Value)}, []string{string(want.Headers[j].Key), string(want.Headers[j].Value)})
		}
	}
}

func positions(bootstrap string) {
	topic := create(bootstrap, "where", 1, nil)
	begin := time.Now().UnixMilli() - 100_000
	p := Must1(sarama.NewSyncProducer([]string{bootstrap}, config(nil)))
	for i := range 100 {
		_, _, err := p.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(strconv.Itoa(i)), Timestamp: time.UnixMilli(begin + int64(i)*1000)})
		Must(err)
	}
	p.Close()
	Equal(readAll(bootstrap, topic, 0, sarama.OffsetOldest, 1, nil)[0].Offset, int64(0))
	Equal(readAll(bootstrap, topic, 0, 42, 1, func(c *sarama.Config) { c.Consumer.IsolationLevel = sarama.ReadCommitted })[0].Offset, int64(42))
	client := Must1(sarama.NewClient([]string{bootstrap}, config(nil)))
	defer client.Close()
	Equal(Must1(client.GetOffset(topic, 0, sarama.OffsetNewest)), int64(100))
	Equal(Must1(client.GetOffset(topic, 0, begin+41_500)), int64(42))
	c := Must1(sarama.NewConsumerFromClient(client))
	_, err := c.ConsumePartition(topic, 0, 5000)
	Check(errors.Is(err, sarama.ErrOffsetOutOfRange), "%v", err)
	// One that waits at the end, is paused, and goes on.
	tail := Must1(c.ConsumePartition(topic, 0, sarama.OffsetNewest))
	produce(bootstrap, topic, 0, []string{"new"}, nil)
	Equal(string((<-tail.Messages()).Value), "new")
	tail.Pause()
	Must(tail.Close())
}

type member struct {
	group  sarama.ConsumerGroup
	mutex  sync.Mutex
	held   []int32
	rounds int
	read   *Set
	cancel context.CancelFunc
	ended  chan struct{}
	failed error
}

func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.rounds++
	for _, partitions := range session.Claims() {
		m.held = partitions
	}
	return nil
}

func (m *member) Cleanup(sarama.ConsumerGroupSession) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	m.held = nil
	return nil
}

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case message, ok := <-claim.Messages():
			if !ok {
				return nil
			}
			m.read.Add(string(message.Value))
			session.MarkMessage(message, "note")
		case <-session.Context().Done():
			return nil
		}
	}
}

func join(bootstrap, group, topic string, all *Set, change func(*sarama.Config)) *member {
	m := &member{read: all, ended: make(chan struct{})}
	m.group = Must1(sarama.NewConsumerGroup([]string{bootstrap}, group, config(change)))
	go func() {
		for range m.group.Errors() {
		}
	}()
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	go func() {
		defer close(m.ended)
		for ctx.Err() == nil {
			if err := m.group.Consume(ctx, []string{topic}, m); err != nil {
				m.mutex.Lock()
				m.failed = err
				m.mutex.Unlock()
				time.Sleep(50 * time.Millisecond)
			}
		}
	}()
	return m
}

func (m *member) partitions() []int32 {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return m.held
}

func (m *member) stop() {
	m.cancel()
	<-m.ended
	Must(m.group.Close())
}

func settled(partitions int, members ...*member) {
	WaitFor("a settled group", func() bool {
		all, count, least, most := map[int32]bool{}, 0, partitions, 0
		for _, m := range members {
			held := m.partitions()
			count, least, most = count+len(held), min(least, len(held)), max(most, len(held))
			for _, partition := range held {
				all[partition] = true
			}
		}
		return len(all) == partitions && count == partitions && most-least <= 1
	})
}

func rebalance(strategy sarama.BalanceStrategy) func(string) {
	return func(bootstrap string) {
		topic, group, all := create(bootstrap, "rebalance", 6, nil), Fresh("group"), &Set{}
		change := func(c *sarama.Config) {
			c.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{strategy}
		}
		sent := 0
		send := func(salt string) {
			for partition := int32(0); partition < 6; partition++ {
				produce(bootstrap, topic, partition, Texts(50, fmt.Sprintf("%s %d", salt, partition)), nil)
				sent += 50
			}
		}
		send("first")
		var members []*member
		for range 3 {
			members = append(members, join(bootstrap, group, topic, all, change))
			settled(6, members...)
		}
		send("second")
		members[0].stop()
		settled(6, members[1:]...)
		// A static member sends no LeaveGroup: to the group it died, and its session's time puts it out.
		dying := join(bootstrap, group, topic, all, func(c *sarama.Config) { change(c); c.Consumer.Group.InstanceId = "dying" })
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
	named := func(name string) *member {
		return join(bootstrap, group, topic, all, func(c *sarama.Config) { c.Consumer.Group.InstanceId = name })
	}
	one, two := named("1"), named("2")
	settled(4, one, two)
	rounds := one.rounds
	two.stop()
	two = named("2")
	settled(4, one, two)
	Equal(one.rounds, rounds)
	one.stop()
	two.stop()
}

func commits(bootstrap string) {
	topic, group, all := create(bootstrap, "commit", 1, nil), Fresh("group"), &Set{}
	produce(bootstrap, topic, 0, Texts(40, "x"), nil)
	m := join(bootstrap, group, topic, all, func(c *sarama.Config) { c.Consumer.Offsets.AutoCommit.Interval = 100 * time.Millisecond })
	a := admin(bootstrap)
	defer a.Close()
	committed := func() (int64, string) {
		block := Must1(a.ListConsumerGroupOffsets(group, map[string][]int32{topic: {0}})).GetBlock(topic, 0)
		return block.Offset, block.Metadata
	}
	WaitFor("an automatic commit", func() bool { offset, note := committed(); return offset == 40 && note == "note" })
	m.stop()
	produce(bootstrap, topic, 0, Texts(60, "y"), nil)
	at := Must1(a.ListOffsets(map[string]map[int32]int64{topic: {0: sarama.OffsetNewest}}, nil))[topic][0]
	offset, _ := committed()
	Equal(at.Offset-offset, int64(60))
	m = join(bootstrap, group, topic, all, nil)
	WaitFor("the rest", func() bool { return all.Len() == 100 })
	m.stop()
	offset, _ = committed()
	Equal(offset, int64(100))
}

func survive(bootstrap string) {
	topic, all := create(bootstrap, "survive", 3, nil), &Set{}
	m := join(bootstrap, Fresh("group"), topic, all, nil)
	p := Must1(sarama.NewAsyncProducer([]string{bootstrap}, config(func(c *sarama.Config) {
		idempotent(c)
		c.Producer.Compression, c.Producer.Flush.Frequency = sarama.CompressionLZ4, 2*time.Millisecond
	})))
	var told []Placed
	var mutex sync.Mutex
	var failure error
	count := func() int { mutex.Lock(); defer mutex.Unlock(); return len(told) }
	var waiting sync.WaitGroup
	waiting.Add(3)
	go func() {
		defer waiting.Done()
		for message := range p.Successes() {
			mutex.Lock()
			told = append(told, Placed{Partition: message.Partition, Offset: message.Offset, Value: message.Metadata.(int)})
			mutex.Unlock()
		}
	}()
	go func() {
		defer waiting.Done()
		for err := range p.Errors() {
			mutex.Lock()
			failure = err
			mutex.Unlock()
		}
	}()
	stop, sent := make(chan struct{}), 0
	go func() {
		defer waiting.Done()
		defer p.AsyncClose()
		for {
			select {
			case <-stop:
				return
			case p.Input() <- &sarama.ProducerMessage{Topic: topic, Partition: int32(sent % 3), Value: sarama.StringEncoder(strconv.Itoa(sent)), Metadata: sent}:
				sent++
				time.Sleep(200 * time.Microsecond)
			}
		}
	}()
	ThroughEnds(count, all.Len)
	close(stop)
	waiting.Wait()
	Must(failure)
	var found []Placed
	client := Must1(sarama.NewClient([]string{bootstrap}, config(nil)))
	for partition := int32(0); partition < 3; partition++ {
		end := Must1(client.GetOffset(topic, partition, sarama.OffsetNewest))
		for _, r := range readAll(bootstrap, topic, partition, 0, int(end), nil) {
			found = append(found, Placed{Partition: partition, Offset: r.Offset, Value: Must1(strconv.Atoi(string(r.Value)))})
		}
	}
	CheckSurvival(sent, told, found)
	WaitFor("all of it in the group", func() bool { return all.Len() == sent })
	m.stop()
}

func again(bootstrap string) {
	topic, all := create(bootstrap, "again", 1, nil), &Set{}
	p := Must1(sarama.NewSyncProducer([]string{bootstrap}, config(nil)))
	send := func(value string) error {
		_, _, err := p.SendMessage(&sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(value)})
		return err
	}
	Must(send("old"))
	m := join(bootstrap, Fresh("group"), topic, all, func(c *sarama.Config) { c.Metadata.RefreshFrequency = 500 * time.Millisecond })
	WaitFor("the old record", func() bool { return all.Len() == 1 })
	a := admin(bootstrap)
	Must(a.DeleteTopic(topic))
	WaitFor("a topic made anew", func() bool {
		return a.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1}, false) == nil
	})
	WaitFor("a record in the new topic", func() bool { return send("new") == nil })
	count := 0
	WaitFor("a record of the new topic", func() bool { count++; send(strconv.Itoa(count)); return all.Len() > 1 })
	m.stop()
}

func wide(bootstrap string) {
	// Made by asking for its metadata, as the producer does.
	produce(bootstrap, Fresh("auto"), 0, []string{"x"}, nil)
	topic, all := create(bootstrap, "wide", 1000, nil), &Set{}
	client := Must1(sarama.NewClient([]string{bootstrap}, config(nil)))
	WaitFor("all leaders", func() bool {
		Must(client.RefreshMetadata(topic))
		return len(Must1(client.WritablePartitions(topic))) == 1000
	})
	client.Close()
	p := Must1(sarama.NewSyncProducer([]string{bootstrap}, config(nil)))
	var sent []*sarama.ProducerMessage
	for i := range 3000 {
		sent = append(sent, &sarama.ProducerMessage{Topic: topic, Partition: int32(i % 1000), Value: sarama.StringEncoder(strconv.Itoa(i))})
	}
	Must(p.SendMessages(sent))
	p.Close()
	m := join(bootstrap, Fresh("group"), topic, all, nil)
	WaitFor("all records", func() bool { return all.Len() == 3000 })
	m.stop()
}

func administration(bootstrap string) {
	a := admin(bootstrap)
	retention, size := "100000", "2000000"
	topic := create(bootstrap, "admin", 1, map[string]*string{"retention.ms": &retention})
	produce(bootstrap, topic, 0, Texts(10, "x"), nil)
	err := a.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: 1, ReplicationFactor: 1}, false)
	Check(errors.Is(err, sarama.ErrTopicAlreadyExists), "%v", err)
	Must(a.CreatePartitions(topic, 3, nil, false))
	value := func(name string) string {
		return Must1(a.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: topic, ConfigNames: []string{name}}))[0].Value
	}
	Equal(value("retention.ms"), "100000")
	Must(a.IncrementalAlterConfig(sarama.TopicResource, topic, map[string]sarama.IncrementalAlterConfigsEntry{
		"segment.bytes": {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &size}, "retention.ms": {Operation: sarama.IncrementalAlterConfigsOperationDelete},
	}, false))
	Equal([]string{value("segment.bytes"), value("retention.ms")}, []string{"2000000", "604800000"})
	Must(a.AlterConfig(sarama.TopicResource, topic, map[string]*string{"retention.ms": &retention}, false))
	WaitFor("segment.bytes to be gone", func() bool { return value("segment.bytes") != "2000000" })
	Must(a.DeleteRecords(topic, map[int32]int64{0: 4}))
	Equal(readAll(bootstrap, topic, 0, sarama.OffsetOldest, 6, nil)[0].Offset, int64(4))
	WaitFor("three partitions", func() bool { return len(Must1(a.DescribeTopics([]string{topic}))[0].Partitions) == 3 })
	Equal(Must1(a.ListTopics())[topic].NumPartitions, int32(3))
	group, all := Fresh("group"), &Set{}
	m := join(bootstrap, group, topic, all, nil)
	settled(3, m)
	described := Must1(a.DescribeConsumerGroups([]string{group}))[0]
	Equal([]any{described.State, len(described.Members)}, []any{"Stable", 1})
	m.stop()
	_, listed := Must1(a.ListConsumerGroups())[group]
	Check(listed, "the group is not listed")
	Must(a.DeleteConsumerGroupOffset(group, topic, 0))
	Must(a.DeleteConsumerGroup(group))
	brokers, controller, err := a.DescribeCluster()
	Must(err)
	Equal([]any{len(brokers), controller}, []any{1, int32(1)})
	Check(len(Must1(a.DescribeLogDirs([]int32{1}))[1]) == 1, "log directories")
	Must(a.DeleteTopic(topic))
	err = a.DeleteTopic(topic)
	Check(errors.Is(err, sarama.ErrUnknownTopicOrPartition), "%v", err)
}

func transactional(bootstrap string) {
	begun := time.Now()
	_, err := sarama.NewAsyncProducer([]string{bootstrap}, config(func(c *sarama.Config) { idempotent(c); c.Producer.Transaction.ID = "t" }))
	Check(errors.Is(err, sarama.ErrTransactionalIDAuthorizationFailed), "%v", err)
	Check(time.Since(begun) < 20*time.Second, "it took %v", time.Since(begun))
}

func main() {
	Add("every codec with acks 0, 1 and all, idempotent and not", everyCodec)
	Add("keys, headers, tombstones, timestamps, records of 10 MB and one too large", exact)
	Add("positions: oldest, newest, offset, time, out of range", positions)
	Add("a group whose members come, go and die: range", rebalance(sarama.NewBalanceStrategyRange()))
	Add("a group whose members come, go and die: sticky", rebalance(sarama.NewBalanceStrategySticky()))
	Add("a static member restarts within its session without a rebalance", staticMember)
	Add("automatic commits with metadata; lag", commits)
	Add("clean restart and kill -9 under producer and group: nothing lost, nothing twice", survive)
	Add("a topic that is deleted and made anew under its clients", again)
	Add("auto-creation; 1,000 partitions", wide)
	Add("admin: topics, partitions, configs, records, groups", administration)
	AddButKafka("a transactional producer fails at once", transactional)
	Exchange(func(bootstrap, topic, codec string, values []string) {
		produce(bootstrap, topic, 0, values, func(c *sarama.Config) {
			Must(c.Producer.Compression.UnmarshalText([]byte(codec)))
			c.Producer.Flush.Frequency = 20 * time.Millisecond
		})
	}, func(bootstrap, topic string, count int) []string {
		return values(readAll(bootstrap, topic, 0, 0, count, nil))
	})
	Main()
}
